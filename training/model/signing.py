"""The key that seals a model: Ed25519, made on first use, readable by its owner only."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from training.errors import ArtefactError, ArtefactTampered

PRIVATE_KEY = "signing.pem"
PUBLIC_KEY = "signing.pub"


@dataclass(frozen=True)
class SigningKey:
    """The private key of one home."""

    private: Ed25519PrivateKey

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """The key in `folder`; made there with its public half if there is none yet."""
        file = folder / PRIVATE_KEY
        if not file.exists():
            _make_key(folder)
        key = load_pem_private_key(file.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ArtefactError(f"{file}: want an Ed25519 private key")
        return cls(key)

    @property
    def public_pem(self) -> bytes:
        """The public half, as `signing.pub` holds it."""
        return self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, content: bytes) -> bytes:
        """The 64 bytes of the signature."""
        return self.private.sign(content)


def verify(content: bytes, signature: bytes, public_pem: bytes) -> None:
    """Raise ArtefactTampered unless the owner of the key signed exactly `content`."""
    try:
        key = load_pem_public_key(public_pem)
    except ValueError:
        raise ArtefactError("the public key is not PEM; want the bytes of signing.pub") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ArtefactError("the public key is not an Ed25519 key; want the bytes of signing.pub")
    try:
        key.verify(signature, content)
    except InvalidSignature:
        raise ArtefactTampered(
            "manifest.sig is not the signature of manifest.json by this key"
        ) from None


def _make_key(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / PUBLIC_KEY).write_bytes(SigningKey(private).public_pem)
    try:
        # Exclusive, so that of two processes that start at once only one key is kept.
        handle = os.open(folder / PRIVATE_KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
