"""Read and check record files, and send each row to the part of its subject."""

import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.engine.batch.amendments import Amendments
from features.engine.batch.gather import gather_rows
from features.engine.batch.sort_by_key import by_number
from features.engine.columns import Column, Columns, columns_of_table
from features.errors import RecordsError, RecordsSuspected
from features.ingest.files_as_written import (
    amendments_in,
    batches_of_file,
    is_as_written,
    rows_in,
)
from features.ingest.record_files import read_records, record_file_of
from features.ingest.validate_block import BlockChecks, identity_hashes
from features.records import RECORD_FILES
from features.spark.part_messages import Cells, SparkPart, pack_columns, part_of_keys

RECORDS, IDENTITIES = "records", "identities"
# Columns of a row that does not count for ever from its own instant: the lifetime it has.
IS_AMENDED, AMENDED_AT, AMENDED_UNTIL = "is_amended", "amended_at", "amended_until"
# Column of numbered files: the row's index in its file.
FILE_ROW = "row_of_file"

# Number of rows that a task reads and sends together.
SPLIT_ROWS = 1 << 18
_FILE_ROWS = 1 << 40  # more than any record file has


@dataclass(frozen=True)
class Split:
    """Row groups of a record file, or all of a file without any, and the amendments of its rows.

    `first_row` is the index of its first row in the file. `amendments` is None if the file has
    none.
    """

    name: str
    file: Path
    groups: range | None
    first_row: int
    amendments: Amendments | None

    def amended(self, rows: int) -> Columns:
        """Return the lifetimes of amended rows among `rows`.

        There are no columns if the file has no amendments.
        """
        if self.amendments is None:
            return {}
        places = self.amendments.rows - self.first_row
        columns = {IS_AMENDED: np.zeros(rows)}
        columns |= {name: np.zeros(rows, np.int64) for name in (AMENDED_AT, AMENDED_UNTIL)}
        columns[IS_AMENDED][places] = 1
        columns[AMENDED_AT][places] = self.amendments.known_at
        columns[AMENDED_UNTIL][places] = self.amendments.until
        return columns


