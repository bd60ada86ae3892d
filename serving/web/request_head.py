"""Limits on request line, headers and cookies, checked before the caller is known.

Python's `http.cookies` parses cookies; its unquoting takes quadratic time before 3.11.10 and
3.12.6 (CVE-2024-7592). So only Tidegate's own cookies pass, and only those that need no
unquoting.
"""

import re
from collections.abc import Iterator

from starlette.types import Scope

from serving.errors import NotFound, ServingError

MAX_HEAD = 16 * 1024  # bytes of request line and headers
MAX_COOKIES = 4 * 1024  # bytes of all cookies, with their names

# Headers that decide on security. If one is repeated, a proxy could use the first value and the
# service the last.
GIVEN_ONCE = (
    *(b"authorization", b"content-type", b"content-encoding", b"idempotency-key"),
    *(b"origin", b"sec-fetch-site", b"tidegate-purpose"),
)

# Prefixes of the names of the console's cookies.
OUR_COOKIES = ("tidegate", "__Host-tidegate")

# Octets of a cookie's value by RFC 6265.
_PLAIN = re.compile(r"[!#-+\--:<-\[\]-~]*")
_COLON_AND_LINE_END = 4  # bytes of each header besides its name and value
# Bytes of the request line in addition to method and address.
_OF_REQUEST_LINE = 12


def refuse_head(scope: Scope) -> ServingError | None:
    """Return why a request is refused, or None; remove cookies that are not Tidegate's."""
    cookies = [value for name, value in scope["headers"] if name == b"cookie"]
    if sum(map(len, cookies)) > MAX_COOKIES:
        return ServingError(f"cookies may have {MAX_COOKIES} bytes in all", code="head-too-large")
    if _size(scope) > MAX_HEAD:
        return ServingError(
            f"request line and headers may have {MAX_HEAD} bytes in all", code="head-too-large"
        )
    names = [name for name, _ in scope["headers"]]
    for name in GIVEN_ONCE:
        if names.count(name) > 1:
            return ServingError(
                f"the header {name.decode()} is given more than once", code="bad-request"
            )
    if not scope["path"].isprintable():
        return NotFound("no address here has characters that cannot be printed")
    # PostgreSQL cannot store NUL in a text and would fail with an internal error.
    if b"%00" in scope["query_string"]:
        return ServingError("no parameter here has the character NUL", code="bad-request")
    if cookies:
        others = [header for header in scope["headers"] if header[0] != b"cookie"]
        ours = b"; ".join(each for cookie in cookies for each in _our_cookies(cookie))
        scope["headers"] = [*others, (b"cookie", ours)] if ours else others
    return None


def _size(scope: Scope) -> int:
    line = len(scope["method"]) + len(scope.get("raw_path") or scope["path"])
    size = line + len(scope["query_string"]) + _OF_REQUEST_LINE
    for name, value in scope["headers"]:
        size += len(name) + len(value) + _COLON_AND_LINE_END
    return size


def _our_cookies(header: bytes) -> Iterator[bytes]:
    for each in header.decode("latin-1").split(";"):
        name, _, value = each.strip().partition("=")
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        if name.startswith(OUR_COOKIES) and _PLAIN.fullmatch(value):
            yield f"{name}={value}".encode("latin-1")
