"""Records that submissions add to history, written as record files.

As in the online feature store, a record is identified by id and version and counts once. A version
in the record files takes precedence over submissions; among submissions the first line does.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.arrow_schema import arrow_schema
from features.engine.columns import Column
from features.errors import RecordsError
from features.ingest.files_as_written import (
    BLOCK_ROWS,
    batches_of_file,
    is_as_written,
)
from features.ingest.record_files import read_records, record_file_of
from features.records import RECORD_FILES
from features.spark.build import of_rows
from features.spark.part_messages import part_name, unpack_table
from features.spark.submission_tasks import REFUSAL


def write_new_history(told: Path, records: Path, added: Path) -> None:
    """Write the new records that tasks reported, leaving out those in the record files.

    Raises RecordsError for the first refused line.
    """
    files = sorted(told.iterdir(), key=_type_then_piece)
    for _, of_type in groupby(files, lambda file: _type_then_piece(file)[0]):
        _write([*of_type], records, added)


def _type_then_piece(file: Path) -> tuple[str, str]:
    piece, _, record_type = file.name.partition("-")
    return record_type, piece


def _write(files: Sequence[Path], records: Path, added: Path) -> None:
    name = part_name(_told(files[0]))
    # Decided for all files before writing, but without holding more than the ids.
    are_new = _are_new(name, files, records)

    def new() -> Iterator[pa.Table]:
        begin = 0
        for table in map(_told, files):
            yield table.filter(are_new[begin : begin + len(table)])
            begin += len(table)

    with pq.ParquetWriter(added / f"{name}.parquet", arrow_schema(RECORD_FILES[name])) as writer:
        for table in of_rows(BLOCK_ROWS, new()):
            writer.write_table(table)


def _are_new(name: str, files: Sequence[Path], records: Path) -> Column:
    """Return a mask of the records to add.

    Every record of a type without ids is added; duplicates of such records have no effect.
    """
    ids = pa.chunked_array([_ids(name, table) for table in map(_told, files)], pa.large_string())
    if not RECORD_FILES[name].unique_fields:
        return np.ones(len(ids), bool)
    _, first = np.unique(ids.combine_chunks().dictionary_encode().indices, return_index=True)
    are_new = np.zeros(len(ids), bool)
    are_new[first] = True
    for known in _known(name, records):
        are_new &= ~pc.is_in(ids, known).to_numpy()
    return are_new


def _known(name: str, records: Path) -> Iterator[pa.Array]:
    """Yield the joined ids and versions in a record file, a batch at a time."""
    fields, file = RECORD_FILES[name].unique_fields, record_file_of(records, name)
    if file is None:
        return
    if not is_as_written(file, name):
        yield _ids(name, read_records(records, name))
        return
    for batch in batches_of_file(file, name, fields):
        yield _ids(name, pa.Table.from_batches([batch]))


def _ids(name: str, table: pa.Table) -> pa.Array:
    fields = RECORD_FILES[name].unique_fields
    if not fields:
        return pa.nulls(len(table), pa.large_string())
    texts = [table[field].combine_chunks().cast(pa.string()) for field in fields]
    # A zero byte separates the fields, so that joined ids are unambiguous.
    return pc.binary_join_element_wise(*texts, "\0").cast(pa.large_string())


def _told(file: Path) -> pa.Table:
    table = unpack_table(file.read_bytes())
    if part_name(table) == REFUSAL:
        raise RecordsError(table[REFUSAL][0].as_py())
    return table
