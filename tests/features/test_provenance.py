"""From a feature back to the fields, records and earlier events that it rests on."""

from typing import Any

import pytest

from features.catalogue import feature_named, features_of
from features.provenance import EarlierEvents, Provenance, SubmissionProvenance
from tests.serving.bodies import route, shipment, submission


def of(name: str, body: dict[str, Any]) -> Provenance:
    return SubmissionProvenance(submission(body)).feature(feature_named(name))


def with_payments(*amounts: float) -> dict[str, Any]:
    body = shipment()
    (first,) = body["transactions"]
    body["transactions"] = [
        first | {"transaction_id": f"T-{n}", "amount": amount} for n, amount in enumerate(amounts)
    ]
    return body


def test_a_sum_rests_on_the_records_that_count_in_it() -> None:
    body = with_payments(100.0, 250.5, 300.0)

    assert of("round_payment_ratio", body).records == {"transactions": ("T-0", "T-1", "T-2")}
    body["transactions"][1]["method"] = "netting"
    assert of("held_money_count", body).records == {}
    body["transactions"][1] |= {"purpose": "deposit", "payee_id": "nobody-of-the-trade"}
    assert of("held_money_count", body).records == {"transactions": ("T-1",)}


def test_an_extreme_rests_on_the_record_that_holds_it() -> None:
    assert of("largest_payment_eur", with_payments(100.0, 900.0, 300.0)).records == {
        "transactions": ("T-1",)
    }


def test_a_condition_leaves_other_records_out() -> None:
    body = shipment()
    body["documents"].append(body["documents"][0] | {"document_id": "D-2", "kind": "packing_list"})

    assert of("has_packing_list", body).records == {"documents": ("D-2",)}
    assert of("document_count", body).records == {"documents": ("D-1", "D-2")}


def test_a_window_leaves_older_records_out() -> None:
    body = with_payments(1.0, 2.0)
    body["transactions"][0]["known_at"] = "2026-10-01T00:00:00Z"
    body["transactions"][0]["paid_at"] = "2026-10-01T00:00:00Z"

    assert of("late_payment_count", body).records == {"transactions": ("T-1",)}


def test_history_is_named_by_what_is_alike() -> None:
    grounds = of("consignee_shipments_30d", shipment())

    assert grounds == Provenance((), {}, (EarlierEvents("shipments", ("consignee_id",), 30),))


def test_legs_are_named_by_their_sequence() -> None:
    assert of("leg_count", route()).records == {"legs": ("1",)}


@pytest.mark.parametrize("body", [route(), shipment()])
def test_every_feature_has_grounds(body: dict[str, Any]) -> None:
    grounds = SubmissionProvenance(submission(body))

    for feature in features_of(submission(body).subject_kind):
        told = grounds.feature(feature)
        assert told.declared or told.earlier_events or feature.windows


def test_what_items_show_rests_on_the_items() -> None:
    body = shipment()
    body["shipment"]["items"] = [
        {"number": 3, "commodity_code": "8903100000", "description": "Cartons of paper"},
        {"number": 4, "commodity_code": "8903100000", "description": "inflatable boats"},
    ]

    assert of("misdescribed_item_count", body).records == {"goods_items": ("3",)}
    assert of("item_chapter_count", body).records == {"goods_items": ("3", "4")}


def test_what_history_says_of_items_rests_on_all_of_them_and_on_that_history() -> None:
    body = shipment()
    body["shipment"]["items"] = [
        {"number": 3, "commodity_code": "8903100000"},
        {"number": 4, "commodity_code": "610910"},
    ]

    grounds = of("riskiest_item_confirmed_rate", body)

    assert grounds.records == {"goods_items": ("3", "4")}
    assert grounds.earlier_events == (
        EarlierEvents("shipment_outcomes", ("hs_heading",), None),
        EarlierEvents("shipment_outcomes", (), None),
    )
