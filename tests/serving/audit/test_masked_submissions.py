"""Every field that masking writes to holds afterwards what its record allows."""

import json
from typing import Any

import pytest
from pydantic import Field

from features.field_kinds import Identifier, Party, Text, fields_of_kind
from features.field_types import Mmsi
from features.identities import identifying_fields, text_fields
from features.linked_records import LINKED_RECORD_TYPES
from features.records import RECORD_FILES, Journey, Record, Shipment
from serving.access.pseudonyms import Pseudonyms, values_at
from serving.audit.decision import Decision
from serving.audit.masking import masked
from tests.features.test_field_kinds import value_schema
from tests.serving.review.cases.decisions import decision

NAMES = Pseudonyms(b"k" * 32)
SUBMITTED = {name: record for name, record in RECORD_FILES.items() if name != "outcomes"}
MASKED = {
    name: record
    for record in SUBMITTED.values()
    for kind in (Party, Identifier, Text)
    for name in fields_of_kind(record, kind)
}
"""Every field that masking writes to, with a record that has it."""

LEFT_OUT = {"imo_number", "mmsi", "call_sign", "plate_number"}
"""Ids whose fields take no short name."""


def filled(record: type[Record]) -> dict[str, Any]:
    """A record with an example in each field that it must have or that masking writes to."""
    fields = record.model_json_schema()["properties"]
    held = {name: field | value_schema(field) for name, field in fields.items()}
    must = {name for name, field in record.model_fields.items() if field.is_required()}
    return {
        name: (field.get("examples") or field.get("enum"))[-1]
        for name, field in held.items()
        if name in must or name in MASKED
    }


def decided() -> Decision:
    """A decision on a shipment that brings one record of every type, with all that is masked."""
    body: dict[str, Any] = {"subject_kind": "shipment", "journey": filled(Journey)}
    body["shipment"] = filled(Shipment)
    for kind in LINKED_RECORD_TYPES.values():
        *within, field = kind.path_in_submission
        (body[within[0]] if within else body)[field] = [filled(kind.record)]
    return decision(body)


@pytest.mark.parametrize("name", sorted(MASKED))
def test_a_decision_is_read_again_whatever_of_it_was_masked(name: str) -> None:
    told = decided()
    stated = values_at(json.loads(told.request), {name})
    assert told.submission.subject_id == "S-2026-004711"
    assert stated, f"no record of the submission has {name}"

    seen = masked(told, NAMES)

    assert seen.submission.subject_id == NAMES.of("S-2026-004711", "masked")
    shown = values_at(json.loads(seen.request), {name})
    assert shown <= {NAMES.of(each, "masked") for each in stated}
    assert bool(shown) == (name not in LEFT_OUT | text_fields())


def test_a_new_field_that_takes_no_short_name_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Answering(Journey):
        second_mmsi: Mmsi | None = Field(None, description="Of the radio in reserve.")

    monkeypatch.setitem(RECORD_FILES, "journeys", Answering)
    told = decided().model_copy(update={"request": '{"journey": {"second_mmsi": "255805587"}}'})

    assert json.loads(masked(told, NAMES).request) == {"journey": {}}
    assert "second_mmsi" in identifying_fields()
