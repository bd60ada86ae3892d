"""The installed code, in words that are equal where it makes the same bits."""

import platform
import unicodedata
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def installed_code(rooms: tuple[Path, ...], deciding: tuple[str, ...]) -> str:
    """A digest of our sources in some rooms, and the versions of the packages that decide bits."""
    digest = sha256()
    for room in rooms:
        for file in sorted(room.rglob("*.py")):
            digest.update(f"{file.relative_to(room).as_posix()}\0".encode() + file.read_bytes())
    versions = [f"{name} {version(name)}" for name in deciding]
    python = f"Python {platform.python_version()}, Unicode {unicodedata.unidata_version}"
    return f"tidegate {_own_version()} ({digest.hexdigest()[:12]}), {', '.join(versions)}, {python}"


def _own_version() -> str:
    try:
        return version("tidegate")
    except PackageNotFoundError:  # sources that were never installed
        return "not installed"
