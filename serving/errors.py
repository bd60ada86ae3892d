"""What can go wrong in several rooms, or in none; what belongs to one room stands in its own.

TidegateError
├── SettingsRefused            a variable of the environment holds what it cannot
├── AddressNotFree             where the service is to listen, another does or nobody can
├── ListeningRefused           what would listen there could be read by others
├── PurposeRefused             a database holds what came for another purpose
├── MonitorRefused             the log says nothing of what was asked
├── ImportRefused              messages that break their standard; says where each does
├── ExtraMissing               a command or setting needs packages that are not installed
└── ServingError               answered as a problem with its own status
    ├── BadRequest             (400)
    │   ├── BodyMalformed      not one JSON document that every reader reads alike
    │   ├── IdempotencyKeyMissing
    │   └── IdempotencyKeyUnusable
    ├── NotSignedIn            (401)
    ├── Forbidden              (403) the key lacks the scope, or is tied to another office
    │   └── PersonNeeded       a machine does what takes a person
    ├── NotFound               (404) unknown, or not for this caller: the two look the same
    │   └── NotScored          a decision made without a model
    ├── Erased                 (410) its time was over
    ├── Conflict               (409)
    │   ├── SameReviewer       a second person must judge
    │   └── NotAsAudited       a row was changed behind the service's back; nothing is done
    ├── BodyTooLarge           (413)
    ├── MediaTypeUnsupported   (415)
    ├── HostUnknown            (421) the request is for another name than this service has
    ├── HeadTooLarge           (431) request line, headers or cookies
    ├── Unprocessable          (422)
    │   ├── MessageUnreadable  a standard message of which nothing is kept; says the place
    │   └── SubmissionRefused  well-formed, but no subject that may be scored
    ├── TooOften               (429) this caller asks more often than it may
    ├── DiskReserveReached     (507) what is left of the disk is kept for decisions
    ├── ReasonsUnavailable     (503) the model that decided is not here, or not as it was
    └── Unavailable            (503) nothing was decided; the caller may try again
        ├── TooBusy
        ├── ClockDoubted
        └── LogUnavailable
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from features.errors import TidegateError


@dataclass(frozen=True)
class RequestFault:
    """One thing that is wrong with a request: where (a JSON pointer), which rule, and in words."""

    pointer: str
    code: str
    detail: str


class SettingsRefused(TidegateError):
    """A variable of the environment has a value that it cannot have; the message names it."""


class AddressNotFree(TidegateError):
    """The service cannot listen there: another does, or this machine has no such address."""


class ListeningRefused(TidegateError):
    """The service would answer other machines in the clear, or its certificate cannot be used."""


class PurposeRefused(TidegateError):
    """A database holds what came for another purpose than it is to be used for."""


class MonitorRefused(TidegateError):
    """Monitoring was asked for a time, a model or an instant of which the log says nothing."""


class ExtraMissing(TidegateError):
    """A command or a setting needs an extra of the distribution that is not installed."""


class ImportRefused(TidegateError):
    """Messages were refused, and nothing of them or of those beside them was written."""


class ServingError(TidegateError):
    """Base of everything that a caller is answered with; never carries what the caller sent."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "The service failed"
    retry_after_s: int | None = None
    headers: Mapping[str, str] = {}

    def __init__(
        self, detail: str, faults: tuple[RequestFault, ...] = (), in_words: str | None = None
    ):
        """`in_words` is the detail for people, where that for machines names their codes."""
        super().__init__(detail)
        self.faults = faults
        self.in_words = in_words or detail


class BadRequest(ServingError):
    """The request cannot be understood."""

    status = 400
    title = "The request cannot be understood"


class BodyMalformed(BadRequest):
    """The body is not one JSON document that every reader reads alike."""

    title = "The body is not acceptable JSON"


class IdempotencyKeyMissing(BadRequest):
    """The header `Idempotency-Key` is absent or empty."""

    title = "An idempotency key is needed"


class IdempotencyKeyUnusable(BadRequest):
    """The header `Idempotency-Key` is too long, or has a character that no key has."""

    title = "The idempotency key cannot be used"


class NotSignedIn(ServingError):
    """No key, or one that is unknown, expired or revoked: the answer does not say which."""

    status = 401
    title = "A valid key is needed"


class Forbidden(ServingError):
    """The key is valid and does not allow this."""

    status = 403
    title = "This key does not allow that"


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


class SameReviewer(Conflict):
    """Whoever proposed something cannot be the one who confirms it, nor can who looks like them."""

    title = "A second person must judge this"


class NotAsAudited(Conflict):
    """What would be acted on is not as the audit log tells; nothing was done."""

    title = "What is stored is not as the audit log tells"


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


class MessageUnreadable(Unprocessable):
    """A standard message breaks its standard, or a record of it cannot be kept: none of it is."""

    title = "The message was refused"


class SubmissionRefused(Unprocessable):
    """The body is no subject that may be scored; `faults` says where and why."""

    title = "The submission was refused"


class TooOften(ServingError):
    """The caller asks more often than it may; `after_s` says when its next request is welcome."""

    status = 429
    title = "Too many requests from this key"

    def __init__(self, detail: str, after_s: float = 1.0, headers: Mapping[str, str] | None = None):
        super().__init__(detail)
        self.retry_after_s = max(1, math.ceil(after_s))
        self.headers = headers or {}


class Unavailable(ServingError):
    """Nothing was decided. An absent score never means low risk: use the manual procedure."""

    status = 503
    title = "No score can be given now"
    retry_after_s = 5


class ReasonsUnavailable(ServingError):
    """The reasons follow from the model that decided, which is not here or not as it was."""

    status = 503
    title = "The reasons cannot be derived now"


class DiskReserveReached(ServingError):
    """What is left of the disk is kept for decisions, which go on; nothing of this was kept."""

    status = 507
    title = "The disk is almost full"
    retry_after_s = 60


class TooBusy(Unavailable):
    """The queue of the decision log is full."""

    title = "Too many requests at once"
    retry_after_s = 1


class ClockDoubted(Unavailable):
    """A declaration lies ahead of the service's clock, and the clock may be what is wrong."""

    title = "The clock of the service is doubted"
    retry_after_s = 60


class LogUnavailable(Unavailable):
    """The decision could not be made durable, so it was not made."""

    title = "The decision log cannot be written"
