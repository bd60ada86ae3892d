"""Webhook signatures by Standard Webhooks (https://www.standardwebhooks.com).

An HMAC-SHA256 covers id, timestamp and body with a shared secret. During the rotation of a secret,
calls are signed with both.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

from serving.access.errors import AddressRefused

SECRET_PREFIX = "whsec_"  # noqa: S105 - how every secret begins
MIN_KEY_BYTES = 24
_NEW_KEY_BYTES = 32


def new_secret() -> str:
    """Return a new secret in the form to hand over."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_NEW_KEY_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """Return the key of a secret; raises AddressRefused for an invalid one."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) < MIN_KEY_BYTES:
        raise AddressRefused(
            f"want the secret of a webhook as {SECRET_PREFIX} and {MIN_KEY_BYTES} bytes or "
            "more in base64"
        )
    return key


def signed_headers(
    keys: Iterable[bytes], message_id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """Return headers that prove sender and time, with one signature per key."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    digests = (hmac.digest(key, signed, hashlib.sha256) for key in keys)
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(
            f"v1,{base64.b64encode(digest).decode()}" for digest in digests
        ),
    }
