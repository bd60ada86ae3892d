"""Legs of journeys, and reported positions of their conveyances."""

import numpy as np
import pyarrow as pa

from features.arrow_schema import record_table
from features.records import Leg, Position
from synthetic import instants
from synthetic.chance import Flags, Floats, Ints, chance
from synthetic.corridors import MODES, SEA, SMALL_CRAFT
from synthetic.danger import in_danger
from synthetic.instants import HOUR
from synthetic.journeys import JourneyDraft, journey_ids
from synthetic.meetings import Lying, lying_still
from synthetic.plan import Plan

# The share of journeys with a transponder or tracker that the authority receives, by lane.
HEARD_SHARE = np.array([0.45, 0.15, 0.0, 0.0, 0.3, 0.6])
REPORTS = 6
SILENT_REPORTS = slice(1, 5)
# The share of tracked vessels heard at their arrival; of those in danger, half never arrive.
LANDED, LANDED_IN_DANGER = 0.999, 0.5
KM_PER_NAUTICAL_MILE = 1.852
SOURCES = ("ais", "gps")


def leg_table(plan: Plan, chapter: int, draft: JourneyDraft) -> pa.Table:
    """Return legs: those completed before the declaration with times, the others as planned.

    A few completed legs become known only later. A planned leg has a departure only if it had left
    when it became known.
    """
    rng = chance(plan.seed, "legs", chapter)
    legs = draft.itineraries.legs
    of, sequence = np.nonzero(np.arange(legs.max())[None, :] < legs[:, None])
    itineraries = draft.itineraries
    start = draft.departed_at[of]
    left = instants.after(start, itineraries.left[of, sequence])
    arrived = instants.after(start, itineraries.arrived[of, sequence + 1])
    declared = draft.declared_at[of]
    is_over = arrived < declared
    is_late = rng.random(len(of)) < 0.06
    heard = arrived + (rng.exponential(1.5, len(of)) * HOUR).astype(np.int64)
    late = declared + (rng.uniform(0.5, 40.0, len(of)) * HOUR).astype(np.int64)
    planned = declared - (rng.uniform(1.0, 9.0, len(of)) * HOUR).astype(np.int64)
    known = np.where(is_over, np.where(is_late, late, heard), planned)
    codes = pa.array(plan.ways.codes, pa.string())
    columns = {
        "journey_id": journey_ids(draft.number[of]),
        "sequence": pa.array(sequence + 1),
        "origin": codes.take(pa.array(itineraries.stops[of, sequence])),
        "destination": codes.take(pa.array(itineraries.stops[of, sequence + 1])),
        "mode": pa.array(MODES).take(pa.array(itineraries.lanes[of, sequence])),
        "departed_at": instants.column(left, where=left < known),
        "arrived_at": instants.column(arrived, where=is_over),
        "known_at": instants.column(known),
    }
    return record_table(columns, Leg)


def position_table(plan: Plan, chapter: int, draft: JourneyDraft) -> pa.Table:
    """Return positions on the straight line from end to end, mostly before the declaration.

    Then follow positions of craft lying still, alone or next to others, and of tracked vessels in
    the port where they arrive after the declaration.
    """
    rng = chance(plan.seed, "positions", chapter)
    lane = plan.ways.lane[draft.corridor]
    # Journeys that left just before the declaration have no time for several reports.
    is_heard = (rng.random(len(lane)) < HEARD_SHARE[lane]) & (
        draft.departed_at < draft.declared_at - HOUR // 2
    )
    share = np.sort(rng.uniform(0.02, 1.06, (len(lane), REPORTS)), axis=1)
    kept = np.repeat(is_heard[:, None], REPORTS, axis=1)
    kept[draft.subjects.signs["position_gap"], SILENT_REPORTS] = False
    of, report = np.nonzero(kept)
    observed = draft.departed_at[of] + (
        share[of, report] * (draft.declared_at - draft.departed_at)[of]
    ).astype(np.int64)
    way = (observed - draft.departed_at[of]) / HOUR / np.maximum(draft.itineraries.hours[of], 0.1)
    latitude, longitude = _between(plan, draft, of, np.clip(way, 0.0, 1.0))
    noise = 0.02 * rng.standard_normal((2, len(of)))
    columns = {
        "journey_id": journey_ids(draft.number[of]),
        "observed_at": instants.column(observed),
        "latitude": pa.array(np.clip(latitude + noise[0], -90, 90).round(4)),
        "longitude": pa.array(_wrapped(longitude + noise[1]).round(4)),
        "speed_kn": pa.array(_speed_kn(rng, plan, draft, of, _is_slow(rng, draft, of, report))),
        "course_degrees": pa.array(_course(plan, draft)[of]),
        "error_radius_m": pa.array(np.where(lane[of] == 1, 30.0, 10.0)),
        "is_distress": pa.nulls(len(of), pa.bool_()),
        "source": pa.array(SOURCES).take(pa.array((lane[of] == 1).astype(np.int64))),
    }
    on_the_way = record_table(columns, Position)
    lying = lying_still(plan, chapter, draft, is_heard)
    landed = _landed_table(plan, chapter, draft, is_heard)
    return pa.concat_tables([on_the_way, _lying_table(plan, draft, lying), landed])


