"""`/v1/cases/{id}/attachments`: files of a case, by the same rules as the console."""

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from serving.api.case_answers import CASE_PROBLEMS
from serving.api.openapi import problems
from serving.errors import BodyTooLarge, MediaTypeUnsupported
from serving.review.acts.attachments import ENDINGS, file_too_large
from serving.review.cases.case_records import CaseFile
from serving.review.cases.reviewer import Reviewer
from serving.web.attached_files import attach_as_sent, handed_out
from serving.web.authentication import MayReviewOrRescue
from serving.web.bodies import OCTETS, body_within
from serving.web.closed_routes import ClosedRoute
from serving.web.services import TheServices

router = APIRouter(
    prefix="/v1/cases/{case_id}/attachments", tags=["review"], route_class=ClosedRoute
)

BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself, under whatever content type: its content says what it is.",
        "content": {OCTETS: BINARY},
    }
}


class FileQuery(BaseModel):
    """The name of a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=400,
            description="The last part of a path is kept, with the extension of the file's type.",
            examples=["invoice.pdf"],
        ),
    ]


class CaseAttachment(BaseModel):
    """A file of a case, without its content; `attached_by_id` is the identity behind the name."""

    sha256: str = Field(description="SHA-256 of the content, hexadecimal: by it a file is read.")
    name: str = Field(description="`masked` or `erased` once the name is no longer shown.")
    media_type: str
    size_bytes: int
    attached_at: datetime
    attached_by: str
    attached_by_id: str

    @classmethod
    def from_file(cls, file: CaseFile) -> Self:
        """Return the response for a file."""
        names = ("sha256", "name", "media_type", "size_bytes", "attached_at")
        by = {"attached_by": file.attacher.name, "attached_by_id": file.attacher.identity}
        return cls.model_validate({name: getattr(file, name) for name in names} | by)


class CaseAttachments(BaseModel):
    """The files of a case, the oldest first."""

    case_id: str
    attachments: list[CaseAttachment]


@router.get("", responses=problems(s404="No such case that this key may see."))
def list_attachments(
    services: TheServices, caller: MayReviewOrRescue, case_id: str
) -> CaseAttachments:
    """List the files of a case, without their contents."""
    row, _ = services.cases.case(Reviewer.from_caller(caller), case_id)
    files = [CaseAttachment.from_file(file) for file in services.cases.attached(row)]
    return CaseAttachments(case_id=case_id, attachments=files)


@router.post(
    "",
    openapi_extra=FILE_BODY,
    responses=CASE_PROBLEMS
    | problems(
        s409="The case has a file with this very content.",
        s413="The file is too large.",
        s507="The disk is almost full; nothing was stored.",
        s415="The file is neither PDF, PNG, JPEG, TIFF nor plain text, or the body is compressed.",
        s422="The name or the file is refused, the deployer's scanner did not let it pass, or the "
        "case has as many files, or bytes of files, as it may.",
    ),
)
async def attach_file(
    request: Request,
    services: TheServices,
    caller: MayReviewOrRescue,
    case_id: str,
    query: Annotated[FileQuery, Query()],
) -> CaseAttachment:
    """Attach a file to an open or closed case: PDF, PNG, JPEG, TIFF or plain text, at most 50.

    The file is scanned if the installation has a scanner, and stored encrypted with its case. The
    case history records who attached it.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise MediaTypeUnsupported("send the body without Content-Encoding")
    most = services.settings.max_attachment_bytes
    try:
        content = await body_within(request, most)
    except BodyTooLarge:
        # The general error speaks of a body; this one states the limit of a file.
        raise file_too_large(most) from None
    # A scan and an insert take long, so keep them off the event loop.
    file = await run_in_threadpool(attach_as_sent, services, caller, case_id, query.name, content)
    return CaseAttachment.from_file(file)


@router.get(
    "/{sha256}",
    response_class=Response,
    responses={
        200: {
            "description": "The content, as a download.",
            "content": {media.partition(";")[0]: BINARY for media in ENDINGS},
        },
        **problems(s404="No such case or file that this key may see."),
    },
)
def read_attachment(
    services: TheServices, caller: MayReviewOrRescue, case_id: str, sha256: str
) -> Response:
    """Return the exact content of a file; the case history records the read.

    The files of a masked case are refused (403).
    """
    return handed_out(services, caller, case_id, sha256)
