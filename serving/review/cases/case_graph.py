"""What a case shares with which other cases, the most telling first.

Released traffic opens no case, and so is not among them.
"""

from collections import defaultdict
from dataclasses import dataclass

from serving.review.cases.case_records import CaseRecord
from serving.review.cases.shared_things import SharedThing

MOST_NEIGHBOURS = 12
MOST_ENDED = 150


@dataclass(frozen=True)
class Neighbour:
    """Another case: which things it shares (their places in the graph) and by what roles."""

    case: CaseRecord
    shares: tuple[tuple[int, tuple[str, ...]], ...]
    is_confirmed: bool


@dataclass(frozen=True)
class CaseGraph:
    """A case's things that others share, and its neighbours: confirmed first, then the closest."""

    case_id: str
    things: tuple[SharedThing, ...]
    neighbours: tuple[Neighbour, ...]
    total: int
    is_total_known: bool

    @property
    def more(self) -> int:
        """Return how many neighbours there are besides those that are named."""
        return self.total - len(self.neighbours)


Closeness = dict[str, tuple[float, int]]


def closeness(things: tuple[SharedThing, ...]) -> Closeness:
    """Rank other cases by what they share: rare things count more; then by place in the log.

    The closest are the greatest.
    """
    weights: dict[str, float] = defaultdict(float)
    places: dict[str, int] = {}
    for thing in things:
        for other in thing.others:
            weights[other.case_id] += 1 / len(thing.others)
            places[other.case_id] = other.seq
    return {case_id: (round(weight, 9), places[case_id]) for case_id, weight in weights.items()}


def shares_of(
    case_id: str, things: tuple[SharedThing, ...]
) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """The things that another case shares, by their places, with its own roles of them."""
    return tuple(
        (place, other.roles)
        for place, thing in enumerate(things)
        for other in thing.others
        if other.case_id == case_id
    )
