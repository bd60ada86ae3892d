"""The things that a case shares with other cases, most significant first.

Released traffic opens no case, so it does not appear here.
"""

from collections import defaultdict
from dataclasses import dataclass

from serving.review.cases.case_records import CaseRow
from serving.review.cases.shared_things import SharedThing

# A page shows 12 neighbours; 150 bounds how many closed cases are read to find confirmed ones.
MAX_NEIGHBOURS = 12
MAX_ENDED = 150

# A path through more cases convinces nobody, and what so many cases share connects anything.
MAX_PATH_STEPS = 4
MAX_CASES_ON_A_STEP = 100
MAX_SHARED_ON_A_PATH = 50


@dataclass(frozen=True)
class Neighbour:
    """Another case, with the things it shares (by index in the graph) and its roles."""

    case: CaseRow
    shares: tuple[tuple[int, tuple[str, ...]], ...]
    is_confirmed: bool


@dataclass(frozen=True)
class CaseGraph:
    """Things that a case shares, and its neighbours: confirmed ones first, then closest."""

    case_id: str
    things: tuple[SharedThing, ...]
    neighbours: tuple[Neighbour, ...]
    total: int
    is_total_known: bool

    @property
    def more(self) -> int:
        """Return how many neighbours are not shown."""
        return self.total - len(self.neighbours)


@dataclass(frozen=True)
class PathStep:
    """A step of a path: the thing that the case before shares with `case`."""

    thing: SharedThing
    case: CaseRow


Closeness = dict[str, tuple[float, int]]


def closeness(things: tuple[SharedThing, ...]) -> Closeness:
    """Rank other cases by what they share: rarer things weigh more, later cases win ties.

    The closest case has the greatest value.
    """
    weights: dict[str, float] = defaultdict(float)
    places: dict[str, int] = {}
    for thing in things:
        for other in thing.others:
            weights[other.case_id] += 1 / len(thing.others)
            places[other.case_id] = other.seq
    # Rounding makes the order independent of the order of summation.
    return {case_id: (round(weight, 9), places[case_id]) for case_id, weight in weights.items()}


def shares_of(
    case_id: str, things: tuple[SharedThing, ...]
) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Return what another case shares, by index, with its own roles."""
    return tuple(
        (place, other.roles)
        for place, thing in enumerate(things)
        for other in thing.others
        if other.case_id == case_id
    )
