"""Signatures of webhooks, as Standard Webhooks has them (https://www.standardwebhooks.com).

An HMAC-SHA256 over id, timestamp and body, under a secret that both sides know. While a secret is
exchanged, a call is signed with both.
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
FEWEST_KEY_BYTES = 24
_NEW_KEY_BYTES = 32


def new_secret() -> str:
    """A fresh secret, as it is handed over."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_NEW_KEY_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The key that a secret stands for; raises AddressRefused for what is none."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) < FEWEST_KEY_BYTES:
        raise AddressRefused(
            f"want the secret of a webhook as {SECRET_PREFIX} and {FEWEST_KEY_BYTES} bytes or "
            "more in base64"
        )
    return key


def signed_headers(
    keys: Iterable[bytes], message_id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """The headers that prove who calls, and when; one signature for each key."""
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
