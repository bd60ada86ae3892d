"""A release is built of a commit, the same again, and any change of what was signed is noticed."""

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from deploy.release import (
    ABOUT,
    CLIENT,
    LOCKS,
    SIGNATURE,
    SUMS,
    ReleaseRefused,
    build_release,
    sign_release,
    verify_release,
)
from tests.counts import in_full_alone

ROOT = Path(__file__).parents[2]
SOURCES = (*LOCKS, "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a commit of what a release is made of, in small."""
    folder = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        shutil.copy(ROOT / name, folder / name)
    for name in ("features", "training", "serving", "data/synthetic"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text('"""A part."""\n')
    without_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / CLIENT, folder / CLIENT, ignore=without_caches)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "A release"]):
        identity = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"]
        subprocess.run(["git", "-C", str(folder), *identity, *command], check=True)
    return folder


@pytest.fixture(scope="module")
def built(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "dist"
    build_release(source, out)
    return out


@pytest.fixture
def signed(built: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A signed release and the public key."""
    out, private = tmp_path / "dist", Ed25519PrivateKey.generate()
    shutil.copytree(built, out)
    key, public = tmp_path / "key.pem", tmp_path / "key.pub"
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    sign_release(out, key)
    return out, public


def test_a_release_holds_the_archives_and_a_list_of_parts_for_each_lock(built: Path) -> None:
    names = {file.name for file in built.iterdir()}
    assert names >= {ABOUT, SUMS, "requirements.cdx.json", "requirements-serve.cdx.json"}
    assert {Path(name).suffix for name in names} >= {".whl", ".gz"}
    wheels = {name.partition("-")[0]: built / name for name in names if name.endswith(".whl")}
    assert set(wheels) == {"tidegate", "tidegate_client"}
    with zipfile.ZipFile(wheels["tidegate"]) as wheel:
        assert not [name for name in wheel.namelist() if "client" in name]
    with zipfile.ZipFile(wheels["tidegate_client"]) as wheel:
        assert "tidegate_client/models.py" in wheel.namelist()


def test_a_list_of_parts_names_every_locked_package_with_its_digests(built: Path) -> None:
    parts = json.loads((built / "requirements-serve.cdx.json").read_text())
    listed = {part["name"]: part for part in parts["components"]}
    locked = [
        line.split("==")[0]
        for line in (ROOT / "requirements-serve.lock").read_text().splitlines()
        if line[:1].isalnum()
    ]
    assert locked
    assert listed.keys() >= set(locked)
    assert parts["metadata"]["component"]["name"] == "tidegate"
    hashes = [ref["hashes"] for ref in listed["jinja2"]["externalReferences"] if "hashes" in ref]
    assert hashes


@in_full_alone
@pytest.mark.faults
def test_a_release_of_one_commit_is_the_same_again(
    source: Path, built: Path, tmp_path: Path
) -> None:
    build_release(source, tmp_path / "again")
    assert (tmp_path / "again" / SUMS).read_text() == (built / SUMS).read_text()


def test_what_is_not_committed_is_not_released(source: Path, tmp_path: Path) -> None:
    added = source / "features" / "added.py"
    added.write_text("")
    try:
        with pytest.raises(ReleaseRefused, match="not committed"):
            build_release(source, tmp_path / "dist")
    finally:
        added.unlink()


def test_a_release_as_it_was_signed_is_verified(signed: tuple[Path, Path]) -> None:
    verify_release(*signed)


def test_any_change_of_a_signed_release_is_noticed(signed: tuple[Path, Path]) -> None:
    out, public = signed
    for file in sorted(out.iterdir()):
        content = file.read_bytes()
        for changed in (content[:-1], content[:-1] + bytes([content[-1] ^ 1])):
            file.write_bytes(changed)
            with pytest.raises(ReleaseRefused):
                verify_release(out, public)
        file.unlink()
        with pytest.raises(ReleaseRefused):
            verify_release(out, public)
        file.write_bytes(content)
    (out / "added.whl").write_bytes(b"")
    with pytest.raises(ReleaseRefused, match=r"added\.whl"):
        verify_release(out, public)


def test_a_release_that_another_key_signed_is_refused(
    signed: tuple[Path, Path], tmp_path: Path
) -> None:
    other = tmp_path / "other.pub"
    public = Ed25519PrivateKey.generate().public_key()
    other.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(ReleaseRefused, match="not signed by this key"):
        verify_release(signed[0], other)


def test_openssl_verifies_a_release_too(signed: tuple[Path, Path]) -> None:
    out, public = signed
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-rawin"]
    command += ["-sigfile", str(out / SIGNATURE), "-in", str(out / SUMS)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    (out / SUMS).write_text((out / SUMS).read_text() + "\n")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
