"""Events of a source put into the ledgers of all its keyings."""

from collections.abc import Iterable

import numpy as np

from features.columns import Column
from features.state.keys import keys_of, parts_of
from features.state.labels import label_codes
from features.state.layout import ID_WORDS, MISSING, NEVER, Layout
from features.state.ledger import Coming, insert
from features.state.merging import NOT_COUNTED
from features.state.plain import Plain, integers, numbers, size_of, texts
from features.state.store import Writing


def insert_events(store: Writing, layouts: Iterable[Layout], events: Plain) -> None:
    """Put events under their keys, where they meet the keying's condition and have its key.

    `events` has `known_at`, `record_id` and what the layouts read.
    """
    told = _Told(store, events)
    insert(store, [coming for layout in layouts if (coming := told.under(layout)).keys])


class _Told:
    """What events tell, as parts of keys and as words of rows, each made once for all keyings."""

    def __init__(self, store: Writing, events: Plain) -> None:
        self._store = store
        self._events = events
        self._parts: dict[str, list[str | None]] = {}
        self._words: dict[str, Column] = {}
        self._codes: dict[str, Column] = {}

    def under(self, layout: Layout) -> Coming:
        """The events that have a key in a keying and are meant, in order."""
        keys = self._keys(layout)
        kept = [key for key in keys if key is not None]
        rows = self._rows(layout)
        if len(kept) < len(keys):
            rows = rows[[key is not None for key in keys]]
        return Coming(layout, kept, rows)

    def _keys(self, layout: Layout) -> list[bytes | None]:
        """The key of each event in a keying; None where it has none or is not meant."""
        for name in layout.matching:
            if name not in self._parts:
                self._parts[name] = parts_of(self._events[name])
        parts = [self._parts[name] for name in layout.matching]
        keys = keys_of(layout, parts, size_of(self._events))
        if layout.where is None:
            return keys
        is_meant = (numbers(self._events, layout.where) == 1).tolist()
        return [key if meant else None for key, meant in zip(keys, is_meant, strict=True)]

    def _rows(self, layout: Layout) -> Column:
        """A row for each event; a text that is counted gets a code that stays."""
        rows = np.empty((size_of(self._events), layout.width), np.int64)
        rows[:, 0] = numbers(self._events, "known_at")
        if layout.has_ids:
            rows[:, 1 : layout.order_words] = _id_words(texts(self._events, "record_id"))
        for at, name in enumerate(layout.values, start=layout.order_words):
            rows[:, at] = self._word(name)
        for at, name in enumerate(layout.labels):
            codes = self._code(name)
            rows[:, layout.label_at + 2 * at] = codes
            rows[:, layout.label_at + 2 * at + 1] = np.where(codes == MISSING, NOT_COUNTED, NEVER)
        return rows

    def _word(self, name: str) -> Column:
        if name not in self._words:
            self._words[name] = integers(numbers(self._events, name))
        return self._words[name]

    def _code(self, name: str) -> Column:
        if name not in self._codes:
            self._codes[name] = label_codes(self._store, self._events[name])
        return self._codes[name]


def _id_words(ids: list[str]) -> Column:
    """Ids as words whose order is that of the ids, which are of ASCII."""
    packed = np.array([id_.encode() for id_ in ids], dtype=f"S{8 * ID_WORDS}")
    return packed.view(">i8").reshape(-1, ID_WORDS).astype(np.int64)
