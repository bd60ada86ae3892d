"""Call rescuers when a decision comes into the rescue lane, until a person acknowledges the call.

No decision waits for a call. A call goes to the centre that answers for the position
(`rescue_centres`); one that fails is made again, later and later, without end: a life does not stop
being at risk because a server was down. That a server took it is delivery and no more. Until
somebody acknowledges it, the call goes on to the next address of the centre when its time is over,
then to the first again. Each step is written down.

A call says where help is needed, for how many, and what the conveyance is found by; of parties it
says nothing. It is signed as Standard Webhooks has it (https://www.standardwebhooks.com, version
1): an HMAC-SHA256 over id, timestamp and body. The id is that of the decision, so that a call that
arrives twice is known by it.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, get_args

import orjson
import structlog

from features.records import Journey, Mode, Position
from features.submission import Submission
from serving.access.actors import SERVICE, Actor
from serving.access.errors import AddressRefused
from serving.access.signed_webhook import SignedWebhook
from serving.audit.decision import Decision
from serving.process.polling import PollingThread
from serving.review.distress_alerts import DistressAlert
from serving.review.rescue.rescue_centres import GROUND, RescueCentre, RescueCentres
from serving.review.rescue_mail import RescueMail, mail_address
from serving.triage.life_at_risk import CALL_FOR_HELP, last_heard

log = structlog.get_logger(__name__)

POLL_INTERVAL_S = 0.5
CALLERS = 16
"""Calls that are made at once, so that one that is slow keeps no other waiting."""
FIRST_RETRY_DELAY, LONGEST_RETRY_DELAY = timedelta(seconds=10), timedelta(minutes=5)

RetryDelay = Callable[[int], timedelta]
"""How long after its n-th attempt a call is made again."""

CallAction = Literal["called", "refused", "escalated", "acknowledged"]
CALL_ACTIONS: tuple[CallAction, ...] = get_args(CallAction)


@dataclass(frozen=True)
class DueRescueCall:
    """A call to make: the record of its decision, and the number of this attempt.

    `step` counts how often it went on to another address. `record` is None where its decision was
    erased before anybody acknowledged. `is_apart` says that the rescue has a case of its own, since
    that of its subject had ended. `earlier_alerts` were told of the ship before it was declared.
    """

    decision_id: str
    record: str | None
    attempts: int
    step: int = 0
    is_apart: bool = False
    earlier_alerts: tuple[str, ...] = ()


@dataclass(frozen=True)
class DueAlert:
    """An alert of whom nobody declared that is to be told, as DueRescueCall."""

    alert: DistressAlert
    attempts: int
    step: int = 0


@dataclass(frozen=True)
class CallPace:
    """When a call is made again, and after how long without a person it goes on."""

    delay: RetryDelay
    patience: timedelta


@dataclass(frozen=True)
class RescueCallEvent:
    """One step of a call: when, who, and what.

    `actor` is an identity; the service's name is the address that it called.
    """

    decision_id: str
    at: str
    actor: str
    action: CallAction
    actor_name: str | None = None

    @property
    def by(self) -> Actor:
        """Who acted."""
        return Actor.stored(self.actor, self.actor_name)


@dataclass(frozen=True)
class OpenRescueCall:
    """A call that nobody has acknowledged yet; `step` as in DueRescueCall."""

    decision_id: str
    called_at: str | None
    step: int


class RescueOutbox(Protocol):
    """The rescue calls that are still to be made. Every method raises LogUnavailable."""

    def begin(self) -> None:
        """Look for rescues from now on; earlier decisions are not called."""
        ...

    def start_attempt(self, now: datetime, pace: CallPace) -> DueRescueCall | None:
        """Start the attempt that is due first, and plan the next; None if none is due."""
        ...

    def mark_delivered(self, decision_id: str, place: str, at: datetime) -> None:
        """Record that an address took a call; it waits for a person until it goes on."""
        ...

    def append_event(self, event: RescueCallEvent) -> None:
        """Write down a step of a call."""
        ...

    def acknowledge(self, case_id: str, by: Actor, at: datetime) -> bool:
        """Record who acts on a case; the first who does counts, and False is for all later."""
        ...

    def events(self, case_id: str) -> list[RescueCallEvent]:
        """The steps of the calls of a case, in order."""
        ...

    def unacknowledged(self) -> list[OpenRescueCall]:
        """The calls that no person has acknowledged, the oldest first."""
        ...

    def count_refused(self) -> int:
        """How many calls were tried and not taken so far."""
        ...


class AlertOutbox(Protocol):
    """The alerts of whom nobody declared that are still to be told; each raises LogUnavailable."""

    def start_attempt(self, now: datetime, pace: CallPace) -> DueAlert | None:
        """Start the attempt that is due first, and plan the next; None if none is due."""
        ...

    def mark_delivered(self, alert_id: str, place: str, at: datetime) -> None:
        """Record that an address took it; it waits for a person until it goes on."""
        ...

    def mark_refused(self, alert_id: str, place: str, at: datetime) -> None:
        """Record that an address did not take it."""
        ...

    def unacknowledged(self) -> list[OpenRescueCall]:
        """The alerts on which nobody acts, the oldest first."""
        ...

    def count_refused(self) -> int:
        """How many were tried and not taken so far."""
        ...


@dataclass(frozen=True)
class RescueDirectory:
    """The centres with the secrets of calls to them; every address is checked at the start.

    `secret` signs for centres without one of their own, `mail_password` is for the mail server.
    `public_address` is where this service is reached, for whoever acknowledges. Raises
    AddressRefused.
    """

    centres: RescueCentres
    secret: str = ""
    public_address: str | None = None
    mail_password: str = ""

    def __post_init__(self) -> None:
        for centre in self.centres.centres:
            for step in range(len(centre.addresses)):
                self.address(centre, step)

    @property
    def patience(self) -> timedelta:
        """How long a call waits for a person before it goes on."""
        return timedelta(minutes=self.centres.acknowledge_within_minutes)

    def address(self, centre: RescueCentre, step: int) -> SignedWebhook | RescueMail:
        """The address to call at a step: each in turn, and then the first again."""
        address, mail = centre.addresses[step % len(centre.addresses)], self.centres.mail
        if mail_address(address):
            assert mail is not None, "the centres are refused without a mail server"
            if mail.user_name and not self.mail_password:
                raise AddressRefused(
                    "want the password of the mail server: TIDEGATE_RESCUE_MAIL_PASSWORD"
                )
            return RescueMail(address, mail, self.mail_password)
        return SignedWebhook.from_secret(address, centre.secret or self.secret)


class RescueCalls:
    """Makes the calls of one outbox on threads of its own, and those of whom nobody declared.

    `enriched` adds to a submission what became known since: the call says where the conveyance was
    heard last by the time of the call.
    """

    def __init__(
        self,
        outbox: RescueOutbox,
        directory: RescueDirectory,
        clock: Callable[[], datetime],
        enriched: Callable[[Submission], Submission] = lambda submission: submission,
        alerts: AlertOutbox | None = None,
    ):
        self.outbox = outbox
        self.alerts = alerts
        self.directory = directory
        self._clock = clock
        self._enriched = enriched
        self.is_refused = False  # whether a call was tried and not taken so far
        self.is_unheard = False  # whether a call went on for want of a person
        self.polling = PollingThread("rescue-calls", self.make_due, waits="rescue_calls_wait")

    def start(self) -> None:
        """Start to call; every rescue that is decided from now on is called."""
        self.outbox.begin()
        self.polling.start(POLL_INTERVAL_S)

    def stop(self) -> None:
        """Finish the calls that are being made; others are made when the service is back."""
        self.polling.stop()

    def make_due(self) -> None:
        """Make every call that is due, each once."""
        pace = CallPace(retry_delay, self.directory.patience)

        def next_due() -> DueRescueCall | DueAlert | None:
            if self.polling.is_over:
                return None
            now = self._clock()
            due = self.outbox.start_attempt(now, pace)
            if due is None and self.alerts is not None:
                return self.alerts.start_attempt(now, pace)
            return due

        def call_on() -> None:
            while due := next_due():
                self._make(due)

        if (first := next_due()) is None:
            self._look_for_answers()
            return
        with ThreadPoolExecutor(CALLERS, "rescue-call") as callers:
            others = [callers.submit(call_on) for _ in range(CALLERS - 1)]
            self._make(first)
            call_on()
            for other in others:
                other.result()
        self._look_for_answers()

    def _look_for_answers(self) -> None:
        outboxes = [each for each in (self.outbox, self.alerts) if each is not None]
        self.is_refused = any(each.count_refused() for each in outboxes)
        self.is_unheard = any(call.step for each in outboxes for call in each.unacknowledged())

    def _make(self, due: DueRescueCall | DueAlert) -> None:
        if isinstance(due, DueAlert):
            self._tell(due)
        else:
            self._call(due)

    def _tell(self, due: DueAlert) -> None:
        """Tell the centre of whom nobody declared."""
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

    def _call(self, due: DueRescueCall) -> None:
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
            self.outbox.append_event(_event(due, at, place, "refused"))

    def _is_taken(
        self,
        centre: RescueCentre,
        call_id: str,
        content: dict[str, object],
        due: DueRescueCall | DueAlert,
        at: datetime,
    ) -> bool:
        """Whether the address of this step takes a call."""
        address = self.directory.address(centre, due.step)
        try:
            address.post(call_id, orjson.dumps(content), at)
        except OSError as failure:
            kind = type(failure).__name__
            log.error("rescue_not_called", attempts=due.attempts, exception=kind)
            return False
        return True


def _place(centre: RescueCentre, step: int) -> str:
    return f"{centre.name}, address {step % len(centre.addresses) + 1}"


def _event(due: DueRescueCall, at: datetime, place: str, action: CallAction) -> RescueCallEvent:
    return RescueCallEvent(due.decision_id, at.isoformat(), SERVICE.identity, action, place)


def retry_delay(attempts: int) -> timedelta:
    """How long after its n-th attempt a call is made again: twice as long each time.

    >>> [str(retry_delay(attempts)) for attempts in (1, 2, 50)]
    ['0:00:10', '0:00:20', '0:05:00']
    """
    return min(FIRST_RETRY_DELAY * 2 ** min(attempts - 1, 10), LONGEST_RETRY_DELAY)


def call_content(
    decision: Decision,
    submission: Submission,
    directory: RescueDirectory,
    step: int,
    at: datetime,
    earlier_alerts: Sequence[str] = (),
) -> dict[str, object]:
    """The content of the call of one decision at an instant; `submission` with all that is known.

    It holds nothing of another case. `earlier_alerts` were told of the same ship before it was
    declared.
    """
    journey, last = submission.journey, last_heard(submission)
    assert journey is not None, "without a journey there is no signal"
    centre = directory.centres.centre_for(journey.mode, last)
    return {
        "type": "rescue.placed",
        "timestamp": decision.scored_at,
        "data": {
            "case_id": decision.case_id,
            "signal": decision.life_at_risk,
            "signals": [vars(signal) for signal in decision.danger_signals],
            "is_declared": True,
            "earlier_alerts": [*earlier_alerts],
            "office_id": decision.office_id,
            **_whom_to_find(journey),
            "last_heard": last and _heard(last, at),
            "ground": GROUND[journey.mode],
            **_who_is_called(directory, centre, journey.mode, step),
            "acknowledge": _how_to_acknowledge(decision.case_id, directory),
        },
    }


def alert_content(
    alert: DistressAlert, directory: RescueDirectory, step: int, at: datetime
) -> dict[str, object]:
    """The content of the call of whom nobody declared, as of a decision: there is none here.

    `case_id` is the id of the alert, by which it is acknowledged.
    """
    centre = directory.centres.centre_for(alert.mode, alert.last)
    return {
        "type": "rescue.placed",
        "timestamp": alert.opened_at,
        "data": {
            "case_id": alert.alert_id,
            "signal": CALL_FOR_HELP.words,
            "signals": [vars(CALL_FOR_HELP)],
            "is_declared": False,
            "earlier_alerts": [*alert.earlier],
            "office_id": None,
            **_whom_to_find(alert.journey),
            "mode": alert.mode,
            "mmsi": alert.mmsi,
            "last_heard": alert.last and _heard(alert.last, at),
            "ground": GROUND[alert.mode],
            **_who_is_called(directory, centre, alert.mode, step),
            "acknowledge": _how_to_acknowledge(alert.alert_id, directory),
        },
    }


def _whom_to_find(journey: Journey | None) -> dict[str, object]:
    """What is to be found, by what it is known, how many are on board, and its way."""
    names = (
        *("persons_on_board", "certified_capacity", "mode", "conveyance_id", "conveyance_kind"),
        *("imo_number", "mmsi", "call_sign", "plate_number", "registration_country"),
        *("cargo_unit", "origin", "destination", "departed_at", "due_at"),
    )
    return {name: getattr(journey, name, None) for name in names}


def _heard(last: Position, at: datetime) -> dict[str, object]:
    """Where and when it was heard last, by what, and how sure that is."""
    return {
        "at": last.observed_at,
        "age_minutes": round(max((at - last.observed_at) / timedelta(minutes=1), 0.0), 1),
        "latitude": last.latitude,
        "longitude": last.longitude,
        "source": last.source,
        "error_radius_m": last.error_radius_m,
        "course_degrees": last.course_degrees,
        "speed_kn": last.speed_kn,
        "is_distress": last.is_distress,
    }


def _who_is_called(
    directory: RescueDirectory, centre: RescueCentre, mode: Mode, step: int
) -> dict[str, object]:
    """The centre, the desk that it may call back, and on land the number for everybody."""
    number = directory.centres.emergency_number
    on_land = f"On land: call {number}, for an ambulance and the fire brigade."
    return {
        "centre": {
            "name": centre.name,
            "telephone": centre.telephone,
            "receives_for_state": centre.receives_for_state,
        },
        "desk_telephone": directory.centres.desk_telephone,
        "advice": on_land if GROUND[mode] == "land" else None,
        "step": step,
    }


def _how_to_acknowledge(case_id: str, directory: RescueDirectory) -> dict[str, object]:
    path = f"/v1/rescue-calls/{case_id}/acknowledgement"
    return {
        "address": f"{(directory.public_address or '').rstrip('/')}{path}",
        "within_minutes": directory.centres.acknowledge_within_minutes,
    }