def _landed_table(plan: Plan, chapter: int, draft: JourneyDraft, is_heard: Flags) -> pa.Table:
    rng = chance(plan.seed, "landings", chapter)
    number, itineraries = len(is_heard), draft.itineraries
    arrived = instants.after(
        draft.departed_at, itineraries.arrived[np.arange(number), itineraries.legs]
    )
    often = np.where(in_danger(plan, chapter, draft), LANDED_IN_DANGER, LANDED)
    by_sea = np.isin(plan.ways.lane[draft.corridor], (SEA, SMALL_CRAFT))
    lands = is_heard & by_sea & (arrived > draft.declared_at) & (rng.random(number) < often)
    of = np.flatnonzero(lands)
    latitude, longitude = _between(plan, draft, of, np.ones(len(of)))
    noise = 0.005 * rng.uniform(-1.0, 1.0, (2, len(of)))
    speed_kn = rng.uniform(0.0, 1.0, len(of)).round(1)
    latitude, longitude = np.clip(latitude + noise[0], -90, 90), _wrapped(longitude + noise[1])
    return _heard_by_ais(plan, draft, of, arrived[of], latitude, longitude, speed_kn)


def _lying_table(plan: Plan, draft: JourneyDraft, lying: Lying) -> pa.Table:
    latitude, longitude = _between(plan, draft, lying.beside, lying.way)
    return _heard_by_ais(plan, draft, lying.of, lying.observed, latitude, longitude, lying.speed_kn)


def _heard_by_ais(
    plan: Plan,
    draft: JourneyDraft,
    of: Ints,
    observed: Ints,
    latitude: Floats,
    longitude: Floats,
    speed_kn: Floats,
) -> pa.Table:
    columns = {
        "journey_id": journey_ids(draft.number[of]),
        "observed_at": instants.column(observed),
        "latitude": pa.array(latitude.round(4)),
        "longitude": pa.array(longitude.round(4)),
        "speed_kn": pa.array(speed_kn),
        "course_degrees": pa.array(_course(plan, draft)[of]),
        "error_radius_m": pa.array(np.full(len(of), 10.0)),
        "is_distress": pa.nulls(len(of), pa.bool_()),
        "source": pa.array([SOURCES[0]] * len(of), pa.string()),
    }
    return record_table(columns, Position)


def _between(plan: Plan, draft: JourneyDraft, of: Ints, way: Floats) -> tuple[Floats, Floats]:
    ways, stops = plan.ways, draft.itineraries.stops[of]
    first, last = stops[:, 0], stops[np.arange(len(of)), draft.itineraries.legs[of]]
    across = _wrapped(ways.longitude[last] - ways.longitude[first])
    latitude = ways.latitude[first] + way * (ways.latitude[last] - ways.latitude[first])
    return latitude, _wrapped(ways.longitude[first] + way * across)


def _course(plan: Plan, draft: JourneyDraft) -> Floats:
    """Return the initial course of the great circle from end to end, in degrees from north."""
    ways, stops = plan.ways, draft.itineraries.stops
    first, last = stops[:, 0], stops[np.arange(len(stops)), draft.itineraries.legs]
    phi_1, phi_2 = np.radians(ways.latitude[first]), np.radians(ways.latitude[last])
    across = np.radians(ways.longitude[last] - ways.longitude[first])
    east = np.sin(across) * np.cos(phi_2)
    north = np.cos(phi_1) * np.sin(phi_2) - np.sin(phi_1) * np.cos(phi_2) * np.cos(across)
    return np.asarray(np.degrees(np.arctan2(east, north)) % 360.0).round(0) % 360.0


def _is_slow(rng: np.random.Generator, draft: JourneyDraft, of: Ints, report: Ints) -> Flags:
    loiters = draft.subjects.signs["slow_passage"][of] & (report >= 2)
    return loiters & (rng.random(len(of)) < 0.6) | (rng.random(len(of)) < 0.06)


def _speed_kn(
    rng: np.random.Generator, plan: Plan, draft: JourneyDraft, of: Ints, is_slow: Flags
) -> Floats:
    km = plan.ways.leg_km[draft.corridor[of]].sum(axis=1)
    hours = np.maximum(draft.itineraries.hours[of], 0.3)
    knots = km / hours / KM_PER_NAUTICAL_MILE * np.exp(0.15 * rng.standard_normal(len(of)))
    return np.round(np.where(is_slow, rng.uniform(0.1, 1.8, len(of)), knots), 1)


def _wrapped(longitude: Floats) -> Floats:
    return np.asarray((longitude + 180.0) % 360.0 - 180.0)
