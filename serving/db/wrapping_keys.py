"""The keys that wrap data keys: files beside the database, never in it, nor in its backups.

Erasure changes the wrapping key: what lies of destroyed data keys in free pages, journals or copies
of the database is wrapped under a key that is no more.
"""

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from features.home_keys import KEY_BYTES, flush_folder, write_secret
from serving.errors import Undecipherable

_NAME = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class WrappingKeys:
    """The wrapping keys of an installation, one file each; `folder` is made on first use."""

    folder: Path

    def made(self) -> str:
        """The id of a fresh key, durable when this returns."""
        key_id = secrets.token_hex(8)
        write_secret(self.folder, f"{key_id}.key", secrets.token_bytes(KEY_BYTES))
        return key_id

    def key(self, key_id: str) -> bytes:
        """A key; raises Undecipherable where it is gone."""
        try:
            return (self.folder / f"{key_id}.key").read_bytes()
        except FileNotFoundError:
            raise Undecipherable(
                f"the wrapping key {key_id} is not in {self.folder}: an erasure has destroyed it "
                "since this database was copied, or the folder belongs to another installation"
            ) from None

    def ids(self) -> list[str]:
        """All that are there."""
        names = (file.stem for file in self.folder.glob("*.key"))
        return sorted(name for name in names if _NAME.fullmatch(name))

    def destroy(self, key_id: str) -> None:
        """Overwrite a key where it lies, then remove it."""
        path = self.folder / f"{key_id}.key"
        with path.open("r+b") as file:
            file.write(os.urandom(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        flush_folder(self.folder)
