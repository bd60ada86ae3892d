"""The factor by which monitoring currently raises the control probability because of drift."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from features.records import SubjectKind
from serving.errors import LogUnavailable

POLL_INTERVAL = timedelta(minutes=1)


@dataclass(frozen=True)
class Exploration:
    """An increase of the control probability by `factor`, between two instants."""

    subject_kind: str
    begins_at: datetime
    ends_at: datetime
    factor: float
    because: str


class CurrentExploration:
    """Reads the newest exploration every minute; if that fails, the last one holds.

    Thread-safe without a lock: two threads that read at once get the same.
    """

    def __init__(self, newest: Callable[[SubjectKind], Exploration | None]):
        self._newest = newest
        self._newest_by_kind: dict[SubjectKind, tuple[datetime, Exploration | None]] = {}

    def factor(self, kind: SubjectKind, at: datetime) -> float:
        """Return the factor at an instant; 1 if no exploration is in force."""
        read_at, found = self._newest_by_kind.get(kind, (None, None))
        # A negative age means that the clock was set back, so read again.
        if read_at is None or not timedelta(0) <= at - read_at < POLL_INTERVAL:
            with suppress(LogUnavailable):
                found = self._newest(kind)
            self._newest_by_kind[kind] = at, found
        is_over = found is None or not found.begins_at <= at < found.ends_at
        return 1.0 if is_over or found is None else max(found.factor, 1.0)
