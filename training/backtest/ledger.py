"""The record of a replayed policy's selections."""

from dataclasses import dataclass, field

from training.backtest.history import History
from training.backtest.policy import Policy
from training.backtest.selection import WeekSelection
from training.ranking import Floats, Ints


@dataclass(frozen=True)
class ReplayedWeek:
    """The selections of a policy in one week: its rows, scores and selected subjects."""

    rows: slice
    scores: Floats
    selection: WeekSelection


@dataclass(frozen=True)
class PolicyReplay:
    """All selections of a policy by week, and how often its model was fitted.

    `periods` maps each office to the number of weeks over which it plans its capacity.
    """

    name: str
    policy: Policy
    history: History
    weeks: tuple[ReplayedWeek, ...]
    fits: int
    periods: dict[str, int] = field(default_factory=dict)

    def rows_of(self, week: ReplayedWeek) -> Ints:
        """Return the rows of the history that were inspected in a week."""
        return week.rows.start + week.selection.places
