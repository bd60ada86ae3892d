"""Facts about features: small stories of records, and what a feature must make of each.

A test module here mirrors a module of `features/families` and holds `FACTS`: a table of facts for
every feature of that family. What a fact expects is worked out by hand from what the feature's
docstring says it means, never copied from what the code gives.

A story is one subject, declared at `DECLARED`, and the records around it. Builders of records take
the subject's own parties, places and goods for whatever a fact does not name, so that an earlier
shipment is one of the same consignee unless the fact says otherwise.
"""

import itertools
import math
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from features.build_training_set import feature_matrix
from features.engine.columns import columns_of_records
from features.ingest.record_folder import InMemoryRecords
from features.records import RECORD_FILES, SubjectKind
from tests.features.families import globe

Row = dict[str, Any]
Value = float | str | None

DECLARED = datetime(2025, 6, 16, 12, tzinfo=UTC)
"""When the subject of every story is declared, unless a fact says otherwise: a Monday, at noon."""

MISSING = None

USD_PER_EUR, JPY_PER_EUR, GBP_PER_EUR, HUF_PER_EUR = 1.15162, 166.523, 0.84981, 402.078
"""Averages of the ECB's euro reference rates in June 2025, the month of `DECLARED`."""

MOMENT = timedelta(microseconds=1)
"""The smallest stretch of time that records tell apart: what an edge of a window turns on."""


@dataclass(frozen=True)
class Record:
    """A row of one record file."""

    file: str
    row: Row


@dataclass(frozen=True)
class Fact:
    """What a feature must be for one subject among records.

    `today` is what the code gives as long as it differs from what the feature's own words ask for;
    the fact fails once it no longer does.
    """

    says: str
    expected: Value
    kind: SubjectKind
    records: tuple[Record, ...]
    today: Any = ...


Facts = Mapping[str, Sequence[Fact]]
"""The facts of each feature of a family, by its name."""

JOURNEY: Row = {
    "journey_id": "J",
    "mode": "sea",
    "carrier_id": "carrier",
    "conveyance_id": "conveyance",
    "conveyance_kind": "container_ship",
    "registration_country": "PA",
    "origin": "CNSHA",
    "destination": "NLRTM",
    "declared_at": DECLARED,
    "due_at": DECLARED + timedelta(days=10),
}
SHIPMENT: Row = {
    "shipment_id": "S",
    "consignor_id": "consignor",
    "consignee_id": "consignee",
    "hs_code": "890310",
    "origin_country": "CN",
    "dispatch_country": "CN",
    "destination_country": "NL",
    "declared_at": DECLARED,
}
UNLIKE_JOURNEY: Row = {
    "mode": "air",
    "carrier_id": "another-carrier",
    "conveyance_id": "another-conveyance",
    "conveyance_kind": "aircraft",
    "registration_country": "JP",
    "origin": "SGSIN",
    "destination": "BEANR",
}
UNLIKE_SHIPMENT: Row = {
    "consignor_id": "another-consignor",
    "consignee_id": "another-consignee",
    "hs_code": "100630",
    "origin_country": "JP",
    "dispatch_country": "SG",
    "destination_country": "BE",
}

_numbers = itertools.count(1)


def before(**span: float) -> datetime:
    """An instant so long before `DECLARED`, as `before(days=3, hours=1)`."""
    return DECLARED - timedelta(**span)


LONG_AGO = before(days=2_000)
"""An instant that windows without a length reach, and no other."""


def after(**span: float) -> datetime:
    """An instant so long after `DECLARED`."""
    return DECLARED + timedelta(**span)


def route(
    says: str, expected: Value, *records: Record | Sequence[Record], today: Any = ..., **own: Any
) -> Fact:
    """A fact about a journey with these fields of its own, among these records."""
    return _fact("route", says, expected, records, today, Record("journeys", JOURNEY | own))


