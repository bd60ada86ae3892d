"""The channel of rescue calls: to the responsible centre, until a person acknowledges.

No decision waits for a call. A failed call is retried at growing intervals without end, because a
life does not stop being at risk when a server is down. Acceptance by a server means delivery only:
without an acknowledgement in time, the call moves to the centre's next address and starts over
after the last. Each step is recorded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import orjson
import structlog

from features.submission import Submission
from serving.access.actors import SERVICE
from serving.audit.decision import Decision
from serving.outbox.outbox import Channel, Delivery, RetryRule
from serving.review.rescue.distress_alerts import DistressAlert
from serving.review.rescue.rescue_calls import (
    RescueCallEvent,
    RescueDirectory,
    alert_content,
    call_content,
)
from serving.review.rescue.rescue_centres import RescueCentre
from serving.triage.life_at_risk import last_heard

if TYPE_CHECKING:
    from serving.storage.repositories.distress_alert_repository import DistressAlertRepository
    from serving.storage.repositories.rescue_call_repository import RescueCallRepository

log = structlog.get_logger(__name__)

RETRY = RetryRule(timedelta(seconds=10), timedelta(minutes=5), growth=2)


@dataclass(frozen=True)
class DueRescueCall:
    """A call to make: the record of its decision, and the number of this attempt.

    `step` counts how often it moved to another address. `record` is None if its decision was erased
    before anybody acknowledged. `is_apart` means that the rescue has a case of its own, since its
    subject's case had ended. `earlier_alerts` came from the ship before it was declared.
    """

    decision_id: str
    record: str | None
    attempts: int
    step: int = 0
    is_apart: bool = False
    earlier_alerts: tuple[str, ...] = ()


@dataclass(frozen=True)
class DueAlert:
    """An alert about an undeclared ship to report; fields as in DueRescueCall."""

    alert: DistressAlert
    attempts: int
    step: int = 0


@dataclass(frozen=True)
class CallPace:
    """The wait before a retry, and how long a call waits for an acknowledgement."""

    delay: Callable[[int], timedelta]
    patience: timedelta


class RescueChannel(Channel):
    """The channel of rescue calls and of alerts about undeclared ships.

    `enriched` adds later records to a submission, so that the call has the last known position at
    the time of the call.
    """

    name = "rescue-calls"
    max_concurrent = 16

    def __init__(
        self,
        outbox: "RescueCallRepository",
        directory: RescueDirectory,
        clock: Callable[[], datetime],
        enriched: Callable[[Submission], Submission] = lambda submission: submission,
        alerts: "DistressAlertRepository | None" = None,
    ):
        super().__init__()
        self.outbox = outbox
        self.alerts = alerts
        self.directory = directory
        self._clock = clock
        self._enriched = enriched
        self.is_refused = False  # whether an attempted call has not been accepted yet
        self.is_unheard = False  # whether a call escalated without an acknowledgement

    def begin(self) -> None:
        """Start to call rescues, except those decided before the first start."""
        self.outbox.begin()

    def claim(self) -> Delivery | None:
        """Start the attempt that is due first; None if none is."""
        now, pace = self._clock(), CallPace(RETRY.delay, self.directory.patience)
        # Calls about decisions come before alerts, which have no case yet.
        if (due := self.outbox.start_attempt(now, pace)) is not None:
            return partial(self.call, due)
        if self.alerts and (alert := self.alerts.start_attempt(now, pace)) is not None:
            return partial(self._report_alert, alert)
        # Flags for `/health/ready`, refreshed when no call is due, so as to delay none.
        outboxes = [each for each in (self.outbox, self.alerts) if each is not None]
        self.is_refused = any(each.count_refused() for each in outboxes)
        self.is_unheard = any(call.step for each in outboxes for call in each.unacknowledged())
        return None

    def call(self, due: DueRescueCall) -> None:
        """Call the centre about one decision."""
        # Nothing is left to call about: signal, people and position were erased.
        if due.record is None:
            log.error("rescue_erased_uncalled", attempts=due.attempts)
            return
        decision, at = Decision.model_validate_json(due.record), self._clock()
        # Without `rescores` the call carries the id of the rescue's own case.
        if due.is_apart:
            decision = decision.model_copy(update={"rescores": None})
        submission = self._enriched(decision.submission)
        assert submission.journey is not None, "without a journey there is no signal"
        centre = self.directory.centres.centre_for(submission.journey.mode, last_heard(submission))
        content = call_content(
            decision, submission, self.directory, due.step, at, due.earlier_alerts
        )
        place = _place(centre, due.step)
        if self._is_taken(centre, decision.decision_id, content, due, at):
            self.outbox.mark_delivered(due.decision_id, place, self._clock())
        else:
            refused = RescueCallEvent(due.decision_id, at, SERVICE.identity, "refused", place)
            self.outbox.append_event(refused)

    def _report_alert(self, due: DueAlert) -> None:
        alert, at = due.alert, self._clock()
        assert self.alerts is not None, "it comes from there"
        if alert.last is None:
            log.error("alert_erased_untold", attempts=due.attempts)
            return
        centre = self.directory.centres.centre_for(alert.mode, alert.last)
        content = alert_content(alert, self.directory, due.step, at)
        if self._is_taken(centre, alert.alert_id, content, due, at):
            self.alerts.mark_delivered(alert.alert_id, _place(centre, due.step), self._clock())
        else:
            self.alerts.mark_refused(alert.alert_id, _place(centre, due.step), at)

    def _is_taken(
        self,
        centre: RescueCentre,
        call_id: str,
        content: dict[str, object],
        due: DueRescueCall | DueAlert,
        at: datetime,
    ) -> bool:
        """Return whether the address of this step accepts a call."""
        try:
            self.directory.address(centre, due.step).post(call_id, orjson.dumps(content), at)
        except OSError as failure:
            kind = type(failure).__name__
            log.error("rescue_not_called", attempts=due.attempts, exception=kind)
            return False
        return True


def _place(centre: RescueCentre, step: int) -> str:
    return f"{centre.name}, address {step % len(centre.addresses) + 1}"
