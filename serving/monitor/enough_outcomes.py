"""State how many random checks a figure still lacks, and when it will probably have enough."""

from math import ceil

from serving.language import say, say_of
from serving.monitor.monitoring_report import LaneFigures, SliceFigures
from training.inverse_probability import MIN_DRAWN

# The longest span of a report; older outcomes no longer count.
WINDOW_DAYS = 90


def enough_when(known: float, wanted: int, days: int) -> str:
    """State how many of the wanted outcomes are known, and when all of them will be.

    >>> enough_when(22, 30, 38), enough_when(0, 30, 9)
    ('not enough data (22 of 30), probably in 2 weeks', 'not enough data (0 of 30)')
    >>> enough_when(3, 30, 60)
    'not enough data (3 of 30); at this rate 90 days hold about 4'
    """
    so_far = say("not enough data ({known} of {wanted})", known=int(known), wanted=wanted)
    if known <= 0 or days <= 0 or known >= wanted:
        return so_far
    more = days * (wanted - known) / known
    if days + more > WINDOW_DAYS:
        in_all = known * WINDOW_DAYS / days
        return say(
            "{so_far}; at this rate {days} days hold about {in_all}",
            so_far=so_far,
            days=WINDOW_DAYS,
            in_all=round(in_all),
        )
    return say("{so_far}, probably {when}", so_far=so_far, when=_in(more))


def so_far(figures: SliceFigures, days: int) -> str:
    """State the same for the even draws that the random checks of a part are worth."""
    known = figures.control_outcomes if figures.effective_size is None else figures.effective_size
    wanted = min(MIN_DRAWN, max(figures.decisions - figures.inspected, 1))
    return enough_when(known, wanted, days)


def lane_so_far(figures: LaneFigures, days: int) -> str:
    """State the same for the results that show how often a lane was right."""
    known = figures.known if figures.effective_size is None else round(figures.effective_size)
    return enough_when(known, MIN_DRAWN, days)


def _in(days: float) -> str:
    days = ceil(days)
    if days <= 1:
        return say("in a day")
    if days < 12:
        return say_of(days, "in {count} day", "in {count} days")
    weeks = round(days / 7)
    return say_of(weeks, "in {count} week", "in {count} weeks")
