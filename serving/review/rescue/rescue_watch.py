"""The state of the rescue board, cheap enough for every open page to ask for it all the time.

A page that is open must show a new call for help within seconds. Reading the board decrypts every
report on it, so pages ask for this instead: who waits for a person, and a version that changes with
what the board shows. Each worker reads it from the database at most once a second, however many
pages are open, and once more after somebody acted through this worker.
"""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

MAX_AGE_S = 1.0


class BoardItem(NamedTuple):
    """A rescue or alert that is on the board; `mark` changes whenever people or calls do."""

    kind: Literal["alert", "rescue"]
    item_id: str
    office_id: str | None
    is_unattended: bool
    mark: str


@dataclass(frozen=True)
class BoardState:
    """The board as one reader may see it; `unattended` waits for a person, the oldest first."""

    version: str
    unattended: tuple[BoardItem, ...]


class BoardStore(Protocol):
    """A store of items of the board; `acts` counts the acts through this process."""

    acts: int

    def on_board(self, now: datetime) -> Sequence[BoardItem]:
        """The items that the board shows now, the oldest first. Raises LogUnavailable."""
        ...


class RescueWatch:
    """Reads the board for all open pages of one worker; safe to use from several threads.

    `open_new` opens the cases of decisions that were logged since.
    """

    def __init__(
        self,
        stores: Sequence[BoardStore],
        clock: Callable[[], datetime],
        open_new: Callable[[], object] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ):
        self._stores = stores
        self._clock = clock
        self._open_new = open_new
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._items: list[BoardItem] = []
        self._read_at = float("-inf")
        self._acts = 0
        self.listeners: Counter[str] = Counter()
        """Open streams of news, by session; touched in the event loop alone."""

    @property
    def is_fresh(self) -> bool:
        """Return whether what was read last still counts, so that nothing is read now."""
        is_recent = self._monotonic() - self._read_at < MAX_AGE_S
        return is_recent and self._acts == self._count_acts()

    def seen_by(self, offices: frozenset[str], *, is_read_anew: bool = False) -> BoardState:
        """The board for a reader of these offices, of all where none is named.

        `is_read_anew` is for a page that somebody opens. Raises LogUnavailable.
        """
        with self._lock:
            if is_read_anew or not self.is_fresh:
                acts, now = self._count_acts(), self._clock()
                self._open_new()
                self._items = [each for store in self._stores for each in store.on_board(now)]
                self._read_at, self._acts = self._monotonic(), acts
            items = self._items
        shown = [
            each
            for each in items
            if each.kind == "alert" or not offices or each.office_id in offices
        ]
        version = hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
        return BoardState(version, tuple(each for each in shown if each.is_unattended))

    def _count_acts(self) -> int:
        return sum(store.acts for store in self._stores)
