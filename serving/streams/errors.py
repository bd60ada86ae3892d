"""The error that refuses one message, which goes to the dead letters."""

from typing import Any


class RefusedMessage(Exception):
    """The service refuses a message for good; `problem` is the reason (RFC 9457)."""

    def __init__(self, problem: dict[str, Any]):
        super().__init__(problem.get("title"))
        self.problem = problem
