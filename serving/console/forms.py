"""The fields of a form as a checked body."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from serving.errors import Unprocessable

FormBody = TypeVar("FormBody", bound=BaseModel)


def read_form(kind: type[FormBody], form: dict[str, str]) -> FormBody:
    """The fields of a form as a body; raises Unprocessable with the first thing that is wrong."""
    fields = {name: value for name, value in form.items() if name in kind.model_fields}
    try:
        return kind.model_validate(fields)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"])).replace("_", " ")
        raise Unprocessable(f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}") from None
