"""Read the placements of other workers from the shared log, so that all fill a lane once.

A worker counts its own placements when it makes them and those of others when it reads them, up to
`POLL_INTERVAL_S` and one commit later. The delay matters little: a lane's share depends on whole
days, which all workers know alike.
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
# One more day than is used, since the oldest day read is incomplete.
READ_AT_START = timedelta(days=WHOLE_DAYS + 1)
# Bounds the own placements that were not seen in the log yet: those whose decision never became
# durable would otherwise accumulate.
MAX_AWAITED = 100_000

Key = tuple[str, str, str]


class OtherWorkers:
    """Adds the placements of other workers to the recent load, each once.

    Not thread-safe: sharing one requires a lock.
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
        """Return the recent placements up to now, as the initial load; only once."""
        rows, self._recent_rows = self._recent_rows, []
        self._reached = max(self._reached, *(row.seq for row in rows[-1:]), 0)
        return [recent_placement(row) for row in rows]

    def record_own(self, kind: SubjectKind, subject_id: str, at: datetime) -> None:
        """Note a placement of this worker, so that it is not counted again from the log."""
        if len(self._own) >= MAX_AWAITED:
            self._own.clear()
        self._own[kind, self._log.subject_token(kind, subject_id), at.isoformat()] += 1

    def count_into(self, recent: RecentLoad) -> None:
        """Count new placements of others; if the log fails, continue with what is known."""
        now_s = time.monotonic()
        if now_s - self._read_at_s < self._poll_interval_s:
            return
        self._read_at_s = now_s
        with suppress(LogUnavailable):  # writing the decision will report the failure
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
    """Convert a logged placement for the recent load."""
    return RecentPlacement(
        cast("SubjectKind", row.subject_kind),
        row.office_id,
        datetime.fromisoformat(row.scored_at),
        row.probability if row.ranked_by is None else row.ranked_by,
        cast("Lane", row.lane),
        cast("Lane | None", row.lane_before),
    )
