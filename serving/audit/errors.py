"""What can go wrong in this room.

TidegateError
├── IncidentRefused    nothing to freeze, or what was frozen was changed
├── ExportRefused      a decision cannot be exported with what proves it
├── RetentionRefused   periods that cannot be used, or an erasure that must not be
├── ClockDisagrees     the clock disagrees with what was written last
└── ImpactNotAssessed  live use needs answers that are not there
Conflict
└── AnsweredMeanwhile  another process answered this idempotency key just now
"""

from features.errors import TidegateError
from serving.errors import Conflict


class IncidentRefused(TidegateError):
    """An incident cannot be frozen, or is no longer as it was; the message says which part."""


class ExportRefused(TidegateError):
    """A decision cannot be exported with all that proves it; the message says what is lacking."""


class RetentionRefused(TidegateError):
    """Nothing can be masked or erased as asked; the message says what is wrong."""


class ClockDisagrees(TidegateError):
    """The clock disagrees with what was written last; nothing is ended by it."""


class ImpactNotAssessed(TidegateError):
    """Live use needs an assessment of its impact; the message says what it lacks."""


class AnsweredMeanwhile(Conflict):
    """Another process answered a request with this idempotency key just now: ask for its answer."""

    title = "The request was answered by another process"
    retry_after_s = 0