def shipment(
    says: str, expected: Value, *records: Record | Sequence[Record], today: Any = ..., **own: Any
) -> Fact:
    """A fact about a consignment with these fields of its own, among these records."""
    return _fact("shipment", says, expected, records, today, Record("shipments", SHIPMENT | own))


def both(
    says: str, expected: Value, *records: Record | Sequence[Record], today: Any = ..., **own: Any
) -> tuple[Fact, Fact]:
    """The same fact about a journey and about a consignment; `own` are fields that both have."""
    return (
        route(f"{says}, of a route", expected, *records, today=today, **own),
        shipment(f"{says}, of a shipment", expected, *records, today=today, **own),
    )


def table(fact: Callable[..., Any], words: Mapping[str, Any]) -> Callable[[str], list[Fact]]:
    """Return a reader of facts as lines: `says | expected | the records and own fields`.

    The last two are Python, in terms of this module, `globe` and `words`: the globals of the test
    module. A line that is indented further continues the one before it.
    """

    def facts(lines: str) -> list[Fact]:
        found: list[Fact] = []
        for line in re.sub(r"\n {4,}", " ", textwrap.dedent(lines)).strip().splitlines():
            says, expected, *story = line.split(" | ", 2)
            arguments = ", ".join([repr(says), expected, *story])
            made = eval(f"fact({arguments})", {**_VOCABULARY, **words, "fact": fact})
            found += [made] if isinstance(made, Fact) else made
        return found

    return facts


def journey(**fields: Any) -> Record:
    """The journey that carries the subject of a shipment's story, declared an hour before it."""
    return Record("journeys", JOURNEY | {"declared_at": before(hours=1)} | fields)


def earlier_journey(**fields: Any) -> Record:
    """Another journey, alike in what is not named, declared ten days before by default."""
    return Record(
        "journeys",
        JOURNEY | {"journey_id": _new("J"), "declared_at": before(days=10)} | fields,
    )


def earlier_shipment(**fields: Any) -> Record:
    """Another consignment, alike in what is not named, declared ten days before by default."""
    return Record(
        "shipments",
        SHIPMENT | {"shipment_id": _new("S"), "declared_at": before(days=10)} | fields,
    )


def journey_alike_in(*fields: str, **other: Any) -> Record:
    """An earlier journey that has these fields of the subject's and nothing else in common."""
    unlike = {name: value for name, value in UNLIKE_JOURNEY.items() if name not in fields}
    return earlier_journey(**unlike | other)


def shipment_alike_in(*fields: str, **other: Any) -> Record:
    """An earlier shipment that has these fields of the subject's and nothing else in common."""
    unlike = {name: value for name, value in UNLIKE_SHIPMENT.items() if name not in fields}
    return earlier_shipment(**unlike | other)


def inspected(subject: Record, result: str = "confirmed", **fields: Any) -> tuple[Record, Record]:
    """An earlier subject together with what its inspection found, known five days before."""
    kind = "route" if subject.file == "journeys" else "shipment"
    outcome = {
        "subject_kind": kind,
        "subject_id": subject.row["journey_id" if kind == "route" else "shipment_id"],
        "selected_by": "random",
        "inspected_at": before(days=6),
        "known_at": before(days=5),
        "result": result,
    }
    return subject, Record("outcomes", outcome | fields)


def leg(sequence: int, **fields: Any) -> Record:
    """A leg of the journey `J`, known a day before."""
    own = {"journey_id": "J", "sequence": sequence, "origin": "CNSHA", "destination": "NLRTM"}
    return Record("legs", own | {"known_at": before(days=1)} | fields)


def position(**fields: Any) -> Record:
    """Where the conveyance of the journey `J` was heard, two hours before by default."""
    own = {"journey_id": "J", "observed_at": before(hours=2), "latitude": 0.0, "longitude": 0.0}
    return Record("positions", own | fields)


