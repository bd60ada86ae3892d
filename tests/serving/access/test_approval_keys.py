"""Keys by which persons approve."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from serving.access.approval_keys import (
    FEWEST_LETTERS,
    read_private_key,
    read_public_key,
    sign_approval,
    write_new_key,
)
from serving.access.approvals import GivenApproval, ProposedAct, public_key_id
from serving.errors import ApprovalRefused
from training.model.signing import SigningKey

PASSPHRASE = "a tide gate at night"
ACT = ProposedAct(kind="switch_on", object_id="all", digest="sha256:1", installation="sha256:2")


def test_a_key_is_sealed_by_its_passphrase_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "ada.key"

    public = write_new_key(file, PASSPHRASE)

    assert b"ENCRYPTED" in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    private = read_private_key(file, PASSPHRASE)
    assert private.public_key().public_bytes_raw() == read_public_key(public)
    with pytest.raises(ApprovalRefused, match="passphrase does not open"):
        read_private_key(file, "another passphrase")
    with pytest.raises(ApprovalRefused, match="there already"):
        write_new_key(file, PASSPHRASE)


def test_a_short_passphrase_makes_no_key(tmp_path: Path) -> None:
    with pytest.raises(ApprovalRefused, match=f"at least {FEWEST_LETTERS}"):
        write_new_key(tmp_path / "ada.key", "x" * (FEWEST_LETTERS - 1))
    assert not list(tmp_path.iterdir())


def test_what_is_no_key_of_a_person_is_refused(tmp_path: Path) -> None:
    """As the key of a home, which no passphrase seals."""
    _ = SigningKey.of_folder(tmp_path)
    with pytest.raises(ApprovalRefused, match="not sealed"):
        read_private_key(tmp_path / "signing.pem", PASSPHRASE)
    with pytest.raises(ApprovalRefused, match="No such file"):
        read_private_key(tmp_path / "none", PASSPHRASE)
    for file in (tmp_path / "none", tmp_path / "signing.pem"):
        with pytest.raises(ApprovalRefused, match=r"ends with \.pub"):
            read_public_key(file)


def test_a_signature_covers_everything_that_is_said(tmp_path: Path) -> None:
    public = read_public_key(write_new_key(tmp_path / "ada.key", PASSPHRASE))
    given = GivenApproval.of(ACT, "approver", datetime(2026, 11, 27, tzinfo=UTC))

    signed = sign_approval(given, read_private_key(tmp_path / "ada.key", PASSPHRASE))

    assert signed.key_id == public_key_id(public)
    key = Ed25519PublicKey.from_public_bytes(public)
    key.verify(bytes.fromhex(signed.signature), signed.signed_bytes)
    again = GivenApproval.read(signed.model_dump_json())
    assert (again, again.approval_id) == (signed, signed.approval_id)
