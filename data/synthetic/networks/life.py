"""The life of networks: they form, move in a coordinated way, adapt after a seizure, and end.

Only this part of the world must be simulated in order of time, because a seizure changes what a
network does next. All networks advance together, one movement each per round. The resulting
movements are few (some per cent of all subjects), and the rest of the world is made around them.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from features.records import SubjectKind
from synthetic import inspection
from synthetic.chance import Flags, Floats, Ints, chance, picked, share
from synthetic.corridors import LANES, NEIGHBOURS, Corridors
from synthetic.honest_mistakes import RATES
from synthetic.networks.catalogue import Typology, typologies_of
from synthetic.rows import select_rows, stacked
from synthetic.scenario import Scenario
from synthetic.signs import Signs, drawn_signs
from synthetic.tips import exposure_of_networks, tip_probability

# A movement carries something with probability 1 / (1 + exp(-(CENTRE + contrast z))), z ~ N(0, 1).
CENTRE = -2.2
ENDS = 0.2  # of networks, after a seizure
MOVEMENTS_PER_LIFE = 26
MIN_LIFE, MAX_LIFE = 0.15, 0.6  # of the world's length
ROUNDS = 90
# What costs a network a phone call, unlike another vehicle, way or kind of goods: papers, hours and
# ways of paying.
CHEAP = frozenset(
    (
        *("late_manifest", "amended_manifest", "critical_amendment", "vague_description"),
        *("missing_packing_list", "missing_invoice", "missing_checklist", "expired_permit"),
        *("expired_transit", "round_mass", "round_amounts", "off_hours", "one_way_hire"),
        *("third_party_payer", "foreign_payer", "cash", "structuring", "fan_in", "advance_burst"),
    )
)
GIVEN_UP = 0.5
AT_ONCE = {"all_typologies", "late_typologies"}


@dataclass(frozen=True)
class Movements:
    """One row per movement of a network; `at_day` counts from day one of the world.

    `home` is the corridor on which the network began; `given_up` counts the signs that it has
    stopped to show, because movements with them were inspected.
    """

    network: Ints
    typology: Ints
    corridor: Ints
    home: Ints
    epoch: Ints
    given_up: Ints
    at_day: Floats
    probability: Floats
    truth: Flags
    found: Ints
    selected_by: Ints
    selection_probability: Floats
    signs: Signs


@dataclass
class _Networks:
    typology: Ints
    corridors: Ints
    start_day: Floats
    end_day: Floats
    gap_days: Floats
    next_day: Floats
    epoch: Ints
    shows: Flags


def lived(
    kind: SubjectKind,
    ways: Corridors,
    *,
    scenario: Scenario,
    subjects: int,
    days: int,
    seed: int,
    first_day: int = 0,
) -> Movements:
    """Return all movements of all networks of one kind, in order of time."""
    wanted = movements_wanted(scenario, subjects)
    number = wanted / _movements_per_life(kind, wanted)
    # Seizures and the end of the world shorten lives by a share that only a trial run can tell.
    trial = _lives(kind, ways, scenario, round(number), wanted, first_day, days, seed)
    number *= wanted / max(len(trial.at_day), 1)
    movements = _lives(kind, ways, scenario, round(number), wanted, first_day, days, seed)
    return select_rows(movements, np.argsort(movements.at_day, kind="stable"))


def _lives(
    kind: SubjectKind,
    ways: Corridors,
    scenario: Scenario,
    number: int,
    wanted: float,
    first_day: int,
    days: int,
    seed: int,
) -> Movements:
    rng = chance(seed, f"networks of {kind}s")
    per_life = _movements_per_life(kind, wanted)
    networks = _formed(rng, kind, ways, scenario, max(number, 1), per_life, first_day, days)
    return stacked([_round(rng, kind, ways, scenario, networks, days, seed) for _ in range(ROUNDS)])


def _movements_per_life(kind: SubjectKind, wanted: float) -> float:
    """Return the mean number of movements; lower in small worlds, to have every typology."""
    return float(np.clip(wanted / (3 * len(typologies_of(kind))), 5, MOVEMENTS_PER_LIFE))


def movements_wanted(scenario: Scenario, subjects: int) -> float:
    """Return the number of movements that yields the base rate, beyond independent smuggling."""
    # The mean over the middle of many equally probable intervals of z.
    middles = (np.arange(1_000) + 0.5) / 1_000
    mean = _loaded(scenario, np.array([NormalDist().inv_cdf(at) for at in middles])).mean()
    return float(subjects * scenario.base_rate * (1 - scenario.unorganised) / mean)


def _formed(
    rng: np.random.Generator,
    kind: SubjectKind,
    ways: Corridors,
    scenario: Scenario,
    number: int,
    per_life: float,
    first_day: int,
    days: int,
) -> _Networks:
    typologies = typologies_of(kind)
    life: Floats = days * rng.uniform(MIN_LIFE, MAX_LIFE, number)
    # Networks begin up to the longest life before the world, so that from its first day on as many
    # live as later, in all phases of life.
    start: Floats = rng.uniform(first_day - MAX_LIFE * days, days, number)
    lasts = life
    if scenario.drift in AT_ONCE:
        start, lasts, life = _succeeded(start, life, scenario.drift_at * days)
    late_from = scenario.late_typology_from * days
    typology = _practised(rng, typologies, scenario, start, days)
    is_late = np.array([t.is_late for t in typologies])[typology]
    if scenario.drift in AT_ONCE:
        is_late &= start < scenario.drift_at * days
    start = np.where(is_late, np.maximum(start, rng.uniform(late_from, days, len(start))), start)
    end = np.minimum(start + lasts, days)
    since, start = start, np.maximum(start, first_day)
    gap = (
        life / per_life / np.where(start >= scenario.regime_at * days, scenario.regime_factor, 1.0)
    )
    return _Networks(
        typology=typology,
        corridors=_chosen_corridors(rng, typologies, typology, ways),
        start_day=since,
        end_day=end,
        gap_days=gap,
        next_day=start + gap * rng.exponential(1.0, len(start)),
        epoch=np.zeros(len(start), dtype=np.int64),
        shows=np.ones((len(start), len(RATES[kind])), dtype=np.bool_),
    )


def _succeeded(start: Floats, life: Floats, at_day: float) -> tuple[Floats, Floats, Floats]:
    """Return starts, durations and lives, with all networks of a day replaced by successors.

    A network and its successor share one life, so that they do not move more often than before.
    """
    rest = start + life - at_day
    hands_over = (start < at_day) & (rest > 0)
    lasts = np.where(hands_over, at_day - start, life)
    return (
        np.concatenate([start, np.full(int(hands_over.sum()), at_day)]),
        np.concatenate([lasts, rest[hands_over]]),
        np.concatenate([life, life[hands_over]]),
    )


def _practised(
    rng: np.random.Generator,
    typologies: tuple[Typology, ...],
    scenario: Scenario,
    start: Floats,
    days: int,
) -> Ints:
    weights = np.array([t.weight for t in typologies])
    is_late = np.array([t.is_late for t in typologies])
    draws = rng.random(len(start))
    usual = picked(np.where(is_late, 0.0, weights), draws)
    rare = np.where(is_late, 0.0, 1.0 / (np.arange(len(weights)) + 0.5))
    drifted = picked(is_late * weights if scenario.drift == "late_typologies" else rare, draws)
    drifts = scenario.drift in {"typologies", *AT_ONCE}
    has_drifted = drifts & (start >= scenario.drift_at * days)
    late_possible = start > (scenario.late_typology_from - 0.15) * days
    late = np.flatnonzero(is_late)
    becomes_late = late_possible & (rng.random(len(start)) < 0.25)
    base = np.where(has_drifted, drifted, usual)
    return np.where(becomes_late, late[0], base) if len(late) else base


def _chosen_corridors(
    rng: np.random.Generator, typologies: tuple[Typology, ...], typology: Ints, ways: Corridors
) -> Ints:
    """Return a corridor of the typology's lanes and origins, with its neighbours as fallbacks."""
    chosen = np.empty(len(typology), dtype=np.int64)
    origin_region = ways.region[ways.origin_country]
    for row, practised in enumerate(typologies):
        of = typology == row
        fits = np.isin(ways.lane, [LANES[lane] for lane in practised.lanes])
        if practised.origins:
            fits &= np.isin(origin_region, practised.origins)
        # The square root: networks favour busy corridors less than trade does, so they stand out
        # less than if they avoided these, but do stand out.
        chosen[of] = picked(np.sqrt(ways.weight) * fits, rng.random(int(of.sum())))
    return np.concatenate([chosen[:, None], ways.neighbours[chosen]], axis=1)


