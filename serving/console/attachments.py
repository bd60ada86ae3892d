"""Files of a case: attached by a form, and handed out as downloads that no browser opens.

Those of a rescue and of any other case have addresses of their own, on either side of the wall.
"""

import structlog
from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from serving.access.callers import Caller
from serving.audit.audit_log import AuditEvent
from serving.console.browser_session import TheSession
from serving.console.case_page import ThePageAsked, case_page
from serving.console.forms import RefusedForm
from serving.console.pages import PageRoute
from serving.console.readers import MayReadCase, MayRescue, MayReview
from serving.console.rescues import rescue_page
from serving.console.uploads import SignedUpload, Upload
from serving.container import Services
from serving.errors import BodyTooLarge, Conflict, MediaTypeUnsupported, Unprocessable
from serving.review.attachment_scan import require_clean
from serving.review.attachments import AttachedFile, named_after
from serving.review.errors import FileNotClean
from serving.review.reviewer import Reviewer
from serving.web.downloads import download_headers
from serving.web.services import TheServices

router = APIRouter(prefix="/console", include_in_schema=False, route_class=PageRoute)
log = structlog.get_logger(__name__)


REFUSALS = (BodyTooLarge, MediaTypeUnsupported, Conflict, Unprocessable)
SANDBOXED = {"Content-Security-Policy": "default-src 'none'; sandbox"}


@router.post("/cases/{case_id}/attachments")
def attach(
    services: TheServices,
    caller: MayReview,
    session: TheSession,
    asked: ThePageAsked,
    upload: SignedUpload,
    case_id: str,
) -> Response:
    """Put a file to a case; a refusal is shown on the page, in words."""
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
    """Put a file to a rescue; a refusal is shown on the page, in words."""
    if refused := _refused(services, caller, upload, case_id):
        return rescue_page(services, caller, session, case_id, refused)
    return RedirectResponse(f"/console/rescues/{case_id}#files", 303)


@router.get("/cases/{case_id}/attachments/{sha256}")
def download(services: TheServices, caller: MayReadCase, case_id: str, sha256: str) -> Response:
    """A file of a case; that it was read is written down."""
    return _handed_out(services, caller, case_id, sha256)


@router.get("/rescues/{case_id}/attachments/{sha256}")
def download_of_rescue(
    services: TheServices, caller: MayRescue, case_id: str, sha256: str
) -> Response:
    """A file of a rescue; that it was read is written down."""
    return _handed_out(services, caller, case_id, sha256)


def _refused(
    services: Services, caller: Caller, upload: Upload, case_id: str
) -> RefusedForm | None:
    """Attach the file of an upload; why it is refused, where it is."""
    most = services.settings.max_attachment_bytes
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    try:
        file = AttachedFile.from_upload(upload.file_name, upload.content, most)
        _require_clean(services, caller, file, upload.content)
        services.cases.attach(reviewer, case_id, now, file, upload.content)
    except REFUSALS as refusal:
        return RefusedForm(refusal.status, refusal.in_words, "attachments", wrong_field="file")
    return None


def _require_clean(services: Services, caller: Caller, file: AttachedFile, content: bytes) -> None:
    """Raise FileNotClean for what the deployer's scanner does not let pass; that is an event."""
    command = services.settings.attachment_scanner
    if command is None:
        return
    try:
        require_clean(content, command, services.settings.attachment_scan_s)
    except FileNotClean as refusal:
        log.warning("attachment_refused", cause=refusal.cause, sha256=file.sha256)
        details = {"cause": refusal.cause, "size_bytes": file.size_bytes}
        now = services.clock()
        services.audit_log.append(
            AuditEvent(now, caller.actor, "refuse", "attachment", file.sha256, details)
        )
        raise


def _handed_out(services: Services, caller: Caller, case_id: str, sha256: str) -> Response:
    file, content = services.cases.download(
        Reviewer.from_caller(caller), case_id, sha256, services.clock()
    )
    # Named anew, since files of before were kept under the names that they came by.
    name = named_after(file.name, file.media_type)
    headers = SANDBOXED | download_headers(name)
    return Response(content, headers=headers, media_type=file.media_type)
