"""Columns of many rows as one value of a Spark row, with texts in the place of codes.

A code means a text in one process alone; so do the parts that keys belong to follow from texts.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from features.engine.batch.factorize import distinct_codes, hash_column
from features.engine.batch.spill_columns import NARROW, as_small_counts, widened
from features.engine.columns import Column, Columns, is_text
from features.engine.string_table import STRING_TABLE, hashes_of_texts, indices_of

# The columns of a Spark data frame of messages.
SCHEMA = "part int, at long, body binary"

NO_PART = -1

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
_SINGLE = pa.ipc.IpcReadOptions(use_threads=False)

Body = Any  # bytes, or a buffer of Arrow

# A column, or plain texts that nobody needs as codes.
Cells = Any


class SparkPart(NamedTuple):
    """Some columns on their way to a part, and where they stand among those of that part."""

    part: int
    at: int
    body: Body


def pack_columns(name: str, columns: Mapping[str, Cells], home: int = 0) -> Body:
    """Columns under a name, with the part that they come from, as bytes."""
    arrays = [_array(column) for column in columns.values()]
    about = {b"name": name.encode(), b"home": str(home).encode()}
    batch = pa.RecordBatch.from_arrays(arrays, [*columns]).replace_schema_metadata(about)
    return packed_table(batch)


def packed_table(table: pa.RecordBatch | pa.Table) -> Body:
    """A table with its schema and what that says of it, as bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write(table)
    return sink.getvalue()


def unpack_table(body: Body) -> pa.Table:
    """Return what `pack_columns` was given; text columns are dictionaries, or plain where they
    were.
    """
    return pa.ipc.open_stream(body, options=_SINGLE).read_all()


def row_of(message: SparkPart) -> pa.RecordBatch:
    """A message as a row of SCHEMA, whose body is not copied."""
    ends = pa.py_buffer(np.array([0, len(message.body)], np.int32))
    body = pa.Array.from_buffers(pa.binary(), 1, [None, ends, pa.py_buffer(message.body)])
    part, at = pa.array([message.part], pa.int32()), pa.array([message.at], pa.int64())
    return pa.record_batch([part, at, body], names=["part", "at", "body"])


def messages_of(rows: pa.RecordBatch) -> Iterator[SparkPart]:
    """The messages that rows of SCHEMA are."""
    for part, at, body in zip(*rows.columns, strict=True):
        yield SparkPart(part.as_py(), at.as_py(), body.as_buffer())


def part_name(table: pa.Table) -> str:
    """The name that columns were packed under."""
    return str(table.schema.metadata[b"name"].decode())


def home_of(table: pa.Table) -> int:
    """The part that columns come from."""
    return int(table.schema.metadata[b"home"])


def unpack_columns(tables: Sequence[pa.Table], names: Sequence[str] | None = None) -> Columns:
    """Columns of tables, one after the other; own copies, which may be changed."""
    names = tables[0].column_names if names is None else names
    return {name: np.concatenate([_column(table[name]) for table in tables]) for name in names}


def part_of_keys(column: Column, parts: int) -> Column:
    """The part of each key, the same in every process; NO_PART where it is missing."""
    hashes = hash_texts(column) if is_text(column) else hash_column(column)
    return np.where(hashes < 0, NO_PART, hashes % parts).astype(np.int32)


def hash_texts(codes: Column) -> Column:
    """A hash of 63 bits of each text; negative for a missing one."""
    distinct, places = distinct_codes(codes)
    hashes = hashes_of_texts(STRING_TABLE.texts_one_by_one(distinct))
    return np.append(hashes, np.int64(NO_PART))[places]


def _array(column: Cells) -> pa.Array:
    if isinstance(column, pa.Array):
        return column
    if not is_text(column):
        return pa.array(as_small_counts(column) if column.dtype == np.float64 else column)
    distinct, places = distinct_codes(column)
    texts = STRING_TABLE.texts_one_by_one(distinct)
    return pa.DictionaryArray.from_arrays(indices_of(places), texts)


def _column(cells: pa.ChunkedArray) -> Column:
    if pa.types.is_dictionary(cells.type):
        return STRING_TABLE.codes_of_array(cells)
    numbers = cells.to_numpy()
    return widened(numbers) if numbers.dtype in NARROW else numbers
