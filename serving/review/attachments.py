"""A file that is attached to a case: what may be one, and what is kept of it.

What a file is, its content says; neither its name nor whoever sends it is believed. It is kept by
the digest of its content and handed out as a download only, so that no browser runs it in our name.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

from serving.errors import BodyTooLarge, MediaTypeUnsupported, Unprocessable

MOST_TO_A_CASE = 50
LONGEST_NAME = 120

_BEGINNINGS = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
}
# Of what no text has: control characters beside tab and ends of lines.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NO_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class AttachedFile:
    """What is known of a file: the SHA-256 of its content (hexadecimal), name, kind and size."""

    sha256: str
    name: str
    media_type: str
    size_bytes: int

    @classmethod
    def from_upload(cls, name: str, content: bytes, most_bytes: int) -> Self:
        """A file as it was sent; raises BodyTooLarge, MediaTypeUnsupported or Unprocessable."""
        if len(content) > most_bytes:
            raise BodyTooLarge(f"a file may have {most_bytes} bytes")
        sha256 = hashlib.sha256(content).hexdigest()
        return cls(sha256, _plain(name), _media_type(content), len(content))


def _plain(name: str) -> str:
    """The last part of a name, without what could hide how it ends."""
    last = re.split(r"[/\\]", _NO_NAME.sub("", name))[-1].strip()
    if not last:
        raise Unprocessable("a file needs a name")
    return last[-LONGEST_NAME:]


def _media_type(content: bytes) -> str:
    for beginning, media_type in _BEGINNINGS.items():
        if content.startswith(beginning):
            return media_type
    if content and _is_text(content):
        return "text/plain; charset=utf-8"
    raise MediaTypeUnsupported("attach PDF, PNG, JPEG, TIFF or plain text")


def _is_text(content: bytes) -> bool:
    try:
        return not _NO_TEXT.search(content.decode())
    except UnicodeDecodeError:
        return False
