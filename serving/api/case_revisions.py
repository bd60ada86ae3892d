"""The header `If-Match`: refuse an act on a case that has changed since it was read."""

import re
from typing import Annotated

from fastapi import Depends, Header

from serving.container import Services
from serving.errors import Unprocessable
from serving.web.services import TheServices

IfMatch = Annotated[
    str | None,
    Header(
        description="The `ETag` of the case as it was read, which is its `revision` in quotation "
        "marks: of a case that has changed since nothing is done (409)."
    ),
]

_TAG = re.compile(r'"(\d{1,9})"')


def tag_of(revision: int) -> str:
    """Return the `ETag` of a case with this revision."""
    return f'"{revision}"'


def revision_in(header: str | None) -> int | None:
    """Return the revision in `If-Match`; None if any revision will do.

    Raises Unprocessable for anything but the tag of a case.
    """
    if header is None or header == "*":
        return None
    if (found := _TAG.fullmatch(header)) is None:
        raise Unprocessable("want `If-Match` as the `ETag` of the case, or none")
    return int(found[1])


async def _as_read(services: TheServices, if_match: IfMatch = None) -> Services:
    return services.as_read(revision_in(if_match))


# The services, restricted to acts on the case revision that the caller has read.
ServicesAsRead = Annotated[Services, Depends(_as_read)]
