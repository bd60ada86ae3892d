"""`/v1/rescue-calls/{id}`: acknowledge a rescue call, and read its steps."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from serving.access.callers import Caller
from serving.api.openapi import problems
from serving.container import Services
from serving.review.cases.reviewer import Reviewer
from serving.review.rescue.rescue_calls import CallAction, RescueCallEvent
from serving.web.authentication import MayRescue
from serving.web.bodies import ClosedModel, RequestBody
from serving.web.caller_first import CallerFirst
from serving.web.services import TheServices

router = APIRouter(prefix="/v1/rescue-calls", tags=["rescue"], route_class=CallerFirst)


Post = Annotated[
    str,
    Field(
        min_length=2,
        max_length=64,
        pattern=r"^[^\x00-\x1f\x7f-\x9f]*$",
        examples=["watch officer, MRCC Piraeus"],
        description="The person who acts, by post or centre.",
    ),
]
NOT_FOUND = problems(s404="No such rescue, or none that this key may see.")


class AcknowledgementBody(RequestBody):
    """A person's statement that they act on a call."""

    by: Post


class CallStep(ClosedModel):
    """One step of a call: an address accepted or refused it, it moved on, or a person acted."""

    at: datetime
    actor: str
    action: CallAction


class RescueCallAnswer(ClosedModel):
    """The progress of a call; `acknowledged_by` is the first person who said that they act.

    For a ship that nobody declared, `case_id` is the id of its alert; `goes_on_as` is the rescue
    that continues it once the journey is declared. `earlier_alerts` of a rescue are those alerts.
    """

    case_id: str
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    steps: list[CallStep]
    goes_on_as: str | None = None
    earlier_alerts: list[str] = Field(default_factory=list)


@router.post("/{case_id}/acknowledgement", responses=NOT_FOUND)
def acknowledge_call(
    services: TheServices, caller: MayRescue, case_id: str, body: AcknowledgementBody
) -> RescueCallAnswer:
    """Acknowledge a rescue call as a person who acts; nobody else is then called.

    The first acknowledgement counts; later ones are recorded too. For a ship that nobody declared,
    send the id of its alert in place of a case id.
    """
    # A key often serves a whole desk, so the name of the post goes on record with it.
    who = replace(caller.actor, name=f"{body.by} ({caller.name})")
    if services.distress_alerts.find(case_id) is not None:
        services.distress_alerts.acknowledge(case_id, who, services.clock())
    else:
        services.cases.case(Reviewer.from_caller(caller), case_id)
        services.rescue_outbox.acknowledge(case_id, who, services.clock())
    return _answer(services, caller, case_id)


@router.get("/{case_id}", responses=NOT_FOUND)
def read_call(services: TheServices, caller: MayRescue, case_id: str) -> RescueCallAnswer:
    """Return who was notified of a rescue, when, and who acts."""
    return _answer(services, caller, case_id)


def _answer(services: Services, caller: Caller, case_id: str) -> RescueCallAnswer:
    alerts = services.distress_alerts
    # Alerts have ids of their own and no case, so look for them first.
    if (alert := alerts.find(case_id)) is not None:
        steps = alerts.events([case_id]).get(case_id, [])
        return _of_steps(case_id, steps, alert.case_id, alert.earlier)
    services.cases.case(Reviewer.from_caller(caller), case_id)
    return _of_steps(
        case_id, services.rescue_outbox.events(case_id), None, alerts.of_cases([case_id])
    )


def _of_steps(
    case_id: str, events: Sequence[RescueCallEvent], goes_on_as: str | None, earlier: Iterable[str]
) -> RescueCallAnswer:
    first = next((event for event in events if event.action == "acknowledged"), None)
    return RescueCallAnswer(
        case_id=case_id,
        acknowledged_at=first and first.at,
        acknowledged_by=first and first.by.name,
        steps=[CallStep(at=e.at, actor=e.by.name, action=e.action) for e in events],
        goes_on_as=goes_on_as,
        earlier_alerts=[*earlier],
    )
