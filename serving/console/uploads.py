"""Parsing of a form with one file (multipart/form-data, RFC 7578)."""

import hmac
import re
from dataclasses import dataclass
from typing import Annotated, Self
from urllib.parse import unquote

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from serving.console.browser_session import TheSession
from serving.console.csrf import refuse_foreign, refuse_nul
from serving.errors import BodyMalformed, BodyTooLarge, Forbidden
from serving.review.acts.attachments import file_too_large
from serving.web.bodies import body_within
from serving.web.services import TheServices

# Allowance for boundaries, headers and short fields next to the file.
ROOM_FOR_THE_REST = 8_192
# Number of boundaries, including the last one.
MAX_PARTS = 16
# Bytes of the headers of one part.
MAX_HEADING_LENGTH = 2_048

# RFC 2046 limits boundaries to these 70 characters.
_BOUNDARY = re.compile(r'multipart/form-data; *boundary="?([A-Za-z0-9\'()+_,./:=?-]{1,70})"?')
_NAME = re.compile(r'[; ]name="([^"]*)"')
_FILE_NAME = re.compile(r'[; ]filename="([^"]*)"')


@dataclass(frozen=True)
class Upload:
    """Short fields of a form, and the name and content of its file."""

    fields: dict[str, str]
    file_name: str
    content: bytes

    @classmethod
    def read(cls, content_type: str, body: bytes) -> Self:
        """Return the form in a body; raises BodyMalformed if it is none or has no file."""
        found = _BOUNDARY.fullmatch(content_type)
        if found is None:
            raise BodyMalformed("want a form with a file")
        fields: dict[str, str] = {}
        file: tuple[str, bytes] | None = None
        for heading, content in _parts(body, found[1].encode()):
            name, file_name = _NAME.search(heading), _FILE_NAME.search(heading)
            if file_name:
                # Browsers escape quotes in file names by percent encoding.
                file = unquote(file_name[1]), content
            elif name:
                fields[name[1]] = content.decode("utf-8", "replace").strip()
        if file is None:
            raise BodyMalformed("the form has no file")
        return cls(fields, *file)


def _parts(body: bytes, boundary: bytes) -> list[tuple[str, bytes]]:
    """Return heading and content of every part."""
    # At most one more split than allowed: a body full of boundaries costs no more than that.
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary, MAX_PARTS + 1)
    if len(parts) > MAX_PARTS or not parts or not parts[-1].startswith(b"--"):
        raise BodyMalformed("the form is not whole")
    split = [part.removeprefix(b"\r\n").partition(b"\r\n\r\n") for part in parts[:-1]]
    if any(len(heading) > MAX_HEADING_LENGTH for heading, _, _ in split):
        raise BodyMalformed("the form is not one of ours")
    return [(heading.decode("utf-8", "replace"), content) for heading, _, content in split]


async def signed_upload(request: Request, services: TheServices, session: TheSession) -> Upload:
    """Return the upload of this session's page; raises Forbidden for any other."""
    refuse_foreign(request)
    most_bytes = services.settings.max_attachment_bytes
    try:
        body = await body_within(request, most_bytes + ROOM_FOR_THE_REST)
    except BodyTooLarge:
        raise file_too_large(most_bytes) from None
    content_type = request.headers.get("content-type", "")
    # Splitting megabytes would block the event loop.
    upload = await run_in_threadpool(Upload.read, content_type, body)
    refuse_nul(upload.file_name, *upload.fields, *upload.fields.values())
    token = upload.fields.get("form_token", "")
    if not hmac.compare_digest(token.encode(), session.form_token.encode()):
        raise Forbidden("this form was not sent from the console")
    return upload


SignedUpload = Annotated[Upload, Depends(signed_upload)]
