"""Assign: give a case to a colleague, or put it into an inbox."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from serving.access.actors import Actor
from serving.errors import Conflict, Unprocessable
from serving.review.acts.act_declaration import ActInput, ActRequest, CaseAct, OptionalWords, Stated
from serving.review.acts.claim import change_owner
from serving.review.cases.case_change import (
    CaseChange,
    CaseRule,
    acted,
    awake,
    refuse_closed,
    refuse_first,
)
from serving.review.cases.case_records import CaseRow
from serving.review.cases.case_state import Case

# Prefix of form choices that are inboxes; account names never contain a colon.
INBOX = "inbox:"


class Assignment(ActInput):
    """Who is to work on a case, or in which inbox it is to wait for somebody: one of the two."""

    to: Stated[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        None, description="The name of the account that gets it."
    )
    inbox: Stated[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        None, description="A team of the office of the case, or that office itself."
    )
    text: OptionalWords = Field("", description="Why, for the colleague who gets it.")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.to is None) == (self.inbox is None):
            raise ValueError("name who gets the case (`to`) or an `inbox`, one of the two")
        return self


def assign(
    case: Case,
    actor: Actor,
    at: datetime,
    to: Actor,
    text: str = "",
    *,
    may_take: bool = False,
) -> CaseChange:
    """Give a case to a reviewer; with `may_take`, also one that another person owns.

    Raises Conflict or PersonNeeded.
    """
    refuse_closed(case)
    if not (may_take or case.owner is None or actor.is_holder(case.owner)):
        raise Conflict(
            "another reviewer has this case; a supervisor may give it to somebody else",
            code="case-taken",
        )
    refuse_first(case, to)
    event: Literal["assign", "hand_over"] = "assign" if case.owner is None else "hand_over"
    return change_owner(case, actor, at, to, event, text)


def put_into_inbox(
    case: Case,
    actor: Actor,
    at: datetime,
    team: str | None,
    text: str = "",
    *,
    may_take: bool = False,
) -> CaseChange:
    """Put a case without an owner into a team's inbox, or its office's if None.

    With `may_take`, also a case that another person owns. Raises Conflict.
    """
    refuse_closed(case)
    if not (may_take or case.owner is None or actor.is_holder(case.owner)):
        raise Conflict(
            "another reviewer has this case; a supervisor may put it into an inbox",
            code="case-taken",
        )
    free = awake(replace(case, owner=None))
    return acted(case, actor, at, "put_into_inbox", text, **free, owner=None, team=team)


def assign_case(acting: ActRequest, asked: Assignment) -> Case:
    """Give a case to the holder of an account, or put it into an inbox.

    Raises NotFound, Unprocessable, or the Conflict of the act.
    """
    cases, reviewer, at = acting.cases, acting.reviewer, acting.at
    inboxes = cases.inboxes()
    named = next((each for each in cases.colleagues() if each.actor.name == asked.to), None)

    def give(row: CaseRow) -> CaseRule:
        if named is None or not named.works_on_cases or not named.access.shows(row):
            raise Unprocessable(
                "nobody with this name may work on the case: want an active account that reviews "
                "cases of its office"
            )
        to = named.actor
        return lambda case: assign(
            case, reviewer.actor, at, to, asked.text, may_take=reviewer.supervises
        )

    def put(row: CaseRow) -> CaseRule:
        offered = inboxes.for_office(row.office_id) if row.lane != "rescue" else []
        if asked.inbox not in offered:
            raise Unprocessable(
                "the case cannot be in this inbox: want that of a team of its office, or its office"
            )
        team = asked.inbox if asked.inbox in inboxes.names else None
        return lambda case: put_into_inbox(
            case, reviewer.actor, at, team, asked.text, may_take=reviewer.supervises
        )

    # Decided under the write lock: the case may have moved to another office since it was read.
    return cases.act_on_row(reviewer, acting.case_id, put if asked.inbox else give)


def _one_choice(form: Mapping[str, str], _: datetime) -> Mapping[str, str]:
    to = form.get("to", "")
    named = {"inbox": to.removeprefix(INBOX)} if to.startswith(INBOX) else {"to": to}
    return named | {"text": form.get("text", "")}


ASSIGN = CaseAct(
    name="assignments",
    operation="assign_case",
    description="""Give a case to the holder of an account, or put it into an inbox.

From its owner only they or a supervisor do.""",
    perform=assign_case,
    records=("assign", "hand_over", "put_into_inbox"),
    input=Assignment,
    form_fields=_one_choice,
    leads_to="next",
)
