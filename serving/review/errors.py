"""The errors of case review.

TidegateError
└── NothingToTell        news that the case knows already or that does not concern it
Forbidden
└── JustificationNeeded  a case outside the reader's work needs a stated purpose
Unprocessable
└── FileNotClean         the scanner refused a file
"""

from features.errors import TidegateError
from serving.errors import Forbidden, Unprocessable


class NothingToTell(TidegateError):
    """News that changes nothing of a case."""


class JustificationNeeded(Forbidden):
    """A case outside the reader's own work needs a stated purpose."""

    code = "justification-needed"


class FileNotClean(Unprocessable):
    """The deployer's scanner refused a file; `cause` is the reason for operators."""

    code = "file-not-clean"

    def __init__(self, detail: str, cause: str):
        super().__init__(detail)
        self.cause = cause
