"""The models on this machine: serving reads them here and never queries a registry.

models/<name>/<version>/          the artefact, with registration.json next to its files
models/<name>/champion.json       the version in service, and the previous ones
models/<name>/challenger.json     the version trained last
models/<name>/shadow.json         the version scored next to the champion, without answering
keys/                             the key that signs them
"""

import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.atomic_dir import file_written_whole
from features.errors import CatalogueMismatch, Tampered
from features.home_keys import PUBLIC_FILES, SIGNING, private_key, public_pem
from training.errors import ArtefactError, ChampionUnreadable, TrainingError
from training.model.model_inputs import ModelInputs
from training.model.model_pointer import Alias, ModelPointer
from training.model.model_registration import REGISTRATION, Registration, read_registration
from training.model.risk_model import RiskModel

REFERENCE = re.compile(r"^(?P<name>[a-z][a-z0-9-]*)(@(?P<alias>[a-z]+)|/(?P<version>[0-9]+))$")


@dataclass(frozen=True)
class ModelHome:
    """The models and keys under one home folder."""

    home: Path

    @property
    def signing_key(self) -> Ed25519PrivateKey:
        """The private key of this home; creates the keys of a new home."""
        return private_key(self.home / "keys", SIGNING)

    @property
    def public_key(self) -> bytes:
        """The public keys that verify models of this home."""
        file = self.home / "keys" / PUBLIC_FILES[SIGNING]
        return file.read_bytes() if file.exists() else public_pem(self.signing_key.public_key())

    def folder_of(self, name: str, version: str) -> Path:
        """Return the folder of one version."""
        return self.home / "models" / name / version

    def versions_of(self, name: str) -> list[int]:
        """Return the numbers of all versions that are here, lowest first."""
        return sorted(int(folder.name) for folder in (self.home / "models" / name).glob("[0-9]*"))

    def add_version(self, model: RiskModel, registration: Registration) -> Path:
        """Store a registered version, signed and atomically.

        Raises ArtefactError if the home has another version with that number.
        """
        folder = self.folder_of(registration.name, registration.version)
        # The number is taken, so the tracking store must belong to another home.
        if folder.exists():
            raise ArtefactError(
                f"{folder} is there already, and the tracking store gave its number to another: it "
                "is not the store of this home. Give the one that is (--tracking-uri), or move "
                "models of another home away"
            )
        key = self.signing_key
        signed = registration.signed(key).model_dump_json(indent=1).encode()
        model.write(folder, key, extra_files={REGISTRATION: signed})
        return folder

    def remove_version(self, name: str, version: str, run_id: str) -> None:
        """Remove a version that one run registered; do nothing if another run registered it."""
        folder = self.folder_of(name, version)
        if folder.exists() and self.registration_of(folder).run_id == run_id:
            shutil.rmtree(folder)

    def registration_of(self, folder: Path) -> Registration:
        """Return the signed registration of the version in `folder`: trainer, time and run.

        Raises ArtefactError, or Tampered if it was changed.
        """
        return read_registration(folder, self.public_key)

    def pointer(self, name: str, alias: Alias) -> ModelPointer | None:
        """Return the version that `alias` names; None if it names none.

        Raises ArtefactError, or Tampered if the file is not as this home signed it.
        """
        file = self.home / "models" / name / f"{alias}.json"
        return ModelPointer.read_seat(file, alias, self.public_key) if file.exists() else None

    def champion_pointer(self, name: str) -> ModelPointer | None:
        """Return the pointer of the champion; raises ChampionUnreadable if it is invalid."""
        try:
            return self.pointer(name, "champion")
        except (ArtefactError, Tampered, OSError) as error:
            raise ChampionUnreadable(name, None, str(error)) from error

    def champion(self, name: str, inputs: ModelInputs | None = None) -> RiskModel | None:
        """Return the model in service; None if none was promoted.

        `inputs` are as in `RiskModel.read`. Raises ChampionUnreadable if the model changed since
        its promotion or does not match these inputs.
        """
        pointer = self.champion_pointer(name)
        if pointer is None:
            return None
        try:
            model = RiskModel.read(self.folder_of(name, pointer.version), self.public_key, inputs)
        except (ArtefactError, Tampered, CatalogueMismatch, OSError) as error:
            raise ChampionUnreadable(name, pointer.version, str(error)) from error
        # A valid artefact of the same home, copied over the folder, would pass all other checks.
        if model.digest != pointer.digest:
            reason = f"its digest is {model.digest}, promoted was {pointer.digest}"
            raise ChampionUnreadable(name, pointer.version, reason)
        return model

    def point(self, alias: Alias, pointer: ModelPointer) -> None:
        """Let `alias` name another version, signed; readers see the old or the new file."""
        pointer = pointer.signed_for(alias, self.signing_key)
        file = self.home / "models" / pointer.name / f"{alias}.json"
        with file_written_whole(file) as folder:
            (folder / file.name).write_text(pointer.model_dump_json(indent=1))

    def clear(self, name: str, alias: Alias) -> None:
        """Let `alias` name no version."""
        (self.home / "models" / name / f"{alias}.json").unlink(missing_ok=True)

    def find(self, reference: str) -> Path:
        """Return the folder of `name@alias`, `name/version`, a path or the id of an MLflow run.

        Raises TrainingError if there is none.
        """
        if Path(reference).is_dir():
            return Path(reference)
        named = REFERENCE.match(reference)
        if named is None:
            return self._of_run(reference)
        version = named["version"] or self._version(reference, named["name"], named["alias"])
        folder = self.folder_of(named["name"], version)
        if not folder.is_dir():
            raise TrainingError(f"there is no {reference} here{self._known(named['name'])}")
        return folder

    def _of_run(self, run_id: str) -> Path:
        for folder in (self.home / "models").glob("*/[0-9]*"):
            # A damaged version is told about when it is asked for, and not on the way to another.
            with suppress(ArtefactError, Tampered):
                if self.registration_of(folder).run_id == run_id:
                    return folder
        raise TrainingError(
            f"{run_id!r} is no folder, no reference and no run of a model here; "
            "write tidegate-shipment@challenger or tidegate-shipment/3"
        )

    def _version(self, reference: str, name: str, alias: str) -> str:
        if alias not in get_args(Alias):
            raise TrainingError(f"{reference}: want the alias champion, challenger or shadow")
        pointer = self.pointer(name, alias)  # type: ignore[arg-type]  # checked above
        if pointer is None:
            raise TrainingError(f"{name} has no {alias} here{self._known(name)}")
        return pointer.version

    def _known(self, name: str) -> str:
        versions = ", ".join(map(str, self.versions_of(name)))
        return f"; its versions are {versions}" if versions else "; train one first"
