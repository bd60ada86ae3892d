"""Checks the clock before an act that cannot be undone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from serving.audit.errors import ClockDisagrees, RetentionRefused

# A working service writes something every day; a clock further ahead is more likely wrong.
AHEAD_AT_MOST = timedelta(days=2)

# Clocks of workers and hosts differ a little.
BEHIND_AT_MOST = timedelta(minutes=5)


@dataclass(frozen=True)
class ClockCheck:
    """A check of the clock against the entries written last.

    `newest` returns the instants of the newest entries by kind ("decision", "witness's
    checkpoint"). `stated` is the day that a person states as today, for when nothing was written
    for long.
    """

    newest: Callable[[], Mapping[str, datetime]]
    stated: date | None = None

    def require(self, now: datetime) -> None:
        """Raise ClockDisagrees if the clock is behind any entry, or far ahead of all."""
        newest = self.require_not_behind(now)
        latest = max(newest.values(), default=now)
        if now - latest > AHEAD_AT_MOST and self.stated != now.date():
            raise ClockDisagrees(
                f"the clock says {_minute(now)}, and nothing was written since {_minute(latest)}: "
                "set the clock right, or say that it is, with --today and the day of a calendar; "
                "nothing was done"
            )

    def require_not_behind(self, now: datetime) -> Mapping[str, datetime]:
        """Return the newest entries; raise ClockDisagrees if the clock is behind any of them."""
        newest = self.newest()
        for what, at in newest.items():
            if at - now > BEHIND_AT_MOST:
                raise ClockDisagrees(
                    f"the clock says {_minute(now)}, and the newest {what} is of {_minute(at)}: "
                    "set the clock right; where it is right and was ahead when that was written, "
                    "see `tidegate retention overrule --help`; nothing was done"
                )
        return newest

    def dated_later(self, now: datetime, *, may_be_none: bool = False) -> dict[str, datetime]:
        """Return the newest entries dated after the stated day, which must equal the clock's.

        A stated day says nothing about the hour, so entries of that day are not in doubt. Raises
        ClockDisagrees, or RetentionRefused if there are none, unless `may_be_none`.
        """
        if self.stated != now.date():
            raise ClockDisagrees(
                f"the clock says {_minute(now)}, and you say that it is {self.stated}: "
                "set the clock right; nothing was done"
            )
        later = {what: at for what, at in self.newest().items() if at.date() > now.date()}
        if not (later or may_be_none):
            raise RetentionRefused(f"nothing newest is dated after {self.stated}; nothing was done")
        return later


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
