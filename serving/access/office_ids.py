"""Offices that accounts and keys are tied to: any id that a record may carry, and no other."""

from collections.abc import Iterable

from pydantic import TypeAdapter, ValidationError

from features.field_types import OfficeId
from serving.errors import Unprocessable
from serving.language import say

_OFFICE_ID: TypeAdapter[str] = TypeAdapter(OfficeId)


def require_offices(office_ids: Iterable[str]) -> tuple[str, ...]:
    """The ids without repetition, in their order; raises Unprocessable for what no record names."""
    named = tuple(dict.fromkeys(office_ids))
    for office_id in named:
        try:
            _OFFICE_ID.validate_python(office_id)
        except ValidationError:
            raise Unprocessable(
                say(
                    "`{office_id}` is no office id; "
                    "want 1 to 64 letters A to Z, digits and . _ : / -",
                    office_id=office_id,
                )
            ) from None
    return named
