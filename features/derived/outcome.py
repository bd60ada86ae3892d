"""Convert inspection outcomes to events of the inspected subjects and of their payers."""

import numpy as np

from features.engine.batch.gather import SUBJECT_ROW, gather_rows
from features.engine.columns import Column, Columns, Places, rows
from features.engine.string_table import STRING_TABLE
from features.engine.windows.event_order import sorted_by_known_at
from features.engine.windows.lifetimes import COUNTS_FROM, both_count, counting
from features.records import CONCLUSIVE, SubjectKind

FIELDS_READ = ("subject_kind", "subject_id", "known_at", "result")
PAYMENT_FIELDS_READ = ("subject_kind", "subject_id", "payer_id", "payee_id", "known_at")


def outcome_events(kind: SubjectKind, subjects: Columns, outcomes: Columns) -> Columns:
    """Return one event per conclusive inspection of a known subject, with its columns.

    An event is known once both the finding and the subject's record are. Events are sorted by that
    instant and the subject's id, and have the row of their subject.
    """
    is_conclusive = (outcomes["subject_kind"] == STRING_TABLE.code(kind)) & np.isin(
        outcomes["result"], [STRING_TABLE.code(result) for result in CONCLUSIVE]
    )
    found, place = _beside(rows(outcomes, is_conclusive), subjects)
    events = gather_rows(subjects, place)
    declared_at = events["declared_at"]
    lifetime = both_count(found, events | {"known_at": declared_at})
    events |= {
        "record_id": found["subject_id"],
        SUBJECT_ROW: place,
        "known_at": np.maximum(found["known_at"], declared_at),
        "is_confirmed": (found["result"] == STRING_TABLE.code("confirmed")).astype(np.float64),
    }
    return sorted_by_known_at(counting(events | lifetime))


def _beside(found: Columns, subjects: Columns) -> tuple[Columns, Column]:
    """Return findings of known subjects, each with the row of its subject.

    If a subject has several versions, a finding is repeated for each.
    """
    if COUNTS_FROM in subjects:
        of_finding, place = equal_pairs(found["subject_id"], subjects["subject_id"])
        return rows(found, of_finding), place
    place = Places(subjects["subject_id"]).of(found["subject_id"])
    return rows(found, place >= 0), place[place >= 0]


def paid_outcome_events(
    kind: SubjectKind, subjects: Columns, outcomes: Columns, payments: Columns
) -> Columns:
    """Return one event per conclusive inspection and payment for the inspected subject, unsorted.

    An event is known once the finding, the subject's record and the payment are.
    `inspected_subject` is the same for all events of a subject.
    """
    found = outcome_events(kind, subjects, outcomes)
    paid = rows(payments, payments["subject_kind"] == STRING_TABLE.code(kind))
    payment, outcome = equal_pairs(paid["subject_id"], found["subject_id"])
    found, paid = rows(found, outcome), rows(paid, payment)
    ids = found["subject_id"]
    events = {
        "record_id": ids,
        "inspected_subject": STRING_TABLE.map_texts(ids, f"{kind} {{}}".format),
        "payer_id": paid["payer_id"],
        "payee_id": paid["payee_id"],
        "known_at": np.maximum(found["known_at"], paid["known_at"]),
        "is_confirmed": found["is_confirmed"],
    }
    return counting(events | both_count(found, paid))


def equal_pairs(left: Column, right: Column) -> tuple[Column, Column]:
    """Return the indexes of every pair of equal values."""
    order = np.argsort(right, kind="stable")
    first = np.searchsorted(right[order], left, "left")
    matches = np.searchsorted(right[order], left, "right") - first
    of_left = np.repeat(np.arange(len(left)), matches)
    nth = np.arange(len(of_left)) - np.repeat(np.cumsum(matches) - matches, matches)
    return of_left, order[first[of_left] + nth]
