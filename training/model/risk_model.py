"""The artefact that training hands to serving: a folder with a model and its description.

    booster.txt     trees in LightGBM's text format
    report.json     the evaluation, as `training.evaluation.evaluation_report` writes it
    usual.parquet   values usual among peers, as `training.model.usual_values_of_peers` writes it
    manifest.json   `training.model.manifest`, with the digest of every other file
    manifest.sig    Ed25519 signature of manifest.json, 64 bytes

Reading trusts nothing before it is checked: size, signature, digests, schema, features.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from features.atomic_dir import written_whole
from features.errors import CatalogueMismatch, Tampered
from features.home_keys import keys_in_pem
from features.signed_documents import is_signature
from training.errors import ArtefactError
from training.model.encoding import Encoding, Floats, Value
from training.model.manifest import Manifest
from training.model.model_inputs import ModelInputs
from training.model.training_support import TrainingSupport
from training.model.usual_values_of_peers import PeerReference

if TYPE_CHECKING:
    import pandas as pd

BOOSTER = "booster.txt"
REPORT = "report.json"
PEERS = "usual.parquet"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"

FILES = (BOOSTER, REPORT, PEERS)

# Limits on what is read into memory; actual files are far smaller.
_MAX_BYTES = {
    BOOSTER: 1 << 30,
    REPORT: 1 << 26,
    PEERS: 1 << 26,
    MANIFEST: 1 << 26,
    SIGNATURE: 64,
}


@dataclass(frozen=True)
class RiskModel:
    """A model whose parts are checked to belong together."""

    manifest: Manifest
    digest: str
    booster_text: str
    report_json: bytes
    peers: PeerReference
    encoding: Encoding

    @classmethod
    def from_files(
        cls, manifest: Manifest, files: Mapping[str, bytes], inputs: ModelInputs
    ) -> Self:
        """Assemble a model from its files, which must have the digests in the manifest.

        Raises Tampered or ArtefactError.
        """
        _check_files(manifest, files)
        return cls._from_checked(manifest, sha256(manifest_bytes(manifest)), files, inputs)

    @classmethod
    def read(
        cls, folder: Path, public_key: bytes | None, inputs: ModelInputs | None = None
    ) -> Self:
        """Read the model in `folder`, checked from signature to catalogue.

        `public_key` holds the bytes of `signing.pub`; None skips the signature. `inputs` default to
        the catalogue of the model's subject. Raises ArtefactError, Tampered or
        features.errors.CatalogueMismatch.
        """
        manifest, digest, files = _read_whole(folder, public_key)
        inputs = inputs or ModelInputs.for_subject(manifest.subject)
        _check_catalogue(manifest, inputs)
        return cls._from_checked(manifest, digest, files, inputs)

    @classmethod
    def read_archived(cls, folder: Path, public_key: bytes | None) -> Self:
        """Read a model trained on any catalogue, with all other checks of `read`.

        It can rescore vectors that it has scored before, but none that this release computes.
        """
        return cls._from_checked(*_read_whole(folder, public_key), inputs=None)

    @classmethod
    def _from_checked(
        cls,
        manifest: Manifest,
        digest: str,
        files: Mapping[str, bytes],
        inputs: ModelInputs | None,
    ) -> Self:
        return cls(
            manifest=manifest,
            digest=digest,
            booster_text=files[BOOSTER].decode(),
            report_json=files[REPORT],
            peers=PeerReference.read(files[PEERS], inputs),
            encoding=Encoding(manifest.features),
        )

    def write(
        self, folder: Path, key: Ed25519PrivateKey, extra_files: Mapping[str, bytes] | None = None
    ) -> None:
        """Write the signed artefact atomically.

        `extra_files` holds further files by name, which are not part of the artefact and not
        signed.
        """
        content = manifest_bytes(self.manifest)
        with written_whole(folder) as partial:
            (partial / BOOSTER).write_bytes(self.booster_text.encode())
            (partial / REPORT).write_bytes(self.report_json)
            (partial / PEERS).write_bytes(self.peers.content)
            (partial / MANIFEST).write_bytes(content)
            (partial / SIGNATURE).write_bytes(key.sign(content))
            for name, content_of in (extra_files or {}).items():
                (partial / name).write_bytes(content_of)

    @cached_property
    def support(self) -> TrainingSupport:
        """The bounds of the training data."""
        return TrainingSupport.from_references(self.manifest.reference)

    def encode(self, vector: Mapping[str, Value]) -> tuple[Floats, list[str]]:
        """Encode one row; return it with the features of unknown category."""
        return self.encoding.encode(vector)

    def encode_frame(self, frame: "pd.DataFrame") -> Floats:
        """Encode all rows of `frame` as numbers."""
        return self.encoding.encode_frame(frame)


def sha256(content: bytes) -> str:
    """Return a digest with its algorithm, as used throughout the project."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return the content of manifest.json: floats keep all their bits, features their order."""
    plain = manifest.model_dump(mode="json")
    return json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _read_whole(folder: Path, public_key: bytes | None) -> tuple[Manifest, str, dict[str, bytes]]:
    """Return manifest, digest and files, with all checks except the catalogue."""
    content = _read(folder, MANIFEST)
    if public_key is not None:
        keys, signature = keys_in_pem(public_key), _read(folder, SIGNATURE)
        if not is_signature(signature, content, keys):
            raise Tampered("manifest.sig is not the signature of manifest.json by this key")
    manifest = _manifest(content, folder)
    # After the signature: nothing in the files is parsed before it is verified.
    files = {name: _read(folder, name) for name in FILES}
    _check_files(manifest, files)
    # The digest of the signed bytes, whatever their JSON layout.
    return manifest, sha256(content), files


def _read(folder: Path, name: str) -> bytes:
    file = folder / name
    if not file.is_file():
        raise ArtefactError(
            f"{folder}: {name} is missing; want a folder that `tidegate train` made"
        )
    # Before reading: a huge file must not exhaust memory.
    if file.stat().st_size > _MAX_BYTES[name]:
        raise ArtefactError(f"{file}: larger than {_MAX_BYTES[name]} bytes")
    return file.read_bytes()


def _manifest(content: bytes, folder: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ArtefactError(f"{folder / MANIFEST}: {place}: {first['msg']}") from None


def _check_files(manifest: Manifest, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        if manifest.files.get(name) != sha256(content):
            raise Tampered(f"{name} does not have the digest that {MANIFEST} names")


def _check_catalogue(manifest: Manifest, inputs: ModelInputs) -> None:
    """Raise CatalogueMismatch unless this release computes each feature of the model as it was.

    Other features, and the order of all, are of no concern: a model takes its columns by name.
    """
    recorded = {column.name: column.computation for column in manifest.features}
    remedy = f"train anew with `tidegate retrain --subject {manifest.subject}`"
    when = f"{manifest.name} was trained"
    if not recorded.keys() <= {feature.name for feature in inputs.features}:
        remedy = f"install the package or name the file (`--features`) that defines it, or {remedy}"
    try:
        inputs.require_same_computations(recorded, when, remedy, wanted=recorded)
    except CatalogueMismatch as mismatch:
        raise CatalogueMismatch(f"{MANIFEST}: {mismatch}") from None
    categories = {feature.name for feature in inputs.features if feature.is_categorical}
    for column in manifest.features:
        if (column.categories is not None) != (column.name in categories):
            raise CatalogueMismatch(
                f"{MANIFEST}: only one of model and catalogue has {column.name} as a category; "
                f"{remedy}"
            )
