"""Named sources of events, keyed as windows ask for them."""

import numpy as np

from features.asof.events import KeyedEvents
from features.asof.windows import Window
from features.columns import Column, Columns, is_text, rows
from features.errors import DefinitionError
from features.vocabulary import VOCABULARY

Keying = tuple[str, tuple[str, ...], str | None]
"""A source, the columns of its key and the condition its events must meet."""


def keying_of(window: Window) -> Keying:
    """How the events of a window's source are keyed."""
    return window.source, window.matching, window.where


def in_order_of_knowledge(events: Columns) -> Columns:
    """Events sorted by `known_at` and, within an instant, by `record_id`."""
    known_at, ids = events["known_at"], events["record_id"]
    order = np.argsort(known_at, kind="stable")
    instants = known_at[order]
    is_same = np.zeros(len(order) + 1, dtype=bool)
    is_same[1:-1] = instants[1:] == instants[:-1]
    tied = np.flatnonzero(is_same[1:] | is_same[:-1])
    ranks = VOCABULARY.in_order(ids[order[tied]]) if is_text(ids) else ids[order[tied]]
    order[tied] = order[tied[np.lexsort((ranks, instants[tied]))]]
    return rows(events, order)


def keyed(events: Columns, matching: tuple[str, ...], where: str | None) -> KeyedEvents:
    """Events in the order of knowledge that meet the condition, under the key."""
    if where is not None:
        events = rows(events, events[where] == 1)
    return KeyedEvents(events, matching)


class Sources:
    """Sources of events, each in the order of knowledge; keyed once per keying."""

    def __init__(self, sources: dict[str, Columns]) -> None:
        self.sources = sources
        self._keyed: dict[Keying, KeyedEvents] = {}

    def keyed(self, keying: Keying) -> KeyedEvents:
        """The events of a source under a key."""
        if keying not in self._keyed:
            source, matching, where = keying
            if source not in self.sources:
                raise DefinitionError(f"a window reads {source!r}; want one of {[*self.sources]}")
            self._keyed[keying] = keyed(self.sources[source], matching, where)
        return self._keyed[keying]

    def reduce(self, window: Window, subjects: Columns, at: Column) -> Column:
        """The window's number for subjects at these instants."""
        return self.keyed(keying_of(window)).reduce(window, subjects, at)
