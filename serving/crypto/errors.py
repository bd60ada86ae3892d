"""Errors of encryption.

TidegateError
└── KeysUnknown         a database was opened without the folder of its keys
LogUnavailable
├── TokensRotated       the key of tokens was rotated, or this host lacks the new one
└── Undecipherable      stored content was altered, or belongs to other keys
"""

from features.errors import TidegateError
from serving.errors import LogUnavailable


class KeysUnknown(TidegateError):
    """The database was opened without the folder of its keys, so encrypted data are unusable."""


class TokensRotated(LogUnavailable):
    """The token key was rotated, or this host lacks the one in use."""

    code = "tokens-rotated"


class Undecipherable(LogUnavailable):
    """A stored content cannot be decrypted: it was altered, or belongs to other keys."""

    code = "undecipherable"
