"""What a replayed policy did, kept until it is counted."""

from dataclasses import dataclass

from training.backtest.history import History
from training.backtest.policy import Policy
from training.backtest.selection import Selection
from training.ranking import Floats, Ints


@dataclass(frozen=True)
class Week:
    """What a policy did in one week: its rows of the history, its scores and its selection."""

    rows: slice
    scores: Floats
    selection: Selection


@dataclass(frozen=True)
class Ledger:
    """Everything that one policy did, week by week, and how often its model was fitted."""

    name: str
    policy: Policy
    history: History
    weeks: tuple[Week, ...]
    fits: int

    def rows_of(self, week: Week) -> Ints:
        """The history's rows that were inspected in a week."""
        return week.rows.start + week.selection.places
