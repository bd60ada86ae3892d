"""What can go wrong when Tidegate is called.

TidegateClientError
├── NoAnswer              no answer came, however often it was asked
├── StrangeAnswer         what answered is no Tidegate, or of a release that is unknown here
└── ProblemError          the service answered with a problem (RFC 9457)
    ├── NotSignedIn (401)
    ├── Forbidden (403)   the key does not allow it, or not for that purpose
    ├── NotFound (404, 410)
    ├── Conflict (409)
    ├── Refused (400, 413, 415, 422): `errors` says which field, and why
    ├── TooOften (429)
    └── Unavailable (5xx): nothing was decided, and no score never means low risk
"""

from httpx2 import Response
from pydantic import ValidationError

from tidegate_client.models import FaultOut, Problem


class TidegateClientError(Exception):
    """Base of all that this client raises."""


class NoAnswer(TidegateClientError):
    """No answer came: the network failed, or the service took too long."""


class StrangeAnswer(TidegateClientError):
    """A success whose content is none of Tidegate's, as the page of a proxy that asks to sign in.

    Whether anything was done is unknown: ask again with the same idempotency key.
    """


class ProblemError(TidegateClientError):
    """The service answered with a problem."""

    def __init__(self, problem: Problem, retry_after_s: float | None = None):
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")
        self.problem = problem
        self.retry_after_s = retry_after_s

    @property
    def type(self) -> str:
        """What kind of problem it is, as `/problems/submission-refused`."""
        return self.problem.type

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.problem.status

    @property
    def errors(self) -> list[FaultOut]:
        """Each fault: where in the body (a JSON pointer), which rule, and in words."""
        return self.problem.errors


class NotSignedIn(ProblemError):
    """No key, or one that is unknown, expired or revoked."""


class Forbidden(ProblemError):
    """The key is valid and does not allow this."""


class NotFound(ProblemError):
    """There is no such thing, or it is not for this key, or its time was over."""


class Conflict(ProblemError):
    """The request meets another one."""


class Refused(ProblemError):
    """What was sent cannot be taken; `errors` says why."""


class TooOften(ProblemError):
    """The key asks more often than it may; `retry_after_s` says when it may again."""


class Unavailable(ProblemError):
    """Nothing was decided. No score never means low risk: use the manual procedure."""


OF_STATUS: dict[int, type[ProblemError]] = {
    400: Refused,
    401: NotSignedIn,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    413: Refused,
    415: Refused,
    422: Refused,
    429: TooOften,
}


def error_of(response: Response) -> ProblemError:
    """The exception for an answer that is no success, which may come from a proxy between."""
    status = response.status_code
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        problem = Problem(
            type="about:blank",
            title=response.reason_phrase,
            status=status,
            detail="the answer is none of the service's",
            instance="",
            request_id="",
            errors=[],
        )
    base = Unavailable if status >= 500 else ProblemError
    return OF_STATUS.get(status, base)(problem, retry_after_s_of(response))


def retry_after_s_of(response: Response) -> float | None:
    """The seconds that `Retry-After` names; None where it names none."""
    given = response.headers.get("Retry-After", "")
    return float(given) if given.isdecimal() else None
