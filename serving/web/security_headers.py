"""Security headers: those of every answer, and those of the console's pages.

A page runs and loads nothing but our own files. No cache keeps an answer, unless it says otherwise.
"""

from collections.abc import Iterable

ANSWER_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
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
_CACHE = b"cache-control"


def with_security_headers(
    headers: Iterable[tuple[bytes, bytes]], request_id: str
) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with ours, which nobody else sets; by default no cache keeps it."""
    others = [header for header in headers if header[0] not in _OWN]
    if not any(name == _CACHE for name, _ in others):
        others.append((_CACHE, b"no-store"))
    return [*others, (b"x-request-id", request_id.encode()), *_ENCODED]
