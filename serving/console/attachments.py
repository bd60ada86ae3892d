"""Files of a case: attached by a form, and handed out as downloads that no browser opens."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from serving.access.callers import Caller
from serving.console.browser_session import ReaderWith, TheSession
from serving.console.cases import case_page
from serving.console.pages import PageRoute
from serving.console.uploads import SignedUpload
from serving.errors import BodyTooLarge, Conflict, MediaTypeUnsupported, Unprocessable
from serving.review.attachments import AttachedFile
from serving.review.cases import Reviewer
from serving.web.services import TheServices

router = APIRouter(
    prefix="/console/cases/{case_id}/attachments",
    include_in_schema=False,
    route_class=PageRoute,
)

MayRead = Annotated[Caller, Depends(ReaderWith("review", "audit"))]
MayReview = Annotated[Caller, Depends(ReaderWith("review"))]

AS_DOWNLOAD = {"Content-Security-Policy": "default-src 'none'; sandbox"}


@router.post("")
def attach(
    services: TheServices,
    caller: MayReview,
    session: TheSession,
    upload: SignedUpload,
    case_id: str,
) -> Response:
    """Put a file to a case; a refusal is shown on the page, in words."""
    most = services.settings.max_attachment_bytes
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    try:
        file = AttachedFile.from_upload(upload.file_name, upload.content, most)
        services.cases.attach(reviewer, case_id, now, file, upload.content)
    except (BodyTooLarge, MediaTypeUnsupported, Conflict, Unprocessable) as refusal:
        return case_page(services, caller, session, case_id, refusal=str(refusal))
    return RedirectResponse(f"/console/cases/{case_id}#files", 303)


@router.get("/{sha256}")
def download(services: TheServices, caller: MayRead, case_id: str, sha256: str) -> Response:
    """A file of a case; that it was read is written down."""
    file, content = services.cases.download(
        Reviewer.from_caller(caller), case_id, sha256, services.clock()
    )
    named = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
    headers = {**AS_DOWNLOAD, "Content-Disposition": named}
    return Response(content, headers=headers, media_type=file.media_type)
