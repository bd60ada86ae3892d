"""Security headers: those of every answer, and those of the console's pages.

A page runs and loads nothing but our own files, any other answer nothing at all. No cache keeps an
answer, unless it says otherwise.
"""

from collections.abc import Iterable

ANSWER_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Those of an answer that sets no others.
DEFAULT_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_ENCODED = [(name.lower().encode(), value.encode()) for name, value in ANSWER_HEADERS.items()]
_OWN = {b"x-request-id", *(name for name, _ in _ENCODED)}
_BY_DEFAULT = [(name.lower().encode(), value.encode()) for name, value in DEFAULT_HEADERS.items()]


def with_security_headers(
    headers: Iterable[tuple[bytes, bytes]], request_id: str
) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with ours, which nobody else sets.

    By default no cache keeps it, and no browser shows it in a frame or runs anything in it.
    """
    others = [header for header in headers if header[0] not in _OWN]
    said = {name for name, _ in others}
    others += [header for header in _BY_DEFAULT if header[0] not in said]
    return [*others, (b"x-request-id", request_id.encode()), *_ENCODED]
