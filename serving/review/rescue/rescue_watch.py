"""The state of the rescue board, cheap enough for every open page to poll.

An open page must show a new call for help within seconds. Reading the board decrypts every
report on it, so pages poll this instead: the items that wait for a person, and a version that
changes with the content of the board. Each worker reads it from the database at most once a
second, however many pages are open, and again after somebody acts through this worker.
"""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from serving.storage.repositories.distress_alert_repository import DistressAlertRepository
    from serving.storage.repositories.rescue_call_repository import RescueCallRepository

MAX_AGE_S = 1.0


class BoardItem(NamedTuple):
    """A rescue or alert on the board; `mark` changes whenever its people or calls change."""

    kind: Literal["alert", "rescue"]
    item_id: str
    office_id: str | None
    is_unattended: bool
    mark: str


@dataclass(frozen=True)
class BoardState:
    """The board as one reader may see it; `unattended` waits for a person, oldest first."""

    version: str
    unattended: tuple[BoardItem, ...]


class RescueWatch:
    """A cache of the board for all open pages of one worker; safe for threads.

    `open_new` opens the cases of decisions that were logged since the last call.
    """

    def __init__(
        self,
        stores: Sequence["DistressAlertRepository | RescueCallRepository"],
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
        """Open news streams by session; accessed only in the event loop, so without a lock."""

    @property
    def is_fresh(self) -> bool:
        """Return whether the cached board is still current."""
        is_recent = self._monotonic() - self._read_at < MAX_AGE_S
        return is_recent and self._acts == self._count_acts()

    def seen_by(self, offices: frozenset[str], *, is_read_anew: bool = False) -> BoardState:
        """Return the board for a reader of these offices; an empty set means all offices.

        `is_read_anew` bypasses the cache, for a page that somebody opens. Raises LogUnavailable.
        """
        with self._lock:
            if is_read_anew or not self.is_fresh:
                # Count acts before the read: an act during the read then makes the cache stale.
                acts, now = self._count_acts(), self._clock()
                self._open_new()
                self._items = [each for store in self._stores for each in store.on_board(now)]
                self._read_at, self._acts = self._monotonic(), acts
            items = self._items
        # Every office sees every alert, because an undeclared ship belongs to no office.
        shown = [
            each
            for each in items
            if each.kind == "alert" or not offices or each.office_id in offices
        ]
        version = hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
        return BoardState(version, tuple(each for each in shown if each.is_unattended))

    def _count_acts(self) -> int:
        return sum(store.acts for store in self._stores)
