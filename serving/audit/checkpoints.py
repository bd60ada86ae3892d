"""Checkpoints: signed statements of how long the decision log was and where it ended.

A chain shows that nothing inside it changed; it can't show that its end was cut off or that an old
copy took its place. A checkpoint kept by a witness, somewhere the service cannot write, shows both.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, Self

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.home_keys import LOG, public_half, read_key
from serving.audit.hash_chain import LogHead
from serving.errors import LogUnavailable

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """That a log had `size` decisions and ended in `head`; signature and head are hexadecimal."""

    size: int
    head: str
    signed_at: str
    key_id: str
    signature: str


class CheckpointStore(Protocol):
    """The checkpoints of one log."""

    def append(self, checkpoint: Checkpoint) -> None:
        """Store a checkpoint; raises LogUnavailable where it can't be stored."""
        ...


@dataclass(frozen=True)
class LogSigner:
    """Signs with the installation's own key; `key_id` names the key."""

    key: Ed25519PrivateKey
    key_id: str

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """The signer of an installation: its secret key is in `folder`.

        The public key is in `log.pub`, for those who verify.
        """
        content = read_key(folder, LOG)
        key = Ed25519PrivateKey.from_private_bytes(content)
        return cls(key, public_half(LOG, content)[:16])

    def checkpoint(self, head: LogHead, at: datetime) -> Checkpoint:
        """Sign the head of the log, as it is at this instant."""
        signed_at = at.isoformat()
        signature = self.key.sign(statement(head.size, head.head, signed_at)).hex()
        return Checkpoint(head.size, head.head, signed_at, self.key_id, signature)


class CheckpointWriter:
    """Signs and stores a checkpoint every so many decisions, and every so many seconds.

    A failure is tried again, and never reaches a request.
    """

    def __init__(
        self,
        signer: LogSigner,
        store: CheckpointStore,
        clock: Callable[[], datetime],
        *,
        every: int,
        within_s: float,
    ):
        self._signer = signer
        self._store = store
        self._clock = clock
        self._every = every
        self._within_s = within_s
        self._unsigned: LogHead | None = None
        self._signed_size = 0
        self._signed_at_s = time.monotonic()
        self._has_failed = False

    @property
    def has_failed(self) -> bool:
        """Whether the last checkpoint could not be stored."""
        return self._has_failed

    def advance(self, head: LogHead) -> None:
        """Remember where the log ends now."""
        self._unsigned = head

    def write_if_due(self, *, is_last: bool = False) -> None:
        """Sign and store a checkpoint where one is due; the last one always is."""
        head = self._unsigned
        if head is None or not (is_last or self._is_due(head)):
            return
        try:
            self._store.append(self._signer.checkpoint(head, self._clock()))
        except LogUnavailable as failure:
            self._has_failed = True
            log.warning("log_not_sealed", reason=str(failure))
        else:
            self._has_failed = False
            self._unsigned, self._signed_size = None, head.size
        self._signed_at_s = time.monotonic()

    def _is_due(self, head: LogHead) -> bool:
        waited_s = time.monotonic() - self._signed_at_s
        return waited_s >= self._within_s or head.size - self._signed_size >= self._every


def public_key_of(folder: Path) -> str:
    """The public key of an installation's signer (hexadecimal); empty where it never started."""
    file = folder / "log.pub"
    return file.read_text().strip() if file.exists() else ""


def statement(size: int, head: str, signed_at: str) -> bytes:
    """The bytes that the signature of a checkpoint is taken of."""
    return f"tidegate decision log\n{size}\n{head}\n{signed_at}\n".encode()
