"""Calls to an address from the settings, signed to prove the sender.

Signatures follow Standard Webhooks (`webhook_signatures`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from serving.access.http_client import refuse_unsafe, send
from serving.access.webhook_signatures import key_of, signed_headers


@dataclass(frozen=True)
class SignedWebhook:
    """Address to call, and the key shared with its owner."""

    address: str
    key: bytes

    @classmethod
    def from_secret(cls, address: str, secret: str) -> Self:
        """Return the webhook of an installation; raises AddressRefused for an unsafe address."""
        refuse_unsafe(address)
        return cls(address, key_of(secret))

    def post(self, message_id: str, body: bytes, at: datetime) -> None:
        """Send a signed body; raises OSError unless the receiver accepts it."""
        send(self.address, body, self.headers(message_id, at, body))

    def headers(self, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """Return the headers that prove sender and time."""
        return signed_headers((self.key,), message_id, at, body)
