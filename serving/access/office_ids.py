"""Ids of offices: syntax, and the check that an office is known."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from pydantic import TypeAdapter, ValidationError

from features.field_types import OfficeId
from serving.errors import RequestFault, Unprocessable
from serving.language import say

_OFFICE_ID: TypeAdapter[str] = TypeAdapter(OfficeId)


def require_offices(office_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the ids without duplicates, in order; raises Unprocessable for invalid ones."""
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


def require_known_office(office_id: str, known: Collection[str], field: str) -> None:
    """Raise Unprocessable for an unknown office, where nobody would see the case.

    If no office is known at all, any is accepted. `field` is the field with the id.
    """
    if not known or office_id in known:
        return
    near = nearest_name(office_id, known)
    if near is None:
        says = say(
            "no such office is known here: it becomes known by an account, a key or the plan of "
            "the lanes"
        )
    else:
        says = say("no such office is known here; the nearest one is {office_id}", office_id=near)
    raise Unprocessable(
        says, (RequestFault(f"/{field}", "unknown_office", says),), code="office-unknown"
    )


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most similar to another one; None if none is similar."""
    by_folded = {each.casefold(): each for each in sorted(known)}
    found = get_close_matches(name.strip().casefold(), by_folded, n=1)
    return by_folded[found[0]] if found else None
