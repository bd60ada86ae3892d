"""The secrets of a home: created once, all together, then read and validated, never recreated.

A home is blank while nothing depends on keys: it has no keys, no database and no model. The first
process that needs a key of a blank home creates all of them. Otherwise a missing key is an error,
because data that was encrypted, signed or drawn with it cannot be used with another.
"""

import hashlib
import hmac
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from features.atomic_dir import flush_folder, write_durably
from features.errors import KeyMissing, KeysLocked, Tampered, TidegateError
from features.key_wrapping import (
    WRAPPING_FILE,
    HomeKey,
    home_key,
    is_wrapped,
    unwrapped,
    wrapped,
    wrapped_for,
)

KEY_BYTES = 32

SIGNING, LOG, SUBJECTS, DRAWS, PSEUDONYMS = "signing", "log", "subjects", "draws", "pseudonyms"

# Keys created at the beginning; keys that wrap data keys are created with their database.
KEY_FILES = {
    SIGNING: "signing.pem",
    LOG: "log.key",
    SUBJECTS: "subjects.key",
    DRAWS: "draw.seed",
    PSEUDONYMS: "pseudonyms.key",
}

PUBLIC_FILES = {SIGNING: "signing.pub", LOG: "log.pub"}

# Folder of rotated keys that are still needed.
FORMER = "former"

# Keys that are needed to find or reproduce what was made with them.
KEPT_WHEN_ROTATED = (SUBJECTS, DRAWS, PSEUDONYMS)

# File next to the folder of keys that identifies the database of the home.
DATABASE_FILE = "database.json"

# Younger leftovers may belong to a process that is still running.
_LEFT_BEHIND_S = 3600.0
_PUBLIC_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----\n?", re.DOTALL)


def is_blank_home(folder: Path) -> bool:
    """Return whether nothing depends on keys; `folder` is `HOME/keys`."""
    home = folder.parent
    has_keys = folder.is_dir() and any(not file.name.startswith(".") for file in folder.iterdir())
    has_model = has_models(folder)
    return not (
        has_keys or has_model or (home / "tidegate.db").exists() or (home / DATABASE_FILE).exists()
    )


def has_models(folder: Path) -> bool:
    """Return whether the home has models, which its signing key sealed; `folder` is `HOME/keys`."""
    return any(folder.parent.glob("models/*/*/manifest.json"))


def make_keys(folder: Path) -> None:
    """Create every key of a blank home, all or none; of concurrent processes, one succeeds.

    Raises OSError if the folder cannot be written.
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


def add_key(folder: Path, name: str) -> None:
    """Create one key that nothing depends on yet, in a home that has others."""
    _write_key(folder, name, fresh_key(name))


def read_key(folder: Path, name: str) -> bytes:
    """Return a key of a home: 32 bytes, or a PEM for the signing key.

    A blank home gets its keys first. Raises KeyMissing, or TidegateError for an invalid key.
    """
    file = folder / KEY_FILES[name]
    if not file.exists() and is_blank_home(folder):
        make_keys(folder)
    content = read_secret(folder, KEY_FILES[name])
    if name == SIGNING:
        try:
            key_pair(name, content)
        except ValueError:
            size = len(content)
            raise TidegateError(
                f"{file} is not an Ed25519 private key in PEM ({size} bytes); put it back from the "
                "copy of HOME/keys"
            ) from None
    elif len(content) != KEY_BYTES:
        raise TidegateError(
            f"{file} has {len(content)} bytes, want {KEY_BYTES}: it was cut off or is another "
            "file; put it back from the copy of HOME/keys"
        )
    return content


def read_secret(folder: Path, relative: str) -> bytes:
    """Return the bytes of a secret file below the key folder.

    Raises KeyMissing or TidegateError.
    """
    file = folder / relative
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise KeyMissing(
            f"the key {file} is missing, and nothing makes it anew: what was made with it needs "
            "just that key. Put it back from the copy of HOME/keys"
        ) from None
    except OSError as error:
        raise TidegateError(f"the key {file} cannot be read: {error.strerror}") from None
    return unwrapped(folder, relative, content)


def write_secret(folder: Path, relative: str, content: bytes, *, replace: bool = False) -> None:
    """Write a secret atomically, readable by its owner only, and flushed to disk.

    Without `replace`, an existing secret is kept.
    """
    file = folder / relative
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_durably(file, wrapped_for(folder, relative, content), replace=replace)


def key_fingerprint(name: str, content: bytes) -> str:
    """Return a public name of a key (hexadecimal) that reveals nothing about it.

    For a secret it is a keyed hash; for a key pair the beginning of the public half.
    """
    public = public_half(name, content)
    if public:
        return public[:16]
    said = f"tidegate key fingerprint\n{name}\n".encode()
    return hmac.digest(content, said, hashlib.sha256).hex()[:32]


def public_half(name: str, content: bytes) -> str:
    """Return the public half of a signing key (hexadecimal); empty for other keys."""
    if name not in PUBLIC_FILES:
        return ""
    private = key_pair(name, content)
    return str(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex())


def public_file_of(name: str, content: bytes, former: Sequence[tuple[str, str]] = ()) -> bytes:
    """Return the content of `signing.pub` or `log.pub`: the public half, then those of former keys.

    `former` has each public half (hexadecimal) and the instant until which its signatures count.
    """
    if name == LOG:
        lines = [public_half(name, content), *(" ".join(each) for each in former)]
        return "".join(f"{line}\n" for line in lines).encode()
    keys = [public_half(name, content), *(public for public, _ in former)]
    return b"".join(
        public_pem(Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))) for key in keys
    )


def public_pem(key: Ed25519PublicKey) -> bytes:
    """Return a public key in PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def keys_in_pem(content: bytes) -> list[bytes]:
    """Return the public keys in a `signing.pub`, 32 bytes each: the current one, then former ones.

    Raises Tampered, since nothing can be verified without them.
    """
    return [_public_key(block) for block in _PUBLIC_BLOCK.findall(content) or [content]]


