"""The keys of all ledgers that one subject's windows read, made together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from features.engine.store.keys import KEY_START
from features.engine.store.layout import Layout

_BETWEEN = "\x1e"  # which no key contains
_BETWEEN_BYTES = _BETWEEN.encode()


@dataclass(frozen=True)
class KeyedLog:
    """The ledger that windows read: a keying, under the key that these columns form."""

    layout: Layout
    by: tuple[str, ...]


class KeyBuilder:
    """Keys of slots, each of the values of some `columns`.

    They are one text until the end, of the parts of all of them: to pick, join and cut once costs
    a third of making each by itself.
    """

    def __init__(self, columns: Sequence[str], slots: Sequence[KeyedLog]) -> None:
        self._of = [[at for at, slot in enumerate(slots) if name in slot.by] for name in columns]
        self._ends = [f"{slot.layout.mark}{_BETWEEN}{KEY_START}" for slot in slots]
        places: list[int] = []
        for end, slot in enumerate(slots, start=len(columns)):
            places += [*map(columns.index, slot.by), end]
        # Twice a text of nothing, so that even without slots there are two to pick.
        places.append(len(columns) + len(slots))
        self._pick: Callable[[Sequence[str]], Any] = itemgetter(*places, places[-1])

    def keys(self, parts: Sequence[str | None]) -> list[bytes | None]:
        """The key of each slot, of a part for each column; None where one of its parts is."""
        whole = KEY_START + "".join(self._pick([*[part or "" for part in parts], *self._ends, ""]))
        keys: list[bytes | None] = [*whole.encode().split(_BETWEEN_BYTES)[:-1]]
        for of, part in zip(self._of, parts, strict=True):
            if part is None:
                for at in of:
                    keys[at] = None
        return keys
