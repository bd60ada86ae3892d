"""The keys of all logs that one subject's windows read, built together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from features.engine.store.layout import Layout
from features.engine.store.store_keys import KEY_START

_BETWEEN = "\x1e"  # which no key contains
_BETWEEN_BYTES = _BETWEEN.encode()


@dataclass(frozen=True)
class KeyedLog:
    """A log that windows read: a layout, under the key that these columns of a subject form."""

    layout: Layout
    by: tuple[str, ...]


class KeyBuilder:
    """Builds the keys of logs of the values of some `columns`.

    They are one text until the end, of the parts of all of them: to pick, join and cut once costs
    a third of making each by itself.
    """

    def __init__(self, columns: Sequence[str], logs: Sequence[KeyedLog]) -> None:
        self._logs_with = [
            [at for at, log in enumerate(logs) if name in log.by] for name in columns
        ]
        self._ends = [f"{log.layout.key_suffix}{_BETWEEN}{KEY_START}" for log in logs]
        places: list[int] = []
        for end, log in enumerate(logs, start=len(columns)):
            places += [*map(columns.index, log.by), end]
        # Twice a text of nothing, so that even without logs there are two to pick.
        places.append(len(columns) + len(logs))
        self._pick: Callable[[Sequence[str]], Any] = itemgetter(*places, places[-1])

    def keys(self, parts: Sequence[str | None]) -> list[bytes | None]:
        """The key of each log, of a part for each column; None where one of its parts is."""
        whole = KEY_START + "".join(self._pick([*[part or "" for part in parts], *self._ends, ""]))
        keys: list[bytes | None] = [*whole.encode().split(_BETWEEN_BYTES)[:-1]]
        for logs_with, part in zip(self._logs_with, parts, strict=True):
            if part is None:
                for at in logs_with:
                    keys[at] = None
        return keys
