"""Secrets of an installation, each in a file of its own, made on first use."""

import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path


def kept_secret(folder: Path, name: str) -> bytes:
    """The 32 random bytes in a file that only its owner may read.

    However many begin together, one of them makes it; where a disk is full, none does.
    """
    path = folder / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        make_once(path, secrets.token_bytes(32))
    return path.read_bytes()


def make_once(path: Path, content: bytes) -> None:
    """Put a file there, whole and for its owner only; of several processes, one succeeds."""
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode=0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(partial, path)
    finally:
        partial.unlink(missing_ok=True)
