"""Read single record files as validated tables.

A file is Parquet, CSV or NDJSON, named after its record type. It is read as a whole and refused
with all its faults by column and row (from 1, without a CSV header), unless invalid rows are to be
set aside (`features.ingest.quarantine`).
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from features.arrow_schema import INSTANT, arrow_schema, default_column, limits, with_defaults
from features.engine.columns import columns_of_table
from features.engine.string_table import STRING_TABLE
from features.errors import Example, Fault, RecordsError, in_own_words
from features.ingest.completed_fields import COMPLETED_FIELDS
from features.ingest.contract import (
    Bools,
    BrokenRows,
    broken_rows,
    may_become,
    typed,
    what_is_wanted,
)
from features.persons import person_fields, why_refused
from features.records import RECORD_FILES, Record


@dataclass(frozen=True)
class CheckedFile:
    """A record file as far as it can be read: typed rows and the faults of each.

    `why` has the faults of each invalid row, by its index from 0; `source` is the original content.
    """

    table: pa.Table
    faults: tuple[Fault, ...]
    why: dict[int, tuple[str, ...]]
    source: pa.Table | list[bytes]

    def as_it_stands(self, row: int) -> Any:
        """Return a row as plain JSON with its original content; as text if it is not valid JSON."""
        if isinstance(self.source, pa.Table):
            return self.source.slice(row, 1).to_pylist()[0]
        try:
            return json.loads(self.source[row])
        except ValueError:
            return self.source[row].decode(errors="replace")


def read_records(folder: Path, name: str) -> pa.Table:
    """Return all records of one type in `folder`, in the order of the file; empty without a file.

    Columns are those of the record, in its order; an absent optional column is filled with nulls.
    Raises RecordsError for a missing folder and for any fault in the file.
    """
    file = record_file_of(folder, name)
    if file is None:
        return arrow_schema(RECORD_FILES[name]).empty_table()
    return read_record_file(file, name)


def record_file_of(folder: Path, name: str) -> Path | None:
    """Return the file of one record type; raises RecordsError for two files or no folder."""
    if not folder.is_dir():
        raise RecordsError(f"{folder}: no such folder of records")
    files = [path for ending in _CHECKS if (path := folder / f"{name}{ending}").exists()]
    if len(files) > 1:
        raise RecordsError(f"{files[0]} and {files[1]} both hold {name}; keep one")
    return files[0] if files else None


def read_record_file(file: Path, name: str) -> pa.Table:
    """Return all records in one file of the record type `name`, like `read_records`."""
    checked = check_record_file(file, name)
    if checked.faults:
        raise RecordsError.from_faults(checked.faults)
    return checked.table


def check_record_file(file: Path, name: str) -> CheckedFile:
    """Return one file with the faults of its rows.

    Raises RecordsError if its columns cannot be read: a missing, unknown or wrongly typed column is
    not a fault of a row.
    """
    check = _CHECKS.get(file.suffix)
    if check is None:
        raise RecordsError(f"{file}: want a file that ends in {', '.join(_CHECKS)}")
    if not file.exists():
        raise RecordsError(f"{file}: no such file")
    return check(file, name)


def write_records(folder: Path, name: str, table: pa.Table) -> None:
    """Write one record type as Parquet, with the record's schema."""
    pq.write_table(table.cast(arrow_schema(RECORD_FILES[name])), folder / f"{name}.parquet")


