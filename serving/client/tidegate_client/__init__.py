"""The Python client of Tidegate: typed calls, sync and async.

What enters are records as plain dictionaries or as `models`; what leaves are `models` and, where
the service refuses, a `ProblemError`. It imports nothing of the service, which may be of another
release.
"""

from tidegate_client.async_client import AsyncTidegate
from tidegate_client.client import Tidegate
from tidegate_client.errors import (
    Conflict,
    Forbidden,
    NoAnswer,
    NotFound,
    NotSignedIn,
    ProblemError,
    Refused,
    StrangeAnswer,
    TidegateClientError,
    TooOften,
    Unavailable,
)
from tidegate_client.models import (
    BatchLine,
    DecisionAnswer,
    EventPage,
    RecordsBody,
    Submission,
)
from tidegate_client.retries import Retries

__all__ = [
    "AsyncTidegate",
    "BatchLine",
    "Conflict",
    "DecisionAnswer",
    "EventPage",
    "Forbidden",
    "NoAnswer",
    "NotFound",
    "NotSignedIn",
    "ProblemError",
    "RecordsBody",
    "Refused",
    "Retries",
    "StrangeAnswer",
    "Submission",
    "Tidegate",
    "TidegateClientError",
    "TooOften",
    "Unavailable",
]