def goods_item(number: int = 1, **fields: Any) -> Record:
    """An item of the goods of the shipment `S`, part of its declaration unless `known_at` says."""
    own = {"shipment_id": "S", "number": number, "commodity_code": "8903100000"}
    return Record("goods_items", own | fields)


def document(kind: str = "invoice", **fields: Any) -> Record:
    """A document of the subject, received a day before; of the first version."""
    own = {"document_id": _new("D"), "kind": kind, "version": 1, "received_at": before(days=1)}
    return Record("documents", own | fields)


def payment(**fields: Any) -> Record:
    """A payment for the subject by bank transfer, paid two days and known a day before."""
    own = {
        "transaction_id": _new("T"),
        "payer_id": "payer",
        "payee_id": "payee",
        "amount": 1_234.56,
        "currency": "EUR",
        "method": "bank_transfer",
        "paid_at": before(days=2),
        "known_at": before(days=1),
    }
    return Record("transactions", own | fields)


def event(kind: str, **fields: Any) -> Record:
    """Something that happened to the subject two days before, and was known a day before."""
    own = {
        "event_id": _new("E"),
        "kind": kind,
        "occurred_at": before(days=2),
        "known_at": before(days=1),
    }
    return Record("events", own | fields)


def value_of(feature: str, fact: Fact) -> Value:
    """What the catalogue makes of the story; None where the feature is missing."""
    records = {
        name: columns_of_records([of(**r.row) for r in fact.records if r.file == name], of)
        for name, of in RECORD_FILES.items()
    }
    matrix = feature_matrix(fact.kind, InMemoryRecords(records))
    subject = "J" if fact.kind == "route" else "S"
    (row,) = (row for row in matrix.to_pylist() if row["subject_id"] == subject)
    value: Value = row[feature]
    return value


def check(feature: str, facts: Sequence[Fact]) -> None:
    """Fail, naming the feature and each case in which it has another value than its story says."""
    wrong = (mistake(feature, fact, value_of(feature, fact), _is_same) for fact in facts)
    assert not (found := [*filter(None, wrong)]), "\n".join(found)


def mistake(name: str, fact: Fact, found: Any, is_same: Callable[[Any, Any], bool]) -> str | None:
    """Describe how a value that was found differs from the fact, or return None."""
    case, meant = f"{name}, {fact.says}", f"by its meaning it is {fact.expected!r}"
    if fact.today is ...:
        return None if is_same(found, fact.expected) else f"{case}: is {found!r}; {meant}"
    if is_same(found, fact.expected):
        return f"{case}: is now what it means to be; drop `today` from this fact"
    if not is_same(found, fact.today):
        return f"{case}: was {fact.today!r} and is now {found!r}; {meant}"
    return None


def each(facts: Facts) -> list[Any]:
    """Return each feature or column with its facts, as parameters of one test for each."""
    return [pytest.param(name, of_one, id=name) for name, of_one in facts.items()]


def _fact(
    kind: SubjectKind,
    says: str,
    expected: Value,
    records: Sequence[Record | Sequence[Record]],
    today: Any,
    subject: Record,
) -> Fact:
    around: list[Record] = []
    for record in records:
        around.extend([record] if isinstance(record, Record) else record)
    own = {"subject_kind": kind, "subject_id": "J" if kind == "route" else "S"}
    attached = ("documents", "transactions", "events")
    whole = [Record(r.file, own | r.row) if r.file in attached else r for r in around]
    return Fact(says, expected, kind, (subject, *whole), today)


def _new(letter: str) -> str:
    return f"{letter}-{next(_numbers)}"


def _is_same(found: Value, expected: Value) -> bool:
    if found is None or expected is None or isinstance(expected, str):
        return found == expected
    # A millionth: facts are worked out by hand, and some inputs are kept in whole millionths.
    return found == pytest.approx(expected, rel=2e-6, abs=1e-9)


_VOCABULARY = {**vars(math), **vars(globe), **globals()}
