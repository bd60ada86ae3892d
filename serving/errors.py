"""Errors of the service, and the table of problems that clients are answered with.

An error is raised with a code: `raise Conflict("the case is closed", code="case-closed")`. Status,
title and meaning of the answer stand once, in `problems.toml`, which `/problems` shows. A class
exists only where code catches it by name; each has the code that it is raised with by default.

TidegateError                  ends a command with exit code 1; the message says what to do
└── ServingError               answered as a problem (RFC 9457)
    ├── BodyMalformed          (400) not one JSON document that every reader reads alike
    ├── NotSignedIn            (401)
    ├── Forbidden              (403) the key lacks the scope, or is tied to another office
    │   └── PersonNeeded       a machine asks for an act that takes a person
    ├── NotFound               (404) unknown, or not for this caller: the two look the same
    ├── Erased                 (410)
    ├── Conflict               (409)
    ├── BodyTooLarge           (413)
    ├── MediaTypeUnsupported   (415)
    ├── Unprocessable          (422)
    │   └── SubmissionRefused  well-formed, but no subject that may be scored
    ├── ReasonsUnavailable     (503) the model that decided is missing, or was changed
    └── Unavailable            (503) nothing was decided; the caller may try again
        ├── TooBusy
        ├── ClockDoubted
        └── LogUnavailable
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from features.errors import TidegateError


@dataclass(frozen=True)
class ProblemType:
    """A kind of problem; `type` is the address of the page that explains it.

    `retry_after_s` is None if only a changed request can succeed.
    """

    code: str
    status: int
    title: str
    meaning: str
    retry_after_s: int | None = None

    @property
    def type(self) -> str:
        """The URI reference that clients see."""
        return f"/problems/{self.code}"


# One table, so that answers and the pages under `/problems` cannot disagree.
_TABLE = tomllib.loads(Path(__file__).with_name("problems.toml").read_text(encoding="utf-8"))

# Every problem that an answer can contain, by code, in the order of statuses.
PROBLEMS = {code: ProblemType(code, **each) for code, each in _TABLE.items()}


@dataclass(frozen=True)
class RequestFault:
    """One fault of a request: its place (a JSON Pointer), the violated rule, and an explanation."""

    pointer: str
    code: str
    detail: str


class ServingError(TidegateError):
    """Base of all errors that are answered to a caller; never contains what the caller sent."""

    code: ClassVar[str] = "serving-error"

    def __init__(
        self,
        detail: str,
        faults: tuple[RequestFault, ...] = (),
        in_words: str | None = None,
        *,
        code: str | None = None,
        retry_after_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ):
        """Make an error; `in_words` is the detail for people, where `detail` uses codes.

        `code` and `retry_after_s` override those of the class and of its problem.
        """
        super().__init__(detail)
        self.problem = PROBLEMS[code or self.code]
        self.status = self.problem.status
        self.faults = faults
        self.in_words = in_words or detail
        self.headers = headers or {}
        self.retry_after_s = self.problem.retry_after_s
        if retry_after_s is not None:
            # Retry-After has whole seconds, and 0 would invite an immediate retry.
            self.retry_after_s = max(1, math.ceil(retry_after_s))


class BodyMalformed(ServingError):
    """The body is not one JSON document that every reader reads alike."""

    code = "body-malformed"


class NotSignedIn(ServingError):
    """There is no valid key: the answer does not say if it is unknown, expired or revoked."""

    code = "not-signed-in"


class Forbidden(ServingError):
    """The key is valid but does not permit the request."""

    code = "forbidden"


class PersonNeeded(Forbidden):
    """The act requires a person, and was requested by a key, a command or the service."""

    code = "person-needed"


class NotFound(ServingError):
    """There is no such thing, or the caller may not see it."""

    code = "not-found"


class Erased(ServingError):
    """The data was erased; what remains does not identify its parties."""

    code = "erased"


class Conflict(ServingError):
    """The request conflicts with another one, or with the current state."""

    code = "conflict"


class BodyTooLarge(ServingError):
    """The body exceeds a limit of the service."""

    code = "body-too-large"


class MediaTypeUnsupported(ServingError):
    """The service does not accept the media type or encoding of the body here."""

    code = "media-type-unsupported"


class Unprocessable(ServingError):
    """The request is well-formed but refused."""

    code = "unprocessable"


class SubmissionRefused(Unprocessable):
    """The body is no subject that may be scored; `faults` lists where and why."""

    code = "submission-refused"


class Unavailable(ServingError):
    """Nothing was decided. A missing score never means low risk: use the manual procedure."""

    code = "unavailable"


class ReasonsUnavailable(ServingError):
    """The reasons need the model that decided, which is missing or was changed."""

    code = "reasons-unavailable"


class TooBusy(Unavailable):
    """Too many requests are waiting already."""

    code = "too-busy"


class ClockDoubted(Unavailable):
    """A declaration lies ahead of the service's clock, and the clock may be wrong."""

    code = "clock-doubted"


class LogUnavailable(Unavailable):
    """The decision could not be made durable, so it was not made.

    For the service's own log: `driver_code` is PostgreSQL's SQLSTATE or SQLite's name of the error,
    and `cause` the driver's words where they hold no values; empty where unknown.
    """

    code = "log-unavailable"
    driver_code = ""
    cause = ""
