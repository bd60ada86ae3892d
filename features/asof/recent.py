"""Events that were added after a base was sorted, found by key."""

from collections import defaultdict

import numpy as np

from features.asof.events import KeyedEvents
from features.asof.keys import key_parts
from features.asof.sources import Keying, Sources, in_order_of_knowledge, keyed, keying_of
from features.asof.windows import Window
from features.columns import Column, Columns, length, rows

Key = tuple[int, ...]


class RecentEvents:
    """Additions to the sources of a base, seen together with the base's events of the same key."""

    def __init__(self, base: Sources) -> None:
        self._base = base
        self._added: dict[str, list[Columns]] = defaultdict(list)
        self._found: dict[Keying, _Found] = defaultdict(_Found)
        self._together: dict[tuple[Keying, Key], KeyedEvents] = {}

    def __len__(self) -> int:
        return sum(map(len, self._added.values()))

    def add(self, source: str, events: Columns) -> None:
        """Add events of one source."""
        self._added[source].append(events)
        self._together.clear()

    def reduce(self, window: Window, subject: Columns, at: Column) -> Column:
        """The window's number for one subject."""
        keying = keying_of(window)
        key = _keys(subject, window.by)[0]
        if key is None or not self._found[keying].of(key, keying, self._added[window.source]):
            return self._base.reduce(window, subject, at)
        if (keying, key) not in self._together:
            base = self._base.keyed(keying).events_of(subject, window.by)
            self._together[keying, key] = self._joined(keying, key, base)
        return self._together[keying, key].reduce(window, subject, at)

    def settled(self) -> Sources:
        """The base with everything that was added sorted into it."""
        return Sources(
            {
                name: in_order_of_knowledge(joined([events, *self._added[name]]))
                for name, events in self._base.sources.items()
            }
        )

    def _joined(self, keying: Keying, key: Key, base: Columns) -> KeyedEvents:
        source, matching, where = keying
        recent = self._found[keying].of(key, keying, self._added[source])
        return keyed(in_order_of_knowledge(joined([base, *recent])), matching, where)


class _Found:
    """Where the additions of a source lie under one keying; reads each addition once."""

    def __init__(self) -> None:
        self._read = 0
        self._by_key: dict[Key, list[Columns]] = defaultdict(list)

    def of(self, key: Key, keying: Keying, added: list[Columns]) -> list[Columns]:
        """The additions with this key, one row each."""
        for events in added[self._read :]:
            self._note(events, keying)
        self._read = len(added)
        return self._by_key.get(key, [])

    def _note(self, events: Columns, keying: Keying) -> None:
        _, matching, where = keying
        for row, key in enumerate(_keys(events, matching)):
            if key is not None and (where is None or events[where][row] == 1):
                self._by_key[key].append(rows(events, np.array([row])))


def _keys(columns: Columns, names: tuple[str, ...]) -> list[Key | None]:
    parts, is_none = key_parts(columns, names, length(columns))
    return [None if none else tuple(key) for key, none in zip(parts.tolist(), is_none, strict=True)]


def joined(parts: list[Columns]) -> Columns:
    """The rows of all parts, which have the same columns."""
    held = [part for part in parts if length(part)] or parts[:1]
    return {name: np.concatenate([part[name] for part in held]) for name in held[0]}
