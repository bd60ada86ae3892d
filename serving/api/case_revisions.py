"""The header `If-Match`: an act on a case that became another since it was read is refused."""

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
    """Return what the header `ETag` says of a case of this revision."""
    return f'"{revision}"'


def revision_in(header: str | None) -> int | None:
    """The revision that `If-Match` names; None where it does not matter.

    Raises Unprocessable for what is no tag of a case.
    """
    if header is None or header == "*":
        return None
    if (found := _TAG.fullmatch(header)) is None:
        raise Unprocessable("want `If-Match` as the `ETag` of the case, or none")
    return int(found[1])


async def _as_read(services: TheServices, if_match: IfMatch = None) -> Services:
    return services.as_read(revision_in(if_match))


# The services, by which a case is acted on only as whoever acts has read it.
ServicesAsRead = Annotated[Services, Depends(_as_read)]
