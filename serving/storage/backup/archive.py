"""The archive of a backup: a compressed tar whose last member lists the digests of the others."""

import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from features.errors import TidegateError

MANIFEST = "backup.json"
_QUICK = 1  # most members are compressed already
_CHUNK_BYTES = 1 << 20
# Errors of reading a file that is not a complete backup. A full disk is not among them, so that it
# is not reported as damage.
_DAMAGES = (
    *(tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValidationError),
    *(FileExistsError, FileNotFoundError, NotADirectoryError, IsADirectoryError),
)


class ChainEnd(BaseModel):
    """The end of a chain: its number of rows and its head (hexadecimal)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    head: str


class BackupManifest(BaseModel):
    """The manifest of a backup: its origin, and the SHA-256 (hex) of every member by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Literal["tidegate-backup-1"] = "tidegate-backup-1"
    release: str
    made_at: str
    database_id: str
    chains: dict[str, ChainEnd]
    members: dict[str, str]


class BackupArchive:
    """An archive being written; each member is read once, up to its size at that moment."""

    def __init__(self, tar: tarfile.TarFile):
        self._tar = tar
        self.members: dict[str, str] = {}

    @classmethod
    @contextmanager
    def written_to(cls, file: Path) -> Iterator["BackupArchive"]:
        """Create a new archive that only its owner can read."""
        # O_EXCL refuses an existing file, and the mode applies from the first byte on.
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with (
            os.fdopen(descriptor, "wb") as raw,
            gzip.GzipFile("", "wb", _QUICK, raw, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            yield cls(tar)

    def add_file(self, name: str, file: Path) -> None:
        """Add the present content of a file; lines appended meanwhile are left out."""
        with file.open("rb") as opened:
            self._add(name, opened, os.fstat(opened.fileno()).st_size)

    def add_bytes(self, name: str, content: bytes) -> None:
        """Add a member from memory."""
        self._add(name, BytesIO(content), len(content))

    def _add(self, name: str, content: IO[bytes], size: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        hashing = _Hashing(content)
        self._tar.addfile(member, hashing)  # type: ignore[arg-type]  # it is only read from
        self.members[name] = hashing.digest


class _Hashing:
    """A reader that computes the SHA-256 of what it has read."""

    def __init__(self, content: IO[bytes]):
        self._content = content
        self._hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        chunk = self._content.read(size)
        self._hash.update(chunk)
        return chunk

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def extract(archive: Path, folder: Path) -> BackupManifest:
    """Extract every member into a folder, checked against the manifest; return the manifest.

    Raises TidegateError if there is no such file, or a member is missing, unexpected, altered or
    outside the folder, and OSError if the disk is full.
    """
    _require_readable(archive)
    try:
        with tarfile.open(archive, "r|gz") as tar:
            digests = {each.name: _laid_down(tar, each, folder) for each in tar}
        manifest = BackupManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except _DAMAGES as failure:
        why = getattr(failure, "strerror", None) or type(failure).__name__
        raise TidegateError(f"{archive} is not a complete backup ({why})") from None
    _require_same_members(archive, digests, manifest.members)
    (folder / MANIFEST).unlink()
    return manifest


def _require_readable(archive: Path) -> None:
    try:
        archive.open("rb").close()
    except FileNotFoundError:
        there = sorted(each.name for each in archive.parent.glob(f"*{archive.suffix}"))
        among = f"in {archive.parent} are {', '.join(there)}" if there else "none is beside it"
        raise TidegateError(f"there is no backup {archive}: {among}") from None
    except OSError as failure:
        raise TidegateError(f"the backup {archive} cannot be read: {failure.strerror}") from None


def _laid_down(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> str:
    parts = PurePosixPath(member.name).parts
    content = tar.extractfile(member) if member.isreg() else None
    # Only plain files at relative paths: a crafted archive must not write outside the folder.
    if content is None or not parts or ".." in parts or member.name.startswith("/"):
        raise TidegateError(f"the backup has a member {member.name!r} that none can have")
    file = folder.joinpath(*parts)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hashing = _Hashing(content)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        while chunk := hashing.read(_CHUNK_BYTES):
            out.write(chunk)
    return hashing.digest


def _require_same_members(
    archive: Path, found: Mapping[str, str], expected: Mapping[str, str]
) -> None:
    for name in sorted({*found, *expected} - {MANIFEST}):
        if found.get(name) != expected.get(name):
            raise TidegateError(f"{archive}: {name} differs from the manifest of the backup")
