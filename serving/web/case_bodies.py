"""What reviewers write about a case, as a JSON body or a form brings it."""

from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from features.field_types import Code, Instant, Items, Kilograms, Persons
from features.offences import OffenceCodes
from features.records import Depth, Examination
from serving.access.visible_texts import is_visible
from serving.review.acts.bulk_acts import MOST_TOGETHER
from serving.review.acts.justifications import StatedPurpose
from serving.review.acts.remark_rules import JudgedAs
from serving.review.acts.tags import LONGEST_TAG, MOST_TAGS, Tagging
from serving.review.cases.actions import ActionKind, CaseAction, ReferredTo
from serving.review.cases.case_state import WaitingFor
from serving.review.cases.labels import LONGEST_BEFORE_DECLARATION
from serving.review.cases.results import (
    LONGEST_TEXT,
    SHORTEST_TEXT,
    CaseResult,
    Confidence,
    Finding,
    FoundBy,
    ReasonCode,
    ResultCode,
)
from serving.web.bodies import RequestBody


def _require_visible(text: str) -> str:
    if not is_visible(text):
        raise PydanticCustomError("not_visible", "nothing of it can be seen: say it in words")
    return text


Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=SHORTEST_TEXT, max_length=LONGEST_TEXT),
    AfterValidator(_require_visible),
]


T = TypeVar("T")


def _blank_is_nothing(value: Any) -> Any:
    return None if value == "" else value


# What a form leaves blank is not stated.
Stated = Annotated[T | None, BeforeValidator(_blank_is_nothing)]


class Note(RequestBody):
    """A note in the reviewer's own words."""

    text: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT),
        AfterValidator(_require_visible),
    ]


class Wait(RequestBody):
    """How long a case waits, and for what."""

    until: AwareDatetime
    waiting_for: WaitingFor
    text: Words


class Judgement(RequestBody):
    """Why a second person agrees, in their own words; they may say nothing."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)] = ""


class FirstJudgement(RequestBody):
    """What an officer thinks of a case by its evidence, before they see its score."""

    judged_as: JudgedAs


class ActionBody(RequestBody):
    """What is to be done with the subject of a case."""

    kind: ActionKind
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)] = Field(
        "", description="Why, in your own words: needed to hold, to release and to refer."
    )
    refer_to: Stated[ReferredTo] = Field(None, description="To whom it is referred.")
    destination: Stated[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        None, description="Which office or agency it is referred to."
    )

    def action(self) -> CaseAction:
        """The action that the body states; raises ImpossibleAction."""
        return CaseAction(self.kind, self.text, self.refer_to, self.destination)


class Assignment(RequestBody):
    """Who is to work on a case, or in which inbox it is to wait for somebody: one of the two."""

    to: Stated[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        None, description="The name of the account that gets it."
    )
    inbox: Stated[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        None, description="A team of the office of the case, or that office itself."
    )

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.to is None) == (self.inbox is None):
            raise ValueError("name who gets the case (`to`) or an `inbox`, one of the two")
        return self


TagText = Annotated[str, Field(min_length=1, max_length=4 * LONGEST_TAG)]
"""A tag before it is normalised, which may make it shorter."""


class TaggingBody(RequestBody):
    """Which tags are set, and which are removed: one at least."""

    add: list[TagText] = Field([], max_length=MOST_TAGS, examples=[["late papers"]])
    remove: list[TagText] = Field([], max_length=MOST_TAGS)

    def tagging(self) -> Tagging:
        """What the body states; raises Unprocessable for what is no tag."""
        return Tagging.from_texts(self.add, self.remove)


class BulkActBody(RequestBody):
    """What is done with each of several cases; what is final is done with one case at a time."""

    act: Literal["assign", "give_back", "wait", "tag"]
    case_ids: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=64)]],
        Field(min_length=1, max_length=MOST_TOGETHER),
    ]
    assignment: Assignment | None = Field(None, description="Who gets them: of `assign`.")
    until: AwareDatetime | None = Field(
        None, description="When they come back: of `wait`. What nobody has is yours by that."
    )
    tags: TaggingBody | None = Field(None, description="Which tags they get or lose: of `tag`.")
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)] = ""

    @model_validator(mode="after")
    def _says_how(self) -> Self:
        stated = (self.assignment is not None, self.until is not None, self.tags is not None)
        if stated != (self.act == "assign", self.act == "wait", self.act == "tag"):
            raise ValueError(
                "`assign` wants an `assignment`, `wait` an `until`, `tag` its `tags`, and none more"
            )
        return self


class Justification(RequestBody):
    """Why a case is read that the reader's work did not bring."""

    code: StatedPurpose
    text: Words


class ResultBody(RequestBody):
    """What the ordered action found, or what became of a rescue."""

    code: ResultCode
    reason: ReasonCode
    confidence: Confidence
    text: Words
    inspected_at: Stated[Instant] = Field(
        None,
        description="When the inspection began, at most "
        f"{LONGEST_BEFORE_DECLARATION.days} days before the declaration; if not stated, when the "
        "case ended.",
    )
    examination: Stated[Examination] = Field(
        None, description="How it was examined, by what went furthest."
    )
    depth: Stated[Depth] = Field(None, description="Whether all of it was examined, or a part.")
    offences: Stated[OffenceCodes] = Field(
        None, description="The classes of offence that were found, separated by a blank or `|`."
    )
    found_mass_kg: Stated[Kilograms] = Field(None, description="The mass of what was found.")
    found_items: Stated[Items] = Field(None, description="How many items were found.")
    found_persons: Stated[Persons] = Field(
        None, description="How many persons were found that were being smuggled or trafficked."
    )
    typology: Stated[Code] = Field(None, description="The way of smuggling that was found.")
    is_protection: bool = Field(
        False,
        description="Whether people were handed to those who protect them; whatever was found "
        "then teaches no model and stands in nobody's rate.",
    )

    def result(self, found_by: FoundBy) -> CaseResult:
        """The result that the body states; raises ImpossibleResult or ContradictoryFinding."""
        stated = self.model_dump()
        finding = Finding(**{name: stated.pop(name) for name in Finding.__dataclass_fields__})
        return CaseResult(found_by, **stated, finding=finding)
