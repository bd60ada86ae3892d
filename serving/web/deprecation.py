"""Deprecation headers: since when a call is deprecated, and when it ends."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from fastapi import Request

from serving.web.request_ids import add_headers


@dataclass(frozen=True)
class Deprecated:
    """Dependency for a route that is also declared `deprecated=True`; both instants are in UTC.

    `@router.get(…, deprecated=True, dependencies=[Depends(Deprecated(since, until,
    "/v1/new"))])`
    """

    since: datetime
    until: datetime
    instead: str

    def __call__(self, request: Request) -> None:
        """Add the headers of RFC 9745 and RFC 8594, with a link to the successor."""
        headers = {
            "Deprecation": f"@{int(self.since.timestamp())}",
            "Sunset": format_datetime(self.until, usegmt=True),
            "Link": f'<{self.instead}>; rel="successor-version"',
        }
        add_headers(request, headers)
