"""Combine a file of subjects with records that are already known, and score only the file's.

A subject in the file replaces the same subject in the records.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.arrow_schema import arrow_schema
from features.engine.batch.record_blocks import read_whole
from features.engine.columns import Column, Columns, rows
from features.errors import RecordsError
from features.ingest.files_as_written import BLOCK_ROWS, is_as_written
from features.ingest.record_files import read_record_file, read_records, record_file_of
from features.ingest.record_folder import RecordFolder
from features.records import RECORD_FILES, SubjectKind
from features.subject_types import SUBJECT_TYPES

# Column with the row of the subject file that has a subject first.
PLACE = "row_of_subject_file"


@dataclass(frozen=True)
class AskedSubjects:
    """The records of which the subjects from some row of their file on are asked about."""

    kind: SubjectKind
    records: Path
    first_row: int
    rows: int

    def select(self, subjects: Columns) -> Columns:
        """Return the subjects that are asked about, with their PLACE."""
        subject_type = SUBJECT_TYPES[self.kind]
        source = RecordFolder(self.records, is_whole=False)
        ids = read_whole(source, subject_type.record_file, [subject_type.id_field])
        asked = ids[subject_type.id_field][self.first_row :]
        return among(subjects, asked, np.arange(len(asked)))


@contextmanager
def among_records(
    file: Path, kind: SubjectKind, records: Path, *, is_shared: bool = False
) -> Iterator[AskedSubjects]:
    """Yield records that include the subjects of a file, in a folder that lasts for the block.

    With `is_shared` the folder is next to the records and has their permissions. No folder is
    needed if the file is one of the records' own. Raises RecordsError with the name that was given.
    """
    name = SUBJECT_TYPES[kind].record_file
    own = record_file_of(records, name)
    if own is not None and file.exists() and own.samefile(file):
        yield _not_empty(file, AskedSubjects(kind, records, 0, RecordFolder(records).count(name)))
        return
    # Read the records' own file once, only to validate it.
    for _ in RecordFolder(records).blocks(name, ()):
        pass
    given = read_record_file(file, name)
    with folder_beside_records(records) if is_shared else _own_folder() as folder:
        for other in RECORD_FILES.keys() - {name}:
            if found := record_file_of(records, other):
                (folder / found.name).symlink_to(found.resolve())
        # Write the subjects that the file does not replace, then those of the file; count the
        # former.
        out = folder / f"{name}.parquet"
        subject_type, others = SUBJECT_TYPES[kind], 0
        schema = arrow_schema(subject_type.record)
        ids = pc.unique(given[subject_type.id_field])
        with pq.ParquetWriter(out, schema) as writer:
            for table in _known(records, subject_type.record_file):
                is_given = pc.is_in(table[subject_type.id_field], ids)
                kept = table.filter(pc.invert(is_given)).cast(schema)
                writer.write_table(kept)
                others += len(kept)
            writer.write_table(given.cast(schema), row_group_size=BLOCK_ROWS)
        try:
            yield _not_empty(file, AskedSubjects(kind, folder, others, len(given)))
        except RecordsError as refusal:
            raise _naming(refusal, folder, records) from None


@contextmanager
def folder_beside_records(records: Path) -> Iterator[Path]:
    """Yield a folder next to records, with their permissions, for the block."""
    with TemporaryDirectory(prefix=".asked-", dir=records.absolute().parent) as made:
        folder = Path(made)
        folder.chmod(records.stat().st_mode)
        yield folder


@contextmanager
def _own_folder() -> Iterator[Path]:
    with TemporaryDirectory() as made:
        yield Path(made)


def among(subjects: Columns, ids: Column, places: Column) -> Columns:
    """Return the subjects with these ids, each with the first of its places; ids may repeat."""
    distinct, first = np.unique(ids, return_index=True)
    subjects = rows(subjects, np.isin(subjects["subject_id"], distinct))
    at = np.searchsorted(distinct, subjects["subject_id"])
    return subjects | {PLACE: places[first[at]] if len(first) else np.zeros(0, np.int64)}


def _not_empty(file: Path, asked: AskedSubjects) -> AskedSubjects:
    if not asked.rows:
        raise RecordsError(f"{file}: there is no {asked.kind} in it")
    return asked


def _known(records: Path, name: str) -> Iterator[pa.Table]:
    file = record_file_of(records, name)
    if file is None or not is_as_written(file, name):
        yield read_records(records, name)
        return
    opened = pq.ParquetFile(file)
    for group in range(opened.num_row_groups):
        yield opened.read_row_group(group, use_threads=False)


def _naming(refusal: RecordsError, made: Path, records: Path) -> RecordsError:
    """Return an error that names the records as they were given, not the temporary folder."""

    def named(text: str) -> str:
        return text.replace(str(made), str(records))

    faults = tuple(replace(fault, file=named(fault.file)) for fault in refusal.faults)
    return RecordsError(named(str(refusal)), faults)