def _parquet(file: Path, name: str) -> CheckedFile:
    try:
        table = pq.read_table(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise RecordsError(f"{file}: not a readable Parquet file ({error})") from None
    return _checked(table, name, file)


def _csv(file: Path, name: str) -> CheckedFile:
    # As texts, because inferred types would drop leading zeros of codes.
    columns = {column: pa.string() for column in RECORD_FILES[name].model_fields}
    convert = pyarrow.csv.ConvertOptions(
        column_types=columns, strings_can_be_null=True, null_values=[""]
    )
    try:
        table = pyarrow.csv.read_csv(file, convert_options=convert)
    except pa.ArrowInvalid as error:
        raise RecordsError(f"{file}: not a readable CSV file ({error})") from None
    return _checked(table, name, file)


def _ndjson(file: Path, name: str) -> CheckedFile:
    record = RECORD_FILES[name]
    lines = file.read_bytes().splitlines()
    rows: list[dict[str, Any]] = []
    wrong: dict[tuple[str, str], list[int]] = {}
    for row, line in enumerate(lines):
        try:
            rows.append(record.model_validate_json(line).model_dump())
        except ValidationError as error:
            rows.append({})
            for fault in error.errors(include_input=False, include_url=False):
                wrong.setdefault(_fault_in_words(fault, row, file), []).append(row)
    table = pa.Table.from_pylist(rows, _nullable(record))
    # Lines that cannot be read were already reported; do not also report missing fields.
    unread = np.array([not row for row in rows], dtype=np.bool_)
    broken = [
        BrokenRows(column, what, _flags(at, len(lines))) for (column, what), at in wrong.items()
    ]
    broken += [each.but(unread) for each in broken_rows(table, name)]
    return _with_faults(table, broken, file, name, lines)


def _fault_in_words(fault: ErrorDetails, row: int, file: Path) -> tuple[str, str]:
    column = ".".join(str(part) for part in fault["loc"]) or "the line"
    if fault["type"] == "extra_forbidden":
        what = _why_no_field(column)
        raise RecordsError.from_faults(
            (Fault(str(file), None, what, None, (Example(row + 1, None),)),)
        )
    return column, in_own_words(fault["msg"])


_CHECKS: dict[str, Callable[[Path, str], CheckedFile]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".ndjson": _ndjson,
}


def _checked(table: pa.Table, name: str, file: Path) -> CheckedFile:
    record = RECORD_FILES[name]
    if faults := (*_wrong_names(table, record, file), *_wrong_types(table, record, file)):
        raise RecordsError.from_faults(faults)
    columns, unread = [], {}
    for field in arrow_schema(record):
        if field.name not in table.column_names:
            columns.append(default_column(record, field, len(table)))
            continue
        column, wrong = typed(table[field.name], field)
        columns.append(column)
        if wrong is not None:
            unread[field.name] = BrokenRows(field.name, f"not {what_is_wanted(field.type)}", wrong)
    read = with_defaults(pa.table(columns, schema=_nullable(record)), record)
    broken = list(unread.values())
    for each in broken_rows(read, name):
        # Values that cannot be read were already reported; do not also report them as missing.
        named = unread.get(each.column)
        broken.append(each.but(named.rows) if named else each)
    return _with_faults(read, broken, file, name, table)


def _wrong_names(table: pa.Table, record: type[Record], file: Path) -> Iterator[Fault]:
    names = table.column_names
    unknown = [name for name in names if name not in record.model_fields]
    # Columns about a person take precedence: other unknown ones are then not reported.
    for name in person_fields(unknown) or unknown:
        yield Fault(str(file), None, _why_no_field(name))
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Fault(str(file), None, f"column {name!r} appears twice")
    required = [name for name, field in record.model_fields.items() if field.is_required()]
    for name in required:
        if name not in names:
            yield Fault(str(file), None, f"the required column {name!r} is missing", len(table))


def _why_no_field(column: str) -> str:
    """Return the reason for refusing an unknown column.

    Only requests may contain records inside a record.
    """
    goods = "; the goods items of shipments have a file of their own, goods_items"
    return why_refused(column) + (goods if column == "items" else "")


def _wrong_types(table: pa.Table, record: type[Record], file: Path) -> Iterator[Fault]:
    for field in arrow_schema(record):
        if table.column_names.count(field.name) != 1:
            continue
        have = table[field.name].type
        have = have.value_type if pa.types.is_dictionary(have) else have
        if pa.types.is_timestamp(have) and field.type == INSTANT and have.tz is None:
            what = "a naive time stamp; give it an offset"
            yield Fault(str(file), field.name, what, len(table), (Example(1, None),))
        elif not may_become(have, field.type):
            yield Fault(str(file), field.name, f"is {have}, want {field.type}", len(table))


def _nullable(record: type[Record]) -> pa.Schema:
    # Missing values must reach the checks, which report them.
    return pa.schema(field.with_nullable(True) for field in arrow_schema(record))


def _flags(at: list[int], rows: int) -> Bools:
    flags = np.zeros(rows, dtype=np.bool_)
    flags[at] = True
    return flags


def _with_faults(
    table: pa.Table, broken: list[BrokenRows], file: Path, name: str, source: pa.Table | list[bytes]
) -> CheckedFile:
    """Return the table with its faults; examples show the original values."""
    table, more = _completed(table, file, name)
    limits_of = limits(RECORD_FILES[name])
    faults: list[Fault] = []
    why: dict[int, tuple[str, ...]] = {}
    for each in (*broken, *more):
        values = None
        if isinstance(source, pa.Table) and each.column in source.column_names:
            values = source[each.column]
        faults.append(each.fault(str(file), values, limits_of.get(each.column)))
        for row in np.flatnonzero(each.rows).tolist():
            why[row] = (*why.get(row, ()), f"{each.column}: {each.what}")
    return CheckedFile(table, tuple(faults), why, source)


def _completed(table: pa.Table, file: Path, name: str) -> tuple[pa.Table, list[BrokenRows]]:
    """Return the table completed from another file in the folder, and rows that contradict it."""
    completed = COMPLETED_FIELDS.get(name)
    if completed is None:
        return table, []
    records = columns_of_table(table.select(completed.own_fields))
    source = completed.columns_of_source(_usable(file.parent, completed.source))
    codes = completed.complete(records, source)
    faults = completed.faults(records | {completed.field: codes}, source)
    broken = [
        BrokenRows(completed.field, what, rows) for what, rows in faults.items() if rows.any()
    ]
    place = table.column_names.index(completed.field)
    field = table.schema.field(place)
    return table.set_column(place, field, STRING_TABLE.texts(codes).cast(field.type)), broken


def _usable(folder: Path, name: str) -> pa.Table | None:
    """Return the valid rows of a record file; None if there is no file."""
    file = record_file_of(folder, name)
    if file is None:
        return None
    checked = check_record_file(file, name)
    return checked.table.filter(pa.array(~_flags([*checked.why], len(checked.table))))
