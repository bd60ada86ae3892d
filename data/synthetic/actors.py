"""Honest actors: firms that appear and disappear, each with lasting habits.

An actor is a slot filled by a succession of firms: each firm lives for months to years, then
another one takes over under another pseudonym. Slots have Zipf weights, so a few are very active; a
young firm is less active than it will be. Habits are traits of the slot, computed on demand, so
actors need no memory.
"""

from dataclasses import dataclass

import numpy as np

from synthetic.chance import Floats, Ints, Words, chance, mixed, picked, share
from synthetic.corridors import Corridors
from synthetic.goods import goods

CARRIER, CONVEYANCE, CONSIGNEE, CONSIGNOR, FORWARDER, DECLARANT, PAYER, CONTAINER = range(101, 109)
MIN_LIFE_DAYS, MAX_LIFE_DAYS = 200.0, 6_000.0
RAMP_DAYS = 120.0
CARELESSNESS_SPREAD = 0.5
COMPLIANCE = 0.5  # the power of its traffic by which a consignee smuggles less often
CARRIERS_PER_CORRIDOR = 6
SLOTS_PER_LANE = 1_000_000
# Firms are prone to smuggle on their own account for about a year, then another temptation counts.
PRONE_DAYS = 365.0


@dataclass(frozen=True)
class Actors:
    """The slots of a world. Consignees are sorted by country; `country_edges` bounds each one.

    `consignee_smallness` is each one's factor on smuggling on its own account.
    """

    seed: int
    carriers: int
    consignee_country: Ints
    consignee_weight: Floats
    consignee_smallness: Floats
    consignee_goods: Ints
    country_edges: Ints


