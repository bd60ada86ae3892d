"""Cache folder for what takes long to make, such as compiled code, shared by one user's processes.

The next process executes what is stored there. A folder is therefore used only if nobody else,
except the superuser, can write into it or replace it.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from features.errors import TidegateError

VARIABLES = ("TIDEGATE_CACHE", "NUMBA_CACHE_DIR")


@dataclass(frozen=True)
class CacheFolder:
    """Folder for a cache, or None if none is usable; `refusals` explain why."""

    path: Path | None
    refusals: tuple[str, ...] = ()


def is_chosen() -> bool:
    """Return whether an environment variable names the folder."""
    return any(map(os.environ.get, VARIABLES))


def cache_folder(kind: str) -> CacheFolder:
    """Return the folder for one kind of content, creating it for its owner only if necessary.

    It is below the first usable one of: the folder that `TIDEGATE_CACHE` names; HOME/cache, if the
    home exists; the user's cache folder; the temporary folder. Raises TidegateError if the folder
    that the environment names cannot be used.
    """
    for name in VARIABLES:
        if value := os.environ.get(name):
            return CacheFolder(_named(name, Path(value) / kind))
    refusals: list[str] = []
    for place in _places():
        # Resolved first, so that the checks see the real folders and not links to them.
        folder = Path(os.path.realpath(place / kind))
        refusal = _refusal(folder)
        if refusal is None:
            return CacheFolder(folder, tuple(refusals))
        refusals.append(refusal)
    return CacheFolder(None, tuple(refusals))


@cache
def code_folder(sources: Path) -> CacheFolder:
    """Return the folder for the compiled code of a folder of sources, next to them if possible."""
    folder = sources / "__pycache__"
    if not is_chosen() and why_unwritable(folder) is None:
        return CacheFolder(folder)
    return cache_folder("compiled")


def why_unwritable(folder: Path, mode: int = 0o777) -> str | None:
    """Return why no file can be written into a folder, or None if one can.

    A missing folder is created with `mode`.
    """
    try:
        _make(folder, mode)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return f"{folder}: {error.strerror}"
    return None


def _named(variable: str, folder: Path) -> Path:
    real = Path(os.path.realpath(folder))
    # One that was filled for many processes, as in an image, may be read-only.
    is_filled = os.access(real, os.R_OK | os.X_OK) and any(real.iterdir())
    if refusal := _why_exposed(real) if is_filled else _refusal(real):
        raise TidegateError(
            f"{variable}: {refusal}; want a folder that only its owner can write to, "
            "or one that is filled and read-only"
        )
    return real


def _places() -> Iterator[Path]:
    home = os.environ.get("TIDEGATE_HOME") or ".tidegate"
    if os.path.isdir(home):  # a cache must not create the home
        yield Path(home, "cache")
    stated = os.environ.get("XDG_CACHE_HOME", "")
    user = stated if os.path.isabs(stated) else os.path.expanduser("~/.cache")
    if os.path.isabs(user):  # some users have no home folder
        yield Path(user, "tidegate")
    with suppress(FileNotFoundError):
        yield Path(tempfile.gettempdir(), f"tidegate-{os.getuid()}")


def _refusal(folder: Path) -> str | None:
    # Checked again afterwards, since another user may have created it in the meantime.
    return _why_exposed(folder) or why_unwritable(folder, 0o700) or _why_exposed(folder)


def _why_exposed(folder: Path) -> str | None:
    """Return why others could write into a folder or replace it; None if they cannot."""
    try:
        for each in (folder, *folder.parents):
            with suppress(FileNotFoundError):
                found = each.stat()
                if found.st_uid not in (0, os.getuid()):
                    return f"{each} belongs to another user"
                is_shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
                # In a sticky folder only the owner of an entry can rename or remove it.
                if is_shared and (each == folder or not found.st_mode & stat.S_ISVTX):
                    return f"others can write to {each}"
    except OSError as error:
        return f"{folder}: {error.strerror}"
    return None


def _make(folder: Path, mode: int) -> None:
    if not folder.exists():
        _make(folder.parent, mode)
        folder.mkdir(mode, exist_ok=True)