@dataclass(frozen=True)
class Scan:
    """Reading of record files, and the part that each row is sent to.

    For each record type `fields` are sent encoded, and `texts` in addition as plain text, since
    nothing reads their codes. `keys` names the field that decides the part. If `is_checked`, all
    columns are checked, except in files known to be `sound`. Rows of `numbered` types carry their
    index. Files in `added` continue those of `folder`.
    """

    folder: Path
    fields: Mapping[str, frozenset[str]]
    texts: Mapping[str, frozenset[str]]
    keys: Mapping[str, str]
    parts: int
    is_checked: bool = True
    sound: frozenset[str] = frozenset()
    numbered: frozenset[str] = frozenset()
    added: Path | None = None

    def splits(self) -> Iterator[Split]:
        """Yield the work of the scan, one split per task."""
        for name in self.fields:
            files, before = self._files(name), 0
            amendments = amendments_in(files, name)
            for file in files:
                for groups, place, rows in _row_groups(file, name):
                    first_row = before + place
                    of_rows = _of_rows(amendments, first_row, rows) if amendments else None
                    yield Split(name, file, groups, first_row, of_rows)
                before += rows_in(file, name)

    def _files(self, name: str) -> list[Path]:
        folders = [self.folder] if self.added is None else [self.folder, self.added]
        return [file for folder in folders if (file := record_file_of(folder, name)) is not None]

    def read(self, _: int, splits: Iterator[bytes]) -> Iterator[SparkPart]:
        """Yield the rows of splits as messages.

        Raises RecordsSuspected if a row may be wrong.
        """
        for body in splits:
            split: Split = pickle.loads(body)  # noqa: S301  our own, from the machine that asks
            blocks = [*self._blocks(split)]
            columns = {name: _joined([block[name] for block in blocks]) for name in blocks[0]}
            # Positions increase by type, then row, so that rows arrive in the order of their files.
            at = [*RECORD_FILES].index(split.name) * _FILE_ROWS + split.first_row
            yield from self._sent(split, columns, at)

    def _blocks(self, split: Split) -> Iterator[dict[str, Cells]]:
        name, fields = split.name, self.fields[split.name]
        texts = self.texts.get(name, frozenset())
        if split.groups is None:
            try:
                table = read_records(self.folder, name)
            # A task cannot report details; the driver reads the file again and raises the exact
            # error.
            except RecordsError:
                raise RecordsSuspected(name) from None
            plain = {text: table[text].combine_chunks() for text in texts}
            yield columns_of_table(table.select(sorted(fields))) | plain
            return
        is_checked = self.is_checked and name not in self.sound
        record = RECORD_FILES[name]
        read = [*record.model_fields] if is_checked else sorted(fields | texts)
        checks = BlockChecks(name, read, fields)
        for block in batches_of_file(split.file, name, read, split.groups):
            columns, is_sound = checks.check(block)
            if is_checked and not is_sound:
                raise RecordsSuspected(name)
            plain = {text: _plain(block[text]) for text in texts}
            identity = {}
            if is_checked and record.unique_fields:
                identity[IDENTITIES] = identity_hashes(block, record.unique_fields)
            yield columns | plain | identity

    def _sent(self, split: Split, columns: dict[str, Cells], at: int) -> Iterator[SparkPart]:
        name, identities = split.name, columns.pop(IDENTITIES, None)
        if self.fields[name]:
            key = columns[self.keys[name]]
            part_of_row = part_of_keys(key, self.parts)
            columns |= split.amended(len(key))
            if name in self.numbered:
                columns[FILE_ROW] = np.arange(split.first_row, split.first_row + len(key))
            yield from sent(f"{RECORDS}:{name}", columns, part_of_row, self.parts, at)
        if identities is not None:
            own = {IDENTITIES: identities}
            # Mask the sign bit: a negative hash would give a negative part.
            part_of_row = ((identities & np.iinfo(np.int64).max) % self.parts).astype(np.int32)
            yield from sent(f"{IDENTITIES}:{name}", own, part_of_row, self.parts, at)


def sent(
    name: str, columns: Mapping[str, Cells], part_of_row: Column, parts: int, at: int, home: int = 0
) -> Iterator[SparkPart]:
    """Yield a message for each part that has rows; rows of NO_PART are dropped."""
    numbers = {n: column for n, column in columns.items() if not isinstance(column, pa.Array)}
    texts = {n: column for n, column in columns.items() if isinstance(column, pa.Array)}
    starts, order = by_number(part_of_row, parts)
    for part in range(parts):
        rows = order[starts[part] : starts[part + 1]]
        if len(rows):
            plain = {n: column.take(pa.array(rows)) for n, column in texts.items()}
            yield SparkPart(part, at, pack_columns(name, gather_rows(numbers, rows) | plain, home))


def _row_groups(file: Path, name: str) -> Iterator[tuple[range | None, int, int]]:
    """Yield groups of row groups, with their first row and number of rows.

    A file of another writer is read by one task, since its columns need conversion as a whole.
    """
    if not is_as_written(file, name):
        yield None, 0, _FILE_ROWS
        return
    footer = pq.read_metadata(file)
    begin, first_row, rows = 0, 0, 0
    for group in range(footer.num_row_groups):
        rows += footer.row_group(group).num_rows
        if rows >= SPLIT_ROWS or group == footer.num_row_groups - 1:
            yield range(begin, group + 1), first_row, rows
            begin, first_row, rows = group + 1, first_row + rows, 0


def _joined(cells: Sequence[Cells]) -> Cells:
    is_plain = isinstance(cells[0], pa.Array)
    return pa.concat_arrays(cells) if is_plain else np.concatenate(cells)


def _of_rows(amendments: Amendments, first: int, rows: int) -> Amendments:
    begin, end = np.searchsorted(amendments.rows, (first, first + rows))
    of = slice(int(begin), int(end))
    return Amendments(amendments.rows[of], amendments.known_at[of], amendments.until[of])


def _plain(texts: pa.Array) -> pa.Array:
    return texts.dictionary_decode() if pa.types.is_dictionary(texts.type) else texts
