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


@pytest.mark.parametrize("packages", ["3", "3.0", "0.3e1"])
def test_a_whole_number_may_be_written_as_a_double(packages: str) -> None:
    body = json.dumps({"subject_kind": "shipment", "shipment": SHIPMENT | {"packages": "…"}})
    read = Submission.model_validate_json(body.replace('"\\u2026"', packages))

    assert read.shipment is not None
    assert repr(read.shipment.packages) == "3"


@pytest.mark.parametrize("packages", [3.5, float("nan"), 2.0**53 + 2, 1e300])
def test_no_other_number_stands_for_a_whole_one(packages: float) -> None:
    with pytest.raises(ValidationError) as refused:
        Submission.model_validate(
            {"subject_kind": "shipment", "shipment": SHIPMENT | {"packages": packages}}
        )
    of_packages = [each for each in refused.value.errors() if each["loc"][-1] == "packages"]
    assert [each["msg"] for each in of_packages] == ["want a whole number"]


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


ITEM = {"number": 1, "commodity_code": "8903100000"}
WITHOUT_CODE = {name: value for name, value in SHIPMENT.items() if name != "hs_code"}


def with_items(*items: dict[str, Any], **own: Any) -> dict[str, Any]:
    return WITHOUT_CODE | {"items": list(items)} | own


def test_a_shipment_has_the_code_of_its_principal_item_or_its_own() -> None:
    dear = {"number": 2, "commodity_code": "84072191", "value": 5.0, "currency": "EUR"}

    principal = parsed(shipment=with_items(ITEM, dear)).shipment
    declared = parsed(shipment=with_items(ITEM, dear, hs_code="890310")).shipment

    assert principal is not None
    assert declared is not None
    assert (principal.goods_code, declared.goods_code) == ("840721", "890310")


def test_what_is_stored_of_a_shipment_with_items_reads_the_same_again() -> None:
    first = parsed(shipment=with_items(ITEM | {"shipment_id": "S-1"}, ITEM | {"number": 2}))

    assert Submission.model_validate_json(first.model_dump_json()) == first


@pytest.mark.parametrize(
    ("shipment", "told"),
    [
        (WITHOUT_CODE, "want `hs_code`, or `items`"),
        (with_items(ITEM | {"known_at": "2026-11-20T10:00:00Z"}), "want `hs_code`, or `items`"),
        (with_items(ITEM, hs_code="100630"), "of one of `items`"),
        (with_items(ITEM, ITEM), "the same number"),
        (with_items(ITEM | {"shipment_id": "S-2"}), "of another shipment"),
        (with_items(ITEM | {"number": 0}), "greater than or equal to 1"),
        (with_items(ITEM | {"number": 1000}), "less than or equal to 999"),
        (with_items(ITEM | {"commodity_code": "89031"}), "match pattern"),
        (with_items(ITEM | {"nomenclature": "isic"}), "'hs', 'cn'"),
        (SHIPMENT | {"hs_code": "8903100000"}, "`items[].commodity_code`"),
        (with_items(*[ITEM] * 1_000), "at most 999"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_items_that_do_not_make_a_declaration_are_refused(
    shipment: dict[str, Any], told: str
) -> None:
    assert told in refusal(shipment=shipment)
