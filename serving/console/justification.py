"""The form that asks why somebody reads what their work did not bring."""

from starlette.responses import HTMLResponse

from serving.access.acting import tell_audit
from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.console.pages import page
from serving.review.justifications import STATED


def justification_form(
    session: Session, caller: Caller, address: str, refusal: str | None, words_left: str = ""
) -> HTMLResponse:
    """The form before the page at `address`, with why what was stated is refused, if it is.

    `words_left` were written into a form that cannot be sent any more; they are shown, not kept.
    """
    tell_audit(is_justification_asked=True)  # and nothing else is shown
    return page(
        "justify.html",
        status=200 if refusal is None else 409,
        reader=caller,
        session=session,
        address=address,
        codes=list(STATED.items()),
        refusal=refusal,
        words_left=words_left,
    )
