"""What can go wrong in this room.

TidegateError
├── DatabaseUrlRefused              names no database that the store knows
├── PlanRefused                     a plan of lanes that cannot be used
├── DatabaseInUse                   another service holds it
├── ListeningRefused                what would listen there could be read by others
├── LogNotWhole                     the log is not what its checkpoints say: rolled back, cut, anew
├── HistoryOfAnotherLog             the online feature store followed a log that is not this one
├── DatabaseMissing                 there is nothing yet, and a reading command makes nothing
├── DatabaseForeign                 home and database belong to others
├── DatabaseMoved                   it was carried over to another place, or half of it
├── SettingsRefused                 a variable of the environment holds what it cannot
├── BackupRefused                   none was written; the message says why
├── BackupDamaged                   no whole backup; nothing was restored from it
├── RestoreRefused                  what is in the way of a backup
├── DatabaseOlder                   of an older release; `tidegate upgrade` brings it to this one
├── DatabaseNewer                   of a newer release than this one
├── KeyForeign                      a key of the home is not the one that belongs to its database
├── AddressNotFree                  where the service is to listen, another does or nobody can
├── IncidentRefused                 nothing to freeze, or what was frozen was changed
├── AccountRefused                  nothing to seal, or what was sealed was changed
├── HistoryIncomplete               a store of history would forget what there ought to be
├── ExportRefused                   a decision cannot be exported with what proves it
├── RetentionRefused                periods that cannot be used, or an erasure that must not be
├── ClockDisagrees                  the clock disagrees with what was written last
├── ApprovalRefused                 an act lacks two persons who agreed to it, or a key is wrong
│   └── SeatUnrecorded              a pointer is newer than what is on record of its seat
├── PurposeRefused                  a database holds what came for another purpose
├── ImpactNotAssessed               live use needs answers that are not there
├── AddressRefused                  nothing is sent to such an address
├── KeysUnknown                     a database was opened without the folder of its keys
├── MonitorRefused                  the log says nothing of what was asked
├── ExtraMissing                    a command or setting needs packages that are not installed
├── TreesRefused                    a model's text is not scored; names the file and the place
│   ├── TextDamaged                 not the text that LightGBM writes: a key, a size, a number
│   ├── TreeDamaged                 well written, and not a tree: a child, a count, a feature, a set
│   └── NotScorable                 sound, and of a sort that this scorer does not compute
└── ServingError                    answered as a problem with its own status
    ├── BadRequest (400)
    │   ├── BodyMalformed           not one JSON document that every reader reads alike
    │   └── IdempotencyKeyMissing
    ├── NotSignedIn (401)
    │   └── SignInRefused           an organisation's answer lets nobody in
    ├── Forbidden (403)             the key lacks the scope, or is tied to another office
    │   ├── JustificationNeeded     a case is read that the work did not bring: say why first
    │   └── PersonNeeded            a machine does what takes a person
    ├── NotFound (404)              unknown, or not for this caller: the two look the same
    │   └── NotScored               a decision made without a model
    ├── Erased (410)                its time was over
    ├── Conflict (409)
    │   ├── AnsweredMeanwhile       another process answered this idempotency key just now
    │   ├── ScoredAsOfLater         a subject's scoring instants never go back
    │   ├── StillInProgress         the first request with this idempotency key has no answer yet
    │   ├── CaseTaken               another reviewer was faster
    │   ├── AlreadyJudged           a first judgement is given once, before the score
    │   ├── CaseClosed
    │   ├── NotYours                claim the case first
    │   ├── SameReviewer            a second person must judge
    │   ├── AlreadyAttached         the case has this file
    │   ├── LetterNotDue            there is no letter of this case, or not yet
    │   ├── LetterDeferred          it is held back until a day
    │   ├── NotAsAudited            a row was changed behind the service's back; nothing is done
    │   ├── RemediesUnnamed         the deployer has not said where a check is contested
    │   └── NameTaken
    ├── BodyTooLarge (413)
    ├── MediaTypeUnsupported (415)
    ├── HostUnknown (421)           the request is for another name than this service has
    ├── HeadTooLarge (431)          request line, headers or cookies
    ├── Unprocessable (422)
    │   ├── TooLong                 a case may not be laid aside for so long
    │   ├── NameRefused             a name that could be read in two ways
    │   ├── FileNotClean            a scanner did not let it pass
    │   ├── SubmissionRefused       well-formed, but no subject that may be scored
    │   ├── PasswordRefused         too short, or too easily guessed
    │   └── IdempotencyKeyReused
    ├── TooOften (429)              this caller asks more often than it may
    │   └── SignInDelayed           too many attempts failed; the message says when to try again
    └── Unavailable (503)           nothing was decided; the caller may try again
        ├── NoModel
        │   └── ModelsOff           somebody switched them off
        ├── OidcUnavailable         the organisation's sign-in server cannot be used
        ├── TooBusy
        ├── Unexplained             a score's parts do not add up to it
        ├── HistoryUnavailable      the online feature store failed
        └── LogUnavailable
            ├── TokensRotated       the key of tokens was rotated, or this host lacks the new one
            └── Undecipherable      stored parts were changed, or their keys are others
"""

