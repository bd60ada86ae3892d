"""Security headers of all answers and of the console's pages.

A page may load and run only files of this service; any other answer may load nothing. Caches
store no answer unless it allows them to.
"""

from collections.abc import Iterable

ANSWER_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Headers of an answer that does not set its own.
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
    """Return the headers of an answer with the security headers, which override its own.

    The defaults apply to what the answer does not set: no caching, no framing, no scripts.
    """
    others = [header for header in headers if header[0] not in _OWN]
    said = {name for name, _ in others}
    others += [header for header in _BY_DEFAULT if header[0] not in said]
    return [*others, (b"x-request-id", request_id.encode()), *_ENCODED]
