"""Record files -> checked tables.

A file is Parquet, CSV or NDJSON, named by its record type. It is read whole, and refused at the
first thing that is wrong with the file, the row (from 1; a CSV's header is none) and the column.
"""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from pydantic import ValidationError

from features.errors import RecordsError
from features.persons import person_fields, why_refused
from features.records import RECORD_FILES, Record
from features.schema import INSTANT, Limits, arrow_schema, limits

# What makes a record one record; a second row with the same values is refused.
IDENTITY: dict[str, tuple[str, ...]] = {
    "journeys": ("journey_id",),
    "legs": ("journey_id", "sequence"),
    "shipments": ("shipment_id",),
    "documents": ("document_id",),
    "transactions": ("transaction_id",),
}


def read_records(folder: Path, name: str) -> pa.Table:
    """All records of one type in `folder`, in the order of the file; an empty table without a file.

    Columns are those of the record, in its order; an absent optional column is filled with nulls.
    Raises RecordsError for a folder that is not there and for anything wrong in the file.
    """
    if not folder.is_dir():
        raise RecordsError(f"{folder}: no such folder of records")
    files = [path for ending in _READERS if (path := folder / f"{name}{ending}").exists()]
    if len(files) > 1:
        raise RecordsError(f"{files[0]} and {files[1]} both hold {name}; keep one")
    if not files:
        return arrow_schema(RECORD_FILES[name]).empty_table()
    return read_record_file(files[0], name)


def read_record_file(file: Path, name: str) -> pa.Table:
    """All records in one file of the record type `name`; as `read_records`."""
    reader = _READERS.get(file.suffix)
    if reader is None:
        raise RecordsError(f"{file}: want a file that ends in {', '.join(_READERS)}")
    if not file.exists():
        raise RecordsError(f"{file}: no such file")
    record = RECORD_FILES[name]
    table = _typed(reader(file, record), record, file)
    for column, limit in limits(record).items():
        _check_column(table[column], limit, file, column)
    _check_identity(table, IDENTITY.get(name, ()), file)
    return table


def write_records(folder: Path, name: str, table: pa.Table) -> None:
    """Write one record type as Parquet, with the record's schema."""
    pq.write_table(table.cast(arrow_schema(RECORD_FILES[name])), folder / f"{name}.parquet")


