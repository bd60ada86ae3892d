"""The secrets of a home: made once, all together, then read and checked, never made anew.

A home is blank as long as nothing hangs on keys: it has none, no database and no model. Whoever
first needs a key of a blank home makes all of them. Where anything is there, a missing key is an
error: what was encrypted, signed or drawn with it can't be matched by another.
"""

import hashlib
import hmac
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from features.errors import KeyDamaged, KeyMissing

KEY_BYTES = 32

SIGNING, LOG, SUBJECTS, DRAWS, PSEUDONYMS = "signing", "log", "subjects", "draws", "pseudonyms"

KEY_FILES = {
    SIGNING: "signing.pem",
    LOG: "log.key",
    SUBJECTS: "subjects.key",
    DRAWS: "draw.seed",
    PSEUDONYMS: "pseudonyms.key",
}
"""What is made at the beginning; keys that wrap data keys are made with their database."""

PUBLIC_FILES = {SIGNING: "signing.pub", LOG: "log.pub"}

DATABASE_FILE = "database.json"
"""In the home beside the folder of keys: which database it belongs to."""

_LEFT_BEHIND_S = 3600.0


def is_blank_home(folder: Path) -> bool:
    """Whether nothing hangs on keys in `folder`, which is `HOME/keys`."""
    home = folder.parent
    has_keys = folder.is_dir() and any(not file.name.startswith(".") for file in folder.iterdir())
    has_model = any(home.glob("models/*/*/manifest.json"))
    return not (
        has_keys or has_model or (home / "tidegate.db").exists() or (home / DATABASE_FILE).exists()
    )


def make_keys(folder: Path) -> None:
    """Make every key of a blank home, all or none; of several that begin together, one does.

    Raises OSError where the folder cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    partial = Path(tempfile.mkdtemp(prefix=".keys.partial-", dir=folder.parent))  # 0700
    try:
        for name in KEY_FILES:
            _write_key(partial, name, fresh_key(name))
        flush_folder(partial)
        with suppress(FileExistsError), _none_as_existing(folder):
            partial.rename(folder)
            flush_folder(folder.parent)
    finally:
        if partial.exists():
            for file in partial.iterdir():
                file.unlink()
            partial.rmdir()


def make_key(folder: Path, name: str) -> None:
    """Make one key that nothing hangs on yet, in a home that has others."""
    _write_key(folder, name, fresh_key(name))


def read_key(folder: Path, name: str) -> bytes:
    """A key of the home whose keys are in `folder`: 32 bytes, or a PEM of the one that signs.

    A blank home gets its keys first. Raises KeyMissing, or KeyDamaged for what is no whole key.
    """
    file = folder / KEY_FILES[name]
    if not file.exists() and is_blank_home(folder):
        make_keys(folder)
    content = read_secret(folder, KEY_FILES[name])
    _check(file, name, content)
    return content


def read_secret(folder: Path, relative: str) -> bytes:
    """The bytes of a secret file below the folder of keys; raises KeyMissing or KeyDamaged."""
    file = folder / relative
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise KeyMissing(
            f"the key {file} is missing, and nothing makes it anew: what was made with it needs "
            "just that key. Put it back from the copy of HOME/keys"
        ) from None
    except OSError as error:
        raise KeyDamaged(f"the key {file} cannot be read: {error.strerror}") from None
    return content


def write_secret(folder: Path, relative: str, content: bytes, *, replace: bool = False) -> None:
    """Put a secret there, whole, for its owner only, and durable when this returns.

    Without `replace`, what is there already stays.
    """
    file = folder / relative
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(file, content, replace=replace)


def write_whole(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Put a file there, whole and for its owner only; of several processes, one succeeds."""
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode=0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            partial.replace(path)
        else:
            with suppress(FileExistsError):
                os.link(partial, path)
        flush_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def fingerprint(name: str, content: bytes) -> str:
    """What names a key in public (hexadecimal): of a secret a keyed hash, which tells nothing.

    Of a pair of keys it is the beginning of the public half.
    """
    public = public_half(name, content)
    if public:
        return public[:16]
    said = f"tidegate key fingerprint\n{name}\n".encode()
    return hmac.digest(content, said, hashlib.sha256).hex()[:32]


def public_half(name: str, content: bytes) -> str:
    """The public half of a key that signs (hexadecimal); empty for others."""
    if name not in PUBLIC_FILES:
        return ""
    private = _private(name, content)
    return str(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex())


def public_file_of(name: str, content: bytes) -> bytes:
    """What `signing.pub` or `log.pub` holds for a key."""
    if name == LOG:
        return f"{public_half(name, content)}\n".encode()
    public = _private(name, content).public_key()
    return bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def is_public_file_of(folder: Path, name: str, content: bytes) -> bool:
    """Whether the public file of a key begins with its public half: former ones may follow."""
    try:
        found = (folder / PUBLIC_FILES[name]).read_bytes()
    except OSError:
        return False
    return found.startswith(public_file_of(name, content))


def _write_key(folder: Path, name: str, content: bytes) -> None:
    """Write a key where there is none, then its public half, of the key that is there."""
    write_secret(folder, KEY_FILES[name], content)
    if name in PUBLIC_FILES:
        kept = read_secret(folder, KEY_FILES[name])
        write_secret(folder, PUBLIC_FILES[name], public_file_of(name, kept), replace=True)


def fresh_key(name: str) -> bytes:
    """A key that nobody has yet, as its file holds it."""
    if name != SIGNING:  # an Ed25519 key is 32 random bytes too
        return secrets.token_bytes(KEY_BYTES)
    private = Ed25519PrivateKey.generate()
    return bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _private(name: str, content: bytes) -> Ed25519PrivateKey:
    if name == LOG:
        return Ed25519PrivateKey.from_private_bytes(content)
    key = load_pem_private_key(content, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("no Ed25519 key")
    return key


def _check(file: Path, name: str, content: bytes) -> None:
    if name == SIGNING:
        try:
            _private(name, content)
        except ValueError:
            size = len(content)
            raise KeyDamaged(
                f"{file} is no Ed25519 private key in PEM ({size} bytes); put it back from the "
                "copy of HOME/keys"
            ) from None
    elif len(content) != KEY_BYTES:
        raise KeyDamaged(
            f"{file} has {len(content)} bytes, want {KEY_BYTES}: it was cut off or is another "
            "file; put it back from the copy of HOME/keys"
        )


def _sweep(folder: Path) -> None:
    """Remove what somebody who was killed has left: keys that were never any."""
    for left in folder.parent.glob(".keys.partial-*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _LEFT_BEHIND_S:
                for file in left.iterdir():
                    file.unlink()
                left.rmdir()


@contextmanager
def _none_as_existing(folder: Path) -> Iterator[None]:
    """Tell a folder that another process filled meanwhile by the error of a file."""
    try:
        yield
    except OSError:
        if any(folder.glob("*")):
            raise FileExistsError(str(folder)) from None
        raise
