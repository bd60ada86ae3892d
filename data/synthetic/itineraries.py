"""Itineraries of journeys: stops, times and distances."""

from dataclasses import dataclass

import numpy as np

from features.reference.geography import great_circle_km
from features.reference.geography.distances import USUAL_KMH, WINDING
from synthetic.chance import Floats, Ints, chance, share
from synthetic.corridors import MODES, RAIL, ROAD, SMALL_CRAFT, Corridors
from synthetic.plan import Plan
from synthetic.possible_legs import is_possible
from synthetic.signs import Signs

MAX_STOPS = 12
# Usual hours at an intermediate stop, by lane.
DWELL_HOURS = np.array([30.0, 1.2, 3.5, 6.0, 8.0, 0.5])
# The alternative mode of a leg, by lane: trains for ships on short ways, rolling roads, and lorries
# for air freight. It says nothing about the cargo; on some corridors it is common.
OTHER_LANE = np.array([RAIL, RAIL, ROAD, ROAD, RAIL, SMALL_CRAFT])
MIXED_CORRIDORS, MIXED_THERE, MIXED_ELSEWHERE = 0.08, 0.4, 0.01
# Nobody sends goods further by lorry or train instead of by ship or aircraft.
MAX_OTHER_KM = 1_500.0


@dataclass(frozen=True)
class Itineraries:
    """One row per journey: `stops` are places (-1 after the last), times are hours from departure.

    `arrived[i]` and `left[i]` are hours at stop i; a journey ends after `hours`. `lanes[i]` is that
    of the leg from stop i.
    """

    stops: Ints
    lanes: Ints
    legs: Ints
    arrived: Floats
    left: Floats
    hours: Floats


def travelled(
    plan: Plan, chapter: int, rng: np.random.Generator, corridor: Ints, signs: Signs
) -> Itineraries:
    """Return the itinerary of each journey on its corridor, with stops added by its signs."""
    ways = plan.ways
    lane, legs = ways.lane[corridor], ways.legs[corridor]
    stops: Ints = np.full((len(corridor), MAX_STOPS), -1, dtype=np.int64)
    stops[:, : ways.stops.shape[1]] = ways.stops[corridor]
    km = np.zeros((len(corridor), MAX_STOPS - 1))
    km[:, : ways.leg_km.shape[1]] = ways.leg_km[corridor]
    for sign, rank in (("extra_stop", 0), ("detour", 2)):
        elsewhere = ways.stops[ways.neighbours[corridor, rank], 0]
        rows = signs[sign] & (elsewhere != stops[:, 0]) & (elsewhere != stops[:, 1])
        # Insert a stop after the first one.
        longer = stops.copy()
        longer[rows, 2:] = stops[rows, 1:-1]
        longer[rows, 1] = elsewhere[rows]
        stops, legs = longer, legs + rows
        km[rows] = _leg_km(ways, lane[rows][:, None], stops[rows])
    lanes = _lanes(plan, chapter, corridor, stops)
    km = np.where(lanes == lane[:, None], km, _leg_km(ways, lanes, stops))
    return _timed(rng, stops, legs, km, lanes, signs)


def _lanes(plan: Plan, chapter: int, corridor: Ints, stops: Ints) -> Ints:
    """Return the lane of each leg: mostly its journey's, sometimes another one where possible."""
    ways = plan.ways
    lanes = np.repeat(ways.lane[corridor][:, None], MAX_STOPS - 1, axis=1)
    often = share(plan.seed, corridor, 51) < MIXED_CORRIDORS
    draws = chance(plan.seed, "modes of legs", chapter).random(lanes.shape, dtype=np.float32)
    wants = draws < np.where(often, MIXED_THERE, MIXED_ELSEWHERE)[:, None]
    of, leg = np.nonzero(wants & (stops[:, 1:] >= 0))
    first, last, other = stops[of, leg], stops[of, leg + 1], OTHER_LANE[lanes[of, leg]]
    km = great_circle_km(
        ways.latitude[first], ways.longitude[first], ways.latitude[last], ways.longitude[last]
    )
    can = (km <= MAX_OTHER_KM) & is_possible(
        np.array(MODES)[other], ways.codes[first], ways.codes[last]
    )
    lanes[of[can], leg[can]] = other[can]
    return lanes


def _leg_km(ways: Corridors, lanes: Ints, stops: Ints) -> Floats:
    latitude, longitude = ways.latitude[stops], ways.longitude[stops]
    circle = great_circle_km(latitude[:, :-1], longitude[:, :-1], latitude[:, 1:], longitude[:, 1:])
    winding = np.array([WINDING[mode] for mode in MODES])[lanes]
    return np.where(stops[:, 1:] >= 0, np.maximum(circle * winding, 5.0), 0.0)


def _timed(
    rng: np.random.Generator, stops: Ints, legs: Ints, km: Floats, lanes: Ints, signs: Signs
) -> Itineraries:
    shape, number = km.shape, len(km)
    speed = np.array([USUAL_KMH[mode] for mode in MODES])[lanes] * 1.25
    pace = np.exp(0.12 * rng.standard_normal(number)) * np.where(signs["slow_passage"], 1.6, 1.0)
    travel = km / speed * pace[:, None]
    dwell = DWELL_HOURS[lanes] * np.exp(0.5 * rng.standard_normal(shape))
    long_stay = np.where(signs["long_dwell"], rng.uniform(3.0, 7.0, number), 1.0)
    at_stop = np.arange(shape[1])[None, :] + 1 < legs[:, None]
    dwell = np.where(at_stop, dwell, 0.0)
    dwell[:, 0] *= long_stay
    arrived = np.cumsum(travel, axis=1) + np.cumsum(dwell, axis=1) - dwell
    left = arrived + dwell
    ends = arrived[np.arange(number), legs - 1]
    start = np.zeros((number, 1))
    return Itineraries(
        stops=stops,
        lanes=lanes,
        legs=legs,
        arrived=np.concatenate([start, arrived], axis=1),
        left=np.concatenate([start, left], axis=1),
        hours=ends,
    )
