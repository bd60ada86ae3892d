"""The header `Idempotency-Key`: a retry with the same key and body gets the same answer."""

import re
from typing import Annotated

from fastapi import Depends, Request

from serving.errors import ServingError

MEANING = "1 to 255 visible ASCII characters, chosen anew for every submission."
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def required_key(header: str | None) -> str:
    """Return the key in a header; raises ServingError if it is missing or unusable."""
    if not header:
        raise ServingError(
            "send the header Idempotency-Key with 1 to 255 visible ASCII characters; "
            "a retry with the same key and body gets the same answer",
            code="idempotency-key-missing",
        )
    if not _KEY.fullmatch(header):
        raise ServingError(
            "the header Idempotency-Key is longer than 255 characters, or has one that is no "
            "visible ASCII character, as a blank",
            code="idempotency-key-unusable",
        )
    return header


async def _idempotency_key(request: Request) -> str:
    return required_key(request.headers.get("idempotency-key"))


# Described by the route (`described_headers`), not by FastAPI: a missing header must be reported as
# a problem of its own.
IdempotencyKey = Annotated[str, Depends(_idempotency_key)]
