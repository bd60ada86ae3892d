"""One trial of a search: tree parameters and their losses."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Trial:
    """A finished trial; `losses` are by number of trees, `loss` is the minimum.

    A given-up trial was worse than most others at the same number of trees.
    """

    number: int
    parameters: dict[str, float | int]
    loss: float
    losses: dict[int, float]
    is_given_up: bool
    begun_at: datetime
    ended_at: datetime
