"""Danger to life on journeys, and the number of persons on board as recorded.

In danger are people on conveyances not made for so many (overcrowded small craft, fishing vessels,
coaches and vans), and people locked into lorries and refrigerated units by smugglers. Freight with
a few more crew than documented is not in danger. This module uses no rule of the service, so that
the service can be measured against it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthetic.chance import Flags, Floats, Ints, chance
from synthetic.conveyance_kinds import CARGO, COACH, CRAFT, FISHER, SHIP, TANKER, TRUCK, VAN
from synthetic.networks.catalogue import typologies_of
from synthetic.plan import Plan

if TYPE_CHECKING:
    from synthetic.journeys import JourneyDraft

MADE_FOR_FEW = (VAN, COACH, CRAFT, FISHER)
# The share of these movements in which people are locked in and detected: by probe, dog or call.
SHUT_IN = {"lorry_concealment": 0.15, "refrigerated_unit": 0.15}
MIN_SHUT_IN, MAX_SHUT_IN = 4, 45
UNCERTIFIED = 0.6  # of craft in danger: inflatables without a certificate
MIN_AFLOAT, MAX_AFLOAT = 8, 65
COUNTED_IN_DANGER = 0.9  # of journeys otherwise without a count: a crowd is noticed


@dataclass(frozen=True)
class OnBoard:
    """Persons on board and certified capacity; a false flag omits the figure from the record."""

    persons: Ints
    is_counted: Flags
    capacity: Ints
    is_certified: Flags


def in_danger(plan: Plan, chapter: int, draft: "JourneyDraft") -> Flags:
    """Return a mask of journeys with lives in danger."""
    crowded = draft.subjects.signs["overcapacity"] & np.isin(draft.kind, MADE_FOR_FEW)
    often = np.array([*(SHUT_IN.get(t.name, 0.0) for t in typologies_of("route")), 0.0])
    draws = chance(plan.seed, "shut in", chapter).random(len(draft.kind))
    return crowded | (draft.kind == TRUCK) & (draws < often[draft.subjects.typology])


def on_board(
    rng: np.random.Generator, plan: Plan, chapter: int, draft: "JourneyDraft", capacity: Ints
) -> OnBoard:
    """Return the persons on each journey; `capacity` is what each conveyance is made for."""
    number, danger = len(capacity), in_danger(plan, chapter, draft)
    is_certified = rng.random(number) >= plan.scenario.missing
    load = np.clip(rng.beta(3, 2.2, number), 0.05, 1.0)
    excess = rng.uniform(1.05, 1.9, number)
    is_counted = rng.random(number) >= plan.scenario.missing
    # A stream of its own, so that the draws above stay as they were without it.
    own = chance(plan.seed, "persons", chapter)
    usual = np.maximum((load * capacity).round().astype(np.int64), 1)
    is_over = draft.subjects.signs["overcapacity"] & ~danger
    capacity = np.where(is_over & (draft.kind == TRUCK), 2, capacity)
    persons = np.where(is_over, capacity + _extra_crew(own, draft.kind), usual)
    persons = np.where(danger, _crowd(own, draft.kind, capacity, excess), persons)
    is_small = draft.kind == CRAFT
    afloat = own.integers(MIN_AFLOAT, MAX_AFLOAT, number)
    inflatable = danger & is_small & (own.random(number) < UNCERTIFIED)
    remarked = danger & (own.random(number) < COUNTED_IN_DANGER)
    return OnBoard(
        persons=np.where(inflatable, afloat, persons),
        is_counted=is_counted | remarked,
        capacity=capacity,
        # Small craft without a certificate were never certified; it is no clerical omission.
        is_certified=np.where(is_small, ~inflatable, is_certified),
    )


def _extra_crew(rng: np.random.Generator, kind: Ints) -> Ints:
    """Return the number of people on freight beyond its documents."""
    most = np.where(kind == TRUCK, 1, np.where(np.isin(kind, (SHIP, CARGO, TANKER)), 8, 3))
    return rng.integers(1, most + 1)


def _crowd(rng: np.random.Generator, kind: Ints, capacity: Ints, excess: Floats) -> Ints:
    """Return the number of people on conveyances not made for them."""
    shut_in = rng.integers(MIN_SHUT_IN, MAX_SHUT_IN, len(kind)) + capacity
    crowded = np.maximum((capacity * excess).round().astype(np.int64), capacity + 1)
    return np.where(kind == TRUCK, shut_in, crowded)
