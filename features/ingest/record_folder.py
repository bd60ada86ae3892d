"""Serve validated record files in blocks of rows, with texts as codes.

A Parquet file is read by row groups with texts as dictionaries, so that each text is checked once
per block however many rows contain it. Faults are reported as for a file that is read as a whole.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.engine.batch.amendments import (
    Amendments,
    amendments_of,
    fields_of_versions,
    no_amendments,
)
from features.engine.batch.record_blocks import read_whole
from features.engine.columns import Column, Columns, Records, columns_of_table
from features.engine.string_table import STRING_TABLE, indices_of
from features.ingest.completed_fields import COMPLETED_FIELDS, CompletedField
from features.ingest.files_as_written import (
    amendments_in,
    batches_of_file,
    is_as_written,
    rows_in,
)
from features.ingest.record_files import read_record_file, read_records, record_file_of
from features.ingest.validate_block import BlockChecks
from features.records import RECORD_FILES


def records_of_folder(folder: Path, names: Iterable[str] = RECORD_FILES) -> Records:
    """Return the columns of all record types in a folder, or of those in `names`."""
    return {name: columns_of_table(read_records(folder, name)) for name in names}


class InMemoryRecords:
    """Records that are already in memory."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def count(self, name: str) -> int:
        """Return the number of records of a type."""
        return len(self._records[name][next(iter(RECORD_FILES[name].model_fields))])

    def blocks(self, name: str, fields: Sequence[str]) -> Iterator[Columns]:
        """Yield all rows as one block."""
        yield {field: self._records[name][field] for field in fields}

    def texts(self, name: str, field: str, places: Column) -> list[str]:
        """Return a column of text at some rows."""
        return STRING_TABLE.texts_of(self._records[name][field][places])

    def amendments(self, name: str) -> Amendments:
        """Return the rows of a record type that other versions end, and when."""
        columns, record = self._records[name], RECORD_FILES[name]
        return amendments_of({n: columns[n] for n in fields_of_versions(record)}, record)


class RecordFolder:
    """The record files of a folder; raises RecordsError for any fault in what is read.

    The first read of a file checks all its columns if `is_whole`, otherwise only those requested.
    `read` lists the columns read from each file.
    """

    def __init__(self, folder: Path, *, is_whole: bool = True) -> None:
        self._files = {name: record_file_of(folder, name) for name in RECORD_FILES}
        self._folder = folder
        self._unchecked = {*RECORD_FILES} if is_whole else set()
        self._sources: Records = {}
        self.read: dict[str, list[str]] = {}

    def count(self, name: str) -> int:
        """Return the number of records of a type."""
        file = self._files[name]
        return 0 if file is None else rows_in(file, name)

    def blocks(self, name: str, fields: Sequence[str]) -> Iterator[Columns]:
        """Yield some columns of a record type in blocks of rows, in the order of the file."""
        file = self._files[name]
        if file is None or not is_as_written(file, name):
            yield columns_of_table(read_records(self._folder, name).select(fields))
            return
        is_whole, completed = name in self._unchecked, COMPLETED_FIELDS.get(name)
        if completed is not None and not is_whole and completed.field not in fields:
            completed = None
        returned = {*fields, *(completed.own_fields if completed else ())}
        record = RECORD_FILES[name]
        # If ids are read, each must be unique in each version.
        told = {*record.unique_fields} if returned.issuperset(record.versions_of) else set()
        read = [*record.model_fields] if is_whole else sorted(returned | told)
        self.read[name] = sorted({*self.read.get(name, []), *read})
        checks = BlockChecks(name, read, returned)
        for block in batches_of_file(file, name, read):
            columns, is_sound = checks.check(block)
            if completed is not None:
                columns, is_complete = self._completed(completed, columns)
                is_sound &= is_complete
            if not is_sound:
                # The quick checks only find that something is wrong; a full read raises the exact
                # faults.
                read_record_file(file, name)
            yield {field: columns[field] for field in fields}
        if checks.may_repeat():
            read_record_file(file, name)
        self._unchecked.discard(name)

    def _completed(self, completed: CompletedField, columns: Columns) -> tuple[Columns, bool]:
        """Return columns completed from another file, and whether no row contradicts it."""
        if completed.source not in self._sources:
            whole = read_whole(self, completed.source, completed.source_fields)
            self._sources[completed.source] = whole
        source = self._sources[completed.source]
        columns = columns | {completed.field: completed.complete(columns, source)}
        return columns, not any(rows.any() for rows in completed.faults(columns, source).values())

    def check(self) -> None:
        """Read and check the files that have not been read yet."""
        for name in sorted(self._unchecked):
            for _ in self.blocks(name, ()):
                pass

    def amendments(self, name: str) -> Amendments:
        """Return the rows of a record type that other versions end, and when."""
        file = self._files[name]
        return no_amendments() if file is None else amendments_in([file], name)

    def texts(self, name: str, field: str, places: Column) -> list[str]:
        """Return a column of text at some rows, reading only the row groups that contain them."""
        file = self._files[name]
        if file is None or not is_as_written(file, name):
            column = read_records(self._folder, name)[field]
            return [str(text) for text in column.take(pa.array(places)).to_pylist()]
        return _texts_at(pq.ParquetFile(file), field, places)


def _texts_at(file: pq.ParquetFile, field: str, places: Column) -> list[str]:
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    ends = np.cumsum([0, *sizes])
    group_of = np.searchsorted(ends, places, side="right") - 1
    texts = np.empty(len(places), dtype=object)
    for group in np.unique(group_of).tolist():
        column = file.read_row_group(group, columns=[field], use_threads=False)[field]
        here = group_of == group
        rows = (places[here] - ends[group]).astype(np.int32)
        texts[here] = column.take(indices_of(rows)).to_pylist()
    return texts.tolist()
