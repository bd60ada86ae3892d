"""The random draw of control cases.

A control case is the only honest look at what the model does not select: its outcome counts for all
that were released like it. So the draw must not depend on the score, on the time or on how often
someone asks; it is a keyed hash of the subject, and the key is secret.
"""

import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from features.records import SubjectKind


@dataclass(frozen=True)
class Draw:
    """Takes each subject with the same probability; asking again gives the same answer."""

    seed: bytes
    probability: float

    @classmethod
    def kept_in(cls, folder: Path, probability: float) -> Self:
        """The draw of an installation: its secret seed is in `folder`, made on first use."""
        path = folder / "draw.seed"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
            with os.fdopen(made, "wb") as file:
                file.write(secrets.token_bytes(32))
        return cls(path.read_bytes(), probability)

    def takes(self, kind: SubjectKind, subject_id: str) -> bool:
        """Whether this subject is drawn."""
        subject = f"{kind}\0{subject_id}".encode()
        ticket = hashlib.blake2b(subject, key=self.seed, digest_size=8).digest()
        return int.from_bytes(ticket, "big") < self.probability * 2**64