def keys_in_lines(lines: str, at: str = "") -> list[bytes]:
    """Return the public keys in a `log.pub` that were in use at an instant (ISO).

    A line is a key (hexadecimal), followed by its end (ISO) if it was rotated.
    """
    keys = []
    for line in lines.splitlines():
        key, _, ends_at = line.partition(" ")
        # A stolen former key must not sign for the time after its rotation.
        if ends_at and at >= ends_at:
            continue
        # A damaged line must not keep the other keys from being tried.
        with suppress(ValueError):
            keys.append(bytes.fromhex(key))
    return keys


def _public_key(pem: bytes) -> bytes:
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        raise Tampered("the public key is not PEM; want the bytes of signing.pub") from None
    if not isinstance(key, Ed25519PublicKey):
        raise Tampered("the public key is not an Ed25519 key; want the bytes of signing.pub")
    return key.public_bytes_raw()


def private_key(folder: Path, name: str) -> Ed25519PrivateKey:
    """Return the key of a home that signs models (SIGNING) or the log (LOG).

    A blank home gets its keys first. Raises as `read_key`.
    """
    return key_pair(name, read_key(folder, name))


def sweep_secrets(folder: Path) -> None:
    """Remove temporary files of killed processes that are over an hour old."""
    for left in folder.rglob(".*.partial-*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _LEFT_BEHIND_S:
                left.unlink()


def take_the_next_key(folder: Path, name: str, former: Sequence[tuple[str, str]]) -> None:
    """Replace a key by its successor `.next`, and publish its public half with the `former` ones.

    Keys that name or draw are kept, so that their results can be reproduced. Signing keys are
    overwritten, since their signatures are verified with the public half.
    """
    file, following = folder / KEY_FILES[name], folder / f"{KEY_FILES[name]}.next"
    if following.exists():
        replaced, taken = read_secret(folder, file.name), read_secret(folder, following.name)
        if name in KEPT_WHEN_ROTATED and replaced != taken:
            kept = f"{FORMER}/{name}-{time.time_ns()}-{key_fingerprint(name, replaced)}.key"
            write_secret(folder, kept, replaced)
        with file.open("r+b") as opened:  # overwritten below, once the file has no name
            write_secret(folder, file.name, taken, replace=True)
            following.unlink()
            flush_folder(folder)
            opened.write(os.urandom(os.fstat(opened.fileno()).st_size))
            opened.flush()
            os.fsync(opened.fileno())
    if name in PUBLIC_FILES:
        public = public_file_of(name, read_key(folder, name), former)
        write_durably(folder / PUBLIC_FILES[name], public)


def wrap_keys(folder: Path, fresh: HomeKey) -> int:
    """Encrypt every secret of a home; return how many.

    After a kill, the next call continues with the key that was stored.
    """
    sweep_secrets(folder)
    write_durably(folder / WRAPPING_FILE, fresh.kept, replace=False)
    try:
        home_key(folder)  # check that it can be opened before anything is encrypted
    except KeysLocked:
        if not any(is_wrapped((folder / each).read_bytes()) for each in secret_files(folder)):
            (folder / WRAPPING_FILE).unlink()
        raise
    return _exchange(folder, lambda name, secret: wrapped(home_key(folder), name, secret))


def unwrap_keys(folder: Path) -> int:
    """Decrypt every secret of a home; return how many were wrapped."""
    count = _exchange(folder, lambda _, secret: secret)
    (folder / WRAPPING_FILE).unlink(missing_ok=True)
    flush_folder(folder)
    return count


def secret_files(folder: Path) -> list[str]:
    """Return the paths of all secrets, relative to the key folder."""
    files = (*folder.rglob("*.key"), *folder.glob("*.seed"), *folder.glob("*.pem"))
    following = folder.glob("*.next")
    return sorted(str(file.relative_to(folder)) for file in (*files, *following))


def _exchange(folder: Path, written: Callable[[str, bytes], bytes]) -> int:
    """Rewrite every secret and overwrite its old content on disk."""
    count = 0
    for relative in secret_files(folder):
        file = folder / relative
        before = file.read_bytes()
        after = written(relative, unwrapped(folder, relative, before))
        if is_wrapped(before) != is_wrapped(after):
            with file.open("r+b") as opened:
                write_durably(file, after)
                opened.write(os.urandom(len(before)))
                opened.flush()
                os.fsync(opened.fileno())
            count += 1
    return count


def party_key(folder: Path) -> bytes:
    """Return the pseudonym key for arriving data: the first one ever.

    Records thus keep their pseudonyms after rotations.
    """
    return (read_key(folder, PSEUDONYMS), *former_keys(folder, PSEUDONYMS))[-1]


def former_keys(folder: Path, name: str) -> tuple[bytes, ...]:
    """Return the stored former keys of a name, the newest first."""
    files = sorted((folder / FORMER).glob(f"{name}-*.key"), reverse=True)
    kept = (read_secret(folder, str(file.relative_to(folder))) for file in files)
    return tuple(dict.fromkeys(kept))


def keys_from(folder: Path, name: str, in_use: str) -> tuple[bytes, ...]:
    """Return the key with a fingerprint, then the others of its name, the newest first.

    Empty if there is no such key. A key adopted a moment ago may still be in `.next`.
    """
    following = f"{KEY_FILES[name]}.next"
    laid = (read_secret(folder, following),) if (folder / following).exists() else ()
    found = tuple(dict.fromkeys((read_key(folder, name), *laid, *former_keys(folder, name))))
    newest = [key for key in found if key_fingerprint(name, key) == in_use]
    others = [key for key in found if key not in (*newest, *laid)]
    return (*newest, *others) if newest else ()


def is_public_file_of(folder: Path, name: str, content: bytes) -> bool:
    """Return whether the public file of a key begins with its public half.

    Former ones may follow.
    """
    try:
        found = (folder / PUBLIC_FILES[name]).read_bytes()
    except OSError:
        return False
    return found.startswith(public_file_of(name, content))


def _write_key(folder: Path, name: str, content: bytes) -> None:
    """Write a key if there is none, then the public half of the key that is stored."""
    write_secret(folder, KEY_FILES[name], content)
    if name in PUBLIC_FILES:
        # Another process may have been first: publish the stored key, not the one given.
        kept = read_secret(folder, KEY_FILES[name])
        write_durably(folder / PUBLIC_FILES[name], public_file_of(name, kept))


def fresh_key(name: str) -> bytes:
    """Return a new random key in the form of its file."""
    if name != SIGNING:  # an Ed25519 key is 32 random bytes as well
        return secrets.token_bytes(KEY_BYTES)
    private = Ed25519PrivateKey.generate()
    return bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def key_pair(name: str, content: bytes) -> Ed25519PrivateKey:
    """Return the key pair in the content of a key file; raises ValueError for another kind."""
    if name == LOG:
        return Ed25519PrivateKey.from_private_bytes(content)
    key = load_pem_private_key(content, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("no Ed25519 key")
    return key


def _sweep(folder: Path) -> None:
    """Remove key folders of killed processes, which were never in use."""
    for left in folder.parent.glob(".keys.partial-*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _LEFT_BEHIND_S:
                for file in left.iterdir():
                    file.unlink()
                left.rmdir()


@contextmanager
def _none_as_existing(folder: Path) -> Iterator[None]:
    """Raise FileExistsError if another process filled the folder meanwhile."""
    try:
        yield
    except OSError:
        if any(folder.glob("*")):
            raise FileExistsError(str(folder)) from None
        raise
