"""Events of a source put into the ledgers of all its keyings."""

from collections.abc import Iterable

import numpy as np

from features.columns import Column
from features.state.keys import keys_of, parts_of
from features.state.labels import label_codes
from features.state.layout import ID_WORDS, MISSING, NEVER, Layout
from features.state.ledger import insert
from features.state.merging import NOT_COUNTED
from features.state.plain import Plain, integers, kept_where, numbers, size_of, texts
from features.state.store import Writing


class Parts:
    """The columns of events as parts of keys, each made once."""

    def __init__(self, events: Plain) -> None:
        self._events = events
        self._made: dict[str, list[str | None]] = {}

    def keys(self, layout: Layout) -> list[bytes | None]:
        """The key of each event in a keying; None where it has none or is not meant."""
        for name in layout.matching:
            if name not in self._made:
                self._made[name] = parts_of(self._events[name])
        parts = [self._made[name] for name in layout.matching]
        keys = keys_of(layout, parts, size_of(self._events))
        if layout.where is None:
            return keys
        is_meant = (numbers(self._events, layout.where) == 1).tolist()
        return [key if meant else None for key, meant in zip(keys, is_meant, strict=True)]


def insert_events(store: Writing, layouts: Iterable[Layout], events: Plain) -> None:
    """Put events under their keys, where they meet the keying's condition and have its key.

    `events` has `known_at`, `record_id` and what the layouts read.
    """
    parts = Parts(events)
    for layout in layouts:
        keys = parts.keys(layout)
        kept = [key is not None for key in keys]
        if own := [key for key in keys if key is not None]:
            insert(
                store,
                layout,
                own,
                rows_of(store, layout, kept_where(read_by(layout, events), kept)),
            )


def read_by(layout: Layout, events: Plain) -> Plain:
    """The columns that rows of a layout are made of."""
    return {name: events[name] for name in ("known_at", "record_id", *layout.columns)}


def rows_of(store: Writing, layout: Layout, events: Plain) -> Column:
    """A row for each event; a text that is counted gets a code that stays."""
    rows = np.empty((size_of(events), layout.width), np.int64)
    rows[:, 0] = numbers(events, "known_at")
    if layout.has_ids:
        rows[:, 1 : layout.order_words] = _id_words(texts(events, "record_id"))
    for at, name in enumerate(layout.values, start=layout.order_words):
        rows[:, at] = integers(numbers(events, name))
    for at, name in enumerate(layout.labels):
        codes = label_codes(store, events[name])
        rows[:, layout.label_at + 2 * at] = codes
        rows[:, layout.label_at + 2 * at + 1] = np.where(codes == MISSING, NOT_COUNTED, NEVER)
    return rows


def _id_words(ids: list[str]) -> Column:
    """Ids as words whose order is that of the ids, which are of ASCII."""
    packed = np.array([id_.encode() for id_ in ids], dtype=f"S{8 * ID_WORDS}")
    return packed.view(">i8").reshape(-1, ID_WORDS).astype(np.int64)
