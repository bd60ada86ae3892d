"""Files of a case: uploaded by a form, and sent as downloads that browsers do not open.

Rescues have addresses of their own, so that their permissions stay separate.
"""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from serving.access.callers import Caller
from serving.console.browser_session import TheSession
from serving.console.case_page import ThePageAsked, case_page
from serving.console.forms import RefusedForm
from serving.console.page_scopes import MayReadCase, MayRescue, MayReview
from serving.console.pages import PageRoute
from serving.console.rescues import rescue_page
from serving.console.uploads import SignedUpload, Upload
from serving.container import Services
from serving.errors import BodyTooLarge, Conflict, MediaTypeUnsupported, Unprocessable
from serving.web.attached_files import attach_as_sent, handed_out
from serving.web.services import TheServices

router = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)
REFUSALS = (BodyTooLarge, Conflict, MediaTypeUnsupported, Unprocessable)


@router.post("/cases/{case_id}/attachments")
def attach(
    services: TheServices,
    caller: MayReview,
    session: TheSession,
    asked: ThePageAsked,
    upload: SignedUpload,
    case_id: str,
) -> Response:
    """Attach a file to a case; a refusal is shown on the page."""
    if refused := _refused(services, caller, upload, case_id):
        return case_page(services, caller, session, case_id, asked, refused)
    return RedirectResponse(f"/console/cases/{case_id}#files", 303)


@router.post("/rescues/{case_id}/attachments")
def attach_to_rescue(
    services: TheServices,
    caller: MayRescue,
    session: TheSession,
    upload: SignedUpload,
    case_id: str,
) -> Response:
    """Attach a file to a rescue; a refusal is shown on the page."""
    if refused := _refused(services, caller, upload, case_id):
        return rescue_page(services, caller, session, case_id, refused)
    return RedirectResponse(f"/console/rescues/{case_id}#files", 303)


@router.get("/cases/{case_id}/attachments/{sha256}")
def download(services: TheServices, caller: MayReadCase, case_id: str, sha256: str) -> Response:
    """Send a file of a case and record the access."""
    return handed_out(services, caller, case_id, sha256)


@router.get("/rescues/{case_id}/attachments/{sha256}")
def download_of_rescue(
    services: TheServices, caller: MayRescue, case_id: str, sha256: str
) -> Response:
    """Send a file of a rescue and record the access."""
    return handed_out(services, caller, case_id, sha256)


def _refused(
    services: Services, caller: Caller, upload: Upload, case_id: str
) -> RefusedForm | None:
    """Attach an uploaded file; return the refusal, or None on success."""
    try:
        attach_as_sent(services, caller, case_id, upload.file_name, upload.content)
    except REFUSALS as refusal:
        # Other errors, such as a lack of rights, get an error page.
        return RefusedForm(refusal.status, refusal.in_words, "attachments", wrong_field="file")
    return None
