"""Which inspections count, as what and from when: from files and in the online feature store."""

from datetime import datetime
from itertools import permutations
from pathlib import Path

import pytest

from features.derived.outcome import FIELDS_READ, outcome_events
from features.derived.subject import derive_subjects
from features.engine.columns import Records, columns_of_records, instant_at, instant_us
from features.engine.store.lmdb_store import LmdbStore
from features.engine.string_table import STRING_TABLE
from features.engine.windows.window_declaration import Window, count, distinct, total
from features.event_sources import paid_outcomes
from features.history.online_store import OnlineStore
from features.ingest.record_folder import InMemoryRecords
from features.records import RECORD_FILES, SubjectKind
from tests.features.families.facts import (
    DECLARED,
    MOMENT,
    Record,
    after,
    before,
    earlier_journey,
    earlier_shipment,
    inspected,
    payment,
)

Counted = tuple[datetime, float]
"""From which instant an inspection counts, and 1 where it confirmed something."""

JOURNEY = earlier_journey(journey_id="J-1")
SHIPMENT = earlier_shipment(shipment_id="S-1")
KNOWN = before(days=5)
"""When an outcome is known, unless a case says otherwise; its subject is declared days before."""

CASES: dict[str, tuple[SubjectKind, tuple[Record, ...], list[Counted]]] = {
    "a confirmed one": ("shipment", inspected(SHIPMENT), [(KNOWN, 1.0)]),
    "a confirmed one of a journey": ("route", inspected(JOURNEY), [(KNOWN, 1.0)]),
    "one that was not confirmed": (
        "shipment",
        inspected(SHIPMENT, "not_confirmed"),
        [(KNOWN, 0.0)],
    ),
    "one of a journey that was not confirmed": (
        "route",
        inspected(JOURNEY, "not_confirmed"),
        [(KNOWN, 0.0)],
    ),
    "an inconclusive one does not count": ("shipment", inspected(SHIPMENT, "inconclusive"), []),
    "an inconclusive one of a journey neither": ("route", inspected(JOURNEY, "inconclusive"), []),
    "another offence than smuggling does not count": (
        "shipment",
        inspected(SHIPMENT, "other_offence", offences="document_fraud"),
        [],
    ),
    "another offence of a journey neither": (
        "route",
        inspected(JOURNEY, "other_offence", offences="other"),
        [],
    ),
    "a check of documents that were in order does not count": (
        "shipment",
        inspected(SHIPMENT, "documents_in_order"),
        [],
    ),
    "one that found them irregular neither": (
        "route",
        inspected(JOURNEY, "documents_irregular"),
        [],
    ),
    "from when it is known, not from the inspection": (
        "shipment",
        inspected(SHIPMENT, inspected_at=before(days=9), known_at=after(days=1)),
        [(after(days=1), 1.0)],
    ),
    "from the subject's own record, where that came later": (
        "shipment",
        inspected(earlier_shipment(declared_at=DECLARED)),
        [(DECLARED, 1.0)],
    ),
    "from a journey's own record, where that came later": (
        "route",
        inspected(earlier_journey(declared_at=DECLARED)),
        [(DECLARED, 1.0)],
    ),
    "known at the very instant of the subject's record": (
        "shipment",
        inspected(earlier_shipment(declared_at=KNOWN)),
        [(KNOWN, 1.0)],
    ),
    "known a moment after the subject's record": (
        "shipment",
        inspected(earlier_shipment(declared_at=KNOWN - MOMENT)),
        [(KNOWN, 1.0)],
    ),
    "whoever selected it": (
        "shipment",
        inspected(SHIPMENT, selected_by="discretion", selection_probability=None),
        [(KNOWN, 1.0)],
    ),
    "whatever it was": ("shipment", inspected(SHIPMENT, typology="rip_on"), [(KNOWN, 1.0)]),
    "two of one subject are two, in the order of knowledge": (
        "shipment",
        (
            *inspected(SHIPMENT, known_at=before(days=1)),
            *inspected(
                SHIPMENT, "not_confirmed", inspected_at=before(days=8), known_at=before(days=2)
            )[1:],
        ),
        [(before(days=2), 0.0), (before(days=1), 1.0)],
    ),
    "two of one subject that found the same and were known at once are two": (
        "shipment",
        (*inspected(SHIPMENT), *inspected(SHIPMENT, inspected_at=before(days=8))[1:]),
        [(KNOWN, 1.0), (KNOWN, 1.0)],
    ),
    "one of each subject": (
        "shipment",
        (*inspected(SHIPMENT), *inspected(earlier_shipment(), known_at=before(days=4))),
        [(KNOWN, 1.0), (before(days=4), 1.0)],
    ),
    "one of what is not recorded does not count": ("shipment", inspected(SHIPMENT)[1:], []),
    "one of what is not recorded leaves those of others": (
        "shipment",
        (*inspected(earlier_shipment())[1:], *inspected(SHIPMENT, known_at=before(days=4))),
        [(before(days=4), 1.0)],
    ),
    "a journey's is no shipment's": ("shipment", (*inspected(JOURNEY), SHIPMENT), []),
    "a shipment's is no journey's": ("route", (*inspected(SHIPMENT), JOURNEY), []),
    "a journey's is not that of a shipment with the same id": (
        "shipment",
        (*inspected(JOURNEY), earlier_shipment(shipment_id="J-1")),
        [],
    ),
    "a subject that was not inspected": ("shipment", (SHIPMENT,), []),
}

