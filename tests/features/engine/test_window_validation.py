"""Mistakes in window declarations are told with the feature, the column and the nearest one."""

import re
from dataclasses import replace

import pytest

from features.engine.columns import Kind
from features.engine.store.layout import STORED_REDUCERS
from features.engine.windows.reducers import Reducer
from features.engine.windows.validation import EventSource, check_window
from features.engine.windows.window_declaration import (
    Window,
    count,
    distinct,
    hours_since_latest,
    largest,
    latest,
    mean,
    total,
)
from features.errors import TidegateError

SUBJECT = {"consignee_id": Kind.TEXT, "hs_code": Kind.TEXT, "price": Kind.NUMBER}
EVENT = {
    "consignee_id": Kind.TEXT,
    "payee_id": Kind.TEXT,
    "mass_g": Kind.NUMBER,
    "is_cash": Kind.NUMBER,
    "journey_mass_g": Kind.NUMBER,
    "known_at": Kind.WHOLE,
}
SOURCES = {
    "shipments": EventSource(
        EVENT, reducers=STORED_REDUCERS, key_only=frozenset({"journey_mass_g"})
    ),
    "documents": EventSource({**EVENT, "subject_id": Kind.TEXT}, by=("subject_id",)),
}
SUBJECT_AND_ID = SUBJECT | {"subject_id": Kind.TEXT}
BY = {"by": "consignee_id"}

RIGHT: tuple[Window, ...] = (
    count("shipments", **BY, days=30, where="is_cash"),
    count("shipments", by=()),
    count("shipments", by="consignee_id", matching="payee_id"),
    count("shipments", by="price", matching="mass_g"),
    mean("shipments", "mass_g", **BY),
    distinct("shipments", "payee_id", **BY),
    largest("documents", "mass_g", by="subject_id"),
    latest("documents", "mass_g", by="subject_id"),
)

WRONG: tuple[tuple[Window, str], ...] = (
    (count("shipment", **BY), "there is no source 'shipment'; the nearest is 'shipments'"),
    (count("weather", **BY), "there is no source 'weather'; there are documents, shipments"),
    (
        count("shipments", by="consigne_id"),
        "by='consigne_id' is no column of the subject; the nearest is 'consignee_id'",
    ),
    (
        count("shipments", by="hs_code"),
        "matching='hs_code' is no column of shipments; there are consignee_id, is_cash",
    ),
    (
        count("shipments", **BY, matching="paye_id"),
        "matching='paye_id' is no column of shipments; the nearest is 'payee_id'",
    ),
    (
        count("shipments", **BY, matching=("consignee_id", "payee_id")),
        "by has 1 columns and matching 2; want as many",
    ),
    (
        count("shipments", by="price", matching="payee_id"),
        "'price' of the subject and 'payee_id' of the event hold numbers and texts",
    ),
    (total("shipments", **BY), "total reduces a value; want value=, one of is_cash, mass_g"),
    (distinct("shipments", **BY), "distinct reduces a value; want value=, one of consignee_id"),
    (
        total("shipments", "mas_g", **BY),
        "value='mas_g' is no column of shipments; the nearest is 'mass_g'",
    ),
    (
        total("shipments", "payee_id", **BY),
        "value='payee_id' holds texts, want numbers; there are is_cash, mass_g",
    ),
    (
        distinct("shipments", "payeeid", **BY),
        "value='payeeid' is no column of shipments; the nearest is 'payee_id'",
    ),
    (
        distinct("shipments", "mass_g", **BY),
        "value='mass_g' holds numbers, want texts; there are consignee_id, payee_id",
    ),
    (
        total("shipments", "journey_mass_g", **BY),
        "value='journey_mass_g' is of another record; it may only be part of the key",
    ),
    (
        count("shipments", **BY, where="is_kash"),
        "where='is_kash' is no column of shipments; the nearest is 'is_cash'",
    ),
    (
        count("shipments", **BY, where="payee_id"),
        "where='payee_id' holds texts, want numbers; there are is_cash, mass_g",
    ),
    (count("shipments", **BY, days=0), "days is 0; want 1 or more, or None for all of history"),
    (
        largest("shipments", "mass_g", **BY),
        "no largest value is kept of shipments; want count, total, mean, distinct",
    ),
    (
        count("documents", by="consignee_id"),
        "linked records are keyed by their subject; want by='subject_id'",
    ),
    (
        replace(hours_since_latest("shipments", **BY), value="mass_g"),
        "hours_since_latest reduces no value, and has value='mass_g'",
    ),
)


@pytest.mark.parametrize("window", RIGHT, ids=str)
def test_a_window_that_can_be_computed_is_accepted(window: Window) -> None:
    check_window("feature f", window, SUBJECT_AND_ID, SOURCES)


@pytest.mark.parametrize(("window", "mistake"), WRONG, ids=str)
def test_a_mistake_is_told_with_its_feature_and_the_nearest_right_answer(
    window: Window, mistake: str
) -> None:
    with pytest.raises(TidegateError, match=re.escape(mistake)) as refused:
        check_window("feature paid_in_cash", window, SUBJECT_AND_ID, SOURCES)

    assert str(refused.value).startswith(f"feature paid_in_cash: {window}: ")


def test_every_reducer_says_whether_it_needs_a_value() -> None:
    without = {
        Reducer.COUNT,
        Reducer.HOURS_SINCE_LATEST,
        Reducer.DAYS_SINCE_FIRST,
    }
    assert {reducer for reducer in Reducer if not reducer.needs_value} == without
