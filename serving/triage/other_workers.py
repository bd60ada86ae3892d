"""Placements by other workers, read from the log they share, so that they fill a lane once.

A worker counts its own placements when it makes them, and those of others when it reads them: up to
`POLL_INTERVAL_S` and one commit later. The share that a lane takes rests on whole days, of which
all workers know the same; of today they need to know little.
"""

import time
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from features.records import SubjectKind
from serving.errors import LogUnavailable
from serving.triage.lane_declarations import Lane
from serving.triage.office_days import WHOLE_DAYS
from serving.triage.placement_log import LoggedPlacement
from serving.triage.recent_load import RecentLoad, RecentPlacement

if TYPE_CHECKING:
    from serving.storage.repositories.placement_repository import PlacementRepository

POLL_INTERVAL_S = 0.2
# The oldest day read is no whole one.
READ_AT_START = timedelta(days=WHOLE_DAYS + 1)
# Own placements whose decisions were never made durable would be waited for without end.
MAX_AWAITED = 100_000

Key = tuple[str, str, str]


class OtherWorkers:
    """Reads the placements of other workers into the recent load, each once.

    Not safe for threads: whoever shares one holds a lock.
    """

    def __init__(
        self, log: "PlacementRepository", now: datetime, poll_interval_s: float = POLL_INTERVAL_S
    ):
        self._log = log
        self._reached = log.size()
        self._recent_rows = log.since(now - READ_AT_START)
        self._poll_interval_s = poll_interval_s
        self._read_at_s = float("-inf")
        self._own: Counter[Key] = Counter()

    def recent_placements(self) -> list[RecentPlacement]:
        """The recent placements up to now, to begin a recent load with; given once."""
        rows, self._recent_rows = self._recent_rows, []
        self._reached = max(self._reached, *(row.seq for row in rows[-1:]), 0)
        return [recent_placement(row) for row in rows]

    def record_own(self, kind: SubjectKind, subject_id: str, at: datetime) -> None:
        """Remember a placement of this worker, which is counted already when the log has it."""
        if len(self._own) >= MAX_AWAITED:
            self._own.clear()
        self._own[kind, self._log.subject_token(kind, subject_id), at.isoformat()] += 1

    def count_into(self, recent: RecentLoad) -> None:
        """Count the new placements of others; where the log fails, what is known has to do."""
        now_s = time.monotonic()
        if now_s - self._read_at_s < self._poll_interval_s:
            return
        self._read_at_s = now_s
        with suppress(LogUnavailable):  # the decision itself will say so
            for row in self._log.after(self._reached):
                self._reached = row.seq
                if not self._is_own(row):
                    recent.count(recent_placement(row))

    def _is_own(self, row: LoggedPlacement) -> bool:
        key = (row.subject_kind, row.subject_id, row.scored_at)
        is_own = self._own[key] > 0
        self._own[key] -= 1
        if self._own[key] <= 0:
            del self._own[key]
        return is_own


def recent_placement(row: LoggedPlacement) -> RecentPlacement:
    """A logged placement as the recent load counts it."""
    return RecentPlacement(
        cast("SubjectKind", row.subject_kind),
        row.office_id,
        datetime.fromisoformat(row.scored_at),
        row.probability if row.ranked_by is None else row.ranked_by,
        cast("Lane", row.lane),
        cast("Lane | None", row.lane_before),
    )
