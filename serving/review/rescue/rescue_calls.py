"""The content and the steps of a rescue call.

A call states where help is needed, for how many people, and what identifies the conveyance; it
names no parties. It is signed by Standard Webhooks (https://www.standardwebhooks.com, version 1):
an HMAC-SHA256 over id, timestamp and body. The id is that of the decision, so that a receiver can
recognise a repeated call. `serving.outbox.rescue` delivers it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from features.records import Journey, Mode, Position
from features.submission import Submission
from serving.access.actors import Actor
from serving.access.errors import AddressRefused
from serving.access.signed_webhook import SignedWebhook
from serving.audit.decision import Decision
from serving.review.rescue.distress_alerts import DistressAlert
from serving.review.rescue.rescue_centres import GROUND, RescueCentre, RescueCentres
from serving.review.rescue.rescue_mail import RescueMail, mail_address
from serving.triage.life_at_risk import CALL_FOR_HELP, last_heard

CallAction = Literal["called", "refused", "escalated", "acknowledged"]
CALL_ACTIONS: tuple[CallAction, ...] = get_args(CallAction)


@dataclass(frozen=True)
class RescueCallEvent:
    """One step of a call: time, author and action.

    `actor` is an identity; for the service, `actor_name` is the address that it called.
    """

    decision_id: str
    at: datetime
    actor: str
    action: CallAction
    actor_name: str = ""

    @property
    def by(self) -> Actor:
        """The principal who acted."""
        return Actor(self.actor, self.actor_name)


@dataclass(frozen=True)
class OpenRescueCall:
    """A call that nobody has acknowledged yet; `step` as in DueRescueCall."""

    decision_id: str
    called_at: datetime | None
    step: int


@dataclass(frozen=True)
class RescueDirectory:
    """The rescue centres with the secrets for calling them; all addresses are checked at start.

    `secret` signs for centres without one of their own, `mail_password` is for the mail server.
    `public_address` is where this service is reached to acknowledge. Raises AddressRefused.
    """

    centres: RescueCentres
    secret: str = ""
    public_address: str | None = None
    mail_password: str = ""

    def __post_init__(self) -> None:
        for centre in self.centres.centres:
            # A wrong address or secret must stop the start, not the first call for help.
            for step in range(len(centre.addresses)):
                self.address(centre, step)

    @property
    def patience(self) -> timedelta:
        """Return how long a call waits for a person before it escalates."""
        return timedelta(minutes=self.centres.acknowledge_within_minutes)

    def address(self, centre: RescueCentre, step: int) -> SignedWebhook | RescueMail:
        """Return the address to call at a step; after the last address comes the first again."""
        address, mail = centre.addresses[step % len(centre.addresses)], self.centres.mail
        if mail_address(address):
            # The file is refused without a mail server if an address needs one.
            assert mail is not None, "the centres are refused without a mail server"
            if mail.user_name and not self.mail_password:
                raise AddressRefused(
                    "want the password of the mail server: TIDEGATE_RESCUE_MAIL_PASSWORD"
                )
            return RescueMail(address, mail, self.mail_password)
        return SignedWebhook.from_secret(address, centre.secret or self.secret)


def call_content(
    decision: Decision,
    submission: Submission,
    directory: RescueDirectory,
    step: int,
    at: datetime,
    earlier_alerts: Sequence[str] = (),
) -> dict[str, object]:
    """Return the content of the call for one decision at an instant.

    `submission` holds everything known by now. Nothing of another case is included.
    `earlier_alerts` were sent for the same ship before it was declared.
    """
    journey, last = submission.journey, last_heard(submission)
    assert journey is not None, "without a journey there is no signal"
    # The position at the time of the call decides, not that of the decision.
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
    """Return the content of the call for an undeclared craft, shaped like any other call.

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
    """Return what identifies the conveyance, the number on board, and its route."""
    names = (
        *("persons_on_board", "certified_capacity", "mode", "conveyance_id", "conveyance_kind"),
        *("imo_number", "mmsi", "call_sign", "plate_number", "registration_country"),
        *("cargo_unit", "origin", "destination", "departed_at", "due_at"),
    )
    # Without a journey every value is None, so that receivers find the same fields.
    return {name: getattr(journey, name, None) for name in names}


def _heard(last: Position, at: datetime) -> dict[str, object]:
    """Return the last known position with its time, source and accuracy."""
    return {
        "at": last.observed_at,
        # A sender's clock may be ahead; a negative age would confuse rescuers.
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
    """Return the centre, the desk's telephone, and on land the public emergency number."""
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
