"""Protection of the console's forms against cross-site request forgery (CSRF)."""

import hmac
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request

from serving.access.sessions import Session
from serving.console.browser_session import OpenSession, TheSession
from serving.errors import Forbidden, Unprocessable
from serving.language import say
from serving.web.admission import guard_of
from serving.web.bodies import body_within
from serving.web.hosts import own_origins

# Bytes of a form, whose longest text has 4,000 characters.
MAX_FORM = 32_768
MAX_FORM_OF_A_STRANGER = 8_192  # before sign-in is complete
MAX_FIELDS = 32


def refuse_foreign(request: Request) -> None:
    """Raise Forbidden for a form sent by a page of another origin.

    Browsers state the origin of a form. Other clients have no cookie of a signed-in person to
    abuse.
    """
    origin = request.headers.get("origin")
    is_foreign = origin is not None and origin not in own_origins(request)
    if is_foreign or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Forbidden("this form was not sent from the console")


async def own_form(request: Request) -> dict[str, str]:
    """Return the fields of a form from a console page; raises Forbidden for other origins.

    Raises BodyTooLarge or Unprocessable for forms that no console page sends. All values but
    passwords are stripped of surrounding spaces.
    """
    refuse_foreign(request)
    # Several dependencies need the form, but a body can be read only once.
    if (read := getattr(request.state, "own_form", None)) is not None:
        known: dict[str, str] = read
        return known
    guard = guard_of(request)
    most = MAX_FORM
    if guard is not None and not guard.is_admitted:
        most = MAX_FORM_OF_A_STRANGER
        guard.allow_stranger(most)
    body = await body_within(request, most)
    try:
        # The number of fields is limited, because parsing many tiny ones is slow.
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Unprocessable(
            say("a form of ours has at most {max_fields} fields", max_fields=MAX_FIELDS)
        ) from None
    refuse_nul(*fields, *(value for values in fields.values() for value in values))
    request.state.own_form = form = {
        name: values[0] if "password" in name else values[0].strip()
        for name, values in fields.items()
    }
    return form


def refuse_nul(*texts: str) -> None:
    """Raise Unprocessable for texts with NUL, which PostgreSQL cannot store."""
    if any("\0" in text for text in texts):
        raise Unprocessable("a form of ours has no character NUL")


OwnForm = Annotated[dict[str, str], Depends(own_form)]


async def signed_form(session: TheSession, form: OwnForm) -> dict[str, str]:
    """Return the fields of a form with this session's token; raises Forbidden otherwise."""
    return _signed(session, form)


SignedForm = Annotated[dict[str, str], Depends(signed_form)]


async def step_form(session: OpenSession, form: OwnForm) -> dict[str, str]:
    """Return the fields of such a form while sign-in may be incomplete."""
    return _signed(session, form)


StepForm = Annotated[dict[str, str], Depends(step_form)]


def _signed(session: Session, form: dict[str, str]) -> dict[str, str]:
    # Compare in constant time, so that timing does not reveal how much of a token is right.
    if not hmac.compare_digest(form.get("form_token", "").encode(), session.form_token.encode()):
        raise Forbidden("this form was not sent from the console")
    return form
