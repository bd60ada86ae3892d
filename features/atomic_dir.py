"""Write folders and files atomically, so that they survive a kill or a power failure.

A folder is prepared under another name and then renamed or exchanged.
"""

import ctypes
import errno
import fcntl
import glob
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PARTIAL = ".partial-"
_FORMER = ".former"
# RENAME_EXCHANGE and AT_FDCWD of the Linux system call renameat2, which Python lacks.
_RENAME_EXCHANGE = 2
_AT_CWD = -100
# Errors of kernels and file systems that cannot exchange two names.
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Yield a folder to write into that replaces `folder` if the block succeeds.

    It is then flushed to disk, and readers always see either the old or the new folder. On an error
    nothing is left behind and an old `folder` is untouched; leftovers of a killed process are
    removed by the next call. The permissions of an old folder are kept; a new one has those of the
    umask.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial, lock = _begun(folder)
    try:
        yield partial
        if folder.exists():
            partial.chmod(stat.S_IMODE(folder.stat().st_mode))
        _flush_all(partial)
        _take_the_place_of(folder, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        os.close(lock)


@contextmanager
def working_folder(name: Path) -> Iterator[Path]:
    """Yield a private folder next to `name`, removed after the block.

    Leftovers of a killed process are removed by the next call with this name, and by
    `remove_interrupted`.
    """
    name.parent.mkdir(parents=True, exist_ok=True)
    partial, lock = _begun(name)
    try:
        inner = partial / name.name  # a nested writer of a whole folder locks the inner one
        inner.mkdir(mode=0o700)
        yield inner
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        os.close(lock)


def remove_interrupted(parent: Path) -> list[Path]:
    """Remove the leftovers of killed processes directly below a folder.

    An old folder that was moved away and not replaced is moved back. Returns the folders that other
    processes are still writing.
    """
    busy = []
    with locked(parent):
        for left in sorted(parent.glob(f".*{_PARTIAL}*")):
            name = left.name[1:].partition(_PARTIAL)[0]
            _put_back(parent / name)
            if left.exists() and not _is_removed(left):
                busy.append(left)
    return busy


def sweep_interrupted(name: Path) -> None:
    """Remove the leftovers of killed processes for one name; folders in use are kept."""
    if name.parent.is_dir():
        with locked(name.parent) as is_locked:
            if is_locked:
                _sweep(name)


def put_back_interrupted(folder: Path) -> None:
    """Move an old folder back that a killed process had moved out of the way."""
    if folder.parent.is_dir():
        with locked(folder.parent):
            _put_back(folder)


@contextmanager
def file_written_whole(file: Path) -> Iterator[Path]:
    """Yield a private folder in which to prepare a file, which then replaces `file`.

    The file is flushed to disk and readable by its owner only. On an error nothing is left behind;
    leftovers of a killed process are removed by the next call.
    """
    partial, lock = _begun(file)
    try:
        partial.chmod(0o700)
        yield partial
        prepared = partial / file.name
        prepared.chmod(0o600)
        _flush_all(partial)
        prepared.rename(file)
        flush_folder(file.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        os.close(lock)


def write_durably(file: Path, content: bytes, *, replace: bool = True) -> None:
    """Write a file atomically, flushed to disk and readable by its owner only.

    Readers see either the old or the new content. Without `replace`, an existing file is kept, so
    that one of several processes succeeds.
    """
    partial = file.with_name(f".{file.name}{_PARTIAL}{secrets.token_hex(4)}")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        if replace:
            partial.replace(file)
        else:
            # A link, unlike a rename, fails if the name exists.
            with suppress(FileExistsError):
                os.link(partial, file)
    finally:
        partial.unlink(missing_ok=True)
    flush_folder(file.parent)


def flush_folder(folder: Path) -> None:
    """Flush the names in a folder to disk, so that a rename survives a power failure."""
    opened = _opened(folder)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _begun(folder: Path) -> tuple[Path, int]:
    """Create a folder that stays locked until the returned descriptor is closed."""
    parent, prefix = folder.parent, f".{folder.name}{_PARTIAL}"
    with locked(parent) as is_locked:
        if is_locked:  # without locks, a folder in use could not be told from a leftover
            _sweep(folder)
        partial = parent / f"{prefix}{secrets.token_hex(4)}"
        partial.mkdir()
        own = _opened(partial)
        _is_locked(own, fcntl.LOCK_EX)
        return partial, own


def _sweep(folder: Path) -> None:
    _put_back(folder)
    for left in folder.parent.glob(f"{glob.escape(f'.{folder.name}{_PARTIAL}')}{'?' * 8}"):
        _is_removed(left)


def _put_back(folder: Path) -> None:
    """Restore an old folder if nothing replaced it; otherwise remove it."""
    formers = sorted(folder.parent.glob(f"{glob.escape(f'.{folder.name}{_PARTIAL}')}*{_FORMER}"))
    for former in formers:
        if folder.exists():
            shutil.rmtree(former, ignore_errors=True)
        else:
            former.rename(folder)


def _is_removed(left: Path) -> bool:
    """Remove a leftover unless a process is writing it; return whether it is gone."""
    if left.is_file():  # files are written in one go, without a lock
        left.unlink(missing_ok=True)
        return True
    try:
        lock = _opened(left)
    except FileNotFoundError:  # renamed to its final name in the meantime
        return True
    try:
        if not _is_locked(lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return False
        shutil.rmtree(left, ignore_errors=True)
        return not left.exists()
    finally:
        os.close(lock)


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Yield whether the folder could be locked, for the duration of the block."""
    lock = _opened(folder)
    try:
        yield _is_locked(lock, fcntl.LOCK_EX)
    finally:
        os.close(lock)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)


def _is_locked(descriptor: int, how: int) -> bool:
    """Lock a descriptor; return False on file systems that cannot lock folders."""
    try:
        fcntl.flock(descriptor, how)
    except OSError:
        return False
    return True


def _flush_all(folder: Path) -> None:
    for inside, _, names in os.walk(folder):
        for name in names:
            opened = os.open(Path(inside, name), os.O_RDONLY)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)
        flush_folder(Path(inside))


def _take_the_place_of(folder: Path, partial: Path) -> None:
    """Exchange two folders in one step if possible, else by two renames."""
    if not folder.exists():
        partial.rename(folder)
    elif not _are_exchanged(partial, folder):
        # Between these renames there is no folder: `_put_back` repairs this after a kill.
        former = partial.with_name(f"{partial.name}{_FORMER}")
        folder.rename(former)
        partial.rename(folder)
        flush_folder(folder.parent)
        shutil.rmtree(former, ignore_errors=True)
    flush_folder(folder.parent)


def _are_exchanged(one: Path, other: Path) -> bool:
    """Exchange the names of two folders; return False if the system does not support it."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_CWD, os.fsencode(one), _AT_CWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    failure = ctypes.get_errno()
    if failure in _NO_EXCHANGE:
        return False
    raise OSError(failure, os.strerror(failure), str(other))
