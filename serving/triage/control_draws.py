"""Random draws of subjects: for the control lane, and for ties at a cutoff.

A control case is the only honest look at what the model does not select: its outcome counts for all
that were released like it. So a draw must not depend on the score, on the time or on how often
someone asks; it is a keyed hash of the subject, and the key is secret.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from features.home_keys import DRAWS, read_key
from features.records import SubjectKind
from serving.triage.lane_rule import Draws


@dataclass(frozen=True)
class DrawGenerator:
    """Gives every subject its draws, each uniform in [0, 1); the same ones every time.

    With the seed and the subject's id an auditor computes them again.
    """

    seed: bytes

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """The generator of an installation: its secret seed is in `folder`."""
        return cls(read_key(folder, DRAWS))

    def of_subject(self, kind: SubjectKind, subject_id: str) -> Draws:
        """The draws of one subject, independent of each other."""
        subject = f"{kind}\0{subject_id}".encode()
        drawn = hashlib.blake2b(subject, key=self.seed, digest_size=16).digest()
        # 53 bits each, so that the quotient is exact and stays below 1.
        tie, control = (int.from_bytes(drawn[at : at + 8], "big") >> 11 for at in (0, 8))
        return Draws(tie / 2**53, control / 2**53)
