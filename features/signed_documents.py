"""Signed documents: one canonical JSON, one signature, one error.

A document carries its Ed25519 signature in the field `signature`, in hexadecimal. The signature
covers a line `tidegate KIND`, which keeps it from counting for another kind of document, and then
the canonical JSON of all other fields.

Only the model folder differs, since programs outside of the project verify it too: `manifest.sig`
is the signature of `manifest.json` as it stands, 64 bytes.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict

from features.errors import Tampered

SIGNATURE = "signature"

# Made once, since every row of the audit log is spelled by it.
_CANONICAL = json.JSONEncoder(
    sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False
)


def canonical_json(document: Any) -> bytes:
    """Return the one spelling of a document: sorted keys, no spaces, ASCII, no NaN.

    Verifiers must arrive at the bytes that were signed or hashed, also with other code.
    """
    return _CANONICAL.encode(document).encode()


def signed_bytes(kind: str, document: Mapping[str, Any]) -> bytes:
    """Return what is signed of a document, whether or not it carries its signature."""
    content = {name: value for name, value in document.items() if name != SIGNATURE}
    return f"tidegate {kind}\n".encode() + canonical_json(content)


def sign(kind: str, document: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """Return the signature of a document, for its field `signature`."""
    return key.sign(signed_bytes(kind, document)).hex()


def is_signed(kind: str, document: Mapping[str, Any], keys: Iterable[bytes]) -> bool:
    """Return whether one of the public keys signed the document as it is."""
    try:
        signature = bytes.fromhex(document[SIGNATURE])
    # Missing, of another type, or not hexadecimal.
    except (KeyError, TypeError, ValueError):
        return False
    return is_signature(signature, signed_bytes(kind, document), keys)


def verify(kind: str, document: Mapping[str, Any], keys: Iterable[bytes], refusal: str) -> None:
    """Raise Tampered with `refusal` unless one of the public keys signed the document as it is."""
    if not is_signed(kind, document, keys):
        raise Tampered(refusal)


def is_signature(signature: bytes, content: bytes, keys: Iterable[bytes]) -> bool:
    """Return whether one of the public keys, 32 bytes each, signed `content`."""
    for key in keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def read_document(content: bytes, refusal: str) -> dict[str, Any]:
    """Return the JSON object that a file holds; raise Tampered with `refusal` for anything else."""
    try:
        document = json.loads(content, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        raise Tampered(refusal) from None
    if not isinstance(document, dict):
        raise Tampered(refusal)
    return document


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    # People would read the first value, and programs the last.
    if len(found) < len(pairs):
        raise ValueError("a field appears twice")
    return found


class SignedDocument(BaseModel):
    """A document with its signature, which is empty before somebody signs it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    signed_as: ClassVar[str]

    signature: str = ""

    @classmethod
    def read(cls, content: bytes, keys: Iterable[bytes], refusal: str) -> Self:
        """Return the document that a file holds, verified before it is validated.

        Raises Tampered with `refusal`, or ValidationError.
        """
        document = read_document(content, refusal)
        verify(cls.signed_as, document, keys, refusal)
        return cls.model_validate(document)

    def signed(self, key: Ed25519PrivateKey) -> Self:
        """Return the document signed by a key."""
        signature = sign(self.signed_as, self.model_dump(mode="json"), key)
        return self.model_copy(update={SIGNATURE: signature})

    def is_signed_by(self, keys: Iterable[bytes]) -> bool:
        """Return whether one of the public keys signed the document."""
        return is_signed(self.signed_as, self.model_dump(mode="json"), keys)

    @property
    def signed_bytes(self) -> bytes:
        """The bytes that are signed."""
        return signed_bytes(self.signed_as, self.model_dump(mode="json"))
