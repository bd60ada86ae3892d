"""Outcomes of inspections as events beside the subjects that were inspected."""

import numpy as np

from features.engine.batch.gather import SUBJECT_ROW, gather_rows
from features.engine.columns import Columns, Places, rows
from features.engine.string_table import STRING_TABLE
from features.engine.windows.event_order import sorted_by_known_at
from features.records import CONCLUSIVE, SubjectKind

FIELDS_READ = ("subject_kind", "subject_id", "known_at", "result")


def outcome_events(kind: SubjectKind, subjects: Columns, outcomes: Columns) -> Columns:
    """One event per conclusive inspection of a subject that is there, with its columns.

    Known once both the finding and the subject's own record are; in that order, and within an
    instant by the subject's id; each with the row of its subject.
    """
    is_conclusive = (outcomes["subject_kind"] == STRING_TABLE.code(kind)) & np.isin(
        outcomes["result"], [STRING_TABLE.code(result) for result in CONCLUSIVE]
    )
    found = rows(outcomes, is_conclusive)
    place = Places(subjects["subject_id"]).of(found["subject_id"])
    found, place = rows(found, place >= 0), place[place >= 0]
    events = gather_rows(subjects, place) | {
        "record_id": found["subject_id"],
        SUBJECT_ROW: place,
        "known_at": np.maximum(found["known_at"], subjects["declared_at"][place]),
        "is_confirmed": (found["result"] == STRING_TABLE.code("confirmed")).astype(np.float64),
    }
    return sorted_by_known_at(events)
