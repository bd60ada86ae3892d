"""The form that asks why somebody reads what their work did not bring."""

from starlette.responses import HTMLResponse

from serving.access.acting import tell_audit
from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.console.forms import RefusedForm
from serving.console.pages import page
from serving.review.acts.justifications import STATED


def justification_form(
    session: Session, caller: Caller, address: str, refused: RefusedForm | None
) -> HTMLResponse:
    """The form before the page at `address`, with what was refused, if it was.

    What was written into a form that cannot be sent any more is shown, not kept.
    """
    tell_audit(is_justification_asked=True)  # and nothing else is shown
    return page(
        "justify.html",
        status=200 if refused is None else refused.status,
        reader=caller,
        session=session,
        address=address,
        codes=list(STATED.items()),
        refused=refused,
    )