LATE = (0 * MOMENT, MOMENT)
"""At the instant from which an inspection counts, it does not yet; a moment later it does."""

ORDERS = {
    "after its subject": ("journeys", "shipments", "outcomes"),
    "before its subject": ("outcomes", "journeys", "shipments"),
    "twice": ("journeys", "shipments", "outcomes", "shipments", "journeys", "outcomes"),
}
"""In what order records may come to the state: it must not matter."""

CASE = pytest.mark.parametrize(("kind", "records", "expected"), CASES.values(), ids=CASES)


@CASE
def test_an_inspection_counts_from_when_it_is_known(
    kind: SubjectKind, records: tuple[Record, ...], expected: list[Counted]
) -> None:
    columns = _columns(records)
    read = {name: columns["outcomes"][name] for name in FIELDS_READ}
    events = outcome_events(kind, derive_subjects(kind, columns), read)

    counted = [*zip(map(instant_at, events["known_at"]), events["is_confirmed"], strict=True)]
    assert counted == expected
    named = {r.row[f"{_called(kind)}_id"] for r in records if r.file == f"{_called(kind)}s"}
    assert {STRING_TABLE.text(code) for code in events["subject_id"]} <= named


@CASE
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_the_online_state_counts_it_from_the_same_moment(
    kind: SubjectKind,
    records: tuple[Record, ...],
    expected: list[Counted],
    order: tuple[str, ...],
    tmp_path: Path,
) -> None:
    state = OnlineStore(LmdbStore(tmp_path))
    for name in order:
        state.ingest({name: [RECORD_FILES[name](**r.row) for r in records if r.file == name]})
    outcomes = f"{kind}_outcomes"
    windows: list[Window] = [count(outcomes, by=()), total(outcomes, "is_confirmed", by=())]
    plan = state.plan(windows)

    for at in sorted(
        {DECLARED + MOMENT, *(known + late for known, _ in expected for late in LATE)}
    ):
        found = [is_confirmed for known, is_confirmed in expected if known < at]
        numbers = state.numbers(plan, {}, instant_us(at))
        assert numbers.tolist() == [len(found), sum(found)], at


