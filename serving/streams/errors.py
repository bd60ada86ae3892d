"""Errors that end a stream or refuse a message.

TidegateError
├── BrokerAway             no broker answers, or it stopped answering
RefusedMessage             one message was refused, and goes to the dead letters
"""

from typing import Any

from features.errors import TidegateError


class BrokerAway(TidegateError):
    """No broker answers; unacknowledged work does not count as done."""


class RefusedMessage(Exception):
    """The service refuses a message for good; `problem` is the reason (RFC 9457)."""

    def __init__(self, problem: dict[str, Any]):
        super().__init__(problem.get("title"))
        self.problem = problem
