"""Errors of a full disk, with the place: an error of writing names no file."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.errors import LogUnavailable

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def full_disk_named(place: Path) -> Iterator[None]:
    """Name the place being written if its disk is full."""
    try:
        yield
    except OSError as refusal:
        if refusal.errno in _FULL and refusal.filename is None:
            refusal.filename = str(place)
        raise
    except LogUnavailable as failure:
        if _is_of_full_disk(failure):
            raise LogUnavailable(f"{place} cannot be written") from failure.__cause__
        raise


def _is_of_full_disk(failure: LogUnavailable) -> bool:
    driver_error = getattr(failure.__cause__, "orig", None)
    return getattr(driver_error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