def _read_parquet(file: Path, record: type[Record]) -> pa.Table:
    try:
        return pq.read_table(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise RecordsError(f"{file}: not a readable Parquet file ({error})") from None


def _read_csv(file: Path, record: type[Record]) -> pa.Table:
    columns = {name: pa.string() for name in record.model_fields}
    convert = pyarrow.csv.ConvertOptions(
        column_types=columns, strings_can_be_null=True, null_values=[""]
    )
    try:
        return pyarrow.csv.read_csv(file, convert_options=convert)
    except pa.ArrowInvalid as error:
        raise RecordsError(f"{file}: not a readable CSV file ({error})") from None


def _read_ndjson(file: Path, record: type[Record]) -> pa.Table:
    rows = []
    for row, line in enumerate(file.read_bytes().splitlines(), start=1):
        try:
            rows.append(record.model_validate_json(line).model_dump())
        except ValidationError as error:
            raise RecordsError(f"{file}, row {row}, {_told(error)}") from None
    return pa.Table.from_pylist(rows, schema=arrow_schema(record))


def _told(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    column = ".".join(str(part) for part in first["loc"]) or "the line"
    if first["type"] == "extra_forbidden":
        return why_refused(column)
    return f"{column}: {first['msg']}"


_READERS: dict[str, Callable[[Path, type[Record]], pa.Table]] = {
    ".parquet": _read_parquet,
    ".csv": _read_csv,
    ".ndjson": _read_ndjson,
}


def _typed(table: pa.Table, record: type[Record], file: Path) -> pa.Table:
    _check_names(table.column_names, record, file)
    schema = arrow_schema(record)
    columns = [
        _cast(table[field.name], field, file)
        if field.name in table.column_names
        else _absent(record, field, len(table))
        for field in schema
    ]
    return pa.table(columns, schema=pa.schema(field.with_nullable(True) for field in schema))


def _absent(record: type[Record], field: pa.Field, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(record.model_fields[field.name].default, field.type), rows)


def _check_names(names: list[str], record: type[Record], file: Path) -> None:
    unknown = [name for name in names if name not in record.model_fields]
    if unknown:
        raise RecordsError(f"{file}: {why_refused((person_fields(unknown) or unknown)[0])}")
    if len(set(names)) < len(names):
        raise RecordsError(f"{file}: column {max(names, key=names.count)!r} appears twice")
    required = [name for name, field in record.model_fields.items() if field.is_required()]
    if absent := [name for name in required if name not in names]:
        raise RecordsError(f"{file}: the required column {absent[0]!r} is missing")


def _cast(column: pa.ChunkedArray, field: pa.Field, file: Path) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type) and column.type.tz is None:
        raise RecordsError(f"{file}, row 1, {field.name}: a naive time stamp; give it an offset")
    if not _may_become(column.type, field.type):
        raise RecordsError(f"{file}, {field.name}: is {column.type}, want {field.type}")
    try:
        return column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise RecordsError(_first_uncastable(column, field, file)) from None


def _may_become(have: pa.DataType, want: pa.DataType) -> bool:
    """Whether a column of this type may be read as the other: text, as in a CSV, always may."""
    is_text = pa.types.is_null(have) or pa.types.is_string(have) or pa.types.is_large_string(have)
    if want == INSTANT:
        fits = pa.types.is_timestamp(have)
    elif pa.types.is_floating(want):
        fits = pa.types.is_floating(have) or pa.types.is_integer(have) or pa.types.is_decimal(have)
    elif pa.types.is_integer(want):
        fits = pa.types.is_integer(have)
    else:
        fits = have == want
    return bool(is_text or fits)


def _first_uncastable(column: pa.ChunkedArray, field: pa.Field, file: Path) -> str:
    for row, value in enumerate(column, start=1):
        try:
            value.cast(field.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            want = "an instant with its offset" if field.type == INSTANT else str(field.type)
            return f"{file}, row {row}, {field.name}: not {want}"
    return f"{file}, {field.name}: not {field.type}"


def _check_column(column: pa.ChunkedArray, limit: Limits, file: Path, name: str) -> None:
    if limit.required:
        _refuse(pc.is_null(column), file, name, "is required")
    if pa.types.is_floating(column.type):
        _refuse(pc.invert(pc.is_finite(column)), file, name, "is not a finite number")
    if limit.choices:
        known = pc.is_in(column, pa.array(limit.choices))
        unknown = pc.and_(pc.is_valid(column), pc.invert(known))
        _refuse(unknown, file, name, f"is none of {', '.join(limit.choices)}")
    if limit.pattern:
        matches = pc.match_substring_regex(column, limit.pattern)
        _refuse(pc.invert(matches), file, name, f"does not look like {limit.pattern}")
    if limit.longest is not None and pa.types.is_string(column.type):
        too_long = pc.greater(pc.utf8_length(column), limit.longest)
        _refuse(too_long, file, name, f"is longer than {limit.longest} characters")
    if limit.at_least is not None:
        _refuse(pc.less(column, limit.at_least), file, name, f"is below {limit.at_least}")
    if limit.at_most is not None:
        _refuse(pc.greater(column, limit.at_most), file, name, f"is above {limit.at_most}")


def _refuse(broken: pa.ChunkedArray, file: Path, name: str, what: str) -> None:
    row = pc.index(broken, True).as_py()
    if row >= 0:
        raise RecordsError(f"{file}, row {row + 1}, {name}: {what}")


def _check_identity(table: pa.Table, identity: tuple[str, ...], file: Path) -> None:
    if not identity:
        return
    repeated = table.select(identity).to_pandas().duplicated()
    if repeated.any():
        row = int(repeated.argmax()) + 1
        raise RecordsError(f"{file}, row {row}, {identity[0]}: stands in an earlier row already")
