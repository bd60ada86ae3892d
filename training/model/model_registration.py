"""The signed registration of a version: trainer, time and run."""

from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from features.errors import Tampered
from features.home_keys import keys_in_pem
from features.signed_documents import SignedDocument
from training.errors import ArtefactError
from training.model.model_pointer import ModelPointer

REGISTRATION = "registration.json"
APPROVER_GATE = "approver"


class Registration(SignedDocument):
    """Facts about a version that must not affect its digest: trainer, time and run.

    The home signs them, because a gate depends on the trainer.
    """

    signed_as = "registration of a model"

    name: str
    version: str
    digest: str
    trainer: str
    registered_at: datetime
    run_id: str
    tracking_uri: str


def read_registration(folder: Path, public_key: bytes) -> Registration:
    """Read the registration of the version in `folder`; an unsigned one has no signature.

    Raises ArtefactError, or Tampered if it was changed.
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
    if found.signature and not found.is_signed_by(keys_in_pem(public_key)):
        raise Tampered(
            f"{REGISTRATION} of {found.name} version {found.version} is not as this home signed "
            "it: restore it from a backup, or train again"
        )
    return found


def require_registered(folder: Path, pointer: ModelPointer, public_key: bytes) -> None:
    """Raise ArtefactError or Tampered unless a version in use has a signed registration.

    An unsigned one is accepted if people answered for it at the promotion, by waiving the gate on
    trainer and approver.
    """
    found = read_registration(folder, public_key)
    if not found.signature:
        if any(each.gate == APPROVER_GATE and each.is_waived for each in pointer.verdicts):
            return
        raise Tampered(
            f"{folder / REGISTRATION} is not signed, so nobody knows who trained "
            f"{pointer.name} version {pointer.version}, nor whether another approved it: restore "
            "the file from a backup, or train again"
        )
    # A valid registration of another version, copied here, must not pass.
    if (found.name, found.version, found.digest) != (pointer.name, pointer.version, pointer.digest):
        raise Tampered(
            f"{folder / REGISTRATION} is that of {found.name} version {found.version}, another "
            f"than {pointer.name} version {pointer.version}: restore it from a backup"
        )
