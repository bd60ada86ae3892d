"""All that is attached to subjects of one kind, by the name that windows use."""

import numpy as np

from features.derived.document import attached_documents
from features.derived.leg import attached_legs
from features.derived.position import attached_positions
from features.derived.transaction import attached_transactions
from features.engine.columns import Column, Columns, Records, is_missing, places
from features.engine.string_table import NO_TEXT
from features.engine.windows.entity_key import in_order_of_knowledge
from features.records import SubjectKind


def attached_to(kind: SubjectKind, subjects: Columns, records: Records) -> dict[str, Columns]:
    """The attached sources of subjects of one kind, in the order of knowledge."""
    attached = {
        "attached_documents": attached_documents(kind, subjects, records["documents"]),
        "attached_transactions": attached_transactions(kind, subjects, records["transactions"]),
    }
    if kind == "route":
        attached["legs"] = attached_legs(subjects, records["legs"])
        attached["positions"] = attached_positions(subjects, records["positions"])
    return {name: in_order_of_knowledge(events) for name, events in attached.items()}


def latest_by_subject(subjects: Columns, events: Columns, name: str) -> Column:
    """The last known text of `name` among each subject's events; missing without one."""
    latest = np.full(len(subjects["subject_id"]), NO_TEXT, np.int32)
    subject = places(events["subject_id"], subjects["subject_id"])
    known = (subject >= 0) & ~is_missing(events[name])
    latest[subject[known]] = events[name][known]  # of several for one place, the last stays
    return latest
