"""Named sources of events, keyed as windows ask for them."""

import numpy as np
import pandas as pd

from features.asof.events import KeyedEvents, key_texts
from features.asof.windows import Window
from features.columns import Column, Columns, length, rows
from features.errors import DefinitionError

Keying = tuple[str, tuple[str, ...], str | None]
"""A source, the columns of its key and the condition its events must meet."""


def keying_of(window: Window) -> Keying:
    """How the events of a window's source are keyed."""
    return window.source, window.matching, window.where


def in_order_of_knowledge(events: Columns) -> Columns:
    """Events sorted by `known_at` and, within an instant, by `record_id`."""
    ranks = pd.factorize(events["record_id"], sort=True)[0]
    return rows(events, np.lexsort((ranks, events["known_at"])))


def keyed(events: Columns, matching: tuple[str, ...], where: str | None) -> KeyedEvents:
    """Events in the order of knowledge that meet the condition, under the key."""
    if where is not None:
        events = rows(events, events[where] == 1)
    return KeyedEvents(events, key_texts(events, matching, length(events)))


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

    def reduce(self, window: Window, keys: Column, at: Column) -> Column:
        """The window's number for subjects with these keys at these instants."""
        return self.keyed(keying_of(window)).reduce(window, keys, at)
