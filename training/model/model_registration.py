"""The signed registration of a version: trainer, time and run."""

from datetime import datetime
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from training.errors import ArtefactError, ArtefactTampered
from training.model.manifest import FrozenModel
from training.model.model_pointer import ModelPointer
from training.model.signing import SigningKey, signed_line, verify_signature

REGISTRATION = "registration.json"
APPROVER_GATE = "approver"

_SIGNED_AS = b"tidegate registration of a model"


class Registration(FrozenModel):
    """Facts about a version that must not affect its digest: trainer, time and run.

    The home signs them, because a gate depends on the trainer.
    """

    name: str
    version: str
    digest: str
    trainer: str
    registered_at: datetime
    run_id: str
    tracking_uri: str
    signature: str = ""

    def signed(self, key: SigningKey) -> Self:
        """Return the registration signed with the home's key."""
        return self.model_copy(update={"signature": key.sign(self._signed_bytes()).hex()})

    def require_signed_by(self, public_key: bytes) -> None:
        """Raise ArtefactTampered if there is a signature that none of the keys made."""
        if not self.signature:
            return
        try:
            verify_signature(self._signed_bytes(), bytes.fromhex(self.signature), public_key)
        except (ArtefactTampered, ValueError):
            raise ArtefactTampered(
                f"{REGISTRATION} of {self.name} version {self.version} is not as this home signed "
                "it: restore it from a backup, or train again"
            ) from None

    def _signed_bytes(self) -> bytes:
        return signed_line(_SIGNED_AS, self.model_dump(mode="json", exclude={"signature"}))


def read_registration(folder: Path, public_key: bytes) -> Registration:
    """Read the registration of the version in `folder`; an unsigned one has no signature.

    Raises ArtefactError, or ArtefactTampered if it was changed.
    """
    file = folder / REGISTRATION
    try:
        found = Registration.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise ArtefactError(
            f"{file} is missing: restore it from a backup, or train again"
        ) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ArtefactError(f"{file}: {first['loc']}: {first['msg']}") from None
    found.require_signed_by(public_key)
    return found


def require_registered(folder: Path, pointer: ModelPointer, public_key: bytes) -> None:
    """Raise ArtefactError or ArtefactTampered unless a version in use has a signed registration.

    An unsigned one is accepted if people answered for it at the promotion, by waiving the gate on
    trainer and approver.
    """
    found = read_registration(folder, public_key)
    if not found.signature:
        if any(each.gate == APPROVER_GATE and each.is_waived for each in pointer.verdicts):
            return
        raise ArtefactTampered(
            f"{folder / REGISTRATION} is not signed, so nobody knows who trained "
            f"{pointer.name} version {pointer.version}, nor whether another approved it: restore "
            "the file from a backup, or train again"
        )
    # A valid registration of another version, copied here, must not pass.
    if (found.name, found.version, found.digest) != (pointer.name, pointer.version, pointer.digest):
        raise ArtefactTampered(
            f"{folder / REGISTRATION} is that of {found.name} version {found.version}, another "
            f"than {pointer.name} version {pointer.version}: restore it from a backup"
        )
