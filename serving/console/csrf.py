"""Forms of the console's own pages: those of other sites (CSRF) are refused."""

import hmac
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request

from serving.console.browser_session import TheSession
from serving.errors import Forbidden, Unprocessable
from serving.web.bodies import body_within
from serving.web.hosts import own_origins

LARGEST_FORM = 32_768  # bytes
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

    Raises BodyTooLarge or Unprocessable for one that no page of ours sends.
    """
    refuse_foreign(request)
    body = await body_within(request, LARGEST_FORM)
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Unprocessable(f"a form of ours has at most {MOST_FIELDS} fields") from None
    return {name: values[0].strip() for name, values in fields.items()}


OwnForm = Annotated[dict[str, str], Depends(own_form)]


async def signed_form(session: TheSession, form: OwnForm) -> dict[str, str]:
    """The fields of a form that this session's page sent; raises Forbidden for any other."""
    if not hmac.compare_digest(form.get("form_token", "").encode(), session.form_token.encode()):
        raise Forbidden("this form was not sent from the console")
    return form


SignedForm = Annotated[dict[str, str], Depends(signed_form)]
