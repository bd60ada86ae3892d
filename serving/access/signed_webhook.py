"""An address of the settings that is told something, with proof of who tells it.

Signed as Standard Webhooks has it (`webhook_signatures`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from serving.access.http_client import refuse_unsafe, send
from serving.access.webhook_signatures import key_of, signed_headers


@dataclass(frozen=True)
class SignedWebhook:
    """An address to call, and the key that both sides know."""

    address: str
    key: bytes

    @classmethod
    def from_secret(cls, address: str, secret: str) -> Self:
        """The webhook of an installation; raises AddressRefused where it could not be trusted."""
        refuse_unsafe(address)
        return cls(address, key_of(secret))

    def post(self, message_id: str, body: bytes, at: datetime) -> None:
        """Send a signed body; raises OSError unless it is taken."""
        send(self.address, body, self.headers(message_id, at, body))

    def headers(self, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """The headers that prove who calls, and when."""
        return signed_headers((self.key,), message_id, at, body)
