"""Encryption of erasable data: each unit under a key of its own, derived from its day's key.

A unit is erased as a whole: a decision with its answer and its case, a record received by itself,
or a trade message. Its key is derived and not stored, so that destroying the key of a day erases
every unit of it. Units that must outlast their day get a stored key of their own.
"""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import GCM

from serving.crypto.errors import Undecipherable

KEY_BYTES, NONCE_BYTES, TAG_BYTES = 32, 12, 16
# The beginning of every encrypted text.
TEXT_PREFIX = "encrypted:"


@dataclass(frozen=True)
class EncryptionUnit:
    """The data that are erased together; `day` names the key that the unit's key is derived from.

    Days are UTC. Days of decisions and of records have separate keys, since their periods may
    differ.
    """

    day: str
    name: str

    @classmethod
    def of_decision(cls, decision_id: str, scored_at: str) -> Self:
        """Return the unit of a decision, with its answer, its case and everything in that."""
        return cls(f"decisions/{scored_at[:10]}", decision_id)

    @classmethod
    def of_case(cls, case_id: str, opened_at: datetime) -> Self:
        """Return the unit of a case, which is that of the decision that opened it."""
        return cls.of_decision(case_id, opened_at.isoformat())

    @classmethod
    def of_record(cls, kind: str, token: str, received_at: str) -> Self:
        """Return the unit of a record received by itself; `token` stands for its id."""
        return cls(f"records/{received_at[:10]}", f"{kind}/{token}")

    @classmethod
    def of_message(cls, message_id: str, key_day: str) -> Self:
        """Return the unit of a message.

        Its day is one of decisions, or of records if it made no decision.
        """
        return cls(key_day, f"message/{message_id}")

    @classmethod
    def of_key_id(cls, key_id: str) -> Self | None:
        """Return the unit that has this key of its own; None for the key of a day."""
        kind, day, *name = key_id.split("/", 2)
        return cls(f"{kind}/{day}", name[0]) if name else None

    @property
    def key_id(self) -> str:
        """Return the id of the unit's own key, if one is stored."""
        return f"{self.day}/{self.name}"

    def key(self, day_key: bytes) -> bytes:
        """Derive the unit's key from the key of its day."""
        return blake2b(self.name.encode(), key=day_key, digest_size=KEY_BYTES).digest()


def encrypt(key: bytes, part: str, content: bytes) -> bytes:
    """Encrypt with AES-256-GCM under a random nonce, which is prepended.

    `part` is authenticated, so that a content cannot be moved to another column.
    """
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, part.encode())


def encrypt_joined(key: bytes, part: str, contents: Sequence[bytes | memoryview]) -> bytearray:
    """Encrypt contents as if joined, in one buffer."""
    # Messages can be large: `encrypt` would need a joined copy in addition.
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
    """Decrypt a content as this part; raise Undecipherable if it was altered."""
    try:
        nonce, content = bytes(encrypted[:NONCE_BYTES]), memoryview(encrypted)[NONCE_BYTES:]
        return AESGCM(key).decrypt(nonce, content, part.encode())
    except (InvalidTag, ValueError):
        raise Undecipherable("something stored was changed, and cannot be decrypted") from None


def as_text(unit: EncryptionUnit, encrypted: bytes) -> str:
    """Encode encrypted bytes for a text column, with the day whose key decrypts them."""
    return f"{TEXT_PREFIX}{unit.day}:{base64.b64encode(encrypted).decode()}"


def of_text(text: str) -> tuple[str, bytes]:
    """Decode an encrypted text into day and bytes; raise Undecipherable for any other text."""
    day, _, encoded = text.removeprefix(TEXT_PREFIX).partition(":")
    try:
        # Clear text in an encrypted column was put there by someone else.
        if not text.startswith(TEXT_PREFIX):
            raise ValueError("a plain text")
        return day, base64.b64decode(encoded, validate=True)
    except ValueError:
        raise Undecipherable("something stored was changed, and cannot be decrypted") from None
