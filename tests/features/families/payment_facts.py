"""Facts that hold for every share and every count of a subject's own payments."""

from collections.abc import Sequence
from typing import Any

from features.records import SubjectKind
from tests.features.families.facts import (
    DECLARED,
    LONG_AGO,
    MISSING,
    MOMENT,
    Fact,
    Record,
    Row,
    after,
    both,
    payment,
)

BOTH: Sequence[SubjectKind] = ("route", "shipment")


def shares_of_payments(meeting: Row, other: Row, kinds: Sequence[SubjectKind] = BOTH) -> list[Fact]:
    """What a share must be, of payments that meet its condition and of others that do not."""

    def meets(**fields: Any) -> Record:
        return payment(**meeting | fields)

    def differs(**fields: Any) -> Record:
        return payment(**other | fields)

    facts = [
        both("one of four", 1 / 4, meets(), differs(), differs(), differs()),
        both("three of four", 3 / 4, meets(), meets(), meets(), differs()),
        both("the only one", 1.0, meets()),
        both("none of two", 0.0, differs(), differs()),
        both("by number, not by amount", 1 / 2, meets(amount=70_000.0), differs(amount=70.0)),
        both("one of two, years ago", 1 / 2, meets(known_at=LONG_AGO), differs()),
        both("one of two, a moment before", 1 / 2, meets(known_at=DECLARED - MOMENT), differs()),
        both("not at the declaration itself", 0.0, meets(known_at=DECLARED), differs()),
        both("paid before and known later", 0.0, meets(known_at=after(days=1)), differs()),
        both("none that is another's", 0.0, meets(subject_id="another"), differs()),
        both("of what is known before", 1.0, meets(), differs(known_at=DECLARED)),
        both("of its own", 1.0, meets(), differs(subject_id="another")),
        both("no payment", MISSING),
        both("no payment known before", MISSING, meets(known_at=DECLARED)),
        both("no payment of its own", MISSING, meets(subject_id="another")),
    ]
    return [fact for pair in facts for fact in pair if fact.kind in kinds]


def counts_of_payments(meeting: Row, kinds: Sequence[SubjectKind] = BOTH) -> list[Fact]:
    """What a count without a window must be, of payments that meet its condition."""

    def meets(**fields: Any) -> Record:
        return payment(**meeting | fields)

    facts = [
        both("no payment", 0.0),
        both("one", 1.0, meets()),
        both("three", 3.0, meets(), meets(), meets()),
        both("years ago", 1.0, meets(known_at=LONG_AGO)),
        both("a moment before", 1.0, meets(known_at=DECLARED - MOMENT)),
        both("at the declaration itself", 0.0, meets(known_at=DECLARED)),
        both("paid before and known later", 0.0, meets(known_at=after(days=1))),
        both("of another", 0.0, meets(subject_id="another")),
    ]
    return [fact for pair in facts for fact in pair if fact.kind in kinds]


def other_methods(expected: float, *methods: str) -> list[Fact]:
    """The same value for a single payment by each of these methods."""
    facts = [both(f"by {method}", expected, payment(method=method)) for method in methods]
    return [fact for pair in facts for fact in pair]
