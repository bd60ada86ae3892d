"""The errors of case review.

TidegateError
├── AccountRefused       nothing to seal, or a sealed account was altered
├── NothingToTell        news that the case knows already or that does not concern it
Forbidden
└── JustificationNeeded  a case outside the reader's work needs a stated purpose
Conflict
└── RemediesUnnamed      the deployer has not configured where to contest a check
Unprocessable
├── FileNotClean         the scanner refused a file
├── ContradictoryFinding
├── InboxUnknown
└── TooLong              a wait that ends in the past or lasts too long
"""

from features.errors import TidegateError
from serving.errors import Conflict, Forbidden, Unprocessable


class AccountRefused(TidegateError):
    """The account of a case cannot be sealed, or was altered; the message explains why."""


class NothingToTell(TidegateError):
    """News that changes nothing of a case."""


class JustificationNeeded(Forbidden):
    """A case outside the reader's own work needs a stated purpose."""

    code = "justification-needed"


class RemediesUnnamed(Conflict):
    """The addressees of letters are not configured; the message names what is missing."""

    code = "remedies-unnamed"


class FileNotClean(Unprocessable):
    """The deployer's scanner refused a file; `cause` is the reason for operators."""

    code = "file-not-clean"

    def __init__(self, detail: str, cause: str):
        super().__init__(detail)
        self.cause = cause


class ContradictoryFinding(Unprocessable):
    """A finding contradicts the end of the case or the kind of examination."""

    code = "contradictory-finding"


class InboxUnknown(Unprocessable):
    """An inbox of no team and no office; the message names the most similar one."""

    code = "inbox-unknown"


class TooLong(Unprocessable):
    """A wait that ends in the past or lasts too long."""

    code = "too-long"
