"""Facts that every rate of confirmed inspections has in common.

A rate is drawn towards the rate of all inspections as if eight of them had been of the same key:
(confirmed + 8 x rate of all) / (inspected + 8). Of a key that was never inspected it says nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    Record,
    Row,
    Value,
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

NO = "not_confirmed"
OF_ANOTHER_INSPECTION: Row = {"result": NO, "inspected_at": before(days=9)}
"""What tells another inspection of a subject from its first."""

OF_OUTCOME = {"known_at", "inspected_at", "selected_by", "offences"}


def inspection_of_shipment(result: str = "confirmed", **fields: Any) -> tuple[Record, ...]:
    """An earlier consignment with these fields, and what its inspection found."""
    own, of_outcome = _parted(fields)
    return inspected(earlier_shipment(**own), result, **of_outcome)


def inspection_of_journey(result: str = "confirmed", **fields: Any) -> tuple[Record, ...]:
    """An earlier journey with these fields, and what its inspection found."""
    own, of_outcome = _parted(fields)
    return inspected(earlier_journey(**own), result, **of_outcome)


@dataclass(frozen=True)
class Rated:
    """A rate of the subjects of one `key`, among others that differ from it by the fields `other`.

    `around` and `own` are further records and further fields of the subject of every fact.
    """

    inspection: Inspection
    around: tuple[Record, ...]
    key: Row
    other: Row
    own: Row
    fact: Callable[..., Fact]

    def of_key(self, result: str = "confirmed", **fields: Any) -> tuple[Record, ...]:
        """An inspected subject of the key, apart from these fields."""
        return self.inspection(result, **self.key | fields)

    def elsewhere(self, result: str = "confirmed") -> tuple[Record, ...]:
        """An inspected subject of another key."""
        return self.of_key(result, **self.other)

    def says(
        self, says: str, expected: Value, *found: Any, today: Any = ..., **fields: Any
    ) -> Fact:
        """A fact about the rate after these inspections."""
        return self.fact(
            says, expected, *self.around, *found, today=today, **self.key | self.own | fields
        )


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
    of = Rated(inspection, around, key, next(iter(others.values())), own, fact)
    return [
        *_of_smoothing(of),
        *_of_what_counts(of),
        *_of_instants(of),
        *(
            of.says(
                f"another {name}", (0 + 8 * 1 / 2) / (1 + 8), of.of_key(NO), of.of_key(**fields)
            )
            for name, fields in others.items()
        ),
        *(
            of.says(says, MISSING, of.of_key(**fields), of.elsewhere(NO), **fields)
            for says, fields in missing.items()
        ),
    ]


def _of_smoothing(of: Rated) -> list[Fact]:
    yes, no, no_elsewhere = of.of_key(), of.of_key(NO), of.elsewhere(NO)
    another_yes, another_no, yes_elsewhere = of.of_key(), of.of_key(NO), of.elsewhere()
    thirty = [of.of_key() for _ in range(30)]
    return [
        of.says(
            "1 of 3 confirmed, among 2 of 5 of all",
            (1 + 8 * 2 / 5) / (3 + 8),
            *(yes, no, another_no, yes_elsewhere, no_elsewhere),
        ),
        of.says(
            "none of 2 confirmed, among 1 of 4 of all",
            (0 + 8 * 1 / 4) / (2 + 8),
            *(no, another_no, yes_elsewhere, no_elsewhere),
        ),
        of.says(
            "all of 2 confirmed, among 2 of 3 of all",
            (2 + 8 * 2 / 3) / (2 + 8),
            *(yes, another_yes, no_elsewhere),
        ),
        of.says("all there is was confirmed", (2 + 8 * 2 / 2) / (2 + 8), yes, another_yes),
        of.says("all there is was not confirmed", (0 + 8 * 0 / 1) / (1 + 8), no),
        of.says(
            "many inspections outweigh the rate of all",
            (30 + 8 * 30 / 31) / (30 + 8),
            *(*thirty, no_elsewhere),
        ),
        of.says("only others were inspected", MISSING, *(yes_elsewhere, no_elsewhere)),
        of.says("nothing was inspected yet", MISSING, yes[0]),
    ]


def _of_what_counts(of: Rated) -> list[Fact]:
    yes, no, no_elsewhere = of.of_key(), of.of_key(NO), of.elsewhere(NO)
    unclear, unclear_elsewhere = of.of_key("inconclusive"), of.elsewhere("inconclusive")
    again = Record("outcomes", yes[-1].row | OF_ANOTHER_INSPECTION)
    by_others = of.of_key(selected_by="intelligence"), of.of_key(selected_by="model")
    only_no = (0 + 8 * 0 / 1) / (1 + 8)
    return [
        of.says("nothing was inspected to a conclusion", MISSING, unclear),
        of.says(
            "a check of its documents alone is none",
            (1 + 8 * 1 / 2) / (1 + 8),
            *(yes, of.of_key("documents_irregular"), of.of_key("documents_in_order")),
            no_elsewhere,
        ),
        of.says(
            "an offence that is no smuggling is none",
            (1 + 8 * 1 / 2) / (1 + 8),
            *(yes, of.of_key("other_offence", offences="document_fraud"), no_elsewhere),
        ),
        of.says(
            "an inconclusive inspection is none",
            (1 + 8 * 1 / 2) / (1 + 8),
            *(yes, unclear, unclear_elsewhere, no_elsewhere),
        ),
        of.says(
            "two inspections of one subject are two",
            (1 + 8 * 1 / 3) / (2 + 8),
            *(yes, again, no_elsewhere),
        ),
        of.says("whoever selected it", (2 + 8 * 2 / 3) / (2 + 8), *by_others, no_elsewhere),
        of.says("what is not recorded itself counts nowhere", only_no, no, of.of_key()[-1]),
        of.says("one of the other kind counts nowhere", only_no, no, _of_the_other_kind(of.fact)),
        of.says("its own inspection is not its past", only_no, no, _of_itself(of.fact)),
    ]


def _of_instants(of: Rated) -> list[Fact]:
    counted, ignored = (1 + 8 * 1 / 2) / (2 + 8), (0 + 8 * 0 / 1) / (1 + 8)
    no = of.of_key(NO)

    def known(at: datetime, **fields: Any) -> tuple[Record, ...]:
        earlier = min(at, before(days=6)) - timedelta(days=4)
        return of.inspection(known_at=at, inspected_at=earlier, declared_at=earlier, **fields)

    return [
        *facts_of_window(
            counted,
            ignored,
            *(*of.around, no),
            key=of.key,
            others={},
            event=known,
            fact=of.fact,
            named="an outcome known",
            **of.own,
        ),
        of.says("found in time, known after", ignored, no, of.of_key(known_at=after(days=1))),
        of.says(
            "known before its subject, at the instant of the declaration",
            ignored,
            *(no, of.of_key(declared_at=DECLARED)),
        ),
        of.says(
            "known before its subject, a moment before the declaration",
            counted,
            *(no, of.of_key(declared_at=DECLARED - MOMENT)),
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
