"""Signed statements of how long the log was and where it ended.

A chain shows that nothing inside it changed; it can't show that its end was cut off or that an old
copy took its place. A checkpoint kept by a witness, somewhere the service cannot write, shows both.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from serving.access.secrets import make_once
from serving.db.repositories.checkpoint_repository import Checkpoint
from serving.db.repositories.decision_repository import Mark


@dataclass(frozen=True)
class Notary:
    """Signs marks of one log with the installation's own key; `key_id` names the key."""

    key: Ed25519PrivateKey
    key_id: str

    @classmethod
    def kept_in(cls, folder: Path) -> Self:
        """The notary of an installation: its secret key is in `folder`, made on first use.

        The public key is written beside it, for those who verify.
        """
        path = folder / "log.key"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            make_once(path, _new_key())
        key = Ed25519PrivateKey.from_private_bytes(path.read_bytes())
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        if not (folder / "log.pub").exists():
            make_once(folder / "log.pub", f"{public}\n".encode())
        return cls(key, public[:16])

    def signed(self, mark: Mark, at: datetime) -> Checkpoint:
        """The checkpoint of a mark, signed at this instant."""
        signed_at = at.isoformat()
        signature = self.key.sign(statement(mark.size, mark.head, signed_at)).hex()
        return Checkpoint(mark.size, mark.head, signed_at, self.key_id, signature)


def public_key_of(folder: Path) -> str:
    """What the notary of an installation signs with (hex); empty where the service never began."""
    file = folder / "log.pub"
    return file.read_text().strip() if file.exists() else ""


def statement(size: int, head: str, signed_at: str) -> bytes:
    """The bytes that a checkpoint's signature is taken of."""
    return f"tidegate decision log\n{size}\n{head}\n{signed_at}\n".encode()


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.Raw, PrivateFormat.Raw, NoEncryption()
    )
