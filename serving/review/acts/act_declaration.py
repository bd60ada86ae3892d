"""The declaration of an act on a case, from which call, form, texts and tests follow.

One file of this folder declares one act; `all_acts.py` lists them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from features.records import NullIsAbsent
from serving.access.actors import Actor
from serving.access.visible_texts import is_visible
from serving.review.cases.case_change import CaseChange
from serving.review.cases.case_state import Case
from serving.review.cases.event_kinds import EventAction
from serving.review.cases.results import MAX_TEXT, MIN_TEXT
from serving.review.cases.reviewer import Reviewer

if TYPE_CHECKING:
    from serving.review.cases.cases import Cases


class ActInput(NullIsAbsent):
    """Base of what a person states with an act; in an optional field, null is leaving it out."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _require_visible(text: str) -> str:
    if not is_visible(text):
        raise PydanticCustomError("not_visible", "the text has no visible characters")
    return text


Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=MIN_TEXT, max_length=MAX_TEXT),
    AfterValidator(_require_visible),
]
OptionalWords = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_TEXT)]

T = TypeVar("T")


def _blank_is_nothing(value: Any) -> Any:
    return None if value == "" else value


# Forms send fields that were left blank; an empty text then states nothing.
Stated = Annotated[T | None, BeforeValidator(_blank_is_nothing)]


class Note(ActInput):
    """A note in the reviewer's own words."""

    text: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT),
        AfterValidator(_require_visible),
    ]


@dataclass(frozen=True)
class ActRequest:
    """One request to act: the person, the case, and the time.

    With `takes`, the same act claims a case that has no owner. Forms ask for that, since their page
    has shown the case; an API client claims it first.
    """

    cases: "Cases"
    reviewer: Reviewer
    case_id: str
    at: datetime
    takes: bool = False

    @property
    def actor(self) -> Actor:
        """The person as named in events."""
        return self.reviewer.actor

    def change(self, rule: Callable[..., CaseChange], *stated: object) -> Case:
        """Change the case by a rule of the case, the actor, the instant and the input.

        Raises NotFound, and the Conflict of the rule.
        """
        return self.cases.act(
            self.reviewer, self.case_id, lambda case: rule(case, self.actor, self.at, *stated)
        )


FormFields = Callable[[Mapping[str, str], datetime], Mapping[str, Any]]


def _as_written(form: Mapping[str, str], _: datetime) -> Mapping[str, Any]:
    return form


@dataclass(frozen=True)
class CaseAct:
    """An act on a case.

    `name` ends the paths of its API call and its form; `operation` is its id in OpenAPI, which
    shows `description`. `perform` executes it with the `input`. `records` are the kinds of events
    that it can leave. `form_fields` converts the fields of a form to those of the input.

    A form is refused if the case has changed since its page was loaded: `revision` tells whether it
    must state the revision shown (`shown`), may (`if_shown`), or is valid at any revision (`any`).
    `takes_two` tells from the fields of a form whether two persons decide, so that a recent proof
    of presence is required. Afterwards the page shows the `next` case of the list, or the `same`.
    """

    name: str
    operation: str
    description: str
    perform: Callable[[ActRequest, Any], Case]
    records: tuple[EventAction, ...]
    input: type[ActInput] | None = None
    is_input_optional: bool = False
    has_call: bool = True
    form_fields: FormFields = _as_written
    revision: Literal["shown", "if_shown", "any"] = "shown"
    takes_two: Callable[[Mapping[str, str]], bool] = lambda _: False
    leads_to: Literal["next", "same"] = "same"
    keeps_forms: bool = False
    """True if text typed into the other forms of the page is kept."""
