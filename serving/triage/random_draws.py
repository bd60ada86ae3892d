"""The lots that subjects draw: for the control lane, and for ties at a threshold.

A control case is the only honest look at what the model does not select: its outcome counts for all
that were released like it. So a lot must not depend on the score, on the time or on how often
someone asks; it is a keyed hash of the subject, and the key is secret.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from features.records import SubjectKind
from serving.access.secrets import kept_secret
from serving.triage.placement import Lots


@dataclass(frozen=True)
class Draw:
    """Gives every subject its lots, each uniform in [0, 1); asking again gives the same ones.

    With the seed and the subject's id an auditor draws them again.
    """

    seed: bytes

    @classmethod
    def kept_in(cls, folder: Path) -> Self:
        """The draw of an installation: its secret seed is in `folder`, made on first use."""
        return cls(kept_secret(folder, "draw.seed"))

    def lots(self, kind: SubjectKind, subject_id: str) -> Lots:
        """The lots of one subject, independent of each other."""
        subject = f"{kind}\0{subject_id}".encode()
        drawn = hashlib.blake2b(subject, key=self.seed, digest_size=16).digest()
        # 53 bits each, so that the quotient is exact and stays below 1.
        tie, control = (int.from_bytes(drawn[at : at + 8], "big") >> 11 for at in (0, 8))
        return Lots(tie / 2**53, control / 2**53)
