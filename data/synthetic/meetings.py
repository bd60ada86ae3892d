"""Craft lying still on their way: next to others to take goods over, or for honest reasons.

Some wait alone, some supply each other, some fish in a fleet, some drop a pilot off a port. Craft
next to another have no other positions, so that no track jumps. A separate random stream keeps the
rest of the world independent of this.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic.chance import Flags, Floats, Ints, chance
from synthetic.conveyance_kinds import CARGO, FISHER, SHIP, TANKER
from synthetic.corridors import SEA, SMALL_CRAFT
from synthetic.instants import HOUR
from synthetic.networks.catalogue import typologies_of
from synthetic.plan import Plan

if TYPE_CHECKING:
    from synthetic.journeys import JourneyDraft

# The share of these movements that meet another craft at sea.
TAKE_OVER = {"fishing_vessel_transfer": 0.6}
# For all movements by water: shares by the number of craft next to them.
ALONE, SUPPLIED, WITH_PILOT = 0.02, 0.004, 0.02
IN_FLEET, FLEET = 0.03, 5  # of fishing vessels
NOBODY = -1
OFF_PORT = 0.002  # the part of the way after which a pilot leaves
MINUTE = HOUR // 60


@dataclass(frozen=True)
class Lying:
    """One row per position of a craft lying still: its journey, another's route, place and time.

    `way` is the share of the route of `beside` that lies behind it.
    """

    of: Ints
    beside: Ints
    way: Floats
    observed: Ints
    speed_kn: Floats


def lying_still(plan: Plan, chapter: int, draft: "JourneyDraft", is_heard: Flags) -> Lying:
    """Return the craft lying still in a chapter; `is_heard` marks those with other positions."""
    rng = chance(plan.seed, "meetings", chapter)
    is_afloat = np.isin(plan.ways.lane[draft.corridor], (SEA, SMALL_CRAFT))
    others, is_off_port = _others(rng, draft)
    span = draft.declared_at - draft.departed_at
    at = draft.departed_at + (rng.uniform(0.2, 0.8, len(span)) * span).astype(np.int64)
    hour = at - at % HOUR
    lies = is_afloat & (others != NOBODY) & _is_under_way(draft, hour)
    way = (hour - draft.departed_at) / HOUR / np.maximum(draft.itineraries.hours, 0.1)
    way = np.where(is_off_port, OFF_PORT, np.clip(way, 0.0, 1.0))
    is_free = np.isin(draft.kind, (SHIP, CARGO, TANKER, FISHER)) & is_afloat & ~is_heard & ~lies
    of, beside = [], []
    for centre in np.flatnonzero(lies):
        free = np.flatnonzero(is_free & _is_under_way(draft, hour[centre]))
        # Each craft meets at most once, so that it is never in two places.
        chosen = rng.permutation(free)[: others[centre]]
        is_free[chosen] = False
        of += [centre, *chosen]
        beside += [centre] * (1 + len(chosen))
    twice, centres = np.repeat(np.array(of, np.int64), 2), np.repeat(np.array(beside, np.int64), 2)
    minutes = rng.uniform(2, 12, len(twice)) + np.tile([0, 45], len(of))
    return Lying(
        of=twice,
        beside=centres,
        way=way[centres],
        observed=hour[centres] + (minutes * MINUTE).astype(np.int64),
        speed_kn=np.round(rng.uniform(0.1, 1.6, len(twice)), 1),
    )


def _others(rng: np.random.Generator, draft: "JourneyDraft") -> tuple[Ints, Flags]:
    """Return the number of craft next to each journey, and a mask of stops off a port.

    The number is NOBODY for a journey that does not stop.
    """
    often = np.array([*(TAKE_OVER.get(t.name, 0.0) for t in typologies_of("route")), 0.0])
    size = len(draft.kind)
    draws, meets = rng.random(size), rng.random(size) < often[draft.subjects.typology]
    is_off_port = draws >= 1 - WITH_PILOT
    others = np.where(draws < ALONE, 0, np.where(draws < ALONE + SUPPLIED, 1, NOBODY))
    others = np.where((draft.kind == FISHER) & (rng.random(size) < IN_FLEET), FLEET, others)
    others = np.where(is_off_port | meets, 1, others)
    return others, is_off_port & ~meets


def _is_under_way(draft: "JourneyDraft", hour: Ints) -> Flags:
    """Return a mask of journeys under way for a whole hour, and declared only after it."""
    return (draft.departed_at < hour) & (hour + HOUR < draft.declared_at)
