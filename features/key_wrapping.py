"""The secrets of a home at rest: encrypted under a key of the home, which a passphrase or a command
of the deployer's opens.

A thief of the home alone then reads nothing. The passphrase is in a file elsewhere
(`TIDEGATE_KEYS_PASSPHRASE_FILE`); the command (`TIDEGATE_KEYS_UNWRAP_COMMAND`, of a KMS, say) gets
what it wrapped on standard input and writes the key of the home on standard output.
"""

import base64
import json
import os
import secrets
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from features.errors import KeysLocked

WRAPPING_FILE = "wrapping.json"
PASSPHRASE_FILE = "TIDEGATE_KEYS_PASSPHRASE_FILE"  # noqa: S105  the name of a setting
UNWRAP_COMMAND = "TIDEGATE_KEYS_UNWRAP_COMMAND"

MIN_PASSPHRASE_LENGTH = 16
SALT_BYTES = 16
_MAGIC = b"tidegate wrapped key 1\n"
_NONCE_BYTES, _KEY_BYTES = 12, 32
_SCRYPT = {"n": 2**16, "r": 8, "p": 1}  # 64 MiB, once in each process
_MAX_COMMAND_S = 60

_opened: dict[bytes, bytes] = {}


@dataclass(frozen=True)
class HomeKey:
    """The key that encrypts the secrets of one home, and how it is kept itself."""

    key: bytes
    kept: bytes

    @classmethod
    def under_passphrase(cls, passphrase: bytes) -> "HomeKey":
        """A fresh key, kept under a passphrase; raises KeysLocked for one that is too short."""
        if len(passphrase) < MIN_PASSPHRASE_LENGTH:
            raise KeysLocked(
                f"the passphrase is too short; want {MIN_PASSPHRASE_LENGTH} bytes or more"
            )
        key = secrets.token_bytes(_KEY_BYTES)
        salt, sealed = sealed_by_passphrase(passphrase, key, "home")
        kept = {"by": "passphrase", "salt": _text(salt), "sealed": _text(sealed)}
        return cls(key, json.dumps(kept, indent=1).encode() + b"\n")

    @classmethod
    def under_command(cls, wrap_command: str) -> "HomeKey":
        """A fresh key, kept as a command wrapped it (standard input to standard output)."""
        key = secrets.token_bytes(_KEY_BYTES)
        kept = {"by": "command", "sealed": _text(_run(wrap_command, key))}
        return cls(key, json.dumps(kept, indent=1).encode() + b"\n")


def sealed_by_passphrase(passphrase: bytes, content: bytes, purpose: str) -> tuple[bytes, bytes]:
    """A fresh salt, and the content as only the passphrase opens it, for this purpose alone."""
    salt = secrets.token_bytes(SALT_BYTES)
    return salt, _encrypted(_derived(passphrase, salt), content, purpose)


def opened_by_passphrase(passphrase: bytes, salt: bytes, sealed: bytes, purpose: str) -> bytes:
    """Return what a passphrase sealed; raises KeysLocked for another one and for what was
    changed.
    """
    return _decrypted(_derived(passphrase, salt), sealed, purpose, "another passphrase closed them")


def is_wrapped(content: bytes) -> bool:
    """Return whether a file of a secret holds it encrypted."""
    return content.startswith(_MAGIC)


def wrapped_for(folder: Path, relative: str, content: bytes) -> bytes:
    """Return what the file of a secret is to hold: the secret itself where the home wraps none."""
    file = folder / WRAPPING_FILE
    if not file.exists():
        return content
    return wrapped(home_key(folder), relative, content)


def wrapped(key: bytes, relative: str, content: bytes) -> bytes:
    """A secret, encrypted for its place in the folder."""
    return _MAGIC + _encrypted(key, content, relative)


def unwrapped(folder: Path, relative: str, content: bytes) -> bytes:
    """The secret that a file holds; raises KeysLocked where it cannot be opened."""
    if not is_wrapped(content):
        return content
    sealed = content.removeprefix(_MAGIC)
    return _decrypted(home_key(folder), sealed, relative, f"{folder / relative} was changed")


def home_key(folder: Path) -> bytes:
    """The key of a home that wraps its secrets, opened once in each process."""
    try:
        kept = (folder / WRAPPING_FILE).read_bytes()
    except OSError:
        raise KeysLocked(
            f"{folder / WRAPPING_FILE} cannot be read, and keys beside it are wrapped; put it back "
            "from the copy of HOME/keys"
        ) from None
    if kept not in _opened:
        _opened[kept] = _open(folder, kept)
    return _opened[kept]


def _open(folder: Path, kept: bytes) -> bytes:
    try:
        stated = json.loads(kept)
        by, sealed = stated["by"], base64.b64decode(stated["sealed"])
        salt = base64.b64decode(stated.get("salt", ""))
    except (ValueError, KeyError, TypeError):
        raise KeysLocked(f"{folder / WRAPPING_FILE} was changed; put it back") from None
    if by == "command":
        key = _run(_setting(UNWRAP_COMMAND, folder), sealed)
        if len(key) != _KEY_BYTES:
            raise KeysLocked(f"the command of {UNWRAP_COMMAND} wrote {len(key)} bytes, want 32")
        return key
    passphrase = passphrase_in(Path(_setting(PASSPHRASE_FILE, folder)))
    return _decrypted(
        _derived(passphrase, salt), sealed, "home", f"{PASSPHRASE_FILE} has another passphrase"
    )


def passphrase_in(file: Path) -> bytes:
    """The first line of a file."""
    try:
        first, *_ = file.read_bytes().splitlines() or [b""]
    except OSError as error:
        raise KeysLocked(f"the passphrase in {file} cannot be read: {error.strerror}") from None
    return first


def _setting(name: str, folder: Path) -> str:
    value = os.environ.get(name)
    if not value:
        raise KeysLocked(f"the keys in {folder} are wrapped; set {name} to open them")
    return value


def _run(command: str, given: bytes) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603  the deployer's own command, without a shell
            shlex.split(command),
            input=given,
            capture_output=True,
            timeout=_MAX_COMMAND_S,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise KeysLocked(
            f"the command that opens or closes the keys failed ({type(error).__name__})"
        ) from None
    return done.stdout


def _derived(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=_KEY_BYTES, **_SCRYPT).derive(passphrase)


def _encrypted(key: bytes, content: bytes, place: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, place.encode())


def _decrypted(key: bytes, sealed: bytes, place: str, otherwise: str) -> bytes:
    try:
        nonce, content = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return AESGCM(key).decrypt(nonce, content, place.encode())
    except (InvalidTag, ValueError):
        raise KeysLocked(f"the keys cannot be opened: {otherwise}") from None


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
