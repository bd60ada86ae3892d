"""`/v1/switches`: the kill switches of models, with time, author and reason."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Depends
from pydantic import Field

from features.records import SubjectKind
from serving.access.callers import Caller
from serving.access.roles import Scope
from serving.api.openapi import problems
from serving.container import Services
from serving.models.kill_switch import (
    MAX_REASON_LENGTH,
    MIN_REASON_LENGTH,
    SwitchEvent,
    SwitchProposal,
    SwitchScope,
    record_switch,
    switch_on_by_two,
    switch_states,
)
from serving.web.authentication import AnyCaller, WithScope
from serving.web.bodies import ClosedModel, RequestBody
from serving.web.caller_first import CallerFirst
from serving.web.services import TheServices

router = APIRouter(prefix="/v1/switches", tags=["models"], route_class=CallerFirst)

# Scopes that may read a person's reason for switching; other keys only read the state.
WORD_READERS: tuple[Scope, ...] = ("switch", "supervise", "audit", "administer")

MaySwitch = Annotated[Caller, Depends(WithScope("switch"))]


class SwitchAnswer(ClosedModel):
    """The newest switch of the models of one kind; other fields are null without one.

    Author and reason are shown to callers who may switch, supervise, audit or administer.
    """

    subject_kind: SubjectKind
    is_on: bool
    switched_at: datetime | None
    switched_by: str | None
    switched_by_id: str | None
    because: str | None
    proposed_by: str | None = Field(description="The person who proposes to switch them on again.")

    @classmethod
    def from_event(
        cls,
        kind: SubjectKind,
        last: SwitchEvent | None,
        proposal: SwitchProposal | None,
        *,
        may_read_words: bool,
    ) -> Self:
        """Return the response for the newest act, if any, and the pending proposal."""
        told = last if may_read_words else None
        return cls(
            subject_kind=kind,
            is_on=last is None or last.is_on,
            switched_at=None if last is None else last.switched_at,
            switched_by=told and told.by.name,
            switched_by_id=told and told.by.identity,
            because=told and told.because,
            proposed_by=proposal.by.name if proposal and may_read_words else None,
        )


class SwitchesAnswer(ClosedModel):
    """The switches of both kinds."""

    switches: list[SwitchAnswer]


class SwitchBody(RequestBody):
    """The models to switch, and the reason."""

    subject_kind: SwitchScope
    is_on: bool
    because: Annotated[str, Field(min_length=MIN_REASON_LENGTH, max_length=MAX_REASON_LENGTH)]


@router.get("", responses=problems())
def read_switches(services: TheServices, caller: AnyCaller) -> SwitchesAnswer:
    """Return whether the models of each kind may be used."""
    return _answer(services, caller)


@router.post("", responses=problems(s422="The body is refused."))
def switch_models(services: TheServices, caller: MaySwitch, body: SwitchBody) -> SwitchesAnswer:
    """Switch models off or on, in every worker within a second.

    While off, subjects are decided by signs of danger to life, watch-lists, rules and chance. In
    live use, switching on takes two people: one proposes it, the same call by another does it.
    """
    by, because, now = caller.actor, body.because, services.clock()
    # Switching off takes one person, at once (docs/operations/two_persons.md).
    if body.is_on and services.is_live_use:
        switch_on_by_two(services.switch_events, body.subject_kind, by, because, now)
    else:
        record_switch(
            services.switch_events,
            body.subject_kind,
            is_on=body.is_on,
            by=by,
            because=because,
            at=now,
        )
    # Takes effect here now; other workers follow within a second.
    services.kill_switch.refresh()
    return _answer(services, caller)


def _answer(services: Services, caller: Caller) -> SwitchesAnswer:
    may_read_words = any(map(caller.may, WORD_READERS))
    states = switch_states(services.switch_events.latest_by_kind())
    proposed = services.switch_events.proposals()
    return SwitchesAnswer(
        switches=[
            SwitchAnswer.from_event(kind, last, proposed.get(kind), may_read_words=may_read_words)
            for kind, last in states.items()
        ]
    )
