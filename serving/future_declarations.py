"""Refuse declarations that lie ahead of the service's clock, unless the clock is in doubt.

The windows of a future day lack all events until then, so anyone would look like a newcomer; and a
future date is a mistake of the declarant.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from serving.errors import ClockDoubted, RequestFault

# The tolerance for a caller's clock, and for a mistaken hour of summer time.
MAX_AHEAD = timedelta(hours=2)

# Returns whether the service's clock, which says this instant, may be wrong.
DoubtsClock = Callable[[datetime], bool]


def never_doubts(_: datetime) -> bool:
    """Return False, for services without anything to check the clock against."""
    return False


def future_instant_fault(pointer: str, instant: datetime, now: datetime) -> RequestFault | None:
    """Return the fault of an instant too far ahead of the clock; None if it is acceptable."""
    if instant - now <= MAX_AHEAD:
        return None
    return RequestFault(
        pointer,
        "declared_ahead",
        f"{utc_text(instant)} is more than 2 hours after the clock of the service, which says "
        f"{utc_text(now)}: want at most {utc_text(now + MAX_AHEAD)}",
    )


def clock_doubted(now: datetime) -> ClockDoubted:
    """Return the error for a declaration ahead of a clock that may be wrong."""
    return ClockDoubted(
        f"the clock of the service says {utc_text(now)} and may be wrong: the declaration lies "
        "ahead of it, and nothing was decided; send it again when the clock is right"
    )


def utc_text(instant: datetime) -> str:
    """Format an instant in UTC to the second, as records do."""
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")