def invented_actors(ways: Corridors, *, subjects: int, seed: int) -> Actors:
    """Return the actors of a world with this many subjects of each kind."""
    rng = chance(seed, "actors")
    number = max(400, subjects // 12)
    inflow = np.zeros(len(ways.countries))
    np.add.at(inflow, ways.destination_country, ways.weight)
    # Every destination country has a few consignees, even in a small world.
    least: Ints = np.repeat(np.flatnonzero(inflow), 4)
    others = picked(inflow, rng.random(max(number - len(least), 0)))
    country = np.sort(np.concatenate([least, others]))
    zipf = 1.0 / (rng.permutation(len(country)) + 8.0) ** 0.9
    per_country = np.bincount(country, weights=zipf, minlength=len(inflow))
    traffic = inflow[country] * zipf / per_country[country]
    kinds = picked(goods().weight, rng.random(2 * len(country)))
    return Actors(
        seed=seed,
        carriers=max(120, subjects // 20),
        consignee_country=country,
        consignee_weight=zipf,
        consignee_smallness=traffic**-COMPLIANCE
        * traffic.sum()
        / (traffic ** (1 - COMPLIANCE)).sum(),
        consignee_goods=kinds.reshape(-1, 2),
        country_edges=np.searchsorted(country, np.arange(len(ways.countries) + 1)),
    )


def firm(seed: int, role: int, slot: Ints, day: Floats | Ints) -> Words:
    """Return the word from which the pseudonym of the firm in each slot on a day is spelt."""
    generation, _ = _generation(seed, role, slot, day)
    return mixed(seed, role, slot, generation)


def age_days(seed: int, role: int, slot: Ints, day: Floats | Ints) -> Floats:
    """Return the age of the firm in each slot, in days."""
    return _generation(seed, role, slot, day)[1]


def carelessness(seed: int, role: int, slot: Ints) -> Floats:
    """Return each slot's factor on the usual rate of honest mistakes; the mean is 1."""
    return varied(CARELESSNESS_SPREAD, share(seed, role, slot, 3), share(seed, role, slot, 4))


def proneness(seed: int, role: int, slot: Ints, day: Ints, spread: float) -> Floats:
    """Return each slot's factor on smuggling on its own account, in these months; the mean is 1."""
    months = np.floor(day / PRONE_DAYS + share(seed, role, slot, 6)).astype(np.int64)
    return varied(spread, share(seed, role, slot, 7, months), share(seed, role, slot, 8, months))


def smallness(actors: Actors, role: int, slot: Ints) -> Floats:
    """Return factors on smuggling on a firm's own account; the mean over all traffic is about 1.

    Large firms have more to lose and departments for compliance, so the factor falls with traffic.
    """
    if role == CONSIGNEE:
        return actors.consignee_smallness[slot]
    many = _carriers_of_lane(actors)[slot // SLOTS_PER_LANE]
    return 2.0 * np.sqrt((slot % SLOTS_PER_LANE + 0.5) / many)


def varied(spread: float, first: Floats, second: Floats) -> Floats:
    """Return log-normal factors with mean 1 from two uniform numbers each (Box–Muller)."""
    normal = np.sqrt(-2 * np.log1p(-first)) * np.cos(2 * np.pi * second)
    return np.asarray(np.exp(spread * normal - spread**2 / 2))


def usual_hour(seed: int, role: int, slot: Ints) -> Floats:
    """Return the hour at which each slot usually files: mostly office hours."""
    trait = share(seed, role, slot, 5)
    return np.where(trait < 0.85, 7.5 + 10 * trait, 18.0 + 20 * (trait - 0.85))


def chosen_consignees(actors: Actors, rng: np.random.Generator, country: Ints, day: float) -> Ints:
    """Choose a consignee in each country by Zipf weight and age; -1 if it has none."""
    slots = np.arange(len(actors.consignee_country))
    age = age_days(actors.seed, CONSIGNEE, slots, np.full(len(slots), day))
    weight = actors.consignee_weight * (0.3 + 0.7 * np.minimum(age / RAMP_DAYS, 1.0))
    sums = np.concatenate([[0.0], np.cumsum(weight)])
    low, high = sums[actors.country_edges[country]], sums[actors.country_edges[country + 1]]
    at = low + rng.random(len(country)) * (high - low)
    chosen = np.searchsorted(sums, at, side="right") - 1
    chosen = np.clip(chosen, actors.country_edges[country], actors.country_edges[country + 1] - 1)
    return np.where(high > low, chosen, -1)


def chosen_carriers(actors: Actors, rng: np.random.Generator, lane: Ints, corridor: Ints) -> Ints:
    """Choose one of the few carriers of each corridor, the first ones more often."""
    rank = picked(1.0 / np.arange(1.0, CARRIERS_PER_CORRIDOR + 1), rng.random(len(corridor)))
    return _carrier(actors, lane, share(actors.seed, CARRIER, corridor, rank))


def accustomed_carriers(actors: Actors, lane: Ints, corridor: Ints, network: Ints) -> Ints:
    """Return the carrier that each network found on its first corridor: a small, careless one.

    Networks agree on who looks at loads least closely, so a carrier is abused again by others.
    """
    ranks = np.arange(CARRIERS_PER_CORRIDOR)
    smallness = share(actors.seed, CARRIER, corridor[:, None], ranks)
    slots = _carrier(actors, lane[:, None], smallness)
    own_taste = share(actors.seed, 9, network[:, None], ranks)
    appeal = smallness + carelessness(actors.seed, CARRIER, slots) + 0.5 * own_taste
    best = appeal.argmax(axis=1)
    return slots[np.arange(len(slots)), best]


def accustomed_consignees(actors: Actors, country: Ints, owner: Ints) -> Ints:
    """Return the consignee that each network, or what else `owner` names, uses in a country.

    The cube favours a few, whatever their trade: networks know whose name can be used, so a firm
    is abused again by others. -1 if the country has no consignee.
    """
    first, last = actors.country_edges[country], actors.country_edges[country + 1]
    trait = share(actors.seed, 10, country, owner) ** 3
    return np.where(last > first, first + (trait * (last - first)).astype(np.int64), -1)


def _carrier(actors: Actors, lane: Ints, trait: Floats) -> Ints:
    # The square of a uniform number favours low ones: large carriers serve many corridors.
    many = _carriers_of_lane(actors)[lane]
    return lane * SLOTS_PER_LANE + (trait**2 * many).astype(np.int64)


def _carriers_of_lane(actors: Actors) -> Ints:
    return np.maximum(actors.carriers * np.array([2, 6, 2, 1, 1, 4]) // 16, 3)


def _generation(seed: int, role: int, slot: Ints, day: Floats | Ints) -> tuple[Ints, Floats]:
    trait = share(seed, role, slot, 1)
    # Lives vary on a log scale, and start at random offsets, so that firms do not change together.
    life = MIN_LIFE_DAYS * (MAX_LIFE_DAYS / MIN_LIFE_DAYS) ** trait
    lived = np.asarray(day) + share(seed, role, slot, 2) * life
    generation = np.floor(lived / life)
    return generation.astype(np.int64), lived - generation * life
