"""One submitted subject: what it brings is reduced as declared, and nothing later is seen."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.engine.columns import DAY_US, HOUR_US, Kind
from features.engine.expressions.program import traced_columns
from features.engine.online.request_windows import RequestWindows
from features.engine.store.query_plan import QueryPlan, WindowQuery
from features.engine.store.store_keys import KeyPart
from features.engine.string_table import STRING_TABLE
from features.engine.windows.window_declaration import (
    Window,
    count,
    days_since_first,
    distinct,
    hours_since_latest,
    largest,
    latest,
    mean,
    smallest,
    total,
)
from features.errors import TidegateError
from features.submission import Submission
from features.vector import Vector, feature_vector
from tests.counts import count as how_many

AT = 1_700_000_000_000_000
KINDS = {"known_at": Kind.WHOLE, "value": Kind.NUMBER, "label": Kind.TEXT, "is_meant": Kind.NUMBER}
PROGRAM = traced_columns(lambda columns: columns, KINDS)

instants = st.builds(
    lambda days, offset: AT - days * DAY_US + offset,
    st.integers(0, 400),
    st.sampled_from((-1, 0, 1, HOUR_US)),
)
values = st.one_of(st.just(np.nan), st.integers(-5, 5).map(float), st.just(2.0**40))
rows_of = st.lists(
    st.tuples(instants, values, st.integers(-1, 2), st.sampled_from((0.0, 1.0, np.nan))),
    max_size=12,
).map(lambda rows: sorted(rows, key=lambda row: row[0]))
Rows = list[tuple[int, float, int, float]]


def windows(days: int | None, where: str | None) -> dict[str, Window]:
    face: dict[str, Any] = {"by": "subject_id", "days": days, "where": where}
    reduced = {make.__name__: make for make in (total, mean, largest, smallest, latest)}
    return {
        "count": count("events", **face),
        "distinct": distinct("events", "label", **face),
        "hours_since_latest": hours_since_latest("events", **face),
        "days_since_first": days_since_first("events", **face),
        **{name: make("events", "value", **face) for name, make in reduced.items()},
    }


def as_declared(window: Window, rows: Rows) -> float:
    """The number of a window by its definition, in exact integers."""
    begin = -(2**62) if window.days is None else AT - window.days * DAY_US
    meant = [r for r in rows if begin <= r[0] < AT and (window.where is None or r[3] == 1)]
    given = [int(value) for _, value, *_ in meant if value == value]
    nothing = np.nan
    return {
        "count": lambda: len(meant),
        "total": lambda: sum(given),
        "mean": lambda: sum(given) / len(given) if given else nothing,
        "largest": lambda: max(given, default=nothing),
        "smallest": lambda: min(given, default=nothing),
        "latest": lambda: meant[-1][1] if meant else nothing,
        "distinct": lambda: len({label for _, _, label, _ in meant if label >= 0}),
        "hours_since_latest": lambda: (AT - meant[-1][0]) / HOUR_US if meant else nothing,
        "days_since_first": lambda: (AT - meant[0][0]) / DAY_US if meant else nothing,
    }[str(window.reducer)]()


@settings(max_examples=how_many(50, 200), deadline=None)
@given(
    rows=rows_of,
    days=st.sampled_from([1, 30, 365, None]),
    where=st.sampled_from([None, "is_meant"]),
)
def test_windows_over_what_a_subject_brings_are_as_declared(
    rows: Rows, days: int | None, where: str | None
) -> None:
    asked = [*windows(days, where).values()]
    registers = np.empty((len(KINDS), len(rows)))
    for (name, kind), cells in zip(KINDS.items(), zip(*rows, strict=True), strict=False):
        place = PROGRAM.outputs[name].place
        registers.view(kind.value if kind.is_float else np.int64)[place] = cells

    numbers = np.empty((1, len(asked)))
    RequestWindows(PROGRAM, asked).reduce(
        registers, np.array([0, len(rows)]), np.array([AT]), numbers
    )

    expected = [float(as_declared(window, rows)) for window in asked]
    np.testing.assert_array_equal(numbers[0], np.array(expected))


def test_a_window_over_what_is_attached_by_another_key_is_refused() -> None:
    with pytest.raises(TidegateError, match="no key but the id"):
        RequestWindows(PROGRAM, [count("events", by="label")])


class NothingBefore:
    """A past without events, which notes what it is asked."""

    def __init__(self) -> None:
        self.asked: Mapping[str, KeyPart] = {}

    def window_numbers(self, plan: QueryPlan, questions: Sequence[WindowQuery]) -> np.ndarray:
        self.asked = dict(zip(plan.columns, questions[-1].values, strict=True))
        return np.zeros((len(questions), len(plan.windows)))


JOURNEY = {
    "journey_id": "J-1",
    "mode": "sea",
    "carrier_id": "c1",
    "conveyance_id": "v1",
    "conveyance_kind": "container_ship",
    "origin": "CNSHA",
    "destination": "DEHAM",
    "declared_at": "2026-11-20T10:00:00Z",
    "due_at": "2026-11-30T10:00:00Z",
}
SHIPMENT = {
    "shipment_id": "S-1",
    "journey_id": "J-1",
    "consignor_id": "k1",
    "consignee_id": "k2",
    "hs_code": "890310",
    "origin_country": "CN",
    "dispatch_country": "TR",
    "destination_country": "DE",
    "gross_mass_kg": 100.0,
    "declared_at": "2026-11-24T10:00:00Z",
}
INVOICE = {"document_id": "D-1", "kind": "invoice", "gross_mass_kg": 150.0}
PAYMENT = {
    "transaction_id": "T-1",
    "payer_id": "k9",
    "payee_id": "k1",
    "amount": 100.0,
    "currency": "EUR",
    "method": "cash",
    "paid_at": "2026-11-20T10:00:00Z",
}
BEFORE, AT_ONCE = "2026-11-24T09:59:59.999999Z", "2026-11-24T10:00:00Z"


def submitted(
    journey: dict[str, Any] | None = None,
    documents: Sequence[dict[str, Any]] = (),
    transactions: Sequence[dict[str, Any]] = (),
) -> Submission:
    body = {
        "subject_kind": "shipment",
        "shipment": SHIPMENT,
        "journey": journey,
        "documents": documents,
        "transactions": transactions,
    }
    return Submission.model_validate_json(json.dumps(body))


def vector(submission: Submission) -> Vector:
    return feature_vector(submission, NothingBefore())


def test_what_a_document_and_a_payment_show_beside_the_shipment() -> None:
    features = vector(
        submitted(
            documents=[INVOICE | {"received_at": BEFORE}],
            transactions=[PAYMENT | {"known_at": BEFORE}],
        )
    )

    assert features["document_count"] == 1
    assert features["document_mass_excess_ratio"] == 0.5
    assert features["third_party_payer_ratio"] == 1
    assert features["cash_payment_ratio"] == 1
    assert features["largest_payment_eur"] == 100
    assert features["hs_chapter"] == "89"
    assert features["tax_type"] is None


def test_what_becomes_known_at_the_scoring_instant_changes_nothing() -> None:
    later = submitted(
        journey=JOURNEY | {"declared_at": AT_ONCE},
        documents=[INVOICE | {"received_at": AT_ONCE}],
        transactions=[PAYMENT | {"known_at": AT_ONCE}],
    )

    assert vector(later) == vector(submitted())


def test_the_journey_is_seen_where_it_was_declared_before() -> None:
    assert vector(submitted(journey=JOURNEY))["journey_mode"] == "sea"
    assert vector(submitted())["journey_mode"] is None


def test_the_payer_that_was_known_last_is_the_one_who_is_followed() -> None:
    past = NothingBefore()
    known = ("2026-11-22T10:00:00Z", BEFORE, "2026-11-21T10:00:00Z", AT_ONCE)
    payments = [
        PAYMENT | {"transaction_id": f"T-{at}", "payer_id": f"p{at}", "known_at": known_at}
        for at, known_at in enumerate(known)
    ]

    feature_vector(submitted(transactions=payments), past)

    assert past.asked["latest_payer_id"] == "p1"
    assert past.asked["consignee_id"] == "k2"
    assert past.asked["hs_heading"] == "8903"


def test_nothing_is_kept_of_the_texts_of_a_request() -> None:
    vector(submitted())
    known = len(STRING_TABLE)

    vector(submitted(transactions=[PAYMENT | {"payer_id": "never-seen", "known_at": BEFORE}]))

    assert len(STRING_TABLE) == known
