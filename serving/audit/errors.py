"""Errors of retention and the decision log.

TidegateError
├── RetentionRefused   unusable periods, or an erasure that is not permitted
├── ClockDisagrees     the clock disagrees with the newest entries
Conflict
└── AnsweredMeanwhile  another process answered this idempotency key just now
"""

from features.errors import TidegateError
from serving.errors import Conflict


class RetentionRefused(TidegateError):
    """The masking or erasure cannot be done as requested; the message names the fault."""


class ClockDisagrees(TidegateError):
    """The clock disagrees with the entries written last; nothing was ended."""


class AnsweredMeanwhile(Conflict):
    """Another process answered a request with this idempotency key; a retry returns that answer."""

    code = "answered-meanwhile"
