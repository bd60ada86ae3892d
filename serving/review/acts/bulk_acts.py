"""One act on each of several cases."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from serving.errors import Conflict, NotFound, PersonNeeded, Unprocessable
from serving.review.acts.act_declaration import ActInput, ActRequest, CaseAct, OptionalWords
from serving.review.acts.assign import ASSIGN, Assignment
from serving.review.acts.give_back import GIVE_BACK
from serving.review.acts.tag import TAG, TaggingBody
from serving.review.acts.wait import WAIT, Wait
from serving.review.cases.reviewer import Reviewer

if TYPE_CHECKING:
    from serving.review.cases.cases import Cases

MAX_BULK_CASES = 200


class BulkActBody(ActInput):
    """An act on each of several cases; final acts are for one case at a time."""

    act: Literal["assign", "give_back", "wait", "tag"]
    case_ids: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=64)]],
        Field(min_length=1, max_length=MAX_BULK_CASES),
    ]
    assignment: Assignment | None = Field(None, description="Who gets them: of `assign`.")
    until: AwareDatetime | None = Field(
        None, description="When they come back: of `wait`. What nobody has is yours by that."
    )
    tags: TaggingBody | None = Field(None, description="Which tags they get or lose: of `tag`.")
    text: OptionalWords = ""

    @model_validator(mode="after")
    def _says_how(self) -> Self:
        stated = (self.assignment is not None, self.until is not None, self.tags is not None)
        if stated != (self.act == "assign", self.act == "wait", self.act == "tag"):
            raise ValueError(
                "`assign` wants an `assignment`, `wait` an `until`, `tag` its `tags`; no more"
            )
        return self

    def chosen(self) -> "ChosenAct":
        """Return the act with its input; raises Unprocessable for an invalid tag."""
        if self.tags is not None:
            self.tags.tagging()  # validates before any case is changed
            return TAG, self.tags
        if self.assignment is not None:
            return ASSIGN, self.assignment
        return (GIVE_BACK, None) if self.until is None else wait_together(self.until, self.text)


ChosenAct = tuple[CaseAct, ActInput | None]


def wait_together(until: datetime, text: str) -> ChosenAct:
    """Return the act for several cases to wait, without a specific reason."""
    # Not validated: the text of a single wait is required, here it may be empty.
    return WAIT, Wait.model_construct(until=until, waiting_for="other", text=text)


@dataclass(frozen=True)
class BulkAct:
    """The cases that were changed, and those that refused, with their reasons."""

    done: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


def act_together(
    cases: "Cases", reviewer: Reviewer, at: datetime, case_ids: Iterable[str], chosen: ChosenAct
) -> BulkAct:
    """Apply an act to each of several cases, with an event for each.

    A case that refuses, such as one that another person has taken, stays as it is.
    """
    act, stated = chosen
    done: list[str] = []
    refused: list[tuple[str, str]] = []
    # A case that is named twice is changed once.
    for case_id in dict.fromkeys(case_ids):
        try:
            act.perform(ActRequest(cases, reviewer, case_id, at, takes=True), stated)
            done.append(case_id)
        except (Conflict, PersonNeeded, NotFound, Unprocessable) as refusal:
            refused.append((case_id, str(refusal)))
    return BulkAct(tuple(done), tuple(refused))
