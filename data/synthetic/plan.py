"""The plan of a world: everything that its parts share, so that each can be made independently.

The plan holds corridors and actors, the lives of all networks, the number of subjects per day, and
the division of days into chapters. The rest of a chapter follows from the plan and from random
streams named after the chapter, so chapters can be made in any order, in any process.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from features.records import SubjectKind
from synthetic.actors import Actors, invented_actors
from synthetic.chance import Floats, Ints
from synthetic.corridors import Corridors, corridors
from synthetic.networks.life import Movements, lived
from synthetic.rows import select_rows
from synthetic.scenario import Scenario
from synthetic.seasons import traffic_on

CHAPTER_JOURNEYS = 16_000


@dataclass(frozen=True)
class Plan:
    """A world to be made in chapters; chapter i spans the days `edges[i]` to `edges[i+1]`.

    Days of the history, before day 0, are negative. `honest_*` are numbers of subjects per day
    outside of networks, from `first_day` on; `first_*` are the numbers of the first subject of each
    chapter.
    """

    scenario: Scenario
    first_day: int
    days: int
    seed: int
    ways: Corridors
    actors: Actors
    routes: Movements
    shipments: Movements
    honest_journeys: Ints
    honest_shipments: Ints
    edges: Ints
    first_journey: Ints
    first_shipment: Ints

    @property
    def chapters(self) -> int:
        """The number of chapters."""
        return len(self.edges) - 1

    def honest_days(self, kind: SubjectKind, chapter: int) -> Ints:
        """Return the day of each honest subject of a chapter, in order."""
        per_day = self.honest_journeys if kind == "route" else self.honest_shipments
        days = np.arange(self.edges[chapter], self.edges[chapter + 1])
        return np.repeat(days, per_day[days - self.first_day])

    def movements(self, kind: SubjectKind, chapter: int) -> Movements:
        """Return the movements of networks in a chapter."""
        moves = self.routes if kind == "route" else self.shipments
        low, high = np.searchsorted(moves.at_day, self.edges[chapter : chapter + 2])
        return select_rows(moves, np.arange(low, high))


# A worker process makes many chapters of the same world.
@cache
def plan_world(scenario: Scenario, journeys: int, days: int, seed: int) -> Plan:
    """Return the plan of a world with `journeys` routes and as many shipments, history included.

    The history before day 0 is as long as the scenario says, but not longer than the world.
    """
    ways, first_day = corridors(), -int(min(scenario.history_days, days))
    routes, shipments = (
        lived(
            kind,
            ways,
            scenario=scenario,
            subjects=journeys,
            first_day=first_day,
            days=days,
            seed=seed,
        )
        for kind in ("route", "shipment")
    )
    moving, carrying = (
        np.bincount(whole_days(moves.at_day) - first_day, minlength=days - first_day)
        for moves in (routes, shipments)
    )
    busy = traffic_on(scenario, np.arange(first_day, days))
    # A network's consignment brings along the journey that carries it.
    honest_journeys = _spread(
        max(journeys - len(routes.at_day) - len(shipments.at_day), days), busy
    )
    honest_shipments = _spread(max(journeys - len(shipments.at_day), days), busy)
    per_day = honest_journeys + moving + carrying
    edges = _chapter_edges(per_day)
    return Plan(
        scenario=scenario,
        first_day=first_day,
        days=days,
        seed=seed,
        ways=ways,
        actors=invented_actors(ways, subjects=journeys, seed=seed),
        routes=routes,
        shipments=shipments,
        honest_journeys=honest_journeys,
        honest_shipments=honest_shipments,
        edges=edges + first_day,
        first_journey=_firsts(per_day, edges),
        first_shipment=_firsts(honest_shipments + carrying, edges),
    )


def whole_days(at_day: Floats) -> Ints:
    """Return the day of each instant; a day of the history begins before it, too."""
    return np.floor(at_day).astype(np.int64)


def _spread(total: int, weights: Floats) -> Ints:
    """Distribute `total` by weight in whole numbers."""
    # Rounded sums, not rounded parts: the parts then add up to `total`.
    edges = np.round(np.cumsum(weights) / weights.sum() * total).astype(np.int64)
    return np.diff(edges, prepend=0)


def _chapter_edges(per_day: Ints) -> Ints:
    """Return chapters of whole days, with about CHAPTER_JOURNEYS journeys each."""
    chapters = max(round(per_day.sum() / CHAPTER_JOURNEYS), 1)
    wanted = np.arange(1, chapters) * per_day.sum() / chapters
    inner = np.searchsorted(np.cumsum(per_day), wanted) + 1
    return np.unique(np.concatenate([[0], inner, [len(per_day)]]))


def _firsts(per_day: Ints, edges: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(per_day)])[edges[:-1]]
