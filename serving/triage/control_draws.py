"""Random draws of subjects: for the control lane, and for ties at a cutoff.

A control case is the only honest look at what the model does not select: its outcome counts for all
that were released like it. So a draw must not depend on the score, on the time or on how often
someone asks; it is a keyed hash of the subject, and the key is secret. Once that was rotated, a
subject that was decided about before keeps the seed of its first decision.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from features.home_keys import DRAWS, former_keys, key_fingerprint, read_key
from features.records import SubjectKind
from serving.triage.lane_rule import Draws

# By which seed a subject was first drawn: its fingerprint, empty where the decision names none.
# None of a subject that was never decided about.
FirstDrawn = Callable[[SubjectKind, str], str | None]


def never_drawn(kind: SubjectKind, subject_id: str) -> None:
    """Nobody was decided about before, where there is no log."""


@dataclass(frozen=True)
class DrawGenerator:
    """Gives every subject its draws, each uniform in [0, 1); the same ones every time.

    With the seed and the subject's id an auditor computes them again. `former` are the seeds that
    were rotated away, the newest first; without any, nobody asks what was drawn before.
    """

    seed: bytes
    former: tuple[bytes, ...] = ()
    first_drawn: FirstDrawn = never_drawn

    @classmethod
    def from_folder(cls, folder: Path, first_drawn: FirstDrawn = never_drawn) -> Self:
        """The generator of an installation: its secret seeds are in `folder`."""
        return cls(read_key(folder, DRAWS), former_keys(folder, DRAWS), first_drawn)

    def of_subject(self, kind: SubjectKind, subject_id: str) -> Draws:
        """The draws of one subject, independent of each other."""
        seed = self._seed_of(kind, subject_id) if self.former else self.seed
        subject = f"{kind}\0{subject_id}".encode()
        drawn = hashlib.blake2b(subject, key=seed, digest_size=16).digest()
        # 53 bits each, so that the quotient is exact and stays below 1.
        tie, control = (int.from_bytes(drawn[at : at + 8], "big") >> 11 for at in (0, 8))
        named = key_fingerprint(DRAWS, seed) if self.former else None
        return Draws(tie / 2**53, control / 2**53, named)

    def _seed_of(self, kind: SubjectKind, subject_id: str) -> bytes:
        """The seed of the subject's first decision; the first one where that names none."""
        first = self.first_drawn(kind, subject_id)
        if first is None:
            return self.seed
        if not first:
            return self.former[-1]
        seeds = (self.seed, *self.former)
        return next((seed for seed in seeds if key_fingerprint(DRAWS, seed) == first), self.seed)
