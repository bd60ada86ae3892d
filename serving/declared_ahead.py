"""Refuse a declaration that lies ahead of the service's clock, unless the clock itself is doubted.

The windows of a later day lack all that happens until then, so that its score would make anyone
somebody without a past; and a future date is a mistake of the declarant.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from serving.errors import ClockDoubted, RequestFault

# So far ahead a caller's clock may be, or its hour of summer time.
MAX_AHEAD = timedelta(hours=2)

# Returns whether the service's clock, which says this instant, may be wrong.
DoubtsClock = Callable[[datetime], bool]


def never_doubts(_: datetime) -> bool:
    """Believe the clock, where nothing is known to check it against."""
    return False


def fault_ahead(pointer: str, instant: datetime, now: datetime) -> RequestFault | None:
    """Return what is wrong with an instant that lies too far ahead of the clock."""
    if instant - now <= MAX_AHEAD:
        return None
    return RequestFault(
        pointer,
        "declared_ahead",
        f"{written(instant)} is more than 2 hours after the clock of the service, which says "
        f"{written(now)}: want at most {written(now + MAX_AHEAD)}",
    )


def clock_doubted(now: datetime) -> ClockDoubted:
    """Return the answer to a declaration ahead of a clock that may be wrong."""
    return ClockDoubted(
        f"the clock of the service says {written(now)} and may be wrong: the declaration lies "
        "ahead of it, and nothing was decided; send it again when the clock is right"
    )


def written(instant: datetime) -> str:
    """An instant to the second in UTC, as records write it."""
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")
