"""What can go wrong in this room.

Conflict
├── DeclarationWithdrawn  nobody is sent to look at what is declared no more
├── ScoredAsOfLater  a subject's scoring instants never go back
└── StillInProgress  the first request with this idempotency key has no answer yet
Unprocessable
└── IdempotencyKeyReused
"""

from serving.errors import Conflict, Unprocessable


class DeclarationWithdrawn(Conflict):
    """The declaration was withdrawn since, and nothing that is known of it is a sign of danger."""

    title = "The declaration was withdrawn"


class ScoredAsOfLater(Conflict):
    """The subject was scored as of a later instant: its scoring instants never go back."""

    title = "The subject was scored as of a later instant"


class StillInProgress(Conflict):
    """The first request with this idempotency key has no answer yet."""

    title = "The first request with this key is in progress"
    retry_after_s = 1


class IdempotencyKeyReused(Unprocessable):
    """The idempotency key was used before with another body."""

    title = "The idempotency key was used with another body"
