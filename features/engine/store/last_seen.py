"""Last instants of labels in closed pages, as distinct counts need them.

The newest instant of each label has a key of its own; all these instants, sorted, are stored under
another key.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from features.engine.columns import Column
from features.engine.store.blob_store import BlobReader, BlobTransaction
from features.engine.store.layout import Layout
from features.engine.store.store_keys import last_keys, lasts_key
from features.engine.windows.reducers import MISSING, NEVER


def last_of(store: BlobReader, keys: list[bytes]) -> list[int]:
    """Return the instants stored at keys, NEVER where there is none."""
    return [int.from_bytes(b, "big", signed=True) if b else NEVER for b in store.get(keys)]


def set_last_seen(
    store: BlobReader, words: Column, new: Iterable[tuple[bytes, Layout, Sequence[int]]]
) -> None:
    """Set after each label of new rows the last instant at which closed pages had it.

    `new` lists keys with their layout and the word of `words` at which each of their rows starts.
    """
    places: list[int] = []
    keys: list[bytes] = []
    for key, layout, starts in new:
        for label, word in enumerate(range(layout.label_at, layout.width, 2)):
            places += [start + word + 1 for start in starts]
            keys += last_keys(key, label, [words.item(start + word) for start in starts])
    if keys:
        words[places] = last_of(store, keys)


def store_last_seen(store: BlobTransaction, key: bytes, label: int, last: dict[int, int]) -> None:
    """Store the last instants of labels in closed pages, by label and in sorted order.

    NEVER removes a label.
    """
    # Missing labels are not counted.
    last.pop(MISSING, None)
    keys = last_keys(key, label, [*last])
    (blob,) = store.get([lasts_key(key, label)])
    lasts = np.frombuffer(blob or b"", np.int64)
    removed = np.sort(np.array(last_of(store, keys), np.int64))
    removed, added = removed[removed != NEVER], np.array([*last.values()], np.int64)
    # For equal instants this gives consecutive positions, so that each deletes another entry.
    at = (
        np.searchsorted(lasts, removed)
        + np.arange(len(removed))
        - np.searchsorted(removed, removed)
    )
    lasts = np.sort(np.concatenate([np.delete(lasts, at), added[added != NEVER]]))
    store.put([(lasts_key(key, label), lasts.tobytes())])
    store.put(
        (at_key, instant.to_bytes(8, "big", signed=True))
        for at_key, instant in zip(keys, last.values(), strict=True)
    )
