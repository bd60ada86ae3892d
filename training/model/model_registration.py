"""Who trained a version, when and in which run, as the home signed it beside the artefact."""

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
    """Facts about a version that must not be in its digest: who, when, which run.

    The home signs it, since a gate asks who trained.
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
        """The same under the signature of the home's key."""
        return self.model_copy(update={"signature": key.sign(self._signed_bytes()).hex()})

    def require_signed_by(self, public_key: bytes) -> None:
        """Raise ArtefactTampered where it has a signature and is not as one of the keys signed."""
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
    """Who trained the version in `folder`; one that nobody signed has an empty signature.

    Raises ArtefactError, or ArtefactTampered where it was changed since.
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
    """Raise ArtefactError or ArtefactTampered unless the home signed who trained a seated version.

    Where nobody did and people answered for it at the promotion, by waiving the gate that asks
    whether another than the trainer approved, it is theirs to answer.
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
    if (found.name, found.version, found.digest) != (pointer.name, pointer.version, pointer.digest):
        raise ArtefactTampered(
            f"{folder / REGISTRATION} is that of {found.name} version {found.version}, another "
            f"than {pointer.name} version {pointer.version}: restore it from a backup"
        )
