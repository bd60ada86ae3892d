"""What can go wrong in this room.

TidegateError
├── AccountRefused       nothing to seal, or what was sealed was changed
├── NothingToTell        a case knows what became known, or it is none of its matters
└── RescueCentresRefused
Forbidden
└── JustificationNeeded  a case is read that the work did not bring: say why first
Conflict
└── RemediesUnnamed      the deployer has not said where a check is contested
Unprocessable
├── FileNotClean         a scanner did not let it pass
├── ContradictoryFinding
├── InboxUnknown
└── TooLong              a case may not be laid aside for so long
"""

from features.errors import TidegateError
from serving.errors import Conflict, Forbidden, Unprocessable


class AccountRefused(TidegateError):
    """The account of a case cannot be sealed, or is no longer as it was; the message says why."""


class NothingToTell(TidegateError):
    """News changes nothing of a case, which stays as it is."""


class RescueCentresRefused(TidegateError):
    """Whom to call when lives are at risk is not set, or not so that everybody is reached."""


class JustificationNeeded(Forbidden):
    """A case that the reader's work did not bring is read only with a stated justification."""

    code = "justification-needed"


class RemediesUnnamed(Conflict):
    """A letter names who answers and where to contest; the message says what is not there."""

    code = "remedies-unnamed"


class FileNotClean(Unprocessable):
    """The deployer's scanner did not let a file pass; `cause` says why to operators."""

    code = "file-not-clean"

    def __init__(self, detail: str, cause: str):
        super().__init__(detail)
        self.cause = cause


class ContradictoryFinding(Unprocessable):
    """A finding contradicts the end of the case, or the way it was examined."""

    code = "contradictory-finding"


class InboxUnknown(Unprocessable):
    """An inbox of no team and no office; the message names the nearest one that there is."""

    code = "inbox-unknown"


class TooLong(Unprocessable):
    """A case may not be laid aside into the past, or for that long."""

    code = "too-long"
