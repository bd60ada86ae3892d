"""Make the daily reports: one of all workers runs `tidegate monitor` for each kind of subject.

It runs in a process of its own. A report reads months of decisions, which would slow the threads
that score, and needs libraries that a scoring process does not load.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from features.records import SUBJECT_KINDS, SubjectKind
from serving.process.background_threads import PollingThread
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.storage.repositories.rollup_repository import RollupRepository

log = structlog.get_logger(__name__)

POLL_INTERVAL_S = 60.0
MAX_RUN_S = 3_600.0
LOOK_AGAIN_S = 0.2
# A report that could not be made, as without decisions of its kind, is retried after this time.
RETRY_AFTER = timedelta(hours=1)

MakeReport = Callable[[SubjectKind], None]


def is_due(newest_at: datetime | None, now: datetime) -> bool:
    """Return True if no report was made today (UTC); one dated later came from a wrong clock."""
    return newest_at is None or newest_at.date() != now.date()


def arguments(home: Path, kind: SubjectKind) -> list[str]:
    """Return the arguments of the `tidegate` command."""
    return ["monitor", "--if-due", "--subject", kind, "--home", str(home)]


class DailyReports:
    """Makes due reports, as soon as a day has begun and there is a decision."""

    def __init__(
        self,
        times: "RollupRepository",
        settings: Settings,
        clock: Callable[[], datetime],
        make: MakeReport | None = None,
    ):
        self._times = times
        self._settings = settings
        self._clock = clock
        self._make = make or self._run
        self._tried_at: dict[SubjectKind, datetime] = {}
        self.polling = PollingThread("daily-reports", self.make_due, waits="daily_reports_wait")

    def start(self) -> None:
        """Check every minute for due reports."""
        self.polling.start(POLL_INTERVAL_S)

    def stop(self) -> None:
        """Abandon a running report; it is made after the next start."""
        self.polling.stop()

    def make_due(self) -> None:
        """Make every due report, unless another worker is making them."""
        if not self._due() or not self._times.size():
            return
        with self._times.alone() as is_alone:
            # Check again under the lock: another worker may have just made them.
            for kind in self._due() if is_alone else ():
                if not self.polling.is_over:
                    self._tried_at[kind] = self._clock()
                    self._make(kind)

    def _due(self) -> list[SubjectKind]:
        now = self._clock()
        return [
            kind
            for kind in SUBJECT_KINDS
            if is_due(self._times.newest_report_at(kind), now)
            # abs: a clock that was set back must not block retries for long.
            and abs(now - self._tried_at.get(kind, datetime.min.replace(tzinfo=UTC))) >= RETRY_AFTER
        ]

    def _run(self, kind: SubjectKind) -> None:
        url = self._settings.database_url
        database = {"TIDEGATE_DATABASE_URL": url.get_secret_value()} if url else {}
        with subprocess.Popen(  # noqa: S603 - our own command, read by no shell
            [sys.executable, "-m", "serving.cli", *arguments(self._settings.home, kind)],
            env=os.environ | database,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            waited_s = 0.0
            while process.poll() is None:
                if self.polling.is_over or waited_s > MAX_RUN_S:
                    process.terminate()
                    process.wait()
                self.polling.wait(LOOK_AGAIN_S)
                waited_s += LOOK_AGAIN_S
        self._report(kind, process.returncode)

    def _report(self, kind: SubjectKind, status: int) -> None:
        """Log the outcome of a report; `tidegate monitor` shows why one failed."""
        if status and not self.polling.is_over:
            log.error("daily_report_failed", kind=kind, status=status)
        elif not status and not is_due(self._times.newest_report_at(kind), self._clock()):
            log.info("daily_report_made", kind=kind)
