"""Errors of storage.

TidegateError
├── DatabaseMissing     there is no database yet, and a reading command creates none
LogUnavailable
└── ClockBehind         a row states another time of the log than the log has
"""

from features.errors import TidegateError
from serving.errors import LogUnavailable


class DatabaseMissing(TidegateError):
    """There is no database yet, and a reading command creates none."""


class ClockBehind(LogUnavailable):
    """A row states another time of the log than the log has; a retry resolves it."""

    code = "clock-behind"
