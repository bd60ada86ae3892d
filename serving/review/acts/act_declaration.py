"""The declaration of an act on a case: its call, its form, its words and its tests follow from it.

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
from serving.review.cases.results import LONGEST_TEXT, SHORTEST_TEXT
from serving.review.cases.reviewer import Reviewer

if TYPE_CHECKING:
    from serving.review.cases.cases import Cases


class ActInput(NullIsAbsent):
    """Base of what a person states with an act; in an optional field, null is leaving it out."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _require_visible(text: str) -> str:
    if not is_visible(text):
        raise PydanticCustomError("not_visible", "nothing of it can be seen: say it in words")
    return text


Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=SHORTEST_TEXT, max_length=LONGEST_TEXT),
    AfterValidator(_require_visible),
]
OptionalWords = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)]

T = TypeVar("T")


def _blank_is_nothing(value: Any) -> Any:
    return None if value == "" else value


# A form sends a field that was left blank; an empty text then states nothing.
Stated = Annotated[T | None, BeforeValidator(_blank_is_nothing)]


class Note(ActInput):
    """A note in the reviewer's own words."""

    text: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT),
        AfterValidator(_require_visible),
    ]


@dataclass(frozen=True)
class ActRequest:
    """The person who acts, on which case, and when.

    With `takes`, a case that nobody has becomes theirs by the same act. Forms ask for that, since
    their page has shown the case; a call claims it first.
    """

    cases: "Cases"
    reviewer: Reviewer
    case_id: str
    at: datetime
    takes: bool = False

    @property
    def actor(self) -> Actor:
        """The person as events name them."""
        return self.reviewer.actor

    def change(self, rule: Callable[..., CaseChange], *stated: object) -> Case:
        """Change the case by a rule of the case, the actor, the instant and what is stated.

        Raises NotFound, and the Conflict that the rule meets.
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

    `name` ends the address of its call and its form, `operation` names it in the API's document,
    which shows `description`. `perform` does it with the `input`. `records` are the kinds of
    events that it can leave. `form_fields` makes the fields of the input of those of a form.

    A form is refused where the case has changed since its page was made: `revision` says whether
    it must say what it showed (`shown`), may (`if_shown`), or is right at any revision (`any`).
    `takes_two` says of the fields of a form whether two persons decide, so that a recent proof of
    presence is asked for. After the act comes the `next` case of the list, or the `same`.
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
    """Whether what is typed meanwhile into the other forms of the page stays there."""
