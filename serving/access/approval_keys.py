"""Keys with which people sign approvals, in files encrypted by a passphrase."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from features.errors import KeysLocked
from features.home_keys import public_pem
from features.key_wrapping import SALT_BYTES, opened_by_passphrase, sealed_by_passphrase
from serving.access.approvals import GivenApproval, public_key_id
from serving.access.errors import ApprovalRefused

MIN_LETTERS = 12
_MAGIC = b"tidegate approval key 2\n"
_PURPOSE = "approval key"


def write_new_key(file: Path, passphrase: str) -> Path:
    """Create a key pair: the private key in `file`, the public one in the returned file.

    Raises ApprovalRefused for a short passphrase or an existing file.
    """
    if len(passphrase) < MIN_LETTERS:
        raise ApprovalRefused(f"want a passphrase of at least {MIN_LETTERS} letters")
    private = Ed25519PrivateKey.generate()
    salt, sealed = sealed_by_passphrase(passphrase.encode(), private.private_bytes_raw(), _PURPOSE)
    public_file = file.with_name(f"{file.name}.pub")
    public = public_pem(private.public_key())
    _write_once(file, _MAGIC + salt + sealed, 0o600)
    _write_once(public_file, public, 0o644)
    return public_file


def read_private_key(file: Path, passphrase: str) -> Ed25519PrivateKey:
    """Return the private key; raises ApprovalRefused for a wrong passphrase or kind of key."""
    content = _content(file)
    if not content.startswith(_MAGIC):
        raise ApprovalRefused(f"{file}: want a key that `tidegate approvals new-key` made")
    salted = content.removeprefix(_MAGIC)
    salt, sealed = salted[:SALT_BYTES], salted[SALT_BYTES:]
    try:
        raw = opened_by_passphrase(passphrase.encode(), salt, sealed, _PURPOSE)
    except KeysLocked:
        raise ApprovalRefused(f"{file}: the passphrase does not open it") from None
    return Ed25519PrivateKey.from_private_bytes(raw)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ApprovalRefused(f"{file}: {error.strerror}") from None


def read_public_key(file: Path) -> bytes:
    """Return the 32 bytes of a public key; raises ApprovalRefused."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except (OSError, ValueError):
        raise ApprovalRefused(f"{file}: want the file that ends with .pub") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ApprovalRefused(f"{file}: want a key that `tidegate approvals new-key` made")
    return key.public_bytes_raw()


def sign_approval(approval: GivenApproval, key: Ed25519PrivateKey) -> GivenApproval:
    """Return the approval signed with this key."""
    key_id = public_key_id(key.public_key().public_bytes_raw())
    return approval.model_copy(update={"key_id": key_id}).signed(key)


def _write_once(file: Path, content: bytes, mode: int) -> None:
    try:
        # O_EXCL: never overwrite a key that someone still needs, not even in a race.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise ApprovalRefused(f"{file} is there already; it is left as it is") from None
    except OSError as error:
        raise ApprovalRefused(f"{file}: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
