"""What a subject brings along: rows beside the ledgers that its windows read, kept nowhere.

Putting them into ledgers for one question would read and write whole blobs, and open closed pages
where the key is busy. Every reducer but `latest` takes rows in any order, so that they can stand
beside; a label of theirs is a new one where the ledger had it last before a window begins.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from features.columns import Column
from features.state.events import Parts, read_by, rows_of
from features.state.layout import NEVER, Layout
from features.state.ledger import last_keys, last_of
from features.state.plain import Plain, kept_where
from features.state.reduction import Passing
from features.state.store import Reading, Writing


@dataclass(frozen=True)
class Slot:
    """The ledger that windows read: a keying, under the key that these columns form."""

    layout: Layout
    by: tuple[str, ...]


@dataclass(frozen=True)
class Bringing:
    """Where events go that come under the keys of some slots, for one question.

    `slots_of` tells the slots of each layout, by its number.
    """

    slots: Sequence[Slot]
    slots_of: Mapping[int, Sequence[int]]
    keys: Sequence[bytes | None]
    brought: dict[int, list[Column]] = field(default_factory=dict)

    def insert(self, store: Writing, layouts: Iterable[Layout], events: Plain) -> None:
        """Take what comes under the key of a slot, as `events.insert_events` would keep it."""
        parts = Parts(events)
        for layout in layouts:
            for slot in self.slots_of.get(layout.number, ()):
                own = self.keys[slot]
                is_own = [own is not None and key == own for key in parts.keys(layout)]
                if any(is_own):
                    rows = rows_of(store, layout, kept_where(read_by(layout, events), is_own))
                    self.brought.setdefault(slot, []).append(rows)

    def passing(self, store: Reading, with_pages: Collection[int], at: int) -> Passing:
        """The rows of all slots, told when the closed pages of their slot had each label last."""
        starts = np.zeros(len(self.slots) + 1, np.int64)
        rows = []
        for slot, parts in sorted(self.brought.items()):
            own = parts[0] if len(parts) == 1 else np.concatenate(parts)
            if slot in with_pages:
                self._tell_last(store, slot, own, at)
            starts[slot + 1] = own.size
            rows.append(own.ravel())
        return Passing(np.concatenate(rows), np.cumsum(starts))

    def _tell_last(self, store: Reading, slot: int, rows: Column, at: int) -> None:
        layout, key = self.slots[slot].layout, self.keys[slot] or b""
        for label, word in enumerate(range(layout.label_at, layout.width, 2)):
            last = last_of(store, last_keys(layout, key, label, rows[:, word].tolist()))
            rows[:, word + 1] = np.where(last < at, np.maximum(rows[:, word + 1], last), NEVER)
