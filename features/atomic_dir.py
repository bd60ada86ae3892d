"""Folders that are there whole or not at all."""

import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Give a folder to write into; it takes the place of `folder` only when the block succeeds.

    On an error nothing is left behind and a former `folder` is untouched. What a killed process
    left half-written, the next one removes.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{folder.name}.partial-"
    partial, lock = _begun(folder.parent, prefix)
    try:
        yield partial
        partial.chmod(0o755)
        _take_the_place_of(folder, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        os.close(lock)


def _begun(parent: Path, prefix: str) -> tuple[Path, int]:
    """A new folder, locked until what is returned beside it is closed or the process ends."""
    lock = _opened(parent)
    try:
        if _is_locked(lock, fcntl.LOCK_EX):  # a folder without a lock is then left, not just made
            _remove_left_behind(parent, prefix)
        partial = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        own = _opened(partial)
        _is_locked(own, fcntl.LOCK_EX)
        return partial, own
    finally:
        os.close(lock)


def _remove_left_behind(parent: Path, prefix: str) -> None:
    """Nothing with a longer name: a former folder whose place nothing took is the only one."""
    for left in parent.glob(f"{glob.escape(prefix)}{'?' * 8}"):
        with suppress(FileNotFoundError):  # it has just taken its place
            lock = _opened(left)
            if _is_locked(lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
                shutil.rmtree(left, ignore_errors=True)
            os.close(lock)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)


def _is_locked(descriptor: int, how: int) -> bool:
    """Whether the lock was got; never on a file system that knows none of folders."""
    try:
        fcntl.flock(descriptor, how)
    except OSError:
        return False
    return True


def _take_the_place_of(folder: Path, partial: Path) -> None:
    former = partial.with_name(f"{partial.name}.former")
    if folder.exists():
        folder.rename(former)
    partial.rename(folder)
    shutil.rmtree(former, ignore_errors=True)
