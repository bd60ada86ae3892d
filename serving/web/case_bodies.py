"""What reviewers write about a case, as a JSON body or a form brings it."""

from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BeforeValidator, Field, StringConstraints

from features.field_types import Code, Instant, Items, Kilograms, Persons
from features.offences import OffenceCodes
from features.records import Depth, Examination
from serving.review.dispositions import (
    LONGEST_TEXT,
    SHORTEST_TEXT,
    Confidence,
    Disposition,
    DispositionCode,
    Finding,
    ReasonCode,
)
from serving.review.justifications import StatedPurpose
from serving.web.bodies import ClosedModel

Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=SHORTEST_TEXT, max_length=LONGEST_TEXT),
]


T = TypeVar("T")


def _blank_is_nothing(value: Any) -> Any:
    return None if value == "" else value


# What a form leaves blank is not stated.
Stated = Annotated[T | None, BeforeValidator(_blank_is_nothing)]


class Note(ClosedModel):
    """A note in the reviewer's own words."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class Pause(ClosedModel):
    """How long a case is laid aside, and why or for which documents."""

    until: AwareDatetime
    text: Words


class Assignment(ClosedModel):
    """Who is to work on a case."""

    to: Annotated[str, Field(min_length=1, max_length=64)]


class Justification(ClosedModel):
    """Why a case is read that the reader's work did not bring."""

    code: StatedPurpose
    text: Words


class DispositionBody(ClosedModel):
    """What a reviewer says at the end of a case, and states of what was found, if anything was."""

    code: DispositionCode
    reason: ReasonCode
    confidence: Confidence
    text: Words
    inspected_at: Stated[Instant] = Field(
        None, description="When the inspection began; if not stated, when the case ended."
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

    def disposition(self) -> Disposition:
        """The disposition that the body states."""
        stated = self.model_dump()
        finding = Finding(**{name: stated.pop(name) for name in Finding.__dataclass_fields__})
        return Disposition(**stated, finding=finding)
