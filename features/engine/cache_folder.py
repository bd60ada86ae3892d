"""The folder in which the processes of one user store what takes long to make, as compiled code.

What is kept there is executed by the next process. So a folder is used only where nobody else, the
superuser apart, can write into it or put another in its place.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from features.errors import CacheRefused

VARIABLES = ("TIDEGATE_CACHE", "NUMBA_CACHE_DIR")


@dataclass(frozen=True)
class CacheFolder:
    """A folder to keep things in, None where there is none; `refusals` say why none before it."""

    path: Path | None
    refusals: tuple[str, ...] = ()


def is_chosen() -> bool:
    """Return whether the environment names the folder."""
    return any(map(os.environ.get, VARIABLES))


def cache_folder(kind: str) -> CacheFolder:
    """The folder of one kind of content: a new one is made, for its owner only.

    It is below the first that can be used of: what `TIDEGATE_CACHE` names; HOME/cache, where the
    home is there already; the user's cache folder; the temporary folder. Raises CacheRefused where
    the one that the environment names cannot be used.
    """
    for name in VARIABLES:
        if value := os.environ.get(name):
            return CacheFolder(_named(name, Path(value) / kind))
    refusals: list[str] = []
    for place in _places():
        folder = Path(os.path.realpath(place / kind))
        refusal = _refusal(folder)
        if refusal is None:
            return CacheFolder(folder, tuple(refusals))
        refusals.append(refusal)
    return CacheFolder(None, tuple(refusals))


@cache
def code_folder(sources: Path) -> CacheFolder:
    """Return where the compiled code of a folder of sources is kept: beside them where that
    can be.
    """
    folder = sources / "__pycache__"
    if not is_chosen() and why_unwritable(folder) is None:
        return CacheFolder(folder)
    return cache_folder("compiled")


def why_unwritable(folder: Path, mode: int = 0o777) -> str | None:
    """Why no file can be written into a folder, which is made, with a mode, where it is not there.

    None where one can.
    """
    try:
        _make(folder, mode)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return f"{folder}: {error.strerror}"
    return None


def _named(variable: str, folder: Path) -> Path:
    real = Path(os.path.realpath(folder))
    if refusal := _refusal(real):
        raise CacheRefused(f"{variable}: {refusal}; want a folder that only its owner can write to")
    return real


def _places() -> Iterator[Path]:
    home = os.environ.get("TIDEGATE_HOME") or ".tidegate"
    if os.path.isdir(home):  # whether there is a home must not depend on a cache
        yield Path(home, "cache")
    stated = os.environ.get("XDG_CACHE_HOME", "")
    user = stated if os.path.isabs(stated) else os.path.expanduser("~/.cache")
    if os.path.isabs(user):  # there are users without a folder of their own
        yield Path(user, "tidegate")
    with suppress(FileNotFoundError):
        yield Path(tempfile.gettempdir(), f"tidegate-{os.getuid()}")


def _refusal(folder: Path) -> str | None:
    # Looked at again, since another may have made it meanwhile.
    return _why_exposed(folder) or why_unwritable(folder, 0o700) or _why_exposed(folder)


def _why_exposed(folder: Path) -> str | None:
    """Who else could write into a folder, or put another in its place; None where nobody can."""
    try:
        for each in (folder, *folder.parents):
            with suppress(FileNotFoundError):
                found = each.stat()
                if found.st_uid not in (0, os.getuid()):
                    return f"{each} belongs to another user"
                is_shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
                # In a sticky folder nobody can move what another owns.
                if is_shared and (each == folder or not found.st_mode & stat.S_ISVTX):
                    return f"others can write to {each}"
    except OSError as error:
        return f"{folder}: {error.strerror}"
    return None


def _make(folder: Path, mode: int) -> None:
    if not folder.exists():
        _make(folder.parent, mode)
        folder.mkdir(mode, exist_ok=True)
