"""Read the sender's tables in blocks: CSV, Parquet and NDJSON; `serving.storage` adds databases.

Memory holds a few blocks at most, however long a table is. CSV values stay texts, so that codes
keep leading zeros. Nested JSON or Parquet columns are named by their path (`consignor.country`).
"""

import codecs
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from features.errors import TidegateError, nearest_of
from features.mapping.csv_quotes import require_closed_quotes
from features.mapping.mapping import TableMapping

# Bytes of a block, and of a batch of the CSV reader, which holds 32 batches ahead.
BLOCK_BYTES, READ_BYTES = 24 << 20, 2 << 20
BLOCK_ROWS = 1 << 16
MAX_LINE_BYTES = 64 << 20
_DELIMITER_OF_EXCEL = re.compile(r'"?sep=(.)"?', re.IGNORECASE)


@dataclass(frozen=True)
class Block:
    """Rows of a table with their row numbers from 1, and rows that could not be parsed."""

    rows: pa.RecordBatch
    places: npt.NDArray[np.int64]
    unread: tuple[tuple[int, str], ...] = ()


class SourceTable(Protocol):
    """A table of the sender, or a part of one."""

    @property
    def place(self) -> str:
        """Return the name of the table in messages, without a password."""

    @property
    def schema(self) -> pa.Schema:
        """Return the columns, with their types as far as known before reading."""

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        """Yield the rows with these columns, all of which must exist."""


@dataclass(frozen=True)
class ArrowTable:
    """A table in memory."""

    table: pa.Table
    place: str

    @property
    def schema(self) -> pa.Schema:
        """Return the columns."""
        return self.table.schema

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        """Yield the rows with these columns."""
        yield from _numbered(self.table.select(columns).to_batches(BLOCK_ROWS))


def open_file(file: Path, mapping: TableMapping) -> SourceTable:
    """Open a table by the suffix of its file; raises TidegateError if it cannot be read."""
    if not file.is_file():
        raise TidegateError(f"{file}: no such file")
    kinds: dict[str, Any] = {
        ".csv": CsvTable, ".tsv": CsvTable, ".txt": CsvTable, ".parquet": ParquetTable,
        ".ndjson": NdjsonTable, ".jsonl": NdjsonTable,
    }  # fmt: skip
    kind = kinds.get(file.suffix.lower())
    if kind is None:
        raise TidegateError(
            f"{file}: want a file that ends in {', '.join(kinds)}; {nearest_of(file.suffix, kinds)}"
        )
    table: SourceTable = kind(file, mapping)
    return table


class _TableFile:
    def __init__(self, file: Path, mapping: TableMapping):
        self.place = str(file)
        self._file = file
        self._mapping = mapping
        self.schema = self._read_schema()
        names = self.schema.names
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise TidegateError(f"{file}: the column {twice[0]!r} appears twice")

    def _read_schema(self) -> pa.Schema:
        raise NotImplementedError


