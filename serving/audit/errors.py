"""What can go wrong in this room.

TidegateError
├── RetentionRefused   periods that cannot be used, or an erasure that must not be
├── ClockDisagrees     the clock disagrees with what was written last
Conflict
└── AnsweredMeanwhile  another process answered this idempotency key just now
"""

from features.errors import TidegateError
from serving.errors import Conflict


class RetentionRefused(TidegateError):
    """Nothing can be masked or erased as asked; the message says what is wrong."""


class ClockDisagrees(TidegateError):
    """The clock disagrees with what was written last; nothing is ended by it."""


class AnsweredMeanwhile(Conflict):
    """Another process answered a request with this idempotency key just now: ask for its answer."""

    code = "answered-meanwhile"
