"""The signed file of a home's canaries; reading it needs no LightGBM.

HOME/canaries/<subject>.json lists their ids. The home signs it, because anyone who could change the
lists could make a model pass that learnt wrong labels.
"""

from datetime import datetime
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from features.atomic_dir import write_durably
from features.errors import Tampered
from features.home_keys import keys_in_pem
from features.records import SubjectKind
from features.signed_documents import SignedDocument


class CanaryFile(SignedDocument):
    """Ids of confirmed and cleared subjects, the time of their choice, and the signature."""

    signed_as = "canaries"

    subject: SubjectKind
    chosen_at: datetime
    confirmed: tuple[str, ...]
    cleared: tuple[str, ...]

    @classmethod
    def of_home(cls, home: Path, subject: SubjectKind, public_key: bytes) -> Self | None:
        """Return the file of a home, or None if there is none.

        Raises Tampered unless one of the home's keys signed the file as it is.
        """
        file = canary_path(home, subject)
        if not file.exists():
            return None
        refusal = (
            f"{file} is not as this home signed it: restore it from a backup, or delete it on "
            "purpose, so that `tidegate retrain` chooses others"
        )
        try:
            content = cls.read(file.read_bytes(), keys_in_pem(public_key), refusal)
        except ValidationError:
            raise Tampered(refusal) from None
        # A valid file of another kind of subject, copied here, must not pass.
        if content.subject != subject:
            raise Tampered(refusal)
        return content

    def write(self, home: Path, key: Ed25519PrivateKey) -> Path:
        """Sign and store the file atomically."""
        file = canary_path(home, self.subject)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_durably(file, f"{self.signed(key).model_dump_json(indent=1)}\n".encode())
        return file


def canary_path(home: Path, subject: SubjectKind) -> Path:
    """Return the path of the canaries for a kind of subject."""
    return home / "canaries" / f"{subject}.json"
