"""The secrets of a home: made once, all together, then read and checked, never made anew.

A home is blank as long as nothing hangs on keys: it has none, no database and no model. Whoever
first needs a key of a blank home makes all of them. Where anything is there, a missing key is an
error: what was encrypted, signed or drawn with it can't be matched by another.
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
)

from features.atomic_dir import flush_folder, write_durably
from features.errors import KeyMissing, KeysLocked, TidegateError
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

# What is made at the beginning; keys that wrap data keys are made with their database.
KEY_FILES = {
    SIGNING: "signing.pem",
    LOG: "log.key",
    SUBJECTS: "subjects.key",
    DRAWS: "draw.seed",
    PSEUDONYMS: "pseudonyms.key",
}

PUBLIC_FILES = {SIGNING: "signing.pub", LOG: "log.pub"}

# The folder of keys that were rotated away and are still needed.
FORMER = "former"

# Keys without which what was made with them cannot be found or made again.
KEPT_WHEN_ROTATED = (SUBJECTS, DRAWS, PSEUDONYMS)

# In the home beside the folder of keys: which database it belongs to.
DATABASE_FILE = "database.json"

_LEFT_BEHIND_S = 3600.0
_PUBLIC_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----\n?", re.DOTALL)


def is_blank_home(folder: Path) -> bool:
    """Return whether nothing hangs on keys in `folder`, which is `HOME/keys`."""
    home = folder.parent
    has_keys = folder.is_dir() and any(not file.name.startswith(".") for file in folder.iterdir())
    has_model = has_models(folder)
    return not (
        has_keys or has_model or (home / "tidegate.db").exists() or (home / DATABASE_FILE).exists()
    )


def has_models(folder: Path) -> bool:
    """Return whether models are beside `folder`, which is `HOME/keys`: the signing key sealed
    them.
    """
    return any(folder.parent.glob("models/*/*/manifest.json"))


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


def create_key(folder: Path, name: str) -> None:
    """Make one key that nothing hangs on yet, in a home that has others."""
    _write_key(folder, name, fresh_key(name))


def read_key(folder: Path, name: str) -> bytes:
    """A key of the home whose keys are in `folder`: 32 bytes, or a PEM of the one that signs.

    A blank home gets its keys first. Raises KeyMissing, or TidegateError for what is no whole key.
    """
    file = folder / KEY_FILES[name]
    if not file.exists() and is_blank_home(folder):
        make_keys(folder)
    content = read_secret(folder, KEY_FILES[name])
    if name == SIGNING:
        try:
            _private(name, content)
        except ValueError:
            size = len(content)
            raise TidegateError(
                f"{file} is no Ed25519 private key in PEM ({size} bytes); put it back from the "
                "copy of HOME/keys"
            ) from None
    elif len(content) != KEY_BYTES:
        raise TidegateError(
            f"{file} has {len(content)} bytes, want {KEY_BYTES}: it was cut off or is another "
            "file; put it back from the copy of HOME/keys"
        )
    return content


def read_secret(folder: Path, relative: str) -> bytes:
    """The bytes of a secret file below the folder of keys; raises KeyMissing or TidegateError."""
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
    """Put a secret there, whole, for its owner only, and durable when this returns.

    Without `replace`, what is there already stays.
    """
    file = folder / relative
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_durably(file, wrapped_for(folder, relative, content), replace=replace)


def key_fingerprint(name: str, content: bytes) -> str:
    """Return what names a key in public (hexadecimal): of a secret a keyed hash, which tells
    nothing.

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


def public_file_of(name: str, content: bytes, former: Sequence[tuple[str, str]] = ()) -> bytes:
    """Return what `signing.pub` or `log.pub` holds: the public half of a key, then those of former
    ones.

    Of each former one its public half (hexadecimal), and until when what it signed counts.
    """
    if name == LOG:
        lines = [public_half(name, content), *(" ".join(each) for each in former)]
        return "".join(f"{line}\n" for line in lines).encode()
    keys = [public_half(name, content), *(public for public, _ in former)]
    return b"".join(
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        for key in keys
    )


def public_blocks(content: bytes) -> list[bytes]:
    """The public keys that a `signing.pub` holds, each as PEM: the one in use, then former ones."""
    return _PUBLIC_BLOCK.findall(content)


