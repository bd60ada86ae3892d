"""Facts that every rate of confirmed inspections has in common.

A rate is drawn towards the rate of all inspections as if eight of them had been of the same key:
(confirmed + 8 x rate of all) / (inspected + 8).
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    Record,
    Row,
    after,
    before,
    earlier_journey,
    earlier_shipment,
    inspected,
    route,
    shipment,
)
from tests.features.families.windowed import facts_of_window

Inspection = Callable[..., tuple[Record, ...]]
"""Makes an earlier subject of these fields and what its inspection found."""

OF_ANOTHER_INSPECTION: Row = {"result": "not_confirmed", "inspected_at": before(days=9)}
"""What tells another inspection of a subject from its first."""

OF_OUTCOME = {"known_at", "inspected_at", "selected_by"}


def inspection_of_shipment(result: str = "confirmed", **fields: Any) -> tuple[Record, ...]:
    """An earlier consignment with these fields, and what its inspection found."""
    own, of_outcome = _parted(fields)
    return inspected(earlier_shipment(**own), result, **of_outcome)


def inspection_of_journey(result: str = "confirmed", **fields: Any) -> tuple[Record, ...]:
    """An earlier journey with these fields, and what its inspection found."""
    own, of_outcome = _parted(fields)
    return inspected(earlier_journey(**own), result, **of_outcome)


def facts_of_rate(
    inspection: Inspection,
    *around: Record,
    key: Row,
    others: Mapping[str, Row],
    missing: Mapping[str, Row],
    fact: Callable[..., Fact] = shipment,
    **own: Any,
) -> list[Fact]:
    """What the smoothed rate of the subjects of one `key` is.

    `others` name, for each column of the key, a subject that differs in it alone; `missing` name
    what makes the subject have no such key.
    """
    other = next(iter(others.values()))

    def of_key(result: str = "confirmed", **fields: Any) -> tuple[Record, ...]:
        return inspection(result, **key | fields)

    def rate(says: str, expected: float | None, *found: Any, **fields: Any) -> Fact:
        return fact(says, expected, *around, *found, **key | own | fields)

    def known(at: datetime, **fields: Any) -> tuple[Record, ...]:
        earlier = min(at, before(days=6)) - timedelta(days=4)
        return inspection(known_at=at, inspected_at=earlier, declared_at=earlier, **fields)

    yes, no = of_key(), of_key("not_confirmed")
    yes_elsewhere = of_key(**other)
    no_elsewhere = of_key("not_confirmed", **other)
    return [
        rate(
            "1 of 3 confirmed, among 2 of 5 of all",
            (1 + 8 * 2 / 5) / (3 + 8),
            *(yes, no, of_key("not_confirmed"), yes_elsewhere, no_elsewhere),
        ),
        rate(
            "none of 2 confirmed, among 1 of 4 of all",
            (0 + 8 * 1 / 4) / (2 + 8),
            *(no, of_key("not_confirmed"), yes_elsewhere, no_elsewhere),
        ),
        rate(
            "all of 3 confirmed, among 3 of 4 of all",
            (3 + 8 * 3 / 4) / (3 + 8),
            *(yes, of_key(), of_key(), no_elsewhere),
        ),
        rate("all there is was confirmed", (2 + 8 * 2 / 2) / (2 + 8), yes, of_key()),
        rate("all there is was not confirmed", (0 + 8 * 0 / 1) / (1 + 8), no),
        rate(
            "many inspections outweigh the rate of all",
            (30 + 8 * 30 / 31) / (30 + 8),
            *(of_key() for _ in range(30)),
            no_elsewhere,
        ),
        rate(
            "only others were inspected",
            MISSING,
            yes_elsewhere,
            no_elsewhere,
            today=(8 * 1 / 2) / 8,
        ),
        rate("nothing was inspected yet", MISSING, of_key()[0]),
        rate("nothing was inspected to a conclusion", MISSING, of_key("inconclusive")),
        rate(
            "an inconclusive inspection is none",
            (1 + 8 * 1 / 2) / (1 + 8),
            *(yes, of_key("inconclusive"), of_key("inconclusive", **other), no_elsewhere),
        ),
        rate(
            "two inspections of one subject are two",
            (1 + 8 * 1 / 3) / (2 + 8),
            *(yes, Record("outcomes", yes[-1].row | OF_ANOTHER_INSPECTION), no_elsewhere),
        ),
        rate(
            "whoever selected it",
            (2 + 8 * 2 / 3) / (2 + 8),
            *(of_key(selected_by="intelligence"), of_key(selected_by="model"), no_elsewhere),
        ),
        rate(
            "the outcome of what is not recorded counts nowhere",
            (0 + 8 * 0 / 1) / (1 + 8),
            *(no, of_key()[-1]),
        ),
        rate(
            "of an earlier one of the other kind",
            (0 + 8 * 0 / 1) / (1 + 8),
            *(no, _of_the_other_kind(fact)),
        ),
        rate(
            "inspected before its record came, at the instant of the declaration",
            (0 + 8 * 0 / 1) / (1 + 8),
            *(no, of_key(declared_at=DECLARED)),
        ),
        rate(
            "inspected before its record came, a moment before the declaration",
            (1 + 8 * 1 / 2) / (2 + 8),
            *(no, of_key(declared_at=DECLARED - MOMENT, known_at=before(days=5))),
        ),
        rate(
            "inspected in time and known after",
            (0 + 8 * 0 / 1) / (1 + 8),
            *(no, of_key(known_at=after(days=1))),
        ),
        rate("its own inspection is not its past", (0 + 8 * 0 / 1) / (1 + 8), no, _of_itself(fact)),
        *facts_of_window(
            (1 + 8 * 1 / 2) / (2 + 8),
            (0 + 8 * 0 / 1) / (1 + 8),
            *around,
            no,
            key=key,
            others={},
            event=known,
            fact=fact,
            named="an outcome known",
            **own,
        ),
        *(
            rate(f"another {name}", (0 + 8 * 1 / 2) / (1 + 8), no, of_key(**fields))
            for name, fields in others.items()
        ),
        *(
            rate(says, MISSING, of_key(**fields), no_elsewhere, **fields)
            for says, fields in missing.items()
        ),
    ]


def _of_the_other_kind(fact: Callable[..., Fact]) -> tuple[Record, ...]:
    return inspection_of_journey() if fact is shipment else inspection_of_shipment()


def _of_itself(fact: Callable[..., Fact]) -> Record:
    """The outcome of the subject itself, known before it was declared."""
    kind, id_ = ("route", "J") if fact is route else ("shipment", "S")
    _, outcome = inspection_of_shipment()
    return Record("outcomes", outcome.row | {"subject_kind": kind, "subject_id": id_})


def _parted(fields: Row) -> tuple[Row, Row]:
    """The fields of a subject, and those of its outcome."""
    of_outcome = {name: field for name, field in fields.items() if name in OF_OUTCOME}
    return {n: field for n, field in fields.items() if n not in OF_OUTCOME}, of_outcome
