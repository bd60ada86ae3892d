"""Errors of encryption.

TidegateError
LogUnavailable
├── TokensRotated       the key of tokens was rotated, or this host lacks the new one
└── Undecipherable      stored content was altered, or belongs to other keys
"""

from serving.errors import LogUnavailable


class TokensRotated(LogUnavailable):
    """The token key was rotated, or this host lacks the one in use."""

    code = "tokens-rotated"


class Undecipherable(LogUnavailable):
    """A stored content cannot be decrypted: it was altered, or belongs to other keys."""

    code = "undecipherable"