def sign_with(name: str, content: bytes, said: bytes) -> bytes:
    """The signature of a key that signs."""
    return _private(name, content).sign(said)


def sweep_secrets(folder: Path) -> None:
    """Remove secrets that somebody who was killed has left half-written, an hour ago or longer."""
    for left in folder.rglob(".*.partial-*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _LEFT_BEHIND_S:
                left.unlink()


def take_the_next_key(folder: Path, name: str, former: Sequence[tuple[str, str]]) -> None:
    """Let the key that was laid beside one take its place, its public half with those `former`.

    One that names or draws were made with is kept, so that they can be made again; what signed is
    overwritten, since what it signed is verified by its public half.
    """
    file, following = folder / KEY_FILES[name], folder / f"{KEY_FILES[name]}.next"
    if following.exists():
        replaced, taken = read_secret(folder, file.name), read_secret(folder, following.name)
        if name in KEPT_WHEN_ROTATED and replaced != taken:
            kept = f"{FORMER}/{name}-{time.time_ns()}-{key_fingerprint(name, replaced)}.key"
            write_secret(folder, kept, replaced)
        with file.open("r+b") as opened:  # what is overwritten below, once it has no name
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
    """Encrypt every secret of a home; how many were. One that is killed goes on with what it kept.

    Raises KeysLocked where those that are wrapped already cannot be opened.
    """
    sweep_secrets(folder)
    write_durably(folder / WRAPPING_FILE, fresh.kept, replace=False)
    try:
        home_key(folder)  # before anything is encrypted, see that it can be opened
    except KeysLocked:
        if not any(is_wrapped((folder / each).read_bytes()) for each in secret_files(folder)):
            (folder / WRAPPING_FILE).unlink()
        raise
    return _exchange(folder, lambda name, secret: wrapped(home_key(folder), name, secret))


def unwrap_keys(folder: Path) -> int:
    """Lay every secret of a home down as it is; how many were wrapped."""
    count = _exchange(folder, lambda _, secret: secret)
    (folder / WRAPPING_FILE).unlink(missing_ok=True)
    flush_folder(folder)
    return count


def secret_files(folder: Path) -> list[str]:
    """The secrets of a home by their place in its folder of keys."""
    files = (*folder.rglob("*.key"), *folder.glob("*.seed"), *folder.glob("*.pem"))
    following = folder.glob("*.next")
    return sorted(str(file.relative_to(folder)) for file in (*files, *following))


def _exchange(folder: Path, written: Callable[[str, bytes], bytes]) -> int:
    """Write every secret anew, and overwrite what it was written as before."""
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
    """The key of pseudonyms made at the door: the first, so that records keep theirs after all
    rotations.
    """
    return (read_key(folder, PSEUDONYMS), *former_keys(folder, PSEUDONYMS))[-1]


def former_keys(folder: Path, name: str) -> tuple[bytes, ...]:
    """The keys of this name that were rotated away and are kept, the newest first."""
    files = sorted((folder / FORMER).glob(f"{name}-*.key"), reverse=True)
    kept = (read_secret(folder, str(file.relative_to(folder))) for file in files)
    return tuple(dict.fromkeys(kept))


def keys_from(folder: Path, name: str, in_use: str) -> tuple[bytes, ...]:
    """The key with a fingerprint, then the others of its name, the newest first.

    Empty where it is not there. One that was adopted a moment ago may still be laid beside the
    former one.
    """
    following = f"{KEY_FILES[name]}.next"
    laid = (read_secret(folder, following),) if (folder / following).exists() else ()
    found = tuple(dict.fromkeys((read_key(folder, name), *laid, *former_keys(folder, name))))
    newest = [key for key in found if key_fingerprint(name, key) == in_use]
    others = [key for key in found if key not in (*newest, *laid)]
    return (*newest, *others) if newest else ()


def is_public_file_of(folder: Path, name: str, content: bytes) -> bool:
    """Return whether the public file of a key begins with its public half: former ones may
    follow.
    """
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
        write_durably(folder / PUBLIC_FILES[name], public_file_of(name, kept))


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
