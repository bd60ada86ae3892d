"""Wait: put a case aside until an instant, for a reason."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from serving.access.actors import Actor
from serving.errors import RequestFault, Unprocessable
from serving.language import say
from serving.review.acts.act_declaration import ActInput, ActRequest, CaseAct, Words
from serving.review.acts.claim import claim_then
from serving.review.cases.case_change import CaseChange, acted, refuse_other
from serving.review.cases.case_state import Case, WaitingFor

MAX_CASE_WAIT = timedelta(days=14)


class Wait(ActInput):
    """The instant until which a case waits, and for what."""

    until: AwareDatetime
    waiting_for: WaitingFor
    text: Words


def wait(
    case: Case, actor: Actor, at: datetime, until: datetime, waiting_for: WaitingFor, text: str
) -> CaseChange:
    """Let a case wait until an instant, for a reason; raises Conflict or Unprocessable."""
    refuse_other(case, actor)
    if not at < until <= at + MAX_CASE_WAIT:
        raise Unprocessable(
            say("want an instant to come, within {days} days", days=MAX_CASE_WAIT.days),
            code="too-long",
        )
    return acted(
        case,
        actor,
        at,
        "wait",
        text,
        status="waiting",
        waiting_until=until,
        waiting_for=waiting_for,
    )


def take_and_wait(
    case: Case, actor: Actor, at: datetime, until: datetime, waiting_for: WaitingFor, text: str
) -> CaseChange:
    """Let a case wait, claiming one without an owner in the same step.

    Also raises Conflict or PersonNeeded for the claim.
    """
    return claim_then(
        case, actor, at, lambda taken: wait(taken, actor, at, until, waiting_for, text)
    )


def _until(form: Mapping[str, str], at: datetime) -> Mapping[str, str]:
    """Return the form with the instant after its number of hours."""
    hours = form.get("hours", "")
    # Four digits keep the date within range; `wait` checks the real limit.
    if not hours.isdecimal() or len(hours) > 4:
        says = "say for how many hours"
        raise Unprocessable(says, (RequestFault("/hours", "missing", says),))
    return {**form, "until": (at + timedelta(hours=int(hours))).isoformat()}


def _wait(acting: ActRequest, asked: Wait) -> Case:
    rule = take_and_wait if acting.takes else wait
    return acting.change(rule, asked.until, asked.waiting_for, asked.text)


WAIT = CaseAct(
    name="waits",
    operation="let_case_wait",
    description="Let a case wait until an instant, for documents, a reply or an arrival.",
    perform=_wait,
    records=("wait",),
    input=Wait,
    form_fields=_until,
    leads_to="next",
)
