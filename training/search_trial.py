"""One try of a search: the parameters of the trees, and how well they did."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Trial:
    """A finished trial; `losses` are by number of trees, `loss` is the best of them.

    A given-up trial was worse than most others with as many trees.
    """

    number: int
    parameters: dict[str, float | int]
    loss: float
    losses: dict[int, float]
    is_given_up: bool
    begun_at: datetime
    ended_at: datetime