def _round(
    rng: np.random.Generator,
    kind: SubjectKind,
    ways: Corridors,
    scenario: Scenario,
    networks: _Networks,
    days: int,
    seed: int,
) -> Movements:
    alive = np.flatnonzero(networks.next_day < networks.end_day)
    at, typology, epoch = networks.next_day[alive], networks.typology[alive], networks.epoch[alive]
    has_drifted = at > scenario.drift_at * days
    payment_epoch = epoch + (has_drifted & (scenario.drift == "payments"))
    place_epoch = epoch + (has_drifted & (scenario.drift == "corridors"))
    corridors = networks.corridors[alive, np.minimum(place_epoch, NEIGHBOURS)]
    probability = _loaded(scenario, rng.standard_normal(len(alive)))
    signs = drawn_signs(
        rng,
        kind,
        carelessness=np.full(len(alive), 1.25),
        typology=typology,
        strength=signature_strength(probability),
        payment_epoch=payment_epoch,
    )
    given_up = (~networks.shows[alive]).sum(axis=1)
    signs = {
        name: shown & networks.shows[alive, i] for i, (name, shown) in enumerate(signs.items())
    }
    selection = inspection.selected(
        rng,
        kind,
        scenario,
        signs=signs,
        office_share=office_share(rng.random(len(alive))),
        tip_probability=tip_probability(
            scenario,
            exposure_of_networks(
                scenario,
                seed,
                kind,
                network=alive,
                corridor=corridors,
                epoch=epoch,
                at=at,
                age=at - networks.start_day[alive],
            ),
            probability,
        ),
    )
    truth = rng.random(len(alive)) < probability
    usual = np.array([t.sensitivity for t in typologies_of(kind)])[typology]
    sensitivity = inspection.sensitivity(scenario, usual, ways.lane[corridors], at)
    result = inspection.found(rng, truth, sensitivity)
    # Without an adversary, networks react to seizures only, not to inspections without a find.
    if scenario.adaptive:
        _evade(seed, scenario, networks, alive, signs, selection.by > 0)
    _adapt(rng, networks, alive, (selection.by > 0) & (result == 1), scenario.returns)
    return Movements(
        network=alive,
        typology=typology,
        corridor=_open_corridors(ways, corridors, at, scenario, days),
        home=networks.corridors[alive, 0],
        epoch=epoch,
        given_up=given_up,
        at_day=at,
        probability=probability,
        truth=truth,
        found=result,
        selected_by=selection.by,
        selection_probability=selection.probability,
        signs=signs,
    )


