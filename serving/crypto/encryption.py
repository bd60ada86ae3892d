"""Encryption of what must be erasable: each unit under a key of its own, made of its day's key.

A unit is what is erased together: a decision with its answer and its case, a record that came by
itself, or a standard message. Its key is derived and stored nowhere, so that destroying the key of
a day erases every unit of it; units that must outlast their day have their own key kept instead.
"""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import GCM

from serving.crypto.errors import Undecipherable

KEY_BYTES, NONCE_BYTES, TAG_BYTES = 32, 12, 16
# What every encrypted text begins with.
TEXT_PREFIX = "encrypted:"


@dataclass(frozen=True)
class EncryptionUnit:
    """What is erased together; `day` names the key that its own is derived from.

    Days are those of UTC, and of decisions or of records: each may end after another time.
    """

    day: str
    name: str

    @classmethod
    def of_decision(cls, decision_id: str, scored_at: str) -> Self:
        """A decision, with its answer, its case and all that hangs on that."""
        return cls(f"decisions/{scored_at[:10]}", decision_id)

    @classmethod
    def of_record(cls, kind: str, token: str, received_at: str) -> Self:
        """A record that came by itself; `token` stands for its id."""
        return cls(f"records/{received_at[:10]}", f"{kind}/{token}")

    @classmethod
    def of_message(cls, message_id: str, key_day: str) -> Self:
        """A standard message; its day is one of decisions, or of records where it made none."""
        return cls(key_day, f"message/{message_id}")

    @classmethod
    def of_key_id(cls, key_id: str) -> Self | None:
        """The unit whose own key is known by this; None of a key of a day."""
        kind, day, *name = key_id.split("/", 2)
        return cls(f"{kind}/{day}", name[0]) if name else None

    @property
    def key_id(self) -> str:
        """What a key of its own is known by, where one is kept."""
        return f"{self.day}/{self.name}"

    def key(self, day_key: bytes) -> bytes:
        """Its own key, of its day's."""
        return blake2b(self.name.encode(), key=day_key, digest_size=KEY_BYTES).digest()


def encrypt(key: bytes, part: str, content: bytes) -> bytes:
    """AES-256-GCM under a fresh nonce, which comes first; only as the same part it decrypts."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, part.encode())


def encrypt_joined(key: bytes, part: str, contents: Sequence[bytes | memoryview]) -> bytearray:
    """Encrypt contents, one after the other, as `encrypt` does of them joined, in one buffer."""
    nonce = os.urandom(NONCE_BYTES)
    encryptor = Cipher(AES256(key), GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(part.encode())
    encrypted = bytearray(NONCE_BYTES + sum(map(len, contents)) + TAG_BYTES)
    encrypted[:NONCE_BYTES] = nonce
    at = NONCE_BYTES
    with memoryview(encrypted) as whole:
        for content in contents:
            at += encryptor.update_into(content, whole[at:])
        encryptor.finalize()
        whole[at:] = encryptor.tag
    return encrypted


def decrypt(key: bytes, part: str, encrypted: bytes | bytearray) -> bytes:
    """What was encrypted as this part; raises Undecipherable where anything of it was changed."""
    try:
        nonce, content = bytes(encrypted[:NONCE_BYTES]), memoryview(encrypted)[NONCE_BYTES:]
        return AESGCM(key).decrypt(nonce, content, part.encode())
    except (InvalidTag, ValueError):
        raise Undecipherable("something stored was changed, and cannot be decrypted") from None


def as_text(unit: EncryptionUnit, encrypted: bytes) -> str:
    """Encrypted bytes for a column of text, with the day whose key decrypts them."""
    return f"{TEXT_PREFIX}{unit.day}:{base64.b64encode(encrypted).decode()}"


def of_text(text: str) -> tuple[str, bytes]:
    """Return day and bytes of an encrypted text; raises Undecipherable for any other."""
    day, _, encoded = text.removeprefix(TEXT_PREFIX).partition(":")
    try:
        if not text.startswith(TEXT_PREFIX):
            raise ValueError("a plain text")
        return day, base64.b64decode(encoded, validate=True)
    except ValueError:
        raise Undecipherable("something stored was changed, and cannot be decrypted") from None
