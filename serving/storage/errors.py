"""What can go wrong in this room.

TidegateError
├── DatabaseUrlRefused  names no database that the store knows
├── DatabaseInUse       another service holds it
├── BackupRefused       none was written; the message says why
├── BackupDamaged       no whole backup; nothing was restored from it
├── RestoreRefused      what is in the way of a backup
├── DatabaseMissing     there is nothing yet, and a reading command makes nothing
├── DatabaseForeign     home and database belong to others
├── DatabaseMoved       it was carried over to another place, or half of it
├── DatabaseOlder       of an older release; `tidegate upgrade` brings it to this one
├── DatabaseNewer       of a newer release than this one
└── KeyForeign          a key of the home is not the one that belongs to its database
LogUnavailable
└── ClockBehind         a row states another time of the log than the log has
"""

from features.errors import TidegateError
from serving.errors import LogUnavailable


class DatabaseUrlRefused(TidegateError):
    """The database URL names no database that the store knows; the message repeats none of it."""


class DatabaseInUse(TidegateError):
    """Another service holds the database."""


class BackupRefused(TidegateError):
    """No backup was written; the message says why, and what to do."""


class BackupDamaged(TidegateError):
    """A file is no whole backup of this kind; nothing was restored from it."""


class RestoreRefused(TidegateError):
    """A backup is not put there; the message says what is in the way."""


class DatabaseMissing(TidegateError):
    """There is no database yet, and what only reads makes none."""


class DatabaseForeign(TidegateError):
    """The database of another home, or a home of another database."""


class DatabaseMoved(TidegateError):
    """What this database held is served from another place, or is on its way there."""


class DatabaseOlder(TidegateError):
    """The tables are those of an older release; nothing is migrated unasked."""


class DatabaseNewer(TidegateError):
    """The tables are those of a newer release."""


class KeyForeign(TidegateError):
    """A key of the home is another one than its database was bound to."""


class ClockBehind(LogUnavailable):
    """A row states another time of the log than the log has; stating it anew mends that."""

    code = "clock-behind"
