"""Build an online feature store from record files."""

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

# Records per transaction: large enough to sort keys well, small enough to fit in memory.
BATCH_SIZE = 1 << 15

# Fields whose values are unique or nearly so.
IDS_OF = {
    "journeys": ("journey_id",),
    "shipments": ("shipment_id",),
    "transactions": ("transaction_id", "subject_id"),
    "documents": ("document_id", "subject_id"),
}

# Called after each block with the number of records stored and the total.
Progress = Callable[[int, int], None]


def rebuild_store(
    records: Path,
    folder: Path,
    progress: Progress = lambda done, total: None,
    and_then: Callable[[OnlineStore], None] = lambda store: None,
    check: Callable[[OnlineStore], None] = lambda store: None,
) -> None:
    """Build the online feature store from record files and replace `folder` atomically.

    `and_then` adds data that is in no file; `check` may raise to reject the result. Processes that
    have the old store open keep using it. Raises RecordsError for any fault in the files; `folder`
    is then unchanged.
    """
    # Built in a scratch store in arrival order, then copied in key order into compact pages.
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
    """Add all history records block by block; records that are already stored count once."""
    total = sum(records.count(name) for name in HISTORY_RECORD_TYPES)
    done = 0
    for name in HISTORY_RECORD_TYPES:
        for block in _blocks(records, name, store.fields(name)):
            store.ingest({name: block})
            done += size_of(block)
            progress(done, total)


def _blocks(records: RecordBlocks, name: str, fields: tuple[str, ...]) -> Iterator[RawColumns]:
    """Yield blocks of at most AT_ONCE rows, with ids as texts."""
    # Unique texts would only fill the string table, so ids are never encoded.
    ids = [field for field in IDS_OF.get(name, ()) if field in fields]
    first = 0
    for block in records.blocks(name, [field for field in fields if field not in ids]):
        size, whole = length(block), RawColumns(block)
        for field in ids:
            whole[field] = [*records.texts(name, field, np.arange(first, first + size))]
        first += size
        for start in range(0, size, BATCH_SIZE):
            yield {field: column[start : start + BATCH_SIZE] for field, column in whole.items()}
