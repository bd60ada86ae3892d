"""A call that will go: its answers say since when it is deprecated, and when it ends."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from fastapi import Request

from serving.web.request_ids import add_headers


@dataclass(frozen=True)
class Deprecated:
    """A dependency of a route that is also declared `deprecated=True`; both instants in UTC.

    `@router.get(…, deprecated=True, dependencies=[Depends(Deprecated(since, until, "/v1/new"))])`
    """

    since: datetime
    until: datetime
    instead: str

    def __call__(self, request: Request) -> None:
        """Say it in the headers of RFC 9745 and RFC 8594, with the call that takes its place."""
        headers = {
            "Deprecation": f"@{int(self.since.timestamp())}",
            "Sunset": format_datetime(self.until, usegmt=True),
            "Link": f'<{self.instead}>; rel="successor-version"',
        }
        add_headers(request, headers)
