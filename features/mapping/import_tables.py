"""Import own tables as record files by a mapping, all or nothing."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from features.arrow_schema import arrow_schema
from features.atomic_dir import written_whole
from features.errors import TidegateError
from features.field_kinds import kinds_of_fields
from features.ingest.contract import BrokenRows
from features.ingest.record_summary import SET_ASIDE
from features.mapping.block_columns import BlockColumns, JoinedColumns, JoinedTable
from features.mapping.checked_records import CheckedRecords
from features.mapping.columns_read import columns_left, joined_names, own_columns
from features.mapping.field_values import FieldReading
from features.mapping.mapping import FieldMapping, MappingFile, RecordMapping
from features.mapping.mapping_checks import (
    check_columns,
    check_mapping,
    fills_currency,
)
from features.mapping.refused_rows import RefusedGroup, RefusedRows
from features.mapping.source_tables import Block, SourceTable
from features.mapping.units import currency_of
from features.records import RECORD_FILES
from features.register_pseudonyms import RegisterPseudonyms

QUARANTINE = "quarantine"
# Report of an import; a folder without one was not written by an import.
REPORT = "import.json"

_WORKING = ".import"
_MAX_REASONS = 5

Sources = Mapping[str, Sequence[SourceTable]]


@dataclass(frozen=True)
class ImportReport:
    """The report of an import: records read, written and refused, and unused columns."""

    inputs: dict[str, int]
    records: dict[str, int]
    refused: list[RefusedGroup]
    about_persons: dict[str, list[str]]
    left_over: dict[str, list[str]]

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON."""
        return {
            "inputs": [{"input": name, "rows": rows} for name, rows in self.inputs.items()],
            "records": self.records,
            "refused": [group.as_json() for group in self.refused],
            "columns_about_persons": self.about_persons,
            "columns_left_over": self.left_over,
        }


