"""Folders and files that are there whole or not at all, also after a kill or a power cut."""

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
_RENAME_EXCHANGE = 2
_AT_CWD = -100
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """Give a folder to write into; it takes the place of `folder` only when the block succeeds.

    It is on disk when it does, and every reader sees the former or the new one, never neither.
    On an error nothing is left behind and a former `folder` is untouched. What a killed process
    left half-written, the next one removes. A former folder's permissions stay; else the process's
    umask says who may read the new one.
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
    """Give a private folder to work in, beside where `name` would be; afterwards it is gone.

    What a killed process left, the next one of this name removes, and `remove_interrupted`.
    """
    name.parent.mkdir(parents=True, exist_ok=True)
    partial, lock = _begun(name)
    try:
        inner = partial / name.name  # one who writes a whole folder into it locks that, not ours
        inner.mkdir(mode=0o700)
        yield inner
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        os.close(lock)


def remove_interrupted(parent: Path) -> list[Path]:
    """Remove what killed processes left half-written right below a folder, whatever its name.

    A former folder whose place nothing took gets its place back. Returns what is still being
    written by others, which stays.
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
    """Remove what killed processes left half-written of one name; what one writes now stays."""
    if name.parent.is_dir():
        with locked(name.parent) as is_locked:
            if is_locked:
                _sweep(name)


def put_back_interrupted(folder: Path) -> None:
    """Give a former folder its place back, which a killed process had moved out of the way."""
    if folder.parent.is_dir():
        with locked(folder.parent):
            _put_back(folder)


@contextmanager
def file_written_whole(file: Path) -> Iterator[Path]:
    """Give a private folder to prepare a file in: the one of its name is then put in its place.

    It is on disk and for its owner alone. On an error nothing is left behind; what a killed process
    left, the next one removes.
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
    """Put a file there, whole, on disk and for its owner alone.

    Readers see the former or the new content. Without `replace`, what is there already
    stays: of several processes, one succeeds.
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
            with suppress(FileExistsError):
                os.link(partial, file)
    finally:
        partial.unlink(missing_ok=True)
    flush_folder(file.parent)


def flush_folder(folder: Path) -> None:
    """Let the names in a folder be on disk."""
    opened = _opened(folder)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _begun(folder: Path) -> tuple[Path, int]:
    """A new folder, locked until what is returned beside it is closed or the process ends."""
    parent, prefix = folder.parent, f".{folder.name}{_PARTIAL}"
    with locked(parent) as is_locked:
        if is_locked:  # a folder without a lock is then left, not just made
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
    """Nothing of another name: a former folder whose place nothing took is the only one."""
    formers = sorted(folder.parent.glob(f"{glob.escape(f'.{folder.name}{_PARTIAL}')}*{_FORMER}"))
    for former in formers:
        if folder.exists():
            shutil.rmtree(former, ignore_errors=True)
        else:
            former.rename(folder)


def _is_removed(left: Path) -> bool:
    """Return whether what a process left half-written is gone; what one is writing now stays."""
    if left.is_file():  # written in one go, without a lock
        left.unlink(missing_ok=True)
        return True
    try:
        lock = _opened(left)
    except FileNotFoundError:  # it has just taken its place
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
    """Yield whether the folder could be locked, for as long as the block lasts."""
    lock = _opened(folder)
    try:
        yield _is_locked(lock, fcntl.LOCK_EX)
    finally:
        os.close(lock)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)


def _is_locked(descriptor: int, how: int) -> bool:
    """Return whether the lock was got; never on a file system that knows none of folders."""
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
    """Exchange the two in one step, where there is a former one and the file system can."""
    if not folder.exists():
        partial.rename(folder)
    elif not _are_exchanged(partial, folder):
        former = partial.with_name(f"{partial.name}{_FORMER}")
        folder.rename(former)
        partial.rename(folder)
        flush_folder(folder.parent)
        shutil.rmtree(former, ignore_errors=True)
    flush_folder(folder.parent)


def _are_exchanged(one: Path, other: Path) -> bool:
    """Return whether two folders have each other's names now; False where this is not offered."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_CWD, os.fsencode(one), _AT_CWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    failure = ctypes.get_errno()
    if failure in _NO_EXCHANGE:
        return False
    raise OSError(failure, os.strerror(failure), str(other))
