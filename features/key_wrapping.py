"""Encrypt the secrets of a home at rest, under a key that a passphrase or a command opens.

Someone who steals only the home can then read nothing. The passphrase is in a file elsewhere
(`TIDEGATE_KEYS_PASSPHRASE_FILE`). The command (`TIDEGATE_KEYS_UNWRAP_COMMAND`, for example of a
KMS) reads the wrapped key on standard input and writes the home key to standard output.
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
# Begins every encrypted secret, which distinguishes it from a plain one.
_MAGIC = b"tidegate wrapped key 1\n"
_NONCE_BYTES, _KEY_BYTES = 12, 32
_SCRYPT = {"n": 2**16, "r": 8, "p": 1}  # takes 64 MiB of memory, once per process
_MAX_COMMAND_S = 60

# Keys opened so far, since scrypt and the command are slow.
_opened: dict[bytes, bytes] = {}


@dataclass(frozen=True)
class HomeKey:
    """The key that encrypts the secrets of one home, and the wrapped form in which it is stored."""

    key: bytes
    kept: bytes

    @classmethod
    def under_passphrase(cls, passphrase: bytes) -> "HomeKey":
        """Return a new key wrapped by a passphrase; raises KeysLocked if that is too short."""
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
        """Return a new key wrapped by a command (standard input to standard output)."""
        key = secrets.token_bytes(_KEY_BYTES)
        kept = {"by": "command", "sealed": _text(_run(wrap_command, key))}
        return cls(key, json.dumps(kept, indent=1).encode() + b"\n")


def sealed_by_passphrase(passphrase: bytes, content: bytes, purpose: str) -> tuple[bytes, bytes]:
    """Return a new salt, and content encrypted by a passphrase for one purpose."""
    salt = secrets.token_bytes(SALT_BYTES)
    return salt, _encrypted(_derived(passphrase, salt), content, purpose)


def opened_by_passphrase(passphrase: bytes, salt: bytes, sealed: bytes, purpose: str) -> bytes:
    """Return decrypted content; raises KeysLocked for a wrong passphrase or altered content."""
    return _decrypted(_derived(passphrase, salt), sealed, purpose, "another passphrase closed them")


def is_wrapped(content: bytes) -> bool:
    """Return whether the content of a secret file is encrypted."""
    return content.startswith(_MAGIC)


def wrapped_for(folder: Path, relative: str, content: bytes) -> bytes:
    """Return the content for a secret's file: encrypted if the home wraps its secrets."""
    file = folder / WRAPPING_FILE
    if not file.exists():
        return content
    return wrapped(home_key(folder), relative, content)


def wrapped(key: bytes, relative: str, content: bytes) -> bytes:
    """Return a secret encrypted for its path in the folder.

    The path is authenticated, so that files cannot be swapped.
    """
    return _MAGIC + _encrypted(key, content, relative)


def unwrapped(folder: Path, relative: str, content: bytes) -> bytes:
    """Return the secret in a file's content; raises KeysLocked if it cannot be opened."""
    if not is_wrapped(content):
        return content
    sealed = content.removeprefix(_MAGIC)
    return _decrypted(home_key(folder), sealed, relative, f"{folder / relative} was changed")


def home_key(folder: Path) -> bytes:
    """Return the key of a home that wraps its secrets; opened once per process."""
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
    """Return the first line of a file."""
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
        # Report only the type of the error: its text contains the command.
        raise KeysLocked(
            f"the command that opens or closes the keys failed ({type(error).__name__})"
        ) from None
    return done.stdout


def _derived(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=_KEY_BYTES, **_SCRYPT).derive(passphrase)


def _encrypted(key: bytes, content: bytes, place: str) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    # The place is authenticated: a secret that was moved to another file cannot be opened.
    return nonce + AESGCM(key).encrypt(nonce, content, place.encode())


def _decrypted(key: bytes, sealed: bytes, place: str, otherwise: str) -> bytes:
    try:
        nonce, content = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return AESGCM(key).decrypt(nonce, content, place.encode())
    except (InvalidTag, ValueError):
        raise KeysLocked(f"the keys cannot be opened: {otherwise}") from None


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
