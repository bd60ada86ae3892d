"""Outcomes of inspections as events beside the subjects that were inspected, and who paid."""

import numpy as np

from features.engine.batch.gather import SUBJECT_ROW, gather_rows
from features.engine.columns import Column, Columns, Places, rows
from features.engine.string_table import STRING_TABLE
from features.engine.windows.event_order import sorted_by_known_at
from features.records import CONCLUSIVE, SubjectKind

FIELDS_READ = ("subject_kind", "subject_id", "known_at", "result")
PAYMENT_FIELDS_READ = ("subject_kind", "subject_id", "payer_id", "payee_id", "known_at")


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


def paid_outcome_events(
    kind: SubjectKind, subjects: Columns, outcomes: Columns, payments: Columns
) -> Columns:
    """One event per conclusive inspection and payment for what was inspected, in no order.

    Known once the finding, the subject's own record and the payment are. `inspected_subject` is the
    same for all events of a subject.
    """
    found = outcome_events(kind, subjects, outcomes)
    paid = rows(payments, payments["subject_kind"] == STRING_TABLE.code(kind))
    payment, outcome = _pairs(paid["subject_id"], found["subject_id"])
    ids = found["subject_id"][outcome]
    return {
        "record_id": ids,
        "inspected_subject": STRING_TABLE.map_texts(ids, f"{kind} {{}}".format),
        "payer_id": paid["payer_id"][payment],
        "payee_id": paid["payee_id"][payment],
        "known_at": np.maximum(found["known_at"][outcome], paid["known_at"][payment]),
        "is_confirmed": found["is_confirmed"][outcome],
    }


def _pairs(left: Column, right: Column) -> tuple[Column, Column]:
    """The places of every pair of equal values."""
    order = np.argsort(right, kind="stable")
    first = np.searchsorted(right[order], left, "left")
    matches = np.searchsorted(right[order], left, "right") - first
    of_left = np.repeat(np.arange(len(left)), matches)
    nth = np.arange(len(of_left)) - np.repeat(np.cumsum(matches) - matches, matches)
    return of_left, order[first[of_left] + nth]
