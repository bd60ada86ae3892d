"""Escalation of cases whose deadline approaches while nobody acts, on its own thread.

Every worker tries. The write lock lets one of them through: a case that was escalated or acted on
in the meantime is left alone.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from serving.access.actors import SERVICE
from serving.errors import Conflict
from serving.process.background_threads import PollingThread
from serving.review.acts.escalate import escalate
from serving.review.acts.stored_acts import stored_change_if_unchanged
from serving.review.cases.case_records import CaseRow
from serving.review.cases.cases import Cases
from serving.review.cases.event_kinds import PASSIVE_EVENTS

POLL_INTERVAL_S = 30
# Cases per query.
BATCH_SIZE = 200


@dataclass(frozen=True)
class EscalationRule:
    """The least time left before an escalation: a share of the whole time, and a maximum."""

    share: float
    most: timedelta

    def begins_at(self, row: CaseRow) -> datetime:
        """Return the instant from which a case without a new act is escalated."""
        return row.due_at - min(self.share * (row.due_at - row.opened_at), self.most)


class Escalations:
    """A polling thread that escalates cases close to their deadline."""

    def __init__(self, cases: Cases, rule: EscalationRule, clock: Callable[[], datetime]):
        self._cases = cases
        self._rule = rule
        self.polling = PollingThread(
            "escalations", lambda: self.escalate_due(clock()), waits="cases_wait_to_be_escalated"
        )

    def start(self) -> None:
        """Start polling, unless the rule is switched off by a zero."""
        if self._rule.share and self._rule.most:
            self.polling.start(POLL_INTERVAL_S)

    def stop(self) -> None:
        """Finish the current round and stop."""
        self.polling.stop()

    def escalate_due(self, at: datetime) -> int:
        """Escalate every case that is due and return how many there were."""
        escalated, after = 0, None
        span = (at, at + self._rule.most)
        while page := self._cases.store.running_out(span, after, BATCH_SIZE):
            for row in page:
                after = row.due_at, row.case_id
                if self._is_due(row, at):
                    with suppress(Conflict):  # somebody acted meanwhile
                        act = partial(escalate, actor=SERVICE, at=at, because="")
                        change = partial(stored_change_if_unchanged, act, row)
                        self._cases.store.change(row.case_id, change)
                        escalated += 1
        return escalated

    def _is_due(self, row: CaseRow, at: datetime) -> bool:
        begins_at = self._rule.begins_at(row)
        if at < begins_at:
            return False
        with suppress(Conflict):  # differs from its audit record: leave it alone
            newest = self._cases.store.newest_event(row.case_id, PASSIVE_EVENTS)
            return newest is None or newest.at < begins_at
        return False