import math
from dataclasses import dataclass
from typing import ClassVar

from features.errors import TidegateError


@dataclass(frozen=True)
class RequestFault:
    """One thing that is wrong with a request: where (a JSON pointer), which rule, and in words."""

    pointer: str
    code: str
    detail: str


class DatabaseUrlRefused(TidegateError):
    """The database URL names no database that the store knows; the message repeats none of it."""


class DatabaseInUse(TidegateError):
    """Another service holds the database."""


class LogNotWhole(TidegateError):
    """The log is not what its checkpoints say; the message says what is wrong and the ways on."""


class HistoryOfAnotherLog(TidegateError):
    """The online feature store followed a log that was longer than this one, or was another."""


class SettingsRefused(TidegateError):
    """A variable of the environment has a value that it cannot have; the message names it."""


class BackupRefused(TidegateError):
    """No backup was written; the message says why, and what to do."""


class BackupDamaged(TidegateError):
    """A file is no whole backup of this kind; nothing was restored from it."""


class RestoreRefused(TidegateError):
    """A backup is not put there; the message says what is in the way."""


class DatabaseMissing(TidegateError):
    """There is no database yet, and what only reads makes none."""


class DatabaseForeign(TidegateError):
    """The database of another home, or a home of another database."""


class DatabaseMoved(TidegateError):
    """What this database held is served from another place, or is on its way there."""


class DatabaseOlder(TidegateError):
    """The tables are those of an older release; nothing is migrated unasked."""


class DatabaseNewer(TidegateError):
    """The tables are those of a newer release."""


class KeyForeign(TidegateError):
    """A key of the home is another one than its database was bound to."""


class AddressNotFree(TidegateError):
    """The service cannot listen there: another does, or this machine has no such address."""


class ListeningRefused(TidegateError):
    """The service would answer other machines in the clear, or its certificate cannot be used."""


class IncidentRefused(TidegateError):
    """An incident cannot be frozen, or is no longer as it was; the message says which part."""


class AccountRefused(TidegateError):
    """The account of a case cannot be sealed, or is no longer as it was; the message says why."""


class HistoryIncomplete(TidegateError):
    """An online feature store would forget what there ought to be; the former one stays."""


class ExportRefused(TidegateError):
    """A decision cannot be exported with all that proves it; the message says what is lacking."""


class RetentionRefused(TidegateError):
    """Nothing can be masked or erased as asked; the message says what is wrong."""


class ClockDisagrees(TidegateError):
    """The clock disagrees with what was written last; nothing is ended by it."""


class ApprovalRefused(TidegateError):
    """Two persons did not agree to an act as it is; the message says what is wanted."""


class SeatUnrecorded(ApprovalRefused):
    """A pointer is in its seat and no act on record wrote it: not yet, or somebody put it there."""


class PurposeRefused(TidegateError):
    """A database holds what came for another purpose than it is to be used for."""


class ImpactNotAssessed(TidegateError):
    """Live use needs an assessment of its impact; the message says what it lacks."""


class PlanRefused(TidegateError):
    """The plan of the lanes cannot be used; the message names the file and the place in it."""


class RescueCentresRefused(TidegateError):
    """Whom to call when lives are at risk is not set, or not so that everybody is reached."""


class AddressRefused(TidegateError):
    """An address in the settings that nothing may be sent to, or that nobody could trust."""


class KeysUnknown(TidegateError):
    """A database was opened without the folder of its keys; nothing encrypted can be used."""


class MonitorRefused(TidegateError):
    """Monitoring was asked for a time, a model or an instant of which the log says nothing."""


class ExtraMissing(TidegateError):
    """A command or a setting needs an extra of the distribution that is not installed."""


class TreesRefused(TidegateError):
    """The text of a model was refused; the message names the file and the place in it."""


