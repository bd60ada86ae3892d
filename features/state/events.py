"""Events of a source put into the ledgers of all its keyings."""

from collections.abc import Iterable, Sequence

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
    into = [*layouts]
    told = _Told(store, into, events)
    insert(store, [coming for layout in into if (coming := told.under(layout)).keys])


class _Told:
    """What events tell, as parts of keys and as words of rows, each made once for all layouts."""

    def __init__(self, store: Writing, layouts: Sequence[Layout], events: Plain) -> None:
        self._events = events
        self._parts: dict[str, list[str | None]] = {}
        columns: dict[str, list[Column]] = {"known_at": [numbers(events, "known_at")]}
        if any(layout.has_ids for layout in layouts):
            columns["record_id"] = [*_id_words(texts(events, "record_id")).T]
        for name in sorted({name for layout in layouts for name in layout.values}):
            columns[f"value {name}"] = [integers(numbers(events, name))]
        for name in sorted({name for layout in layouts for name in layout.labels}):
            codes = label_codes(store, events[name])  # a text that is counted: a code that stays
            columns[f"label {name}"] = [codes, np.where(codes == MISSING, NOT_COUNTED, NEVER)]
        self._columns = columns

    def under(self, layout: Layout) -> Coming:
        """The events that have a key in a keying and are meant, in order."""
        keys, rows = self._keys(layout), self._rows(layout)
        kept = [key for key in keys if key is not None]
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
        """The words of each event in a layout, a row each."""
        ids = ["record_id"] if layout.has_ids else []
        values = [f"value {name}" for name in layout.values]
        labels = [f"label {name}" for name in layout.labels]
        names = ["known_at", *ids, *values, *labels]
        return np.array([column for name in names for column in self._columns[name]]).T


def _id_words(ids: list[str]) -> Column:
    """Ids as words whose order is that of the ids, which are of ASCII."""
    packed = np.array([id_.encode() for id_ in ids], dtype=f"S{8 * ID_WORDS}")
    return packed.view(">i8").reshape(-1, ID_WORDS).astype(np.int64)