PAID = payment(subject_kind="shipment", subject_id="S-1", known_at=before(days=9))
PAID_JOURNEY = payment(subject_kind="route", subject_id="J-1", known_at=before(days=9))
PAID_CASES: dict[str, tuple[tuple[Record, ...], list[Counted]]] = {
    "from when its result is known": ((*inspected(SHIPMENT), PAID), [(KNOWN, 1.0)]),
    "of a journey": ((*inspected(JOURNEY, "not_confirmed"), PAID_JOURNEY), [(KNOWN, 0.0)]),
    "from when the payment is known, where that came later": (
        (*inspected(SHIPMENT), payment(**PAID.row | {"known_at": before(days=2)})),
        [(before(days=2), 1.0)],
    ),
    "from the subject's own record, where that came later": (
        (
            *inspected(earlier_shipment(shipment_id="S-1", declared_at=before(days=3))),
            PAID,
        ),
        [(before(days=3), 1.0)],
    ),
    "each of two": (
        (*inspected(SHIPMENT), PAID, *inspected(JOURNEY, known_at=before(days=4)), PAID_JOURNEY),
        [(KNOWN, 1.0), (before(days=4), 1.0)],
    ),
    "an inconclusive one does not count": ((*inspected(SHIPMENT, "inconclusive"), PAID), []),
    "what was paid for by another does not count": (
        (*inspected(SHIPMENT), payment(**PAID.row | {"payer_id": "another"})),
        [],
    ),
    "a payment for a journey called the same does not count": (
        (*inspected(SHIPMENT), payment(**PAID.row | {"subject_kind": "route"})),
        [],
    ),
    "one of what is not recorded does not count": ((*inspected(SHIPMENT)[1:], PAID), []),
}
PAID_CASE = pytest.mark.parametrize(("records", "expected"), PAID_CASES.values(), ids=PAID_CASES)
FILES = ("journeys", "shipments", "outcomes", "transactions")


@PAID_CASE
def test_an_inspection_of_what_was_paid_for_counts_once_both_are_known(
    records: tuple[Record, ...], expected: list[Counted]
) -> None:
    events = paid_outcomes(InMemoryRecords(_columns(records)))

    of_payer = events["payer_id"] == STRING_TABLE.code("payer")
    known_at, is_confirmed = events["known_at"][of_payer], events["is_confirmed"][of_payer]
    assert [*zip(map(instant_at, known_at), is_confirmed, strict=True)] == expected
    assert {*STRING_TABLE.texts(events["payee_id"]).to_pylist()} <= {"payee"}


@PAID_CASE
def test_the_online_state_counts_it_in_whatever_order_records_come(
    records: tuple[Record, ...], expected: list[Counted], tmp_path: Path
) -> None:
    face = {"by": "latest_payer_id", "matching": "payer_id"}
    windows: list[Window] = [
        distinct("paid_outcomes", "inspected_subject", **face),
        distinct("paid_outcomes", "inspected_subject", where="is_confirmed", **face),
    ]
    instants = {DECLARED, *(known + late for known, _ in expected for late in LATE)}
    for place, order in enumerate(permutations(FILES)):
        state = OnlineStore(LmdbStore(tmp_path / str(place)))
        for name in (*order, *order):
            state.ingest({name: [RECORD_FILES[name](**r.row) for r in records if r.file == name]})
        plan = state.plan(windows)

        for at in sorted(instants):
            found = [is_confirmed for known, is_confirmed in expected if known < at]
            numbers = state.numbers(plan, {"latest_payer_id": "payer"}, instant_us(at))
            assert numbers.tolist() == [len(found), sum(found)], (order, at)


@pytest.mark.parametrize("days", [(6, 2), (2, 6)])
def test_the_online_state_counts_it_from_the_earlier_of_two_payments(
    days: tuple[int, int], tmp_path: Path
) -> None:
    found = inspected(SHIPMENT, known_at=before(days=7), inspected_at=before(days=8))
    paid = [
        payment(**PAID.row | {"transaction_id": f"T-{n}", "known_at": before(days=n)}) for n in days
    ]
    state = OnlineStore(LmdbStore(tmp_path))
    for name in FILES:
        rows = [r.row for r in (*found, *paid) if r.file == name]
        state.ingest({name: [RECORD_FILES[name](**row) for row in rows]})
    one: Window = distinct(
        "paid_outcomes", "inspected_subject", by="latest_payer_id", matching="payer_id"
    )
    plan = state.plan([one])

    for late, number in zip(LATE, (0.0, 1.0), strict=True):
        at = instant_us(before(days=6) + late)
        assert state.numbers(plan, {"latest_payer_id": "payer"}, at).tolist() == [number]


def _columns(records: tuple[Record, ...]) -> Records:
    return {
        name: columns_of_records([of(**r.row) for r in records if r.file == name], of)
        for name, of in RECORD_FILES.items()
    }


def _called(kind: SubjectKind) -> str:
    return "journey" if kind == "route" else "shipment"
