"""Events of a source put into the ledgers of all its keyings."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from features.columns import Column
from features.state.keys import keys_of, parts_of
from features.state.labels import label_codes
from features.state.layout import ID_WORDS, MISSING, NEVER, Layout
from features.state.ledger import insert
from features.state.plain import Plain, numbers, size_of, taken, texts
from features.state.store import Writing


def insert_events(
    store: Writing,
    layouts: Iterable[Layout],
    events: Plain,
    asked: Mapping[Layout, Collection[bytes]] | None = None,
) -> None:
    """Put events under their keys, where they meet the keying's condition and have its key.

    `events` has `known_at`, `record_id` and what the layouts read. Keys that are not among those
    `asked` are left out, where these are given; the store is then for asking only.
    """
    layouts, size = list(layouts), size_of(events)
    matched = {name for layout in layouts for name in layout.matching}
    parts = {name: parts_of(events[name]) for name in matched}
    for layout in layouts:
        keys = keys_of([parts[name] for name in layout.matching], size)
        kept = [at for at, key in enumerate(keys) if key is not None]
        if asked is not None:
            kept = [at for at in kept if keys[at] in asked.get(layout, ())]
        if layout.where is not None:
            is_meant = (numbers(events, layout.where) == 1).tolist()
            kept = [at for at in kept if is_meant[at]]
        if kept:
            read = {name: events[name] for name in ("known_at", "record_id", *layout.columns)}
            rows = _rows(store, layout, read if len(kept) == size else taken(read, kept))
            of_rows = [keys[at] or b"" for at in kept]
            insert(store, layout, of_rows, rows, is_passing=asked is not None)


def _rows(store: Writing, layout: Layout, events: Plain) -> Column:
    rows = np.empty((size_of(events), layout.width), np.int64)
    rows[:, 0] = numbers(events, "known_at")
    if layout.has_ids:
        rows[:, 1 : layout.order_words] = _id_words(texts(events, "record_id"))
    for at, name in enumerate(layout.values, start=layout.order_words):
        rows[:, at] = _integers(numbers(events, name))
    for at, name in enumerate(layout.labels):
        rows[:, layout.label_at + 2 * at] = label_codes(store, events[name])
        rows[:, layout.label_at + 2 * at + 1] = NEVER
    return rows


def _integers(values: Column) -> Column:
    is_present = ~np.isnan(values)
    return np.where(is_present, np.where(is_present, values, 0).astype(np.int64), MISSING)


def _id_words(ids: list[str]) -> Column:
    """Ids as words whose order is that of the ids, which are of ASCII."""
    packed = np.array([id_.encode() for id_ in ids], dtype=f"S{8 * ID_WORDS}")
    return packed.view(">i8").reshape(-1, ID_WORDS).astype(np.int64)
