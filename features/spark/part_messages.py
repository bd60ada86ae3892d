"""Columns of many rows packed as one value of a Spark row, with texts instead of codes.

A code has a meaning in one process only. For the same reason the part of a key is computed from its
text.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from features.engine.batch.factorize import distinct_codes, hash_column
from features.engine.batch.spill_columns import NARROW, as_small_counts, widened
from features.engine.columns import Column, Columns, is_text
from features.engine.string_table import STRING_TABLE, hashes_of_texts, indices_of

# Schema of a Spark data frame of messages.
SCHEMA = "part int, at long, body binary"

NO_PART = -1

# One thread: Spark already runs a task per core.
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
_SINGLE = pa.ipc.IpcReadOptions(use_threads=False)

Body = Any  # bytes, or a buffer of Arrow

# A column, or plain texts that are never encoded.
Cells = Any


class SparkPart(NamedTuple):
    """Columns sent to a part, with their position among the messages of that part."""

    part: int
    at: int
    body: Body


def pack_columns(name: str, columns: Mapping[str, Cells], home: int = 0) -> Body:
    """Return columns as bytes, with a name and the part they come from."""
    arrays = [_array(column) for column in columns.values()]
    about = {b"name": name.encode(), b"home": str(home).encode()}
    batch = pa.RecordBatch.from_arrays(arrays, [*columns]).replace_schema_metadata(about)
    return packed_table(batch)


def packed_table(table: pa.RecordBatch | pa.Table) -> Body:
    """Return a table as bytes, with its schema and metadata."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write(table)
    return sink.getvalue()


def unpack_table(body: Body) -> pa.Table:
    """Return the table that was packed.

    Text columns are dictionaries, or plain if they were plain before.
    """
    return pa.ipc.open_stream(body, options=_SINGLE).read_all()


def row_of(message: SparkPart) -> pa.RecordBatch:
    """Return a message as a row of SCHEMA without copying its body."""
    ends = pa.py_buffer(np.array([0, len(message.body)], np.int32))
    body = pa.Array.from_buffers(pa.binary(), 1, [None, ends, pa.py_buffer(message.body)])
    part, at = pa.array([message.part], pa.int32()), pa.array([message.at], pa.int64())
    return pa.record_batch([part, at, body], names=["part", "at", "body"])


def messages_of(rows: pa.RecordBatch) -> Iterator[SparkPart]:
    """Yield the messages in rows of SCHEMA."""
    for part, at, body in zip(*rows.columns, strict=True):
        yield SparkPart(part.as_py(), at.as_py(), body.as_buffer())


def part_name(table: pa.Table) -> str:
    """Return the name that columns were packed under."""
    return str(table.schema.metadata[b"name"].decode())


def home_of(table: pa.Table) -> int:
    """Return the part that columns come from."""
    return int(table.schema.metadata[b"home"])


def unpack_columns(tables: Sequence[pa.Table], names: Sequence[str] | None = None) -> Columns:
    """Return columns concatenated from tables, as copies that may be changed."""
    names = tables[0].column_names if names is None else names
    return {name: np.concatenate([_column(table[name]) for table in tables]) for name in names}


def part_of_keys(column: Column, parts: int) -> Column:
    """Return the part of each key, equal in every process; NO_PART if the key is missing."""
    hashes = hash_texts(column) if is_text(column) else hash_column(column)
    return np.where(hashes < 0, NO_PART, hashes % parts).astype(np.int32)


def hash_texts(codes: Column) -> Column:
    """Return a 63-bit hash of each text, negative if missing."""
    distinct, places = distinct_codes(codes)
    hashes = hashes_of_texts(STRING_TABLE.texts_one_by_one(distinct))
    return np.append(hashes, np.int64(NO_PART))[places]


def _array(column: Cells) -> pa.Array:
    if isinstance(column, pa.Array):
        return column
    if not is_text(column):
        return pa.array(as_small_counts(column) if column.dtype == np.float64 else column)
    # Only the distinct texts are sent; each row holds an index.
    distinct, places = distinct_codes(column)
    texts = STRING_TABLE.texts_one_by_one(distinct)
    return pa.DictionaryArray.from_arrays(indices_of(places), texts)


def _column(cells: pa.ChunkedArray) -> Column:
    if pa.types.is_dictionary(cells.type):
        return STRING_TABLE.codes_of_array(cells)
    numbers = cells.to_numpy()
    return widened(numbers) if numbers.dtype in NARROW else numbers
