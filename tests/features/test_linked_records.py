"""Every field that a linked record type names is there, and every use of it is derived."""

import pytest

from features.derived.subject import subject_kinds
from features.event_sources import event_sources
from features.linked_records import LINKED_RECORD_TYPES, linked_record_types
from features.subject_types import SUBJECT_TYPES
from features.submission import submitted_field, submitted_type

NAMES = [*LINKED_RECORD_TYPES]
KINDS = [*SUBJECT_TYPES]


@pytest.mark.parametrize("name", NAMES)
def test_a_linked_record_type_names_fields_of_its_record(name: str) -> None:
    record_type = LINKED_RECORD_TYPES[name]
    named = {
        record_type.subject_field,
        record_type.known_from,
        record_type.order_field,
        *record_type.key_fields,
        *record_type.id_fields,
        *filter(None, [record_type.marked_by]),
        *(record_type.previous.keys() - record_type.measured.keys()),
        *(name for measure in record_type.measured.values() for name in measure.fields),
        *record_type.version_of,
        *({each.field for each in record_type.latest.values()} - record_type.measured.keys()),
    }

    assert named - record_type.record.model_fields.keys() == set()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_subject_takes_from_its_last_record_is_a_column_of_every_subject(name: str) -> None:
    record_type = LINKED_RECORD_TYPES[name]

    for kind in record_type.kinds:
        assert record_type.latest.keys() - subject_kinds(kind).keys() == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_submission_has_a_field_for_every_linked_record_type(name: str) -> None:
    assert issubclass(submitted_type(name), LINKED_RECORD_TYPES[name].record)
    said = submitted_field(name).metadata
    longest = {each.max_length for each in said if hasattr(each, "max_length")}
    assert longest == {LINKED_RECORD_TYPES[name].most_in_submission}


@pytest.mark.parametrize("kind", KINDS)
def test_batch_reads_every_record_type_that_is_linked_to_a_subject(kind: str) -> None:
    assert {*event_sources(kind).linked} == {each.name for each in linked_record_types(kind)}


def test_batch_reads_no_id_of_a_linked_record() -> None:
    """Ids differ in every row; they are looked up for records of one instant alone."""
    documents = event_sources("shipment").linked["documents"]

    assert documents.text_id == "document_id"
    assert "document_id" not in documents.fields


def test_linked_records_name_the_columns_that_windows_over_other_sources_are_keyed_by() -> None:
    sources = event_sources("route")
    names = {source.name for source in sources.linked_needed(set(), frozenset({"latest_payer_id"}))}

    assert names == {"transactions"}
    drifts = sources.linked_needed(set(), frozenset({"latest_drift_cell"}))
    assert [source.name for source in drifts] == ["positions"]
    assert sources.linked_needed({"payments"}, frozenset({"carrier_id"})) == []
