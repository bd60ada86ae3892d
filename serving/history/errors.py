"""What can go wrong in this room.

TidegateError
├── HistoryOfAnotherLog  the online feature store followed a log that is not this one
└── HistoryIncomplete    a store of history would forget what there ought to be
Unavailable
└── HistoryUnavailable   the online feature store failed
"""

from features.errors import TidegateError
from serving.errors import Unavailable


class HistoryOfAnotherLog(TidegateError):
    """The online feature store followed a log that was longer than this one, or was another."""


class HistoryIncomplete(TidegateError):
    """An online feature store would forget what there ought to be; the former one stays."""


class HistoryUnavailable(Unavailable):
    """What was known before cannot be read or added to now."""
