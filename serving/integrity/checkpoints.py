"""Checkpoints: signed statements of the lengths of a database's chains and their last links.

A chain shows that nothing inside it changed. It cannot show that its end was cut off or that an old
copy took its place. A checkpoint kept by a witness, somewhere the service cannot write, shows both.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.home_keys import keys_in_lines
from features.signed_documents import canonical_json, is_signed, sign
from serving.errors import LogUnavailable
from serving.integrity.hash_chain import DECISIONS, ChainHeads, LogHead

if TYPE_CHECKING:
    from serving.storage.repositories.checkpoint_repository import CheckpointRepository

log = structlog.get_logger(__name__)

_KIND = "checkpoint"


@dataclass(frozen=True)
class EpochBeginning:
    """A lawful restore: who installed an older copy and why, and the entries lost by it.

    `kept` is the last row of each chain that continues the former epoch, and `former` is where the
    chain ended then; the rows in between are lost. `former_number` is the last checkpoint of the
    former epoch, `kept_number` the last one in the copy, and `kept_epoch` its last epoch: epochs
    between it and the new one were begun over other copies.
    """

    by: str
    because: str
    kept: Mapping[str, int]
    former: ChainHeads
    kept_number: int
    former_number: int
    kept_epoch: int | None = None

    @property
    def lost(self) -> dict[str, tuple[int, int]]:
        """Return the first and the last lost row of every chain that lost some."""
        return {
            chain: (self.kept[chain] + 1, head.size)
            for chain, head in sorted(self.former.items())
            if head.size > self.kept[chain]
        }

    def as_plain(self) -> dict[str, Any]:
        """Return a JSON-compatible form; `lost` is included for readers."""
        plain = vars(self) | {"kept": dict(self.kept), "former": _plain_heads(self.former)}
        return plain | {"lost": {chain: list(rows) for chain, rows in self.lost.items()}}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the object that `as_plain` converted; raise ValueError for anything else."""
        own = {name: value for name, value in plain.items() if name != "lost"}
        made = cls(**(own | {"former": _heads_of(plain["former"])}))
        # `lost` is redundant: a value that differs would mislead readers, so it is refused.
        if made.as_plain() != plain:
            raise ValueError("the missing entries do not follow from the stored ones")
        return made


@dataclass(frozen=True)
class Checkpoint:
    """The ends of one database's chains at an instant, with a hexadecimal signature of all fields.

    `number` counts the checkpoints of a database from 1, over all epochs. `epoch` counts lawful
    restores from 1, and `begun` is set for the first checkpoint of an epoch. `database_id` is empty
    for a database without identity.
    """

    number: int
    epoch: int
    heads: ChainHeads
    database_id: str
    signed_at: str
    key_id: str
    begun: EpochBeginning | None = None
    signature: str = ""

    @property
    def size(self) -> int:
        """Return the number of decisions."""
        return self.heads[DECISIONS].size

    def signed(self, key: Ed25519PrivateKey) -> Self:
        """Return the checkpoint with the id and the signature of the installation's log key."""
        named = replace(self, key_id=key.public_key().public_bytes_raw().hex()[:16])
        return replace(named, signature=sign(_KIND, named._stated(), key))

    def is_signed_by(self, public_keys: str) -> bool:
        """Return whether one of these keys signed the checkpoint while it was in use.

        They are lines of `log.pub` (see `keys_in_lines`).
        """
        keys = keys_in_lines(public_keys, self.signed_at)
        return is_signed(_KIND, self._stated() | {"signature": self.signature}, keys)

    def as_json(self) -> str:
        """Return the checkpoint as one line, in its canonical form."""
        return canonical_json(self._stated() | {"signature": self.signature}).decode()

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read a checkpoint from a line, signed or not; raise ValueError for any other text."""
        try:
            stated = json.loads(line)
            begun = stated["begun"] and EpochBeginning.of_plain(stated["begun"])
            found = cls(**(stated | {"heads": _heads_of(stated["heads"]), "begun": begun}))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no checkpoint: {error!r}") from None
        # Only the canonical form is accepted, so that a checkpoint has exactly one line.
        if found.number < 1 or found.epoch < 1 or found.as_json() != line:
            raise ValueError("not spelled as a checkpoint is")
        return found

    def _stated(self) -> dict[str, Any]:
        stated = {name: value for name, value in vars(self).items() if name != "signature"}
        begun = self.begun and self.begun.as_plain()
        return stated | {"heads": _plain_heads(self.heads), "begun": begun}


class CheckpointWriter:
    """Signs and stores a checkpoint every `every` decisions or `within_s` seconds.

    None is written unless a chain grew, which may be that of audit events alone. Failures are
    retried and never reach a request.
    """

    def __init__(
        self,
        key: Ed25519PrivateKey,
        store: "CheckpointRepository",
        clock: Callable[[], datetime],
        *,
        every: int,
        within_s: float,
    ):
        self._key = key
        self._store = store
        self._clock = clock
        self._every = every
        self._within_s = within_s
        self._size: int | None = None
        self._signed_size = 0
        self._signed_at_s = time.monotonic()
        self._has_failed = False

    @property
    def has_failed(self) -> bool:
        """Return whether the last checkpoint could not be stored."""
        return self._has_failed

    def advance(self, head: LogHead) -> None:
        """Record where the decision log ends now."""
        if self._size is None:
            # The first group after a start counts as unsealed, since the sealed size is unknown
            # here.
            self._signed_size = head.size - 1
        self._size = head.size

    def write_if_due(self, *, is_last: bool = False) -> None:
        """Sign and store a checkpoint if one is due; the last one always is."""
        if not (is_last or self._is_due()):
            return
        try:
            stored = self._store.seal(self._key, self._clock())
        except LogUnavailable as failure:
            self._has_failed = True
            log.warning("log_not_sealed", reason=str(failure))
        # An error must not end the thread that writes decisions.
        except Exception as failure:
            self._has_failed = True
            log.error("log_not_sealed", exception=type(failure).__name__)
        else:
            self._has_failed = False
            if stored is not None:
                self._signed_size = stored.size
        self._signed_at_s = time.monotonic()

    def _is_due(self) -> bool:
        waited_s = time.monotonic() - self._signed_at_s
        decided = 0 if self._size is None else self._size - self._signed_size
        return waited_s >= self._within_s or decided >= self._every


def public_key_of(folder: Path) -> str:
    """Return the public keys of an installation's signer, one a line; empty before its first start.

    The key in use comes first, then rotated ones (see `keys_in_lines`).
    """
    file = folder / "log.pub"
    return file.read_text().strip() if file.exists() else ""


def public_keys_of(folder: Path) -> dict[str, str]:
    """Return the lines of `public_key_of` by key id, the key in use first."""
    return {line[:16]: line for line in public_key_of(folder).splitlines()}


def _plain_heads(heads: ChainHeads) -> dict[str, list[Any]]:
    return {chain: [head.size, head.head] for chain, head in heads.items()}


def _heads_of(plain: Mapping[str, Any]) -> dict[str, LogHead]:
    return {chain: LogHead(size, head) for chain, (size, head) in plain.items()}
