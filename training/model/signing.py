"""The Ed25519 key that signs models, readable by its owner only."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from features.home_keys import KEY_FILES, PUBLIC_FILES, SIGNING, public_blocks, read_key
from training.errors import ArtefactError, ArtefactTampered

PRIVATE_KEY = KEY_FILES[SIGNING]
PUBLIC_KEY = PUBLIC_FILES[SIGNING]


@dataclass(frozen=True)
class SigningKey:
    """The private key of one home."""

    private: Ed25519PrivateKey

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """Return the key in `folder` (`HOME/keys`); creates the keys of a new home."""
        key = load_pem_private_key(read_key(folder, SIGNING), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ArtefactError(f"{folder / PRIVATE_KEY}: want an Ed25519 private key")
        return cls(key)

    @property
    def public_pem(self) -> bytes:
        """The public key in PEM, as in `signing.pub`."""
        return self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, content: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        return self.private.sign(content)


def signed_line(purpose: bytes, said: dict[str, Any]) -> bytes:
    """Return the bytes to sign; the purpose keeps them distinct from other kinds of files."""
    line = json.dumps(said, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return purpose + b"\n" + line.encode()


def verify_signature(content: bytes, signature: bytes, public_pem: bytes) -> None:
    """Raise ArtefactTampered unless one of the keys signed exactly `content`.

    `public_pem` holds the current key and the rotated ones, as `signing.pub` does.
    """
    # Models signed before a rotation of keys must stay valid.
    for block in public_blocks(public_pem) or [public_pem]:
        with suppress(InvalidSignature):
            _public_key(block).verify(signature, content)
            return
    raise ArtefactTampered("manifest.sig is not the signature of manifest.json by this key")


def _public_key(pem: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        raise ArtefactError("the public key is not PEM; want the bytes of signing.pub") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ArtefactError("the public key is not an Ed25519 key; want the bytes of signing.pub")
    return key
