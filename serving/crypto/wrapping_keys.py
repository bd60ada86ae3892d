"""The keys that wrap data keys: files next to the database, never in it or its backups.

An erasure replaces the wrapping key. Destroyed data keys that remain in free pages, journals or
copies of the database are wrapped under a key that no longer exists. Each database has its own
wrapping keys, so that destroying one never affects another.
"""

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from features.atomic_dir import flush_folder
from features.errors import KeyMissing
from features.home_keys import KEY_BYTES, read_secret, write_secret
from serving.crypto.errors import Undecipherable

FOLDER = "data"
# Files with other names, such as unfinished writes, are not keys.
_NAME = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class WrappingKeys:
    """The wrapping keys of a database, one file each, below the folder of its home's keys."""

    keys: Path
    database_id: str

    @property
    def folder(self) -> Path:
        """Return their folder."""
        return self.keys / FOLDER / self.database_id

    def made(self) -> str:
        """Create a key and return its id; the key is durable on return."""
        key_id = secrets.token_hex(8)
        write_secret(self.keys, self._file(key_id), secrets.token_bytes(KEY_BYTES))
        # The new folder's name must be durable before a row refers to a key in it.
        flush_folder(self.folder.parent)
        return key_id

    def key(self, key_id: str) -> bytes:
        """Read a key; raise Undecipherable if it is missing or truncated."""
        try:
            found = read_secret(self.keys, self._file(key_id))
        except KeyMissing:
            raise Undecipherable(
                f"the wrapping key {key_id} is not in {self.folder}: an erasure has destroyed it "
                "since this database was copied, or the folder belongs to another installation"
            ) from None
        if len(found) != KEY_BYTES:
            raise Undecipherable(
                f"the wrapping key {key_id} in {self.folder} has {len(found)} bytes, want "
                f"{KEY_BYTES}: it was cut off; put it back from the copy of HOME/keys"
            )
        return found

    def ids(self) -> list[str]:
        """Return the ids of all existing keys."""
        names = (file.stem for file in self.folder.glob("*.key"))
        return sorted(name for name in names if _NAME.fullmatch(name))

    def destroy(self, key_id: str) -> None:
        """Overwrite a key in place, then remove it."""
        if (path := self.folder / f"{key_id}.key").exists():
            _overwrite(path)

    def _file(self, key_id: str) -> str:
        return f"{FOLDER}/{self.database_id}/{key_id}.key"


def _overwrite(path: Path) -> None:
    # Removing the name alone would leave the key in free blocks of the disk.
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    flush_folder(path.parent)
