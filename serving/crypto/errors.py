"""Errors of encryption.

TidegateError
LogUnavailable
├── LogMoved            another process rotated a key or moved the time of the log
└── Undecipherable      stored content was altered, or belongs to other keys
"""

from serving.errors import LogUnavailable


class LogMoved(LogUnavailable):
    """A row does not fit the token key or the time that the log has by now; a retry may do.

    Raised with the code `tokens-rotated` or `clock-behind`.
    """


class Undecipherable(LogUnavailable):
    """A stored content cannot be decrypted: it was altered, or belongs to other keys."""

    code = "undecipherable"