class CsvTable(_TableFile):
    """A CSV file with a header; every value is text."""

    def _read_schema(self) -> pa.Schema:
        try:
            codecs.lookup(self._mapping.encoding)
            with self._file.open(encoding=self._mapping.encoding, newline="") as lines:
                header = lines.readline(MAX_LINE_BYTES).removeprefix("\ufeff")
                self._require_header(header.strip())
                # Limit each line, so that a file without line breaks cannot fill memory.
                others = iter(partial(lines.readline, MAX_LINE_BYTES), "")
                require_closed_quotes(others, self._delimiter, self.place)
            parse = pyarrow.csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True)
            as_bytes = io.BytesIO(header.rstrip("\r\n").encode() + b"\n")
            names = pyarrow.csv.open_csv(as_bytes, parse_options=parse).schema.names
        except UnicodeError:
            raise TidegateError(f"{self._file}: {self._misread()}") from None
        except (LookupError, OSError, pa.ArrowInvalid) as error:
            raise TidegateError(f"{self._file}: no readable CSV file ({error})") from None
        return pa.schema([(name, pa.string()) for name in names])

    def _require_header(self, header: str) -> None:
        if not header:
            raise TidegateError(f"{self._file}: its first line is empty; want the names of columns")
        if said := _DELIMITER_OF_EXCEL.fullmatch(header):
            raise TidegateError(
                f"{self._file}: its first line tells Excel the delimiter and is no header; take it "
                f"away, and let the mapping say delimiter = {json.dumps(said[1])}"
            )

    def _misread(self) -> str:
        """Return advice about bytes that are invalid in the encoding."""
        with self._file.open("rb") as file:
            is_wide = b"\0" in file.read(200)
        other = "utf-16" if is_wide else "cp1252"
        return (
            f"its bytes are no {self._mapping.encoding}; let the mapping say which they are, as in "
            f'encoding = "{other}"'
        )

    @property
    def _delimiter(self) -> str:
        is_tabbed = self._file.suffix.lower() == ".tsv" and self._mapping.delimiter == ","
        return "\t" if is_tabbed else self._mapping.delimiter

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        """Yield the rows with these columns; rows with a wrong number of values are left out."""
        ragged: list[pyarrow.csv.InvalidRow] = []

        def skip(row: pyarrow.csv.InvalidRow) -> str:
            ragged.append(row)
            return "skip"

        convert = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()),
            include_columns=[*columns],
            strings_can_be_null=True,
            null_values=["", *self._mapping.empty],
        )
        try:
            reader = pyarrow.csv.open_csv(
                self._file,
                # Only a single-threaded reader reports the numbers of the rows that it skips.
                read_options=pyarrow.csv.ReadOptions(
                    use_threads=False, block_size=READ_BYTES, encoding=self._mapping.encoding
                ),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=self._delimiter,
                    newlines_in_values=True,
                    invalid_row_handler=skip,
                ),
                convert_options=convert,
            )
            yield from _beside_ragged(_in_blocks(reader), ragged)
        except pa.ArrowInvalid as error:
            raise TidegateError(f"{self._file}: no readable CSV file ({error})") from None


