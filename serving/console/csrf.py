"""Forms of the console's own pages: those of other sites (CSRF) are refused."""

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

LARGEST_FORM = 32_768  # bytes
LARGEST_FORM_OF_A_STRANGER = 8_192  # of whoever signs in
MOST_FIELDS = 32


def refuse_foreign(request: Request) -> None:
    """Raise Forbidden for a form that a page of another origin sent.

    A browser says where a form comes from; whoever is no browser carries no one's cookie.
    """
    origin = request.headers.get("origin")
    is_foreign = origin is not None and origin not in own_origins(request)
    if is_foreign or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Forbidden("this form was not sent from the console")


async def own_form(request: Request) -> dict[str, str]:
    """The fields of a form that our own page sent; raises Forbidden for one from elsewhere.

    Raises BodyTooLarge or Unprocessable for one that no page of ours sends. Passwords are as they
    were typed; all else is without spaces around.
    """
    refuse_foreign(request)
    if (read := getattr(request.state, "own_form", None)) is not None:
        known: dict[str, str] = read
        return known
    guard = guard_of(request)
    most = LARGEST_FORM
    if guard is not None and not guard.is_admitted:
        most = LARGEST_FORM_OF_A_STRANGER
        guard.allow_stranger(most)
    body = await body_within(request, most)
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Unprocessable(
            say("a form of ours has at most {most_fields} fields", most_fields=MOST_FIELDS)
        ) from None
    refuse_nul(*fields, *(value for values in fields.values() for value in values))
    request.state.own_form = form = {
        name: values[0] if "password" in name else values[0].strip()
        for name, values in fields.items()
    }
    return form


def refuse_nul(*texts: str) -> None:
    """Raise Unprocessable for texts with the character NUL, which not every database stores."""
    if any("\0" in text for text in texts):
        raise Unprocessable("a form of ours has no character NUL")


OwnForm = Annotated[dict[str, str], Depends(own_form)]


async def signed_form(session: TheSession, form: OwnForm) -> dict[str, str]:
    """The fields of a form that this session's page sent; raises Forbidden for any other."""
    return _signed(session, form)


SignedForm = Annotated[dict[str, str], Depends(signed_form)]


async def step_form(session: OpenSession, form: OwnForm) -> dict[str, str]:
    """The same, of whoever may not have finished signing in."""
    return _signed(session, form)


StepForm = Annotated[dict[str, str], Depends(step_form)]


def _signed(session: Session, form: dict[str, str]) -> dict[str, str]:
    if not hmac.compare_digest(form.get("form_token", "").encode(), session.form_token.encode()):
        raise Forbidden("this form was not sent from the console")
    return form
