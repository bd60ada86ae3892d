"""How many times as probable the control draw is for now; monitoring raises it where data drift."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from features.records import SubjectKind
from serving.db.repositories.alert_repository import Exploration
from serving.errors import LogUnavailable

LOOKED_EVERY = timedelta(minutes=1)


class Exploring:
    """Reads the newest exploration now and then; where that fails, the last one holds.

    Two threads may look at once; they see the same.
    """

    def __init__(self, newest: Callable[[SubjectKind], Exploration | None]):
        self._newest = newest
        self._seen: dict[SubjectKind, tuple[datetime, Exploration | None]] = {}

    def factor(self, kind: SubjectKind, at: datetime) -> float:
        """The factor at an instant; 1 where no exploration is in force."""
        looked, found = self._seen.get(kind, (None, None))
        if looked is None or not timedelta(0) <= at - looked < LOOKED_EVERY:
            with suppress(LogUnavailable):
                found = self._newest(kind)
            self._seen[kind] = at, found
        is_over = found is None or not found.begins_at <= at.isoformat() < found.ends_at
        return 1.0 if is_over or found is None else max(found.factor, 1.0)