class TextDamaged(TreesRefused):
    """A key, a size or a number is not as LightGBM writes it."""


class TreeDamaged(TreesRefused):
    """The numbers do not describe one binary tree over the model's features."""


class NotScorable(TreesRefused):
    """A sort of model that this scorer does not compute; the message names the sort."""


class ServingError(TidegateError):
    """Base of everything that a caller is answered with; never carries what the caller sent."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "The service failed"
    retry_after_s: int | None = None

    def __init__(self, detail: str, faults: tuple[RequestFault, ...] = ()):
        super().__init__(detail)
        self.faults = faults


class BadRequest(ServingError):
    """The request cannot be understood."""

    status = 400
    title = "The request cannot be understood"


class BodyMalformed(BadRequest):
    """The body is not one JSON document that every reader reads alike."""

    title = "The body is not acceptable JSON"


class IdempotencyKeyMissing(BadRequest):
    """The header `Idempotency-Key` is absent or unusable."""

    title = "An idempotency key is needed"


class NotSignedIn(ServingError):
    """No key, or one that is unknown, expired or revoked: the answer does not say which."""

    status = 401
    title = "A valid key is needed"


class SignInRefused(NotSignedIn):
    """An organisation's answer lets nobody in; `cause` says why to operators, never on a page.

    `subject` is who they are there, where that was proved.
    """

    title = "You are not let in"

    def __init__(self, detail: str, cause: str, subject: str = ""):
        super().__init__(detail)
        self.cause = cause
        self.subject = subject


class Forbidden(ServingError):
    """The key is valid and does not allow this."""

    status = 403
    title = "This key does not allow that"


class JustificationNeeded(Forbidden):
    """A case that the reader's work did not bring is read only with a stated justification."""

    title = "Say why you read it"


class PersonNeeded(Forbidden):
    """An act that takes a human being, and was asked for by a key, a command or the service."""

    title = "This takes a person"


class NotFound(ServingError):
    """There is no such thing, or it is not for this caller."""

    status = 404
    title = "Page not found"


class Erased(ServingError):
    """It was here, and its time was over: what remains says nothing of its parties."""

    status = 410
    title = "This was erased"


class NotScored(NotFound):
    """The decision was made without a model: there is no score to explain or to compute again."""

    title = "There is no score"


class Conflict(ServingError):
    """The request meets another one."""

    status = 409
    title = "The request meets another one"


class AnsweredMeanwhile(Conflict):
    """Another process answered a request with this idempotency key just now: ask for its answer."""

    title = "The request was answered by another process"
    retry_after_s = 0


class ScoredAsOfLater(Conflict):
    """The subject was scored as of a later instant: its scoring instants never go back."""

    title = "The subject was scored as of a later instant"


class StillInProgress(Conflict):
    """The first request with this idempotency key has no answer yet."""

    title = "The first request with this key is in progress"
    retry_after_s = 1


class CaseTaken(Conflict):
    """Another reviewer has the case."""

    title = "Another reviewer has this case"


class AlreadyJudged(Conflict):
    """The reviewer has said what they think of the case, and no later word is a first one."""

    title = "You have judged this case"


class AlreadyEscalated(Conflict):
    """The case is escalated already, and whoever supervises was told."""

    title = "This case is escalated"


class TooManyTags(Conflict):
    """The case has as many tags as a case may have."""

    title = "This case has many tags"


class CaseClosed(Conflict):
    """The case is closed, and nothing but opening it again can be done with it."""

    title = "The case is closed"


class NotYours(Conflict):
    """The case must be claimed, or be closed, before this can be done with it."""

    title = "The case is not yours"


class NoActionOrdered(Conflict):
    """A result is stated, and nothing was ordered that could have found it."""

    title = "Nothing was ordered that finds this"


class UndoRefused(Conflict):
    """An act that cannot be undone: it is too long ago, somebody else's, or of two persons."""

    title = "That cannot be undone"


class ViewNeeded(Conflict):
    """A second person agrees or not after a view of their own, which they have not stated."""

    title = "Your own view is needed first"


class SameReviewer(Conflict):
    """Whoever proposed something cannot be the one who confirms it, nor can who looks like them."""

    title = "A second person must judge this"


class AlreadyAttached(Conflict):
    """The case has a file with this very content."""

    title = "The file is attached already"


class LetterNotDue(Conflict):
    """There is no letter of this case, or not yet; the message says why."""

    title = "There is no letter of this case now"


