"""Files attached to cases: which are accepted, and how they are stored.

The type is derived from the content alone; neither the name nor the sender is trusted, and the file
is named after its real type. It is stored under the digest of its content and served as a download
only, so that no browser executes it under our origin.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from serving.errors import BodyTooLarge, MediaTypeUnsupported, Unprocessable
from serving.language import say

MAX_TO_A_CASE = 50
A_DAY = timedelta(hours=24)
MAX_NAME_LENGTH = 120

_BEGINNINGS = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
}
# Control characters other than tab and line ends, which no text file contains.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
ENDINGS = {
    "application/pdf": ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/tiff": ".tif",
    "text/plain; charset=utf-8": ".txt",
}
# Characters with a meaning for file systems, shells or headers.
_SIGNS = re.compile(r'[<>:"|?*;%`$&\\/]')
_ENDINGS_OF_OTHERS = re.compile(r"(\s*\.\s*[^\W\d_][^\W_]{0,9})+$")
_NAMES_OF_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


@dataclass(frozen=True)
class AttachmentQuota:
    """The limits of attachments: bytes per case, and bytes per actor in 24 hours."""

    case_bytes: int = 32 * 1024 * 1024
    bytes_per_day: int = 256 * 1024 * 1024


def file_too_large(most_bytes: int) -> BodyTooLarge:
    """Return the error for a file of more than `most_bytes`."""
    return BodyTooLarge(say("a file may have {most_bytes} bytes", most_bytes=str(most_bytes)))


@dataclass(frozen=True)
class AttachedFile:
    """A file without its content: SHA-256 (hexadecimal), name, media type and size."""

    sha256: str
    name: str
    media_type: str
    size_bytes: int

    @classmethod
    def from_upload(cls, name: str, content: bytes, most_bytes: int) -> Self:
        """Return an uploaded file; raises BodyTooLarge or Unprocessable."""
        if len(content) > most_bytes:
            raise file_too_large(most_bytes)
        if not content:
            raise Unprocessable("the file is empty")
        sha256, media_type = hashlib.sha256(content).hexdigest(), _media_type(content)
        return cls(sha256, named_after(name, media_type), media_type, len(content))


def named_after(name: str, media_type: str) -> str:
    """Return a safe file name with the one ending of its real type; raises Unprocessable.

    >>> named_after("C:\\\\run.bat", "text/plain; charset=utf-8")
    'run.txt'
    >>> named_after("2026.11.24 invoice.pdf.exe", "application/pdf")
    '2026-11-24 invoice.pdf'
    """
    composed = unicodedata.normalize("NFKC", name)
    # Whitespace becomes a blank. Invisible characters are dropped: some reverse the text after
    # them.
    shown = "".join(
        " " if each.isspace() else each for each in composed if each.isprintable() or each.isspace()
    )
    last = " ".join(re.split(r"[/\\]", shown)[-1].split())
    if not last:
        raise Unprocessable("a file needs a name")
    stem = _ENDINGS_OF_OTHERS.sub("", last.strip(" .")) or "file"
    stem = _SIGNS.sub("_", stem).replace(".", "-").strip(" -") or "file"
    # Windows opens a device for such a name, whatever its ending.
    if _NAMES_OF_DEVICES.fullmatch(stem):
        stem = f"_{stem}"
    ending = ENDINGS[media_type]
    return stem[: MAX_NAME_LENGTH - len(ending)].rstrip(" -") + ending


def _media_type(content: bytes) -> str:
    for beginning, media_type in _BEGINNINGS.items():
        if content.startswith(beginning):
            return media_type
    if _is_text(content):
        return "text/plain; charset=utf-8"
    raise MediaTypeUnsupported("attach PDF, PNG, JPEG, TIFF or plain text")


def _is_text(content: bytes) -> bool:
    try:
        return not _NO_TEXT.search(content.decode())
    except UnicodeDecodeError:
        return False
