"""Errors of storage.

TidegateError
├── DatabaseUrlRefused  the URL names no supported database
├── DatabaseInUse       another service holds it
├── BackupRefused       no backup was written; the message names the reason
├── BackupDamaged       no complete backup; nothing was restored from it
├── RestoreRefused      something is in the way of a restore
├── DatabaseMissing     there is no database yet, and a reading command creates none
├── DatabaseForeign     home and database belong to others
├── DatabaseMoved       the database was moved to another place, or is being moved
├── DatabaseOlder       of an older release; `tidegate upgrade` migrates it
├── DatabaseNewer       of a newer release than this one
└── KeyForeign          a key of the home is not the one its database is bound to
LogUnavailable
└── ClockBehind         a row states another time of the log than the log has
"""

from features.errors import TidegateError
from serving.errors import LogUnavailable


class DatabaseUrlRefused(TidegateError):
    """The database URL names no supported database; the message repeats no part of it."""


class DatabaseInUse(TidegateError):
    """Another service holds the database."""


class BackupRefused(TidegateError):
    """No backup was written; the message gives the reason and the remedy."""


class BackupDamaged(TidegateError):
    """The file is not a complete backup; nothing was restored."""


class RestoreRefused(TidegateError):
    """The backup cannot be restored there; the message names the obstacle."""


class DatabaseMissing(TidegateError):
    """There is no database yet, and a reading command creates none."""


class DatabaseForeign(TidegateError):
    """The database belongs to another home, or the home to another database."""


class DatabaseMoved(TidegateError):
    """The database was moved to another place, or a move is under way."""


class DatabaseOlder(TidegateError):
    """The tables are those of an older release; they are only migrated on request."""


class DatabaseNewer(TidegateError):
    """The tables are those of a newer release."""


class KeyForeign(TidegateError):
    """A key of the home differs from the one its database was bound to."""


class ClockBehind(LogUnavailable):
    """A row states another time of the log than the log has; a retry resolves it."""

    code = "clock-behind"
