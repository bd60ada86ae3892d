"""The channel of rescue calls: to the centre that answers, until a person acknowledges.

No decision waits for a call. A call that fails is made again, later and later, without end: a life
does not stop being at risk because a server was down. A server that took a call has delivered it
and no more: until a person acknowledges it, the call goes on to the next address of the centre when
its time is over, then to the first again. Each step is written down.
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

    `step` counts how often it went on to another address. `record` is None where its decision was
    erased before anybody acknowledged. `is_apart` says that the rescue has a case of its own, since
    that of its subject had ended. `earlier_alerts` came from the ship before it was declared.
    """

    decision_id: str
    record: str | None
    attempts: int
    step: int = 0
    is_apart: bool = False
    earlier_alerts: tuple[str, ...] = ()


@dataclass(frozen=True)
class DueAlert:
    """An alert about an undeclared ship that is to be reported; as DueRescueCall."""

    alert: DistressAlert
    attempts: int
    step: int = 0


@dataclass(frozen=True)
class CallPace:
    """The wait before a call is made again, and how long it waits for a person."""

    delay: Callable[[int], timedelta]
    patience: timedelta


class RescueChannel(Channel):
    """Calls for rescue and alerts about undeclared ships.

    `enriched` adds to a submission what became known since: the call says where the conveyance was
    heard last by the time of the call.
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
        self.is_refused = False  # whether a call was tried and not taken so far
        self.is_unheard = False  # whether a call went on for want of a person

    def begin(self) -> None:
        """Call every rescue that is decided from now on."""
        self.outbox.begin()

    def take(self) -> Delivery | None:
        """Start the attempt that is due first; None if none is."""
        now, pace = self._clock(), CallPace(RETRY.delay, self.directory.patience)
        if (due := self.outbox.start_attempt(now, pace)) is not None:
            return partial(self.call, due)
        if self.alerts and (alert := self.alerts.start_attempt(now, pace)) is not None:
            return partial(self._report_alert, alert)
        outboxes = [each for each in (self.outbox, self.alerts) if each is not None]
        self.is_refused = any(each.count_refused() for each in outboxes)
        self.is_unheard = any(call.step for each in outboxes for call in each.unacknowledged())
        return None

    def call(self, due: DueRescueCall) -> None:
        """Call the centre about one decision."""
        if due.record is None:
            log.error("rescue_erased_uncalled", attempts=due.attempts)
            return
        decision, at = Decision.model_validate_json(due.record), self._clock()
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
            refused = RescueCallEvent(
                due.decision_id, at.isoformat(), SERVICE.identity, "refused", place
            )
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
        """Return whether the address of this step takes a call."""
        try:
            self.directory.address(centre, due.step).post(call_id, orjson.dumps(content), at)
        except OSError as failure:
            kind = type(failure).__name__
            log.error("rescue_not_called", attempts=due.attempts, exception=kind)
            return False
        return True


def _place(centre: RescueCentre, step: int) -> str:
    return f"{centre.name}, address {step % len(centre.addresses) + 1}"