def import_source_tables(
    mapping: MappingFile,
    sources: Sources,
    out: Path | None,
    pseudonym_key: bytes | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImportReport:
    """Read each table once and write one record file per type; without `out`, only check.

    Invalid rows are set aside in `OUT/quarantine`. Raises TidegateError for an invalid mapping, an
    unreadable table, or if no record results; `out` then stays unchanged.
    """
    # Everything that can be checked without reading rows comes first.
    check_mapping(mapping)
    schemas = {name: _schema_of(tables) for name, tables in sources.items()}
    unread = [(at, name) for name, at in mapping.tables_read.items() if name not in sources]
    mapping.refuse([(at, f"no input is the table {name!r}") for at, name in unread])
    check_columns(mapping, schemas)
    if pseudonym_key is None and mapping.makes_pseudonyms:
        raise TidegateError(f"{mapping.file}: its pseudonyms need the key of a home; give --home")
    run = _Run(mapping, sources, schemas, pseudonym_key, progress)
    if out is None:
        # A mere check needs files as well, for the notes that find repetitions.
        with TemporaryDirectory() as temporary:
            return run.report(None, Path(temporary))
    with _written(out) as folder:
        working = folder / _WORKING
        working.mkdir()
        report = run.report(folder, working)
        _refuse_nothing(report)
        shutil.rmtree(working)
        (folder / REPORT).write_text(json.dumps(report.as_json(), indent=1) + "\n")
    return report


def _refuse_nothing(report: ImportReport) -> None:
    """Raise TidegateError if no row became a record, so that good records are not replaced."""
    if any(report.records.values()):
        return
    rows = sum(report.inputs.values())
    most = sorted(report.refused, key=lambda group: -group.rows)[:_MAX_REASONS]
    why = [f"  {group.fault()}" for group in most] or ["  no row is refused: see `where`, `unless`"]
    told = f"none of {rows:,} rows becomes a record, so nothing is written; --check lists them all:"
    raise TidegateError("\n".join([told, *why]))


@contextmanager
def _written(out: Path) -> Iterator[Path]:
    """Yield a folder that replaces `out`; refuse if `out` was not written by an import."""
    if out.exists() and not (out.is_dir() and ((out / REPORT).exists() or not any(out.iterdir()))):
        raise TidegateError(f"{out} holds what no import wrote; choose another folder")
    with written_whole(out) as folder:
        yield folder


@dataclass
class _Run:
    """One import with its mapping and tables."""

    mapping: MappingFile
    sources: Sources
    schemas: dict[str, pa.Schema]
    key: bytes | None
    progress: Callable[[int, int], None]
    _joined: dict[tuple[str, ...], JoinedTable] = field(default_factory=dict)
    _inputs: dict[str, int] = field(default_factory=dict)

    def report(self, folder: Path | None, working: Path) -> ImportReport:
        """Import all tables, into a folder or only as a check."""
        refused = RefusedRows(folder / QUARANTINE if folder else None)
        names = dict.fromkeys(record.name for record in self.mapping.records)
        into = {name: CheckedRecords(name, folder, working, refused, names) for name in names}
        read = dict.fromkeys(record.head.table for record in self.mapping.records)
        parts = [(table, source) for table in read for source in self.sources[table]]
        for done, (table, source) in enumerate(parts):
            self.progress(done, len(parts))
            self._read(table, source, into, refused)
        self.progress(len(parts), len(parts))
        for records in into.values():
            records.finish()
        if refused.finish() and folder:
            counted = ("record_type", "column", "what", "rows")
            said = [{key: group.as_json()[key] for key in counted} for group in refused.groups]
            (folder / SET_ASIDE).write_text(json.dumps(said))
        # Counted after `finish`, which takes out repeated records.
        written = {name: records.written for name, records in into.items()}
        return ImportReport(
            self._inputs, written, refused.groups, *columns_left(self.mapping, self.schemas)
        )

    def _read(
        self,
        table: str,
        source: SourceTable,
        into: dict[str, CheckedRecords],
        refused: RefusedRows,
    ) -> None:
        says = self.mapping.table(table)
        readings = [
            (record, self._readings(record), self._joins(record))
            for record in self.mapping.records
            if record.head.table == table
        ]
        needed = own_columns(self.mapping, table, self.schemas)
        self._inputs.setdefault(source.place, 0)
        for block in source.blocks(needed):
            self._inputs[source.place] += len(block.rows) + len(block.unread)
            refused.add_unread(source.place, block.unread)
            columns = BlockColumns(block.rows, says)
            for record, fields, joins in readings:
                rows, places = _selected(columns, block, record)
                joined = {name: (found, found.places_of([rows.text(key) for key in keys]))
                          for name, (found, keys) in joins.items()}  # fmt: skip
                read = JoinedColumns(rows, joined, joined_names(self.mapping, record, self.schemas))
                _add(into[record.name], record, fields, read, places, source.place)

    def _readings(self, record: RecordMapping) -> dict[str, FieldReading]:
        of_type = RECORD_FILES[record.name]
        says = dict(record.fields)
        for name in of_type.model_fields:
            amount = None if name in says else fills_currency(record, name)
            if amount and amount.unit:
                says[name] = FieldMapping(constant=currency_of(amount.unit))
        return {name: self._reading(record, name, each) for name, each in says.items()}

    def _reading(self, record: RecordMapping, name: str, each: FieldMapping) -> FieldReading:
        of_type, table = RECORD_FILES[record.name], self.mapping.table(record.head.table)
        return FieldReading(
            says=each,
            want=arrow_schema(of_type).field(name),
            kind=kinds_of_fields(of_type).get(name),
            zone=each.zone or table.zone,
            decimal=each.decimal or table.decimal,
            codes=self.mapping.codes_of(each),
            pseudonyms=RegisterPseudonyms(self.key) if each.pseudonym and self.key else None,
        )

    def _joins(self, record: RecordMapping) -> dict[str, tuple[JoinedTable, list[str]]]:
        names = joined_names(self.mapping, record, self.schemas)
        return {
            name: (self._joined_table(name, keys, names), list(keys))
            for name, keys in record.head.join.items()
        }

    def _joined_table(self, name: str, keys: dict[str, str], columns: set[str]) -> JoinedTable:
        inside = sorted(each.partition(".")[2] for each in columns if each.startswith(f"{name}."))
        # Read each joined table once per combination of keys and columns.
        known = (name, *keys.values(), "", *inside)
        if known not in self._joined:
            if len(self.sources[name]) > 1:
                raise TidegateError(f"{name} is joined and must be one input")
            (source,) = self.sources[name]
            self._joined[known] = JoinedTable(
                source, self.mapping.table(name), keys.values(), inside
            )
        return self._joined[known]


def _selected(
    columns: BlockColumns, block: Block, record: RecordMapping
) -> tuple[BlockColumns, Any]:
    mask = columns.selected(record.head.where, record.head.unless)
    if mask is None:
        return columns, block.places
    return columns.filtered(mask), block.places[np.asarray(mask.fill_null(False))]


def _add(
    into: CheckedRecords,
    record: RecordMapping,
    fields: dict[str, FieldReading],
    columns: JoinedColumns,
    places: Any,
    source: str,
) -> None:
    """Convert a block to records and add them to their record type."""
    of_type = RECORD_FILES[record.name]
    arrays, stood, broken = [], {}, []
    for want in arrow_schema(of_type):
        if want.name not in fields:
            default = pa.scalar(of_type.model_fields[want.name].default, want.type)
            arrays.append(pa.repeat(default, len(columns)))
            continue
        read = fields[want.name].values(columns)
        arrays.append(read.values)
        stood[want.name] = read.stood
        broken += [
            BrokenRows(want.name, what, np.asarray(flags.fill_null(False)))
            for what, flags in read.broken
        ]
    # Nullable here so that missing values reach the validation, which reports them.
    schema = pa.schema(each.with_nullable(True) for each in arrow_schema(of_type))
    rows = pa.RecordBatch.from_arrays(arrays, schema=schema)
    into.add(rows, places, source, [each for each in broken if each.rows.any()], stood)


def _schema_of(tables: Sequence[SourceTable]) -> pa.Schema:
    """Return the columns of a table in parts, each of which must have those of the first."""
    first, *others = tables
    for other in others:
        if lacking := [name for name in first.schema.names if name not in other.schema.names]:
            raise TidegateError(f"{other.place} lacks the column {lacking[0]!r} of {first.place}")
    return first.schema
