"""Secrets of an installation, each in a file of its own, made on first use."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def kept_secret(folder: Path, name: str) -> bytes:
    """The 32 random bytes in a file that only its owner may read.

    However many begin together, one of them makes it.
    """
    path = folder / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
        with os.fdopen(made, "wb") as file:
            file.write(secrets.token_bytes(32))
    return path.read_bytes()
