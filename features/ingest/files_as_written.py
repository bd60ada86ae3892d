"""Read record files with the schema that Tidegate writes, by row groups and footers.

Files with any other schema must be read and checked as a whole.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.arrow_schema import arrow_schema, with_defaults
from features.engine.batch.amendments import (
    Amendments,
    amendments_of_table,
    fields_of_versions,
    may_be_amended,
    no_amendments,
)
from features.ingest.record_files import read_records
from features.records import RECORD_FILES

# More than any row group of the synthetic data, so that each text is looked up once.
BLOCK_ROWS = 1 << 18


def is_as_written(file: Path, name: str) -> bool:
    """Return whether a file has exactly the columns and types that Tidegate writes."""
    if file.suffix != ".parquet":
        return False
    try:
        schema = pq.read_schema(file)
    except (pa.ArrowInvalid, OSError):
        return False
    schema_of_records = arrow_schema(RECORD_FILES[name])
    return schema.names == schema_of_records.names and schema.types == schema_of_records.types


def batches_of_file(
    file: Path, name: str, fields: Sequence[str], groups: range | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield batches of a file's rows, with texts as dictionaries unless they are unique ids.

    Reads all row groups, or those in `groups`.
    """
    record = RECORD_FILES[name]
    encoded = [f for f in fields if (f,) not in (record.unique_fields, record.versions_of)]
    opened = pq.ParquetFile(file, read_dictionary=encoded)
    if not opened.metadata.num_rows:
        empty = opened.schema_arrow.empty_table().select(fields)
        yield pa.RecordBatch.from_arrays(
            [c.combine_chunks() for c in empty.columns], empty.schema.names
        )
    for group in groups or range(opened.num_row_groups):
        table = opened.read_row_group(group, columns=[*fields], use_threads=False)
        yield from with_defaults(table, record).to_batches(BLOCK_ROWS)


def amendments_in(files: Sequence[Path], name: str) -> Amendments:
    """Return the rows that versions in any of the files end.

    `files` hold one record type and are numbered consecutively.
    """
    record = RECORD_FILES[name]
    if not record.versions_of or not any(_may_be_amended(file, name) for file in files):
        return no_amendments()
    tables = [_versions_in(file, name) for file in files]
    return amendments_of_table(pa.concat_tables(tables), record)


def _may_be_amended(file: Path, name: str) -> bool:
    if not is_as_written(file, name):
        return True
    return may_be_amended(pq.read_metadata(file), RECORD_FILES[name])


def _versions_in(file: Path, name: str) -> pa.Table:
    fields = fields_of_versions(RECORD_FILES[name])
    if not is_as_written(file, name):
        return read_records(file.parent, name).select(fields)
    table = pq.ParquetFile(file).read(columns=fields, use_threads=False)
    return with_defaults(table, RECORD_FILES[name])


def rows_in(file: Path, name: str) -> int:
    """Return the number of rows in a record file."""
    if is_as_written(file, name):
        return int(pq.read_metadata(file).num_rows)
    return len(read_records(file.parent, name))
