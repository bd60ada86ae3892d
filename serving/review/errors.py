"""What can go wrong in this room.

TidegateError
├── AccountRefused       nothing to seal, or what was sealed was changed
├── NothingToTell        a case knows what became known, or it is none of its matters
└── RescueCentresRefused
Forbidden
└── JustificationNeeded  a case is read that the work did not bring: say why first
Conflict
├── CaseTaken            another reviewer was faster
├── CaseChanged          it is not any more as whoever acts has seen it
├── AlreadyJudged        a first judgement is given once, before the score
├── AlreadyEscalated
├── TooManyTags
├── CaseClosed
├── CaseNotClosed
├── NotYours             claim the case first
├── NothingProposed      nothing waits for a second person
├── NoActionOrdered
├── UndoRefused
├── ViewNeeded
├── AlreadyAttached      the case has this file
├── LetterNotDue         there is no letter of this case, or not yet
├── LetterDeferred       it is held back until a day
└── RemediesUnnamed      the deployer has not said where a check is contested
Unprocessable
├── FileNotClean         a scanner did not let it pass
├── ContradictoryFinding
├── ImpossibleAction
├── InboxUnknown
├── ImpossibleResult
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


class CaseTaken(Conflict):
    """Another reviewer has the case."""

    code = "case-taken"


class CaseChanged(Conflict):
    """Something became of the case since whoever acts has seen it: read it, and decide again."""

    code = "case-changed"


class AlreadyJudged(Conflict):
    """The reviewer has said what they think of the case, and no later word is a first one."""

    code = "already-judged"


class AlreadyEscalated(Conflict):
    """The case is escalated already, and whoever supervises was told."""

    code = "already-escalated"


class TooManyTags(Conflict):
    """The case has as many tags as a case may have."""

    code = "too-many-tags"


class CaseClosed(Conflict):
    """The case is closed, and nothing but opening it again can be done with it."""

    code = "case-closed"


class CaseNotClosed(Conflict):
    """Only what is closed can be opened again, or be read again."""

    code = "case-not-closed"


class NotYours(Conflict):
    """The case must be claimed before this can be done with it."""

    code = "not-yours"


class NothingProposed(Conflict):
    """A second person agrees with nothing and declines nothing where nobody proposed anything."""

    code = "nothing-proposed"


class NoActionOrdered(Conflict):
    """A result is stated, and nothing was ordered that could have found it."""

    code = "no-action-ordered"


class UndoRefused(Conflict):
    """An act that cannot be undone: it is too long ago, somebody else's, or of two persons."""

    code = "undo-refused"


class ViewNeeded(Conflict):
    """A second person agrees or not after a view of their own, which they have not stated."""

    code = "view-needed"


class AlreadyAttached(Conflict):
    """The case has a file with this very content."""

    code = "already-attached"


class LetterNotDue(Conflict):
    """There is no letter of this case, or not yet; the message says why."""

    code = "letter-not-due"


class LetterDeferred(Conflict):
    """A letter is held back; the message says until when, or what it takes."""

    code = "letter-deferred"


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


class ImpossibleAction(Unprocessable):
    """An action that cannot be, as a release to an office; the message says what can."""

    code = "impossible-action"


class InboxUnknown(Unprocessable):
    """An inbox of no team and no office; the message names the nearest one that there is."""

    code = "inbox-unknown"


class ImpossibleResult(Unprocessable):
    """A result that its action cannot have, or its reason not; the message says what can be."""

    code = "impossible-result"


class TooLong(Unprocessable):
    """A case may not be laid aside into the past, or for that long."""

    code = "too-long"
