"""HTTP calls to servers named in the settings, with limits and without redirects."""

import re
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from errno import EFBIG
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from serving.access.call_deadlines import CallDeadline
from serving.access.errors import AddressRefused

# Time limit of each socket operation.
MAX_S = 5.0
# Time limit from the connection to the end of the answer.
MAX_CALL_S = 10.0
MAX_BYTES = 1_000_000
LOOPBACK = {"127.0.0.1", "::1", "localhost"}

_PIECE_BYTES = 1 << 16
_PARTIAL, _NO_SUCH_RANGE = 206, 416
_RANGE = re.compile(r"bytes [0-9]{1,18}-([0-9]{1,18})/([0-9]{1,18})")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Handler that treats a redirect as an answer: the request was meant for one address only."""

    def redirect_request(self, *_: Any) -> None:
        """Return nothing, so that no redirect is followed."""


class _Call(urllib.request.Request):
    """Request with a deadline."""

    deadline: CallDeadline


class _InTime(HTTPConnection):
    """Connection that is closed at the deadline of its call."""

    def __init__(self, *given: Any, deadline: CallDeadline, **named: Any):
        super().__init__(*given, **named)
        self._deadline = deadline

    def connect(self) -> None:
        super().connect()
        # urllib drops `self.sock` once the head is read; keep it to close it at the deadline.
        connected = self.sock
        self._deadline.begin(lambda: connected)


class _InTimeByTls(_InTime, HTTPSConnection):
    """The same connection over TLS; the handshake counts as one operation."""


class _Http(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(partial(_InTime, deadline=_deadline_of(req)), req)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(partial(_InTimeByTls, deadline=_deadline_of(req)), req)


def _deadline_of(request: urllib.request.Request) -> CallDeadline:
    assert isinstance(request, _Call), "every call has an end"
    return request.deadline


_OPENER = urllib.request.build_opener(_NoRedirects, _Http, _Https)


def fetch(
    address: str,
    body: bytes | None = None,
    headers: Mapping[str, str] = {},
    *,
    most: int = MAX_BYTES,
    max_s: float | None = None,
) -> bytes:
    """Return the whole answer to a GET, or to a POST of `body`.

    Raises AddressRefused before anything is sent. Raises OSError if the call fails, takes longer
    than `max_s` (default MAX_CALL_S), has another status than 2xx, is no HTTP or breaks
    off, or has more than `most` bytes: a part is never taken for the whole.
    """
    content = bytearray()
    with _answered(address, body, headers, max_s) as answer:
        for piece in _pieces(answer):
            content += piece
            if len(content) > most:
                raise OSError(EFBIG, f"the answer has more than {most:,} bytes")
    return bytes(content)


def fetch_end(address: str, most: int) -> bytes:
    """Return the last `most` bytes of an answer; raises as `fetch`, for any size.

    It requests a range. If the server sends everything anyway, only the end is kept.
    """
    for headers in ({"Range": f"bytes=-{most}"}, {}):
        try:
            with _answered(address, None, headers) as answer:
                if answer.status != _PARTIAL or _is_to_the_end(answer):
                    kept = b""
                    for piece in _pieces(answer):
                        kept = (kept + piece)[-most:]
                    return kept
        # The server cannot serve such a range: ask for all of it.
        except HTTPError as refused:
            if refused.code != _NO_SUCH_RANGE:
                raise
    raise OSError("the answer is a part that was not asked for")


def send(address: str, body: bytes, headers: Mapping[str, str]) -> None:
    """POST a body; raises as `fetch`. Only the head of the answer is read."""
    with _answered(address, body, headers):
        pass


@contextmanager
def _answered(
    address: str,
    body: bytes | None,
    headers: Mapping[str, str],
    max_s: float | None = None,
) -> Iterator[HTTPResponse]:
    """Yield an answer with status 2xx while it is read; raises as `fetch`."""
    refuse_unsafe(address)
    with CallDeadline(max_s or MAX_CALL_S) as deadline:
        call = _Call(address, body, dict(headers))
        call.deadline = deadline
        try:
            with _OPENER.open(call, timeout=MAX_S) as answer:
                yield answer
        except HTTPException as garbled:
            raise OSError(f"the response is not HTTP: {type(garbled).__name__}") from garbled
        # An answer without a declared length ends normally when it is cut off.
        if deadline.is_over:
            raise TimeoutError("the answer was broken off")


def _pieces(answer: HTTPResponse) -> Iterator[bytes]:
    while piece := answer.read(_PIECE_BYTES):
        yield piece
    if answer.length:
        raise OSError("the answer broke off")


def _is_to_the_end(answer: HTTPResponse) -> bool:
    """Return whether a partial answer reaches the end of the file."""
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    return found is not None and int(found[1]) + 1 == int(found[2])


def refuse_unsafe(address: str) -> None:
    """Raise AddressRefused unless the address is https, or http on this machine."""
    parts = urlsplit(address)
    is_here = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not (is_here or (parts.scheme == "https" and parts.hostname)) or parts.username:
        raise AddressRefused("want an https address without a name and password in it")
