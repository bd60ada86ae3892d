"""What other workers placed, read from the log they share, so that together they fill a lane once.

A worker counts its own placements when it makes them, and those of others when it reads them: up to
`EVERY_S` and one commit later. What they take beyond a capacity meanwhile, they leave afterwards,
since what is left of the day is shared out anew for every subject.
"""

import time
from collections import Counter
from contextlib import suppress
from datetime import datetime
from typing import cast

from features.records import SubjectKind
from serving.db.repositories.placement_log import PlacedLog, PlacedRow
from serving.errors import LogUnavailable
from serving.triage.placement import Lane
from serving.triage.recent_load import REMEMBERED, Placed, Recent

EVERY_S = 0.2
# Own placements whose decisions were never made durable would be waited for without end.
MOST_AWAITED = 100_000

Key = tuple[str, str, str]


class Others:
    """Reads placements into a memory, each once.

    Not safe for threads: whoever shares one holds a lock.
    """

    def __init__(self, log: PlacedLog, now: datetime, every_s: float = EVERY_S):
        self._log = log
        self._reached = log.size()
        self._lately = log.since(now - REMEMBERED)
        self._every_s = every_s
        self._read_at_s = float("-inf")
        self._own: Counter[Key] = Counter()

    def lately(self) -> list[Placed]:
        """What was placed lately up to now, to begin a memory with; told once."""
        rows, self._lately = self._lately, []
        self._reached = max(self._reached, *(row.seq for row in rows[-1:]), 0)
        return [placed(row) for row in rows]

    def note_own(self, kind: SubjectKind, subject_id: str, at: datetime) -> None:
        """Remember what is counted already when the log tells of it."""
        if len(self._own) >= MOST_AWAITED:
            self._own.clear()
        self._own[kind, self._log.subject(kind, subject_id), at.isoformat()] += 1

    def read_into(self, recent: Recent) -> None:
        """Add what others placed; where the log fails, what is known has to do."""
        now_s = time.monotonic()
        if now_s - self._read_at_s < self._every_s:
            return
        self._read_at_s = now_s
        with suppress(LogUnavailable):  # the decision itself will say so
            for row in self._log.after(self._reached):
                self._reached = row.seq
                if not self._is_own(row):
                    recent.add(placed(row))

    def _is_own(self, row: PlacedRow) -> bool:
        key = (row.subject_kind, row.subject_id, row.scored_at)
        is_own = self._own[key] > 0
        self._own[key] -= 1
        if self._own[key] <= 0:
            del self._own[key]
        return is_own


def placed(row: PlacedRow) -> Placed:
    """A row of the log as lanes remember it."""
    return Placed(
        cast("SubjectKind", row.subject_kind),
        row.office_id,
        datetime.fromisoformat(row.scored_at),
        row.probability,
        cast("Lane", row.lane),
    )