def _in_blocks(reader: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the small batches of a reader combined into larger blocks.

    The reader holds 32 batches ahead, so its batches must be small to limit memory.
    """
    while parts := [*islice(reader, BLOCK_BYTES // READ_BYTES)]:
        (whole,) = _whole(pa.Table.from_batches(parts))
        yield whole


def _beside_ragged(
    batches: Iterator[pa.RecordBatch], ragged: "list[pyarrow.csv.InvalidRow]"
) -> Iterator[Block]:
    """Yield blocks with the row numbers in the file, which count skipped rows as well."""
    before, told = 0, 0
    for batch in batches:
        # Number of parsed rows before each skipped row.
        read_before = np.array([row.number - 2 - at for at, row in enumerate(ragged)], np.int64)
        rows = np.arange(before, before + len(batch), dtype=np.int64)
        places = rows + 1 + np.searchsorted(read_before, rows, side="right")
        unread = tuple(
            (row.number - 1, f"has {row.actual_columns} values, want {row.expected_columns}")
            for row in ragged[told:]
        )
        before, told = before + len(batch), len(ragged)
        yield Block(batch, places, unread)


class ParquetTable(_TableFile):
    """A Parquet file."""

    def _read_schema(self) -> pa.Schema:
        try:
            return _flat(pq.read_schema(self._file).empty_table()).schema
        except (pa.ArrowInvalid, OSError) as error:
            raise TidegateError(f"{self._file}: no readable Parquet file ({error})") from None

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        """Yield the rows with these columns."""
        try:
            with pq.ParquetFile(self._file) as file:
                batches = file.iter_batches(BLOCK_ROWS, columns=[*columns], use_threads=False)
                yield from _numbered(_selected(batch, columns) for batch in batches)
        except (pa.ArrowInvalid, OSError) as error:
            raise TidegateError(f"{self._file}: no readable Parquet file ({error})") from None


class NdjsonTable(_TableFile):
    """A file with one JSON object per line; the first block determines the columns."""

    def _read_schema(self) -> pa.Schema:
        for _, lines in self._lines():
            return _flat(_parsed(lines)[0]).schema
        return pa.schema([])

    def blocks(self, columns: Sequence[str]) -> Iterator[Block]:
        """Yield the rows with these columns; lines that are not JSON objects are left out."""
        for first, lines in self._lines():
            table, wrong = _parsed(lines)
            kept = np.delete(np.arange(len(lines), dtype=np.int64), wrong) + first
            (rows,) = [_selected(batch, columns) for batch in _whole(table)]
            unread = tuple((first + at, "is no JSON object in a line of its own") for at in wrong)
            yield Block(rows, kept, unread)

    def _lines(self) -> Iterator[tuple[int, list[bytes]]]:
        """Yield blocks of whole lines, with the number of the first."""
        first = 1
        with self._file.open("rb") as file:
            while lines := file.readlines(BLOCK_BYTES):
                yield first, lines
                first += len(lines)


def _parsed(lines: list[bytes]) -> tuple[pa.Table, list[int]]:
    """Return the objects of lines, and the indexes of lines that are not objects."""
    try:
        table = _read_json(lines, None)
        # Read again with texts for timestamps, as the inferred type would lose their offset.
        plain = pa.schema([field.with_type(_untimed(field.type)) for field in table.schema])
        if plain != table.schema:
            table = _read_json(lines, plain)
        # Otherwise some line has no object or several; the slow path finds out which.
        if len(table) == len(lines):
            return table, []
    except pa.ArrowInvalid:
        pass  # a line is invalid, or a key has values of different types
    found: list[dict[str, Any]] = []
    wrong = []
    for at, line in enumerate(lines):
        try:
            said = json.loads(line)
        except ValueError:
            said = None
        if isinstance(said, dict):
            found.append(said)
        else:
            wrong.append(at)
    return _of_objects(found), wrong


def _read_json(lines: list[bytes], schema: pa.Schema | None) -> pa.Table:
    return pyarrow.json.read_json(
        io.BytesIO(b"".join(lines)),
        pyarrow.json.ReadOptions(use_threads=False, block_size=max(map(len, lines)) + (1 << 20)),
        pyarrow.json.ParseOptions(explicit_schema=schema),
    )


def _untimed(kind: pa.DataType) -> pa.DataType:
    """Return the type with texts for timestamps, whose offset the JSON reader would drop."""
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_untimed(field.type)) for field in kind])
    return pa.string() if pa.types.is_timestamp(kind) else kind


def _of_objects(objects: list[dict[str, Any]]) -> pa.Table:
    """Return a table of objects, with texts for keys that have values of several types."""
    names = list(dict.fromkeys(name for each in objects for name in each))
    columns = [array_of([each.get(name) for each in objects]) for name in names]
    return pa.table(columns, names=names)


def array_of(values: Sequence[Any]) -> pa.Array:
    """Return Python values as an array; as texts if their types differ or are not supported."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array([None if value is None else _text(value) for value in values])


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool | dict | list) else str(value)


def _numbered(batches: Iterator[pa.RecordBatch] | list[pa.RecordBatch]) -> Iterator[Block]:
    before = 0
    for batch in batches:
        places = np.arange(before + 1, before + len(batch) + 1, dtype=np.int64)
        before += len(batch)
        yield Block(batch, places)


def _flat(table: pa.Table) -> pa.Table:
    # Each call flattens one level.
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table


def _whole(table: pa.Table) -> list[pa.RecordBatch]:
    batches: list[pa.RecordBatch] = table.combine_chunks().to_batches()
    return batches or [pa.RecordBatch.from_pylist([], table.schema)]


def _selected(rows: pa.RecordBatch, columns: Sequence[str]) -> pa.RecordBatch:
    """Return rows with these columns; columns missing in this block are null."""
    flat = _flat(pa.Table.from_batches([rows])).combine_chunks()
    arrays = [
        (flat[name].chunk(0) if flat[name].num_chunks else flat[name].combine_chunks())
        if name in flat.column_names else pa.nulls(len(rows), pa.string())
        for name in columns
    ]  # fmt: skip
    return pa.RecordBatch.from_arrays(arrays, names=[*columns])