class LetterDeferred(Conflict):
    """A letter is held back; the message says until when, or what it takes."""

    title = "The letter is held back"


class RemediesUnnamed(Conflict):
    """A letter names who answers and where to contest; the message says what is not there."""

    title = "No letter can be written before it can say where to contest"


class NotAsAudited(Conflict):
    """What would be acted on is not as the audit log tells; nothing was done."""

    title = "What is stored is not as the audit log tells"


class NameTaken(Conflict):
    """A key or an account has or had that name, or one that looks like it."""

    title = "The name is taken"


class BodyTooLarge(ServingError):
    """The body is larger than the service reads."""

    status = 413
    title = "The body is too large"


class MediaTypeUnsupported(ServingError):
    """The body is not plain `application/json`."""

    status = 415
    title = "The body's media type or encoding is not supported"


class HostUnknown(ServingError):
    """The request is for another host than this service; nothing of it was looked at."""

    status = 421
    title = "This is another host"


class HeadTooLarge(ServingError):
    """Request line, headers or cookies are larger than the service reads."""

    status = 431
    title = "The head of the request is too large"


class Unprocessable(ServingError):
    """Well-formed, and refused."""

    status = 422
    title = "The request was refused"


class NameRefused(Unprocessable):
    """A name that could be read in two ways, or that is none; the message says what is near."""

    title = "The name is refused"


class FileNotClean(Unprocessable):
    """The deployer's scanner did not let a file pass; `cause` says why to operators."""

    title = "The file was not let pass"

    def __init__(self, detail: str, cause: str):
        super().__init__(detail)
        self.cause = cause


class ContradictoryFinding(Unprocessable):
    """What a reviewer says was found contradicts how the case ends, or how it was examined."""

    title = "What was found contradicts itself"


class ImpossibleAction(Unprocessable):
    """An action that cannot be, as a release to an office; the message says what can."""

    title = "That action cannot be"


class ImpossibleResult(Unprocessable):
    """A result that its action cannot have, or its reason not; the message says what can be."""

    title = "That result cannot be"


class TooLong(Unprocessable):
    """A case may not be laid aside into the past, or for that long."""

    title = "A case cannot be laid aside until then"


class PasswordRefused(Unprocessable):
    """A password that is too short, too long, or among those that are tried first."""

    title = "Choose another password"


class SubmissionRefused(Unprocessable):
    """The body is no subject that may be scored; `faults` says where and why."""

    title = "The submission was refused"


class IdempotencyKeyReused(Unprocessable):
    """The idempotency key was used before with another body."""

    title = "The idempotency key was used with another body"


class TooOften(ServingError):
    """The caller asks more often than it may; `after_s` says when its next request is welcome."""

    status = 429
    title = "Too many requests from this key"

    def __init__(self, detail: str, after_s: float = 1.0):
        super().__init__(detail)
        self.retry_after_s = max(1, math.ceil(after_s))


class SignInDelayed(TooOften):
    """Too many attempts to sign in failed here; the message says how long to wait."""

    title = "Too many attempts to sign in failed"


class Unavailable(ServingError):
    """Nothing was decided. An absent score never means low risk: use the manual procedure."""

    status = 503
    title = "No score can be given now"
    retry_after_s = 5


class NoModel(Unavailable):
    """No usable champion for this kind of subject."""

    title = "No model is ready"
    retry_after_s = 60


class ModelsOff(NoModel):
    """Somebody switched the models of this kind of subject off."""

    title = "Models are switched off"


class OidcUnavailable(Unavailable):
    """The organisation's sign-in server cannot be used now; local accounts can."""

    title = "Signing in with your organisation does not work now"


class TooBusy(Unavailable):
    """The queue of the decision log is full."""

    title = "Too many requests at once"
    retry_after_s = 1


class Unexplained(Unavailable):
    """The parts of a score do not add up to it: it is not given, since it may be wrong itself."""

    title = "The score cannot be explained"


class HistoryUnavailable(Unavailable):
    """What was known before cannot be read or added to now."""


class LogUnavailable(Unavailable):
    """The decision could not be made durable, so it was not made."""

    title = "The decision log cannot be written"


class TokensRotated(LogUnavailable):
    """The key of tokens was rotated meanwhile, or this host has not got the one in use."""

    retry_after_s = 1


class Undecipherable(LogUnavailable):
    """Something stored cannot be decrypted: it was changed, or its keys are another's."""

    title = "Something stored cannot be decrypted"
