"""Whether the clock may be believed, before something is done that nobody can take back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from serving.audit.errors import ClockDisagrees, RetentionRefused

# A service that works writes something every day; a clock further ahead is more likely wrong.
AHEAD_AT_MOST = timedelta(days=2)

BEHIND_AT_MOST = timedelta(minutes=5)


@dataclass(frozen=True)
class ClockCheck:
    """Holds a clock to what was written last.

    `newest` gives the instants of the newest entries, by what they are ("decision", "witness's
    checkpoint"). `stated` is the day that a person says it is, where nothing was written for long.
    """

    newest: Callable[[], Mapping[str, datetime]]
    stated: date | None = None

    def require(self, now: datetime) -> None:
        """Raise ClockDisagrees where the clock is behind any entry, or far ahead of all of them."""
        newest = self.require_not_behind(now)
        latest = max(newest.values(), default=now)
        if now - latest > AHEAD_AT_MOST and self.stated != now.date():
            raise ClockDisagrees(
                f"the clock says {_minute(now)}, and nothing was written since {_minute(latest)}: "
                "set the clock right, or say that it is, with --today and the day of a calendar; "
                "nothing was done"
            )

    def require_not_behind(self, now: datetime) -> Mapping[str, datetime]:
        """The newest entries; raises ClockDisagrees where the clock is behind any of them."""
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
        """The newest entries of days after the one that a person states, which must be the clock's.

        Whoever states a day says nothing of its hours: what is of that day itself is in no doubt.
        Raises ClockDisagrees, or RetentionRefused where there are none, unless that may be.
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
