"""The header `Idempotency-Key`: a retry with the same key and body gets the same answer."""

import re
from typing import Annotated

from fastapi import Depends, Header

from serving.errors import IdempotencyKeyMissing

MEANING = "1 to 255 visible ASCII characters, chosen anew for every submission."
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def required_key(header: str | None) -> str:
    """The key in a header; raises IdempotencyKeyMissing."""
    if header is None or not _KEY.fullmatch(header):
        raise IdempotencyKeyMissing(
            "send the header Idempotency-Key with 1 to 255 visible ASCII characters; "
            "a retry with the same key and body gets the same answer"
        )
    return header


async def _idempotency_key(
    header: Annotated[str | None, Header(alias="Idempotency-Key", description=MEANING)] = None,
) -> str:
    return required_key(header)


IdempotencyKey = Annotated[str, Depends(_idempotency_key)]
