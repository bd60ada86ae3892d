import dataclasses
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.definition import Unit
from features.errors import CatalogueMismatch, Tampered
from features.home_keys import SIGNING, private_key, public_pem
from tests.training.planted import INPUTS, made_feature
from training.data.training_set import TrainingSet
from training.errors import ArtefactError
from training.model.risk_model import RiskModel
from training.parameters import TrainingParameters, TreeParameters
from training.train import train_model


@pytest.fixture(scope="module")
def model(planted: Path) -> RiskModel:
    parameters = TrainingParameters(threads=1, trees=TreeParameters(trees=10, leaves=4))
    return train_model(TrainingSet.read(planted, "shipment", INPUTS), parameters).model


@pytest.fixture
def key(tmp_path: Path) -> Ed25519PrivateKey:
    return private_key(tmp_path / "keys", SIGNING)


@pytest.fixture
def folder(tmp_path: Path, model: RiskModel, key: Ed25519PrivateKey) -> Path:
    model.write(tmp_path / "model", key)
    return tmp_path / "model"


def test_what_was_written_is_read_back_whole(
    model: RiskModel, folder: Path, key: Ed25519PrivateKey
) -> None:
    read = RiskModel.read(folder, public_pem(key.public_key()), INPUTS)

    assert read.manifest == model.manifest
    assert read.digest == model.digest
    assert read.booster_text == model.booster_text


@pytest.mark.parametrize(
    "name", ["booster.txt", "report.json", "usual.parquet", "manifest.json", "manifest.sig"]
)
@pytest.mark.parametrize("place", [0, -2])
def test_one_changed_byte_in_any_file_is_refused(
    folder: Path, key: Ed25519PrivateKey, name: str, place: int
) -> None:
    content = bytearray((folder / name).read_bytes())
    content[place] ^= 1
    (folder / name).write_bytes(content)

    with pytest.raises(Tampered):
        RiskModel.read(folder, public_pem(key.public_key()), INPUTS)


def test_a_model_sealed_by_another_key_is_refused(tmp_path: Path, folder: Path) -> None:
    stranger = private_key(tmp_path / "elsewhere", SIGNING)

    with pytest.raises(Tampered, match="signature"):
        RiskModel.read(folder, public_pem(stranger.public_key()), INPUTS)


def test_without_a_key_the_digests_still_guard_the_trees(folder: Path) -> None:
    RiskModel.read(folder, None, INPUTS)
    (folder / "booster.txt").write_text("tree\n")

    with pytest.raises(Tampered, match=r"booster\.txt"):
        RiskModel.read(folder, None, INPUTS)


@pytest.mark.parametrize("name", ["booster.txt", "report.json", "manifest.json", "manifest.sig"])
def test_a_missing_file_is_named(folder: Path, key: Ed25519PrivateKey, name: str) -> None:
    (folder / name).unlink()

    with pytest.raises(ArtefactError, match=f"{name} is missing"):
        RiskModel.read(folder, public_pem(key.public_key()), INPUTS)


def test_a_manifest_of_another_shape_is_refused_where_it_differs(
    folder: Path, key: Ed25519PrivateKey
) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["calibration"]["slope"] = -1
    content = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(content)
    (folder / "manifest.sig").write_bytes(key.sign(content))

    with pytest.raises(ArtefactError, match=r"calibration\.slope"):
        RiskModel.read(folder, public_pem(key.public_key()), INPUTS)


def test_a_model_is_read_by_a_catalogue_that_has_more_features_in_another_order(
    folder: Path, key: Ed25519PrivateKey
) -> None:
    later = dataclasses.replace(
        INPUTS,
        features=(made_feature("newer_ratio"), *reversed(INPUTS.features)),
        computations={**INPUTS.computations, "newer_ratio": "sha256:" + "e" * 64},
        fingerprint="sha256:" + "c" * 64,
    )

    read = RiskModel.read(folder, public_pem(key.public_key()), later)

    assert read.encoding.names == [*INPUTS.names]


