"""Record files -> an online feature store."""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from features.atomic_dir import written_whole
from features.engine.batch.record_blocks import RecordBlocks
from features.engine.columns import length
from features.engine.store.lmdb_store import LmdbStore
from features.engine.store.raw_columns import RawColumns, size_of
from features.history.online_store import HISTORY_RECORD_TYPES, OnlineStore
from features.ingest.record_folder import RecordFolder

# Records of one transaction: enough to sort well, few enough to hold.
AT_ONCE = 1 << 15

# The fields that differ from record to record, or nearly.
IDS_OF = {
    "journeys": ("journey_id",),
    "shipments": ("shipment_id",),
    "transactions": ("transaction_id", "subject_id"),
    "documents": ("document_id", "subject_id"),
}

# Told after each block how many records of how many are in the store.
Progress = Callable[[int, int], None]


def rebuild_store(
    records: Path,
    folder: Path,
    progress: Progress = lambda done, total: None,
    and_then: Callable[[OnlineStore], None] = lambda store: None,
    check: Callable[[OnlineStore], None] = lambda store: None,
) -> None:
    """Make the online feature store of record files and put it, whole, in the place of `folder`.

    `and_then` adds what no file has, and `check` may refuse what came of it. A process that has the
    former store open goes on with that. Raises RecordsError for anything wrong in the files;
    `folder` is then as it was.
    """
    with written_whole(folder) as building, TemporaryDirectory(dir=building) as scratch:
        blobs = LmdbStore(Path(scratch), is_bulk=True)
        try:
            store = OnlineStore(blobs)
            read_into(store, RecordFolder(records), progress)
            and_then(store)
            check(store)
            blobs.copy_in_order(building)
        finally:
            blobs.close()


def read_into(store: OnlineStore, records: RecordBlocks, progress: Progress) -> None:
    """Add all records that history is made of, a block at a time; what is there counts once."""
    total = sum(records.count(name) for name in HISTORY_RECORD_TYPES)
    done = 0
    for name in HISTORY_RECORD_TYPES:
        for block in _blocks(records, name, store.fields(name)):
            store.ingest({name: block})
            done += size_of(block)
            progress(done, total)


def _blocks(records: RecordBlocks, name: str, fields: tuple[str, ...]) -> Iterator[RawColumns]:
    """Blocks of few rows; what identifies a record is text in them, which nobody has to learn."""
    ids = [field for field in IDS_OF.get(name, ()) if field in fields]
    first = 0
    for block in records.blocks(name, [field for field in fields if field not in ids]):
        size, whole = length(block), RawColumns(block)
        for field in ids:
            whole[field] = [*records.texts(name, field, np.arange(first, first + size))]
        first += size
        for start in range(0, size, AT_ONCE):
            yield {field: column[start : start + AT_ONCE] for field, column in whole.items()}
