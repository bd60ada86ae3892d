"""What reviewers write about a case, as a JSON body or a form brings it."""

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from serving.review.dispositions import (
    LONGEST_TEXT,
    SHORTEST_TEXT,
    Confidence,
    DispositionCode,
    ReasonCode,
)
from serving.web.bodies import ClosedModel

Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=SHORTEST_TEXT, max_length=LONGEST_TEXT),
]


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


class DispositionBody(ClosedModel):
    """What a reviewer says at the end of a case."""

    code: DispositionCode
    reason: ReasonCode
    confidence: Confidence
    text: Words
