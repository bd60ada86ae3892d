"""Form that asks for a justification before a read that no assignment explains."""

from starlette.responses import HTMLResponse

from serving.access.acting import add_audit_details
from serving.access.callers import Caller
from serving.access.sessions import Session
from serving.console.forms import RefusedForm
from serving.console.pages import page
from serving.review.acts.justifications import STATED


def justification_form(
    session: Session, caller: Caller, address: str, refused: RefusedForm | None
) -> HTMLResponse:
    """Return the form shown before the page at `address`, with a refusal if any.

    Text in a form that can no longer be sent is shown, but not kept.
    """
    # The audit event then shows that nothing else was disclosed.
    add_audit_details(is_justification_asked=True)
    return page(
        "justify.html",
        status=200 if refused is None else refused.status,
        reader=caller,
        session=session,
        address=address,
        codes=list(STATED.items()),
        refused=refused,
    )
