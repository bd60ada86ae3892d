"""Record files -> a state."""

from collections.abc import Callable, Iterator
from pathlib import Path

from features.batch.blocks import RecordBlocks, RecordFolder
from features.columns import Columns, length
from features.folders import written_whole
from features.state.embedded import EmbeddedStore
from features.state.state import TOLD_BY, State

# Records of one transaction: enough to sort well, few enough to hold.
AT_ONCE = 1 << 15

Progress = Callable[[int, int], None]
"""Told after each block how many records of how many are in the state."""


def rebuild(
    records: Path,
    folder: Path,
    progress: Progress = lambda done, total: None,
    and_then: Callable[[State], None] = lambda state: None,
) -> None:
    """Make the state of a folder of record files and put it, whole, in the place of `folder`.

    `and_then` adds what no file has. Whoever has the former state open goes on with that. Raises
    RecordsError for anything wrong in the files; `folder` is then as it was.
    """
    with written_whole(folder) as building:
        store = EmbeddedStore(building, is_bulk=True)
        try:
            state = State(store)
            read_into(state, RecordFolder(records), progress)
            and_then(state)
            store.sync()
        finally:
            store.close()


def read_into(state: State, records: RecordBlocks, progress: Progress) -> None:
    """Add all records that history is made of, a block at a time; what is there counts once."""
    total = sum(records.count(name) for name in TOLD_BY)
    done = 0
    for name in TOLD_BY:
        for block in _blocks(records, name, state.fields(name)):
            state.add({name: block})
            done += length(block)
            progress(done, total)


def _blocks(records: RecordBlocks, name: str, fields: tuple[str, ...]) -> Iterator[Columns]:
    for block in records.blocks(name, fields):
        for start in range(0, length(block), AT_ONCE):
            yield {field: column[start : start + AT_ONCE] for field, column in block.items()}
