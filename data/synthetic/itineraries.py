"""Itineraries of journeys: stops, times and distances."""

from dataclasses import dataclass

import numpy as np

from features.reference.geography import great_circle_km
from features.reference.geography.distances import USUAL_KMH, WINDING
from synthetic.chance import Floats, Ints
from synthetic.corridors import MODES, Corridors
from synthetic.signs import Signs

MAX_STOPS = 12
# Usual hours at an intermediate stop, by lane.
DWELL_HOURS = np.array([30.0, 1.2, 3.5, 6.0, 8.0, 0.5])


@dataclass(frozen=True)
class Itineraries:
    """One row per journey: `stops` are places (-1 after the last), times are hours from departure.

    `arrived[i]` and `left[i]` are hours at stop i; a journey ends after `hours`.
    """

    stops: Ints
    legs: Ints
    arrived: Floats
    left: Floats
    hours: Floats


def travelled(
    ways: Corridors, rng: np.random.Generator, corridor: Ints, signs: Signs
) -> Itineraries:
    """Return the itinerary of each journey on its corridor, with stops added by its signs."""
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
        km[rows] = _leg_km(ways, lane[rows], stops[rows])
    return _timed(rng, stops, legs, km, lane, signs)


def _leg_km(ways: Corridors, lane: Ints, stops: Ints) -> Floats:
    latitude, longitude = ways.latitude[stops], ways.longitude[stops]
    circle = great_circle_km(latitude[:, :-1], longitude[:, :-1], latitude[:, 1:], longitude[:, 1:])
    winding = np.array([WINDING[mode] for mode in MODES])[lane]
    return np.where(stops[:, 1:] >= 0, np.maximum(circle * winding[:, None], 5.0), 0.0)


def _timed(
    rng: np.random.Generator, stops: Ints, legs: Ints, km: Floats, lane: Ints, signs: Signs
) -> Itineraries:
    shape = km.shape
    speed = np.array([USUAL_KMH[mode] for mode in MODES])[lane] * 1.25
    pace = np.exp(0.12 * rng.standard_normal(len(lane))) * np.where(signs["slow_passage"], 1.6, 1.0)
    travel = km / speed[:, None] * pace[:, None]
    dwell = DWELL_HOURS[lane][:, None] * np.exp(0.5 * rng.standard_normal(shape))
    long_stay = np.where(signs["long_dwell"], rng.uniform(3.0, 7.0, len(lane)), 1.0)
    at_stop = np.arange(shape[1])[None, :] + 1 < legs[:, None]
    dwell = np.where(at_stop, dwell, 0.0)
    dwell[:, 0] *= long_stay
    arrived = np.cumsum(travel, axis=1) + np.cumsum(dwell, axis=1) - dwell
    left = arrived + dwell
    ends = arrived[np.arange(len(lane)), legs - 1]
    start = np.zeros((len(lane), 1))
    return Itineraries(
        stops=stops,
        legs=legs,
        arrived=np.concatenate([start, arrived], axis=1),
        left=np.concatenate([start, left], axis=1),
        hours=ends,
    )
