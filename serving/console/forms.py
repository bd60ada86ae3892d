"""Validation of form fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from features.errors import in_own_words
from serving.errors import Conflict, RequestFault, ServingError, Unprocessable

FormBody = TypeVar("FormBody", bound=BaseModel)

# Revision that no case has.
NEVER = -1


def read_form(kind: type[FormBody], form: Mapping[str, Any]) -> FormBody:
    """Return a form as a validated model; raises Unprocessable with the first error."""
    # Forms carry fields for other purposes too, such as the form token.
    fields = {name: value for name, value in form.items() if name in kind.model_fields}
    try:
        return kind.model_validate(fields)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        why = in_own_words(first["msg"])
        says = f"{place.replace('_', ' ')}: {why[:1].lower()}{why[1:]}"
        fault = RequestFault(f"/{place}", first["type"], says)
        raise Unprocessable(says, (fault,)) from None


def revision_shown(form: Mapping[str, str]) -> int:
    """Return the revision of the case that the form's page showed; NEVER without a valid one."""
    shown = form.get("shown", "")
    return int(shown) if shown.isdecimal() and len(shown) < 10 else NEVER


@dataclass(frozen=True)
class RefusedForm:
    """A refused form with its entered values, so that none is lost.

    `act` is what it was to do, `wrong_field` the invalid field, if any. `seen` is the revision of
    its page, if the case may have changed since.
    """

    status: int
    says: str
    act: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    wrong_field: str = ""
    seen: int | None = None

    @classmethod
    def of_error(cls, error: ServingError, act: str, fields: Mapping[str, str]) -> "RefusedForm":
        """Return the form of an act that failed."""
        pointer = error.faults[0].pointer if error.faults else ""
        seen = revision_shown(fields) if isinstance(error, Conflict) else None
        return cls(error.status, error.in_words, act, fields, pointer.removeprefix("/"), seen)
