"""Every field of every record says what it is, and the rest of the house derives from that."""

import json
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from features.field_kinds import (
    Code,
    Identifier,
    Money,
    Party,
    Quantity,
    Text,
    field_kind,
    fields_of_kind,
    kinds_of_fields,
)
from features.field_types import PartyId
from features.identities import declarations, identifiers_of, parties_of
from features.ingest.contract import CURRENCY_OF
from features.records import RECORD_FILES, Mode, Outcome, Record, Shipment, Transaction
from features.submission import (
    AttachedDocument,
    AttachedEvent,
    AttachedGoodsItem,
    AttachedTransaction,
    Submission,
    SubmittedShipment,
)
from tests.serving.bodies import shipment, submission

DESCRIBED: list[type[BaseModel]] = [
    *RECORD_FILES.values(),
    AttachedDocument,
    AttachedTransaction,
    AttachedEvent,
    AttachedGoodsItem,
    SubmittedShipment,
    Submission,
]
UNIT_IN_NAME = {"kg": "_kg", "m3": "_m3", "kn": "_kn", "m": "_m"}


def described_fields(*records: type[BaseModel]) -> list[dict[str, Any]]:
    """Return each field of each record as it stands in the schema of the API."""
    return [
        described
        for record in records
        for described in record.model_json_schema()["properties"].values()
    ]


def value_schema(described: dict[str, Any]) -> dict[str, Any]:
    """What a field holds where it is not left out."""
    options = [option for option in described.get("anyOf", []) if option.get("type") != "null"]
    return options[0] if options else described


def test_every_field_has_one_short_sentence() -> None:
    for described in described_fields(*DESCRIBED):
        sentence = described["description"]

        assert sentence[0].isupper(), sentence
        assert sentence.endswith("."), sentence
        assert len(sentence.split()) <= 15, sentence


def test_every_field_of_a_record_has_an_example_or_a_closed_list() -> None:
    for described in described_fields(*RECORD_FILES.values()):
        holds = value_schema(described)

        assert described.get("examples") or holds.get("examples") or holds.get("enum"), described


@pytest.mark.parametrize("record", RECORD_FILES.values(), ids=RECORD_FILES)
def test_every_field_has_a_kind(record: type[Record]) -> None:
    assert set(kinds_of_fields(record)) == set(record.model_fields)


@pytest.mark.parametrize("record", RECORD_FILES.values(), ids=RECORD_FILES)
def test_every_example_is_a_value_that_the_field_takes(record: type[Record]) -> None:
    for name, described in record.model_json_schema()["properties"].items():
        for example in (described | value_schema(described)).get("examples", []):
            with pytest.raises(ValidationError) as refusal:
                record.model_validate_json(json.dumps({name: example}))
            assert {fault["type"] for fault in refusal.value.errors()} == {"missing"}, name


@pytest.mark.parametrize("record", RECORD_FILES.values(), ids=RECORD_FILES)
def test_the_unit_in_a_name_is_the_unit_of_its_kind(record: type[Record]) -> None:
    for name, kind in kinds_of_fields(record).items():
        unit = UNIT_IN_NAME.get(kind.unit, "") if isinstance(kind, Quantity) else ""
        assert name.endswith(unit)
        assert bool(unit) == name.endswith(tuple(UNIT_IN_NAME.values()))


def test_every_amount_names_the_field_of_its_currency() -> None:
    assert {name: own for name, own in CURRENCY_OF.items() if own} == {
        "shipments": {"declared_value": "currency"},
        "goods_items": {"value": "currency"},
        "documents": {"value": "currency"},
        "transactions": {"amount": "currency"},
    }


def test_the_schema_shows_kind_unit_and_field_of_the_currency() -> None:
    described = Shipment.model_json_schema()["properties"]

    assert described["consignor_id"]["x-kind"] == "party"
    assert value_schema(described["net_mass_kg"])["x-unit"] == "kg"
    assert value_schema(described["declared_value"])["x-currency-field"] == "currency"


def test_a_kind_is_found_under_a_type_that_may_be_none_and_a_closed_list_is_a_code() -> None:
    class Parcel(BaseModel):
        sender_id: PartyId
        receiver_id: PartyId | None = None
        broker_id: Annotated[str, Field(pattern="^B"), Party(links_cases=False)] | None = None
        mode: Mode | None = None
        weight: float = 0.0

    kinds = {name: field_kind(field) for name, field in Parcel.model_fields.items()}

    assert kinds == {
        "sender_id": Party(),
        "receiver_id": Party(),
        "broker_id": Party(links_cases=False),
        "mode": Code(),
        "weight": None,
    }


def test_fields_of_a_kind_keep_the_order_of_the_record() -> None:
    assert fields_of_kind(Transaction, Party) == ("payer_id", "payee_id")
    assert fields_of_kind(Shipment, Text) == ("goods_description",)
    assert fields_of_kind(Outcome, Money) == ()
    assert kinds_of_fields(Outcome)["subject_id"] == Identifier("subject")


def test_what_a_submission_names_is_read_off_its_records() -> None:
    whole = submission(shipment(container_number="CSQU3054383", forwarder_id="c-4"))
    declared = declarations(whole)

    assert {"c-0012", "c-0007", "c-4", "k-3"} == parties_of(declared)
    assert {"c-0012", "c-0007", "k-3"} == parties_of(declared, only_linking=True)
    assert identifiers_of(declared, "container") == {"CSQU3054383"}
    assert identifiers_of(declared, "conveyance") == {"v-9"}
