"""An instant, a clock for durations, and tokens as a trusted server signs them."""

import json
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEY = OKPKey.generate_key("Ed25519", {"kid": "one"})


class Clock:
    """A monotonic clock that a test sets."""

    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def signed(claims: dict[str, Any], key: Any = KEY, algorithm: str = "EdDSA") -> str:
    """A token with those claims that are not None."""
    content = {name: value for name, value in claims.items() if value is not None}
    header = {"alg": algorithm, "kid": key.kid}
    return jwt.encode(header, content, key, algorithms=[algorithm])


def published(*keys: Any) -> bytes:
    """What the server publishes of its keys."""
    return json.dumps(KeySet(list(keys)).as_dict(private=False)).encode()
