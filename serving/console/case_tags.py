"""Forms that set a tag on a case or remove one."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from serving.console.browser_session import TheSession
from serving.console.case_page import ThePageAsked, case_page
from serving.console.csrf import SignedForm
from serving.console.forms import RefusedForm
from serving.console.pages import PageRoute
from serving.console.readers import MayReview
from serving.errors import Conflict, Unprocessable
from serving.review.acts.tags import Tagging, tag_case
from serving.review.cases.reviewer import Reviewer
from serving.web.services import TheServices

router = APIRouter(prefix="/console/cases", include_in_schema=False, route_class=PageRoute)


@router.post("/{case_id}/tags")
def change_tags(
    services: TheServices,
    caller: MayReview,
    session: TheSession,
    asked: ThePageAsked,
    form: SignedForm,
    case_id: str,
) -> Response:
    """Set the tag `add` of a form, or remove its `remove`, and show the case again."""
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    try:
        tag_case(services.cases, reviewer, case_id, now, read_tagging(form))
    except (Conflict, Unprocessable) as refusal:
        refused = RefusedForm.of_error(refusal, "tags", form)
        return case_page(services, caller, session, case_id, asked, refused)
    if asked.filters.tab is None:
        return RedirectResponse(f"/console/cases/{case_id}", 303)
    return RedirectResponse(asked.filters.case_address(case_id, done=case_id), 303)


def read_tagging(form: dict[str, str]) -> Tagging:
    """What a form does with tags; raises Unprocessable where it names none."""
    stated = {name: [form[name]] for name in ("add", "remove") if form.get(name, "").strip()}
    return Tagging.from_texts(**stated)
