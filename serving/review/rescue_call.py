"""What those who rescue are called with: where help is needed and why, and no more.

The call is signed as Standard Webhooks has it (https://www.standardwebhooks.com, version 1): an
HMAC-SHA256 over id, timestamp and body. The id is that of the decision, so that a call that
arrives twice is known by it. Of parties it has none but the conveyance, which must be found.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import orjson

from features.submission import Submission
from serving.access.http_client import fetch, refuse_unsafe
from serving.audit.decision import Decision
from serving.errors import AddressRefused

PREFIX = "whsec_"
FEWEST_KEY_BYTES = 24


@dataclass(frozen=True)
class Webhook:
    """Where to call, and the key that both sides know."""

    address: str
    key: bytes

    @classmethod
    def of(cls, address: str, secret: str) -> Self:
        """The webhook of an installation; raises AddressRefused where it could not be trusted."""
        refuse_unsafe(address)
        try:
            key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            key = b""
        if not secret.startswith(PREFIX) or len(key) < FEWEST_KEY_BYTES:
            raise AddressRefused(
                f"want the secret of a webhook as {PREFIX} and {FEWEST_KEY_BYTES} bytes or more "
                "in base64"
            )
        return cls(address, key)

    def call(self, decision: Decision, at: datetime) -> None:
        """Send the call of one decision; raises OSError unless it is taken."""
        body = orjson.dumps(told(decision))
        fetch(self.address, body, self.headers(decision.decision_id, at, body))

    def headers(self, call_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """The headers that prove who calls, and when."""
        timestamp = str(int(at.timestamp()))
        signed = b".".join((call_id.encode(), timestamp.encode(), body))
        proof = base64.b64encode(hmac.digest(self.key, signed, hashlib.sha256)).decode()
        return {
            "Content-Type": "application/json",
            "webhook-id": call_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{proof}",
        }


def told(decision: Decision) -> dict[str, object]:
    """The content of the call."""
    return {
        "type": "rescue.placed",
        "timestamp": decision.scored_at,
        "data": {
            "case_id": decision.decision_id,
            "signal": decision.life_at_risk,
            "office_id": decision.office_id,
            **_whereabouts(decision.submission),
        },
    }


def _whereabouts(submission: Submission) -> dict[str, object]:
    """What is to be found, where it was heard last, and where it is going."""
    journey = submission.journey
    if journey is None:
        return {}
    heard = max(submission.positions, key=lambda each: each.observed_at, default=None)
    return {
        "mode": journey.mode,
        "conveyance_id": journey.conveyance_id,
        "conveyance_kind": journey.conveyance_kind,
        "origin": journey.origin,
        "destination": journey.destination,
        "due_at": journey.due_at,
        "last_heard": heard
        and {"at": heard.observed_at, "latitude": heard.latitude, "longitude": heard.longitude},
    }
