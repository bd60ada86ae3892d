"""The signed file of a home's canaries; reading it needs no LightGBM.

HOME/canaries/<subject>.json lists their ids. The home signs it, because anyone who could change the
lists could make a model pass that learnt wrong labels.
"""

from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from features.atomic_dir import write_durably
from features.records import SubjectKind
from training.errors import ArtefactTampered
from training.model.manifest import FrozenModel
from training.model.signing import SigningKey, signed_line, verify_signature

_SIGNED_AS = b"tidegate canaries"


class CanaryFile(FrozenModel):
    """Ids of confirmed and cleared subjects, the time of their choice, and the signature."""

    subject: SubjectKind
    chosen_at: datetime
    confirmed: tuple[str, ...]
    cleared: tuple[str, ...]
    signature: str = ""

    @classmethod
    def read(cls, home: Path, subject: SubjectKind, public_key: bytes) -> Self | None:
        """Return the file of a home, or None if there is none.

        Raises ArtefactTampered unless one of the home's keys signed the file as it is.
        """
        file = canary_path(home, subject)
        if not file.exists():
            return None
        try:
            content = cls.model_validate_json(file.read_bytes())
            verify_signature(content._signed_bytes, bytes.fromhex(content.signature), public_key)
        except (ValidationError, ValueError, ArtefactTampered):
            raise _tampered(file) from None
        # A valid file of another kind of subject, copied here, must not pass.
        if content.subject != subject:
            raise _tampered(file)
        return content

    def write(self, home: Path, key: SigningKey) -> Path:
        """Sign and store the file atomically."""
        file = canary_path(home, self.subject)
        file.parent.mkdir(parents=True, exist_ok=True)
        signed = self.model_copy(update={"signature": key.sign(self._signed_bytes).hex()})
        write_durably(file, f"{signed.model_dump_json(indent=1)}\n".encode())
        return file

    @property
    def _signed_bytes(self) -> bytes:
        return signed_line(_SIGNED_AS, self.model_dump(mode="json", exclude={"signature"}))


def canary_path(home: Path, subject: SubjectKind) -> Path:
    """Return the path of the canaries for a kind of subject."""
    return home / "canaries" / f"{subject}.json"


def _tampered(file: Path) -> ArtefactTampered:
    return ArtefactTampered(
        f"{file} is not as this home signed it: restore it from a backup, or delete it on purpose, "
        "so that `tidegate retrain` chooses others"
    )