def test_a_model_is_refused_for_what_its_own_features_are_no_more_and_each_is_named(
    folder: Path, key: Ed25519PrivateKey
) -> None:
    *others, last = INPUTS.features
    renamed = dataclasses.replace(last, name="noise")
    changed = {**INPUTS.computations, "noise": "e", "corridor": "sha256:" + "e" * 64}
    one = dataclasses.replace(INPUTS, features=(*others, renamed), computations=changed)
    with pytest.raises(CatalogueMismatch) as refused:
        RiskModel.read(folder, public_pem(key.public_key()), one)
    assert str(refused.value) == (
        "manifest.json: feature corridor (sha256:eeeeeeeeeeee now, sha256:dddddddddddd then) is "
        "computed differently than when tidegate-shipment was trained; tidegate-shipment was "
        "trained with feature noise_ratio, which this release does not have; install the package "
        "or name the file (`--features`) that defines it, or train anew with `tidegate retrain "
        "--subject shipment`"
    )

    as_text = dataclasses.replace(last, unit=Unit.CATEGORY)
    other_kind = dataclasses.replace(INPUTS, features=(*others, as_text))
    with pytest.raises(CatalogueMismatch, match="catalogue has noise_ratio as a category; train"):
        RiskModel.read(folder, public_pem(key.public_key()), other_kind)


def test_a_model_trained_on_another_formula_is_refused_and_names_the_features(
    folder: Path, key: Ed25519PrivateKey
) -> None:
    now = dict(INPUTS.computations)
    now["noise_ratio"] = "sha256:" + "e" * 64
    one = dataclasses.replace(INPUTS, computations=now)
    with pytest.raises(CatalogueMismatch) as refused:
        RiskModel.read(folder, public_pem(key.public_key()), one)

    assert (
        "feature noise_ratio (sha256:eeeeeeeeeeee now, sha256:dddddddddddd then) is computed"
        in (str(refused.value))
    )
    assert "than when tidegate-shipment was trained" in str(refused.value)
    assert "train anew with `tidegate retrain --subject shipment`" in str(refused.value)

    now["corridor"] = "sha256:" + "e" * 64
    with pytest.raises(CatalogueMismatch, match=r"features corridor \(.*, noise_ratio \(.* are "):
        RiskModel.read(folder, public_pem(key.public_key()), one)


def test_digests_that_begin_alike_are_told_as_far_as_they_differ(
    folder: Path, key: Ed25519PrivateKey
) -> None:
    now = dict(INPUTS.computations) | {"noise_ratio": "sha256:" + "d" * 40 + "e" * 24}
    with pytest.raises(
        CatalogueMismatch, match=rf"^manifest.json: .*:{'d' * 40}e now.*d{{41}} then"
    ):
        RiskModel.read(
            folder, public_pem(key.public_key()), dataclasses.replace(INPUTS, computations=now)
        )


def test_a_model_from_before_computation_digests_is_refused_and_says_so(
    folder: Path, key: Ed25519PrivateKey
) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    for column in manifest["features"]:
        assert column.pop("computation") == "sha256:" + "d" * 64
    content = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(content)
    (folder / "manifest.sig").write_bytes(key.sign(content))

    with pytest.raises(CatalogueMismatch, match="before computation digests were recorded"):
        RiskModel.read(folder, public_pem(key.public_key()), INPUTS)
    assert RiskModel.read_archived(folder, public_pem(key.public_key())).encoding.names == [
        *INPUTS.names
    ]


def test_an_archived_model_is_still_held_to_its_signature_and_files(
    tmp_path: Path, folder: Path, key: Ed25519PrivateKey
) -> None:
    with pytest.raises(Tampered, match="signature"):
        RiskModel.read_archived(
            folder, public_pem(private_key(tmp_path / "elsewhere", SIGNING).public_key())
        )

    (folder / "booster.txt").write_text("tree\n")
    with pytest.raises(Tampered, match=r"booster\.txt"):
        RiskModel.read_archived(folder, public_pem(key.public_key()))


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    first = private_key(tmp_path / "keys", SIGNING)
    again = private_key(tmp_path / "keys", SIGNING)

    assert (
        public_pem(first.public_key())
        == public_pem(again.public_key())
        == (tmp_path / "keys/signing.pub").read_bytes()
    )
    assert stat.S_IMODE((tmp_path / "keys/signing.pem").stat().st_mode) == 0o600


def test_reading_a_model_needs_neither_mlflow_nor_lightgbm() -> None:
    code = (
        "import sys, training.model.risk_model, training.confidence_intervals\n"
        "print([m for m in ('mlflow', 'lightgbm', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"
