"""What can go wrong in this room.

TidegateError
└── KeysUnknown         a database was opened without the folder of its keys
LogUnavailable
├── TokensRotated       the key of tokens was rotated, or this host lacks the new one
└── Undecipherable      stored parts were changed, or their keys are others
"""

from features.errors import TidegateError
from serving.errors import LogUnavailable


class KeysUnknown(TidegateError):
    """A database was opened without the folder of its keys; nothing encrypted can be used."""


class TokensRotated(LogUnavailable):
    """The key of tokens was rotated meanwhile, or this host has not got the one in use."""

    code = "tokens-rotated"


class Undecipherable(LogUnavailable):
    """Something stored cannot be decrypted: it was changed, or its keys are another's."""

    code = "undecipherable"
