"""Calls to the few servers that the settings name: short, bounded, and never sent elsewhere."""

import re
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from serving.access.call_deadlines import CallDeadline
from serving.access.errors import AddressRefused, AnswerTooLarge

# Each wait for the other side.
LONGEST_S = 5.0
# From the connection to the end of the answer.
LONGEST_CALL_S = 10.0
MOST_BYTES = 1_000_000
LOOPBACK = {"127.0.0.1", "::1", "localhost"}

_PIECE_BYTES = 1 << 16
_PARTIAL, _NO_SUCH_RANGE = 206, 416
_RANGE = re.compile(r"bytes [0-9]{1,18}-([0-9]{1,18})/([0-9]{1,18})")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: what is sent was meant for one address."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


class _Call(urllib.request.Request):
    """A request, and the end of its time."""

    deadline: CallDeadline


class _InTime(HTTPConnection):
    """A connection that is broken off at the end of its call's time."""

    def __init__(self, *given: Any, deadline: CallDeadline, **named: Any):
        super().__init__(*given, **named)
        self._deadline = deadline

    def connect(self) -> None:
        super().connect()
        connected = self.sock  # urllib lets go of it once the head of the answer is there
        self._deadline.begin(lambda: connected)


class _InTimeByTls(_InTime, HTTPSConnection):
    """The same by TLS, whose handshake is one wait."""


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
    most: int = MOST_BYTES,
    longest_s: float | None = None,
) -> bytes:
    """All that an address answers: to a GET, or to a POST of a body.

    Raises AddressRefused before anything is sent; OSError where the call fails, takes longer than
    `longest_s` (LONGEST_CALL_S), or is not answered with a 2xx, or with what is no HTTP or broke
    off: AnswerTooLarge where it has more than `most` bytes.
    """
    content = bytearray()
    with _answered(address, body, headers, longest_s) as answer:
        for piece in _pieces(answer):
            content += piece
            if len(content) > most:
                raise AnswerTooLarge(most)
    return bytes(content)


def fetch_end(address: str, most: int) -> bytes:
    """The last bytes of what an address answers to a GET; raises as `fetch`, whatever its size.

    They are asked for alone. Where a server answers everything, no more of it is kept.
    """
    for headers in ({"Range": f"bytes=-{most}"}, {}):
        try:
            with _answered(address, None, headers) as answer:
                if answer.status != _PARTIAL or _is_to_the_end(answer):
                    kept = b""
                    for piece in _pieces(answer):
                        kept = (kept + piece)[-most:]
                    return kept
        except HTTPError as refused:
            if refused.code != _NO_SUCH_RANGE:
                raise
    raise OSError("the answer is a part that was not asked for")


def send(address: str, body: bytes, headers: Mapping[str, str]) -> None:
    """POST a body; raises as `fetch`. Of an answer no more than the head is read."""
    with _answered(address, body, headers):
        pass


@contextmanager
def _answered(
    address: str,
    body: bytes | None,
    headers: Mapping[str, str],
    longest_s: float | None = None,
) -> Iterator[HTTPResponse]:
    """The answer with a 2xx while it is read; raises as `fetch` says."""
    refuse_unsafe(address)
    with CallDeadline(longest_s or LONGEST_CALL_S) as deadline:
        call = _Call(address, body, dict(headers))
        call.deadline = deadline
        try:
            with _OPENER.open(call, timeout=LONGEST_S) as answer:
                yield answer
        except HTTPException as garbled:
            raise OSError(f"the answer is no HTTP: {type(garbled).__name__}") from garbled
        if deadline.is_over:
            raise TimeoutError("the answer was broken off")


def _pieces(answer: HTTPResponse) -> Iterator[bytes]:
    while piece := answer.read(_PIECE_BYTES):
        yield piece
    if answer.length:
        raise OSError("the answer broke off")


def _is_to_the_end(answer: HTTPResponse) -> bool:
    """Return whether a part of an answer is its last one; a range may look like a beginning."""
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    return found is not None and int(found[1]) + 1 == int(found[2])


def refuse_unsafe(address: str) -> None:
    """Raise AddressRefused for what is not https, nor on this machine."""
    parts = urlsplit(address)
    is_here = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not (is_here or (parts.scheme == "https" and parts.hostname)) or parts.username:
        raise AddressRefused("want an https address without a name and password in it")
