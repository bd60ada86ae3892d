"""What can go wrong in this room.

TidegateError
Unavailable
└── HistoryUnavailable   the online feature store failed
"""

from serving.errors import Unavailable


class HistoryUnavailable(Unavailable):
    """What was known before cannot be read or added to now."""

    code = "history-unavailable"
