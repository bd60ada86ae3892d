"""Calls to the few servers that the settings name: short, bounded, and never sent elsewhere."""

import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from serving.access.errors import AddressRefused

LONGEST_S = 5.0
MOST_BYTES = 1_000_000
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: what is sent was meant for one address."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


_OPENER = urllib.request.build_opener(_NoRedirects)


def fetch(address: str, body: bytes | None = None, headers: Mapping[str, str] = {}) -> bytes:
    """What an address answers: to a GET, or to a POST of a body.

    Raises AddressRefused before anything is sent; OSError where the call fails, takes too long, or
    is not answered with a 2xx, or with what is no HTTP.
    """
    refuse_unsafe(address)
    request = urllib.request.Request(address, body, dict(headers))  # noqa: S310 - refused above
    try:
        with _OPENER.open(request, timeout=LONGEST_S) as answer:
            content: bytes = answer.read(MOST_BYTES)
    except HTTPException as garbled:
        raise OSError(f"the answer is no HTTP: {type(garbled).__name__}") from garbled
    return content


def refuse_unsafe(address: str) -> None:
    """Raise AddressRefused for what is not https, nor on this machine."""
    parts = urlsplit(address)
    is_here = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not (is_here or (parts.scheme == "https" and parts.hostname)) or parts.username:
        raise AddressRefused("want an https address without a name and password in it")
