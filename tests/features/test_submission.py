import json
from typing import Any

import pytest
from pydantic import ValidationError

from features.submission import Submission

SHIPMENT = {
    "shipment_id": "S-1",
    "consignor_id": "k1",
    "consignee_id": "k2",
    "hs_code": "890310",
    "origin_country": "CN",
    "dispatch_country": "TR",
    "destination_country": "DE",
    "declared_at": "2026-11-24T11:00:00+01:00",
}
PAYMENT = {
    "transaction_id": "T-1",
    "payer_id": "k9",
    "payee_id": "k1",
    "amount": 100.0,
    "currency": "EUR",
    "method": "cash",
    "paid_at": "2026-11-20T10:00:00Z",
    "known_at": "2026-11-21T10:00:00Z",
}


def parsed(**body: Any) -> Submission:
    return Submission.model_validate_json(
        json.dumps({"subject_kind": "shipment", "shipment": SHIPMENT} | body)
    )


def refusal(**body: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        parsed(**body)
    return str(refused.value.errors(include_input=False, include_url=False))


def test_instants_are_kept_in_utc() -> None:
    assert parsed().declared_at.isoformat() == "2026-11-24T10:00:00+00:00"


def test_an_attached_payment_may_leave_out_its_subject_or_repeat_it() -> None:
    repeated = PAYMENT | {"subject_kind": "shipment", "subject_id": "S-1"}

    assert len(parsed(transactions=[PAYMENT, repeated]).transactions) == 2


def test_a_payment_of_another_subject_is_refused() -> None:
    assert "another subject" in refusal(transactions=[PAYMENT | {"subject_id": "S-2"}])


def test_an_unknown_field_is_refused_by_name() -> None:
    assert "hs_kode" in refusal(shipment=SHIPMENT | {"hs_kode": "1"})


def test_a_field_about_a_person_is_refused_without_its_value() -> None:
    told = refusal(shipment=SHIPMENT | {"driver_nationality": "Utopian"})

    assert "driver_nationality" in told
    assert "Utopian" not in told


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("declared_at", "2026-11-24T10:00:00"),
        ("gross_mass_kg", -1.0),
        ("gross_mass_kg", "12"),
        ("packages", True),
        ("hs_code", "89031"),
        ("consignee_id", "k2\x00"),
        ("goods_description", "boats\u202estaob"),
    ],
)
def test_a_value_that_is_not_strictly_right_is_refused(field: str, value: Any) -> None:
    assert field in refusal(shipment=SHIPMENT | {field: value})


@pytest.mark.parametrize("kind", ["person", "driver", "company", "vessel", "Shipment", "", None])
def test_a_person_cannot_be_a_subject(kind: str | None) -> None:
    assert "subject_kind" in refusal(subject_kind=kind)


def test_a_route_is_a_journey_without_a_shipment() -> None:
    assert "route" in refusal(subject_kind="route")
