"""Small tables and mappings, imported."""

import csv
import json
from pathlib import Path
from typing import Any

from features.ingest.record_files import read_records
from features.mapping.import_tables import QUARANTINE, ImportReport, import_source_tables
from features.mapping.inputs import open_inputs
from features.mapping.mapping import MappingFile, TableMapping
from features.mapping.source_tables import SourceTable

KEY = b"k" * 32
SHIPMENT = {
    **{"ID": "S-1", "FROM": "k1", "TO": "k2", "HS": "890310", "ORIGIN": "CN", "SENT": "TR"},
    **{"DEST": "DE", "AT": "2026-03-02T10:00:00Z"},
}
SHIPMENTS = """
[shipments]
from = "t"
shipment_id = "ID"
consignor_id = "FROM"
consignee_id = "TO"
hs_code = "HS"
origin_country = "ORIGIN"
dispatch_country = "SENT"
destination_country = "DEST"
"""
AT = 'declared_at = "AT"\n'


def no_database(url: str, table: TableMapping) -> SourceTable:
    raise AssertionError("no test here has a database")


def mapping_of(folder: Path, text: str) -> MappingFile:
    file = folder / "mapping.toml"
    file.write_text(text, encoding="utf-8")
    return MappingFile.read(file)


def written_csv(folder: Path, rows: list[dict[str, Any]], name: str = "t.csv") -> Path:
    """A CSV file of shipments with these columns besides, or others in their place."""
    with (folder / name).open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / name


def imported(folder: Path, text: str, *inputs: str, check: bool = False) -> ImportReport:
    """What an import of files says; without any, of those that the mapping names."""
    mapping = mapping_of(folder, text)
    sources = open_inputs(mapping, inputs, no_database)
    return import_source_tables(mapping, sources, None if check else folder / "out", KEY)


def shipments(
    folder: Path, rows: list[dict[str, Any]], mapped: str = AT, tables: str = ""
) -> list[dict[str, Any]]:
    """The shipments that are made of rows, each a whole shipment with some columns of its own."""
    file = written_csv(folder, [SHIPMENT | {"ID": f"S-{at}"} | row for at, row in enumerate(rows)])
    imported(folder, tables + SHIPMENTS + mapped, str(file))
    records: list[dict[str, Any]] = read_records(folder / "out", "shipments").to_pylist()
    return records


def one(folder: Path, mapped: str, tables: str = "", **row: Any) -> dict[str, Any]:
    """The one shipment of one row."""
    (record,) = shipments(folder, [row], mapped, tables)
    return record


def set_aside(folder: Path, name: str = "shipments") -> list[dict[str, Any]]:
    lines = (folder / "out" / QUARANTINE / f"{name}.ndjson").read_text().splitlines()
    return [json.loads(line) for line in lines]
