"""Files of messages -> record files: one record is one, and nothing is half-written."""

import json
from dataclasses import replace
from pathlib import Path

from features.errors import MessageRefused
from features.ingest.record_files import read_records
from features.messages.import_files import (
    SOURCES,
    ImportedFile,
    drop_repeated_records,
    read_files,
    write_import,
)
from tests.conformance.trial_of_samples import OWN
from tests.features.messages.readings import OPTIONS, RECEIVED, read

WAYBILL = OWN / "ubl" / "waybill.xml"


def test_a_message_that_comes_twice_is_imported_once(tmp_path: Path) -> None:
    later = read("ubl/waybill.xml", received_at=RECEIVED.replace(day=9))
    twice = [*read_files("ubl", [WAYBILL], OPTIONS), ImportedFile(WAYBILL, later)]

    write_import(drop_repeated_records(twice), "ubl", tmp_path / "out")

    assert read_records(tmp_path / "out", "documents").num_rows == 1
    assert read_records(tmp_path / "out", "goods_items").num_rows == 2


def test_a_document_that_is_stated_otherwise_is_a_later_version(tmp_path: Path) -> None:
    amended = read("ubl/waybill.xml", ("31400.00", "99.00"))
    both = [*read_files("ubl", [WAYBILL], OPTIONS), ImportedFile(WAYBILL, amended)]

    write_import(drop_repeated_records(both), "ubl", tmp_path / "out")

    assert read_records(tmp_path / "out", "documents")["version"].to_pylist() == [1, 2]


def test_a_shipment_that_is_stated_otherwise_is_refused_with_its_place() -> None:
    amended = read("ubl/waybill.xml", ("31400.00", "99.00"))
    _, second = drop_repeated_records(
        [*read_files("ubl", [WAYBILL], OPTIONS), ImportedFile(WAYBILL, amended)]
    )

    assert not isinstance(second.outcome, MessageRefused)
    (refused,) = [each for each in second.outcome.refused if each.record_type == "shipments"]
    assert refused.reasons == ("another message made it already",)


def test_every_field_of_a_record_file_has_a_source(tmp_path: Path) -> None:
    write_import(
        drop_repeated_records(list(read_files("ubl", [WAYBILL], OPTIONS))), "ubl", tmp_path / "out"
    )

    lines = (tmp_path / "out" / SOURCES).read_text().splitlines()
    sources = {each["record_type"]: each for each in map(json.loads, lines)}
    (row,) = read_records(tmp_path / "out", "shipments").to_pylist()
    stated = {name for name, value in row.items() if value is not None}
    follows = {"hs_code", "version", "withdrawn"}  # of its principal item; as nothing else is said
    assert sources["shipments"]["places"].keys() == stated - follows
    assert sources["shipments"]["key"] == ["AC4711", "1"]
    assert "Nordwind" not in "".join(lines)


def test_a_file_is_not_read_beyond_the_largest_message(tmp_path: Path) -> None:
    large = tmp_path / "large.xml"
    large.write_bytes(WAYBILL.read_bytes() + b" " * 1_000_000)
    bounds = replace(OPTIONS.bounds, size=100_000)

    (imported,) = read_files("ubl", [large], replace(OPTIONS, bounds=bounds))

    assert isinstance(imported.outcome, MessageRefused)