def _loaded(scenario: Scenario, z: Floats) -> Floats:
    """Return the probability that a movement carries something, from a standard normal number."""
    return np.asarray(1 / (1 + np.exp(-(CENTRE + scenario.contrast * z))))


def signature_strength(probability: Floats) -> Floats:
    """Return the share of a typology's signature that shows at a probability of being loaded."""
    return np.asarray(probability**0.5)


def office_share(draws: Floats) -> Floats:
    """Return the share of its rule's hits that an office can inspect, from a number in [0, 1)."""
    return 0.3 + 0.6 * draws


def _evade(
    seed: int,
    scenario: Scenario,
    networks: _Networks,
    alive: Ints,
    signs: Signs,
    is_inspected: Flags,
) -> None:
    """Let adaptive networks give up half of the cheap signs that an inspected movement showed.

    They do not know why it was inspected: a random draw makes them give up what nobody looks at.
    """
    adapts = is_inspected & (share(seed, 29, alive) < scenario.adaptive)
    for i, (name, shown) in enumerate(signs.items()):
        draws = share(seed, 31, alive, i, networks.shows[alive].sum(axis=1))
        networks.shows[alive, i] &= ~(adapts & shown & (name in CHEAP) & (draws < GIVEN_UP))


def _adapt(
    rng: np.random.Generator, networks: _Networks, alive: Ints, seized: Flags, returns: float
) -> None:
    """Advance to the next movement; after a seizure pause, then move, return as before, or end."""
    wait = networks.gap_days[alive] * rng.exponential(1.0, len(alive))
    pause = rng.uniform(2.0, 12.0, len(alive))
    ends = seized & (rng.random(len(alive)) < ENDS)
    moves = seized & (rng.random(len(alive)) >= returns)
    networks.next_day[alive] += wait + np.where(seized, pause, 0.0)
    networks.epoch[alive] += moves
    networks.end_day[alive[ends]] = -np.inf


def _open_corridors(
    ways: Corridors, corridors: Ints, at: Floats, scenario: Scenario, days: int
) -> Ints:
    """Return corridors with those of a closed region replaced by others of the same lane."""
    is_closed = ways.region[ways.origin_country] == scenario.closed_region
    shut = is_closed[corridors] & (at > scenario.regime_at * days)
    instead = corridors.copy()
    for lane in np.unique(ways.lane[corridors[shut]]):
        of = shut & (ways.lane[corridors] == lane)
        weight = ways.weight * (~is_closed & (ways.lane == lane))
        instead[of] = picked(weight, share(corridors[of], 23))
    return instead
