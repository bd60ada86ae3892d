"""Random draws of subjects, for the control lane and for ties at a cutoff.

Control cases are the only unbiased view of what the model does not select: each outcome stands for
all similar subjects that were released. A draw must therefore not depend on the score, the time or
repeated requests. It is a keyed hash of the subject, and the key is secret. After a key rotation, a
subject that was already decided keeps the seed of its first decision.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from features.home_keys import DRAWS, former_keys, key_fingerprint, read_key
from features.records import SubjectKind
from serving.triage.lane_choice import Draws

# Returns the fingerprint of the seed with which a subject was first drawn: empty if its decision
# names none, None if it was never decided.
FirstDrawn = Callable[[SubjectKind, str], str | None]


def never_drawn(kind: SubjectKind, subject_id: str) -> None:
    """Return None, for installations without a log: nothing was decided before."""


@dataclass(frozen=True)
class DrawGenerator:
    """Gives every subject its draws, each uniform in [0, 1), the same every time.

    An auditor can recompute them from the seed and the subject's id. `former` are the rotated
    seeds, newest first; while there are none, the first decision is not looked up.
    """

    seed: bytes
    former: tuple[bytes, ...] = ()
    first_drawn: FirstDrawn = never_drawn

    @classmethod
    def from_folder(cls, folder: Path, first_drawn: FirstDrawn = never_drawn) -> Self:
        """Build the generator from the secret seeds in `folder`."""
        return cls(read_key(folder, DRAWS), former_keys(folder, DRAWS), first_drawn)

    def of_subject(self, kind: SubjectKind, subject_id: str) -> Draws:
        """Return the draws of one subject, which are independent of each other."""
        seed = self._seed_of(kind, subject_id) if self.former else self.seed
        subject = f"{kind}\0{subject_id}".encode()
        drawn = hashlib.blake2b(subject, key=seed, digest_size=16).digest()
        # 53 bits each, so that the quotient is exact and stays below 1.
        tie, control = (int.from_bytes(drawn[at : at + 8], "big") >> 11 for at in (0, 8))
        named = key_fingerprint(DRAWS, seed) if self.former else None
        return Draws(tie / 2**53, control / 2**53, named)

    def _seed_of(self, kind: SubjectKind, subject_id: str) -> bytes:
        """Return the seed of the subject's first decision; the oldest one if that names none."""
        first = self.first_drawn(kind, subject_id)
        if first is None:
            return self.seed
        if not first:
            return self.former[-1]
        seeds = (self.seed, *self.former)
        return next((seed for seed in seeds if key_fingerprint(DRAWS, seed) == first), self.seed)
