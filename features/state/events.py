"""Events of a source, as columns, put into the ledgers of all its keyings."""

from collections.abc import Iterable

import numpy as np

from features.columns import Column, Columns, is_text, length
from features.state.keys import keys_of
from features.state.labels import label_codes
from features.state.layout import ID_WORDS, MISSING, NEVER, Layout
from features.state.ledger import insert
from features.state.store import Writing
from features.vocabulary import VOCABULARY


def insert_events(store: Writing, layouts: Iterable[Layout], events: Columns) -> None:
    """Put events under their keys, where they meet the keying's condition and have its key.

    `events` has `known_at`, `record_id` and what the layouts read.
    """
    for layout in layouts:
        _, matching, where = layout.keying
        keys = keys_of(events, matching, length(events))
        is_kept = np.ones(len(keys), bool) if where is None else events[where] == 1
        kept = [at for at, key in enumerate(keys) if key is not None and is_kept[at]]
        if kept:
            read = {name: events[name][kept] for name in ("known_at", "record_id", *layout.columns)}
            rows = _rows(store, layout, read)
            insert(store, layout, [keys[at] or b"" for at in kept], rows)


def _rows(store: Writing, layout: Layout, events: Columns) -> Column:
    rows = np.empty((length(events), layout.width), np.int64)
    rows[:, 0] = events["known_at"]
    if layout.has_ids:
        rows[:, 1 : layout.order_words] = _id_words(events["record_id"])
    for at, name in enumerate(layout.values, start=layout.order_words):
        rows[:, at] = _integers(events[name])
    for at, name in enumerate(layout.labels):
        rows[:, layout.label_at + 2 * at] = label_codes(store, events[name])
        rows[:, layout.label_at + 2 * at + 1] = NEVER
    return rows


def _integers(values: Column) -> Column:
    is_present = ~np.isnan(values)
    return np.where(is_present, np.where(is_present, values, 0).astype(np.int64), MISSING)


def _id_words(ids: Column) -> Column:
    """Ids as words whose order is that of the ids, which are of ASCII."""
    if not is_text(ids):
        words = np.zeros((len(ids), ID_WORDS), np.int64)
        words[:, 0] = ids
        return words
    texts = np.array(VOCABULARY.texts_of(ids), dtype=f"S{8 * ID_WORDS}")
    return texts.view(">i8").reshape(-1, ID_WORDS).astype(np.int64)
