"""Identify the installed code by a text that is equal if the code computes the same bits."""

import platform
import unicodedata
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def installed_code(rooms: tuple[Path, ...], deciding: tuple[str, ...]) -> str:
    """Return a digest of the sources in `rooms` with the versions of `deciding` packages."""
    digest = sha256()
    for room in rooms:
        for file in sorted(room.rglob("*.py")):
            digest.update(f"{file.relative_to(room).as_posix()}\0".encode() + file.read_bytes())
    versions = [f"{name} {version(name)}" for name in deciding]
    # Python and Unicode versions matter too: they decide how texts and numbers are converted.
    python = f"Python {platform.python_version()}, Unicode {unicodedata.unidata_version}"
    return f"tidegate {_own_version()} ({digest.hexdigest()[:12]}), {', '.join(versions)}, {python}"


def _own_version() -> str:
    try:
        return version("tidegate")
    except PackageNotFoundError:  # running from sources that were never installed
        return "not installed"
