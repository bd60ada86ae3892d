"""Errors of the history.

TidegateError
Unavailable
└── HistoryUnavailable   the online feature store failed
"""

from serving.errors import Unavailable


class HistoryUnavailable(Unavailable):
    """The history cannot be read or written at the moment."""

    code = "history-unavailable"
