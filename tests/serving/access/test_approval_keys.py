"""Keys by which persons approve."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from features import key_wrapping
from features.home_keys import SIGNING, private_key
from serving.access.approval_keys import (
    MIN_LETTERS,
    read_private_key,
    read_public_key,
    sign_approval,
    write_new_key,
)
from serving.access.approvals import GivenApproval, ProposedAct, public_key_id
from serving.access.errors import ApprovalRefused

PASSPHRASE = "a tide gate at night"
ACT = ProposedAct(kind="switch_on", object_id="all", digest="sha256:1", installation="sha256:2")


@pytest.fixture
def quick_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_wrapping, "_SCRYPT", {"n": 2**10, "r": 8, "p": 1})


@pytest.mark.usefixtures("quick_scrypt")
def test_a_key_is_sealed_by_its_passphrase_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "ada.key"

    public = write_new_key(file, PASSPHRASE)

    assert file.stat().st_mode & 0o077 == 0
    private = read_private_key(file, PASSPHRASE)
    assert private.public_key().public_bytes_raw() == read_public_key(public)
    assert private.private_bytes_raw() not in file.read_bytes()
    with pytest.raises(ApprovalRefused, match="passphrase does not open"):
        read_private_key(file, "another passphrase")
    with pytest.raises(ApprovalRefused, match="there already"):
        write_new_key(file, PASSPHRASE)


@pytest.mark.usefixtures("quick_scrypt")
def test_whatever_was_changed_in_the_file_opens_nothing(tmp_path: Path) -> None:
    file = tmp_path / "ada.key"
    write_new_key(file, PASSPHRASE)
    whole = file.read_bytes()

    for place in (0, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ApprovalRefused, match=r"does not open|want a key that"):
            read_private_key(file, PASSPHRASE)
    file.write_bytes(whole[:30])
    with pytest.raises(ApprovalRefused, match=r"does not open|want a key that"):
        read_private_key(file, PASSPHRASE)


def test_one_guess_at_the_passphrase_takes_much_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a thief must spend on each: 64 MiB of scrypt at least (OWASP asks 64 MiB at r = 8)."""
    asked = []

    def derived(**parameters: int) -> Scrypt:
        asked.append(parameters["n"] * parameters["r"] * 128)
        return Scrypt(**parameters)

    monkeypatch.setattr(key_wrapping, "Scrypt", derived)
    write_new_key(tmp_path / "ada.key", PASSPHRASE)
    read_private_key(tmp_path / "ada.key", PASSPHRASE)

    assert len(asked) == 2
    assert min(asked) >= 64 * 2**20


def test_a_short_passphrase_makes_no_key(tmp_path: Path) -> None:
    with pytest.raises(ApprovalRefused, match=f"at least {MIN_LETTERS}"):
        write_new_key(tmp_path / "ada.key", "x" * (MIN_LETTERS - 1))
    assert not list(tmp_path.iterdir())


def test_what_is_no_key_of_a_person_is_refused(tmp_path: Path) -> None:
    """As the key of a home, which no passphrase seals."""
    _ = private_key(tmp_path, SIGNING)
    with pytest.raises(ApprovalRefused, match="want a key that `tidegate approvals new-key` made"):
        read_private_key(tmp_path / "signing.pem", PASSPHRASE)
    with pytest.raises(ApprovalRefused, match="No such file"):
        read_private_key(tmp_path / "none", PASSPHRASE)
    for file in (tmp_path / "none", tmp_path / "signing.pem"):
        with pytest.raises(ApprovalRefused, match=r"ends with \.pub"):
            read_public_key(file)


@pytest.mark.usefixtures("quick_scrypt")
def test_a_signature_covers_everything_that_is_said(tmp_path: Path) -> None:
    public = read_public_key(write_new_key(tmp_path / "ada.key", PASSPHRASE))
    given = GivenApproval.of(ACT, "approver", datetime(2026, 11, 27, tzinfo=UTC))

    signed = sign_approval(given, read_private_key(tmp_path / "ada.key", PASSPHRASE))

    assert signed.key_id == public_key_id(public)
    key = Ed25519PublicKey.from_public_bytes(public)
    key.verify(bytes.fromhex(signed.signature), signed.signed_bytes)
    again = GivenApproval.parse(signed.model_dump_json())
    assert (again, again.approval_id) == (signed, signed.approval_id)
