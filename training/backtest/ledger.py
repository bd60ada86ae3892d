"""What a replayed policy did, kept until it is counted."""

from dataclasses import dataclass, field

from training.backtest.history import History
from training.backtest.policy import Policy
from training.backtest.selection import WeekSelection
from training.ranking import Floats, Ints


@dataclass(frozen=True)
class ReplayedWeek:
    """The acts of a policy in one week: its rows of the history, its scores and its selection."""

    rows: slice
    scores: Floats
    selection: WeekSelection


@dataclass(frozen=True)
class PolicyReplay:
    """Everything that one policy did, week by week, and how often its model was fitted.

    `periods` are the weeks over which each office plans its capacity, by its name.
    """

    name: str
    policy: Policy
    history: History
    weeks: tuple[ReplayedWeek, ...]
    fits: int
    periods: dict[str, int] = field(default_factory=dict)

    def rows_of(self, week: ReplayedWeek) -> Ints:
        """The history's rows that were inspected in a week."""
        return week.rows.start + week.selection.places
