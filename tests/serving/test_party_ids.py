"""Who somebody is stays out of what a model reads, and out of what a model is."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.identities import party_fields
from features.ingest.record_files import read_records
from features.records import RECORD_FILES, SubjectKind

PARTIES = party_fields() | {"conveyance_id"}


def parties(home: Path) -> set[str]:
    """The ids of everybody in the records of a home."""
    found: set[str] = set()
    for name in RECORD_FILES:
        table = read_records(home / "records", name)
        for column in PARTIES & set(table.column_names):
            found |= set(table[column].drop_null().to_pylist())
    return found


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_no_party_is_among_the_values_that_a_model_is_trained_on(
    trained_home: Path, kind: SubjectKind
) -> None:
    known = parties(trained_home)
    assert len(known) > 50

    table = pq.read_table(trained_home / "training_sets" / kind / "features.parquet")

    texts = [
        name
        for name in table.column_names
        if pa.types.is_string(table.schema.field(name).type) and name != "subject_id"
    ]
    assert texts  # categories, which are learnt by name
    for name in texts:
        assert not known & set(table[name].to_pylist()), name


def test_no_party_is_in_any_file_of_a_model(trained_home: Path) -> None:
    known = [each.encode() for each in parties(trained_home)]
    files = [file for file in (trained_home / "models").rglob("*") if file.is_file()]
    assert files

    for file in files:
        content = file.read_bytes()
        assert not [each for each in known if each in content], file
