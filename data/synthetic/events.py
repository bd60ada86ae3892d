"""Events of journeys and shipments: departures, arrivals, gate moves and transits.

Their oddities come from separate random streams, so that the rest of a world is the same with and
without events.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.arrow_schema import record_table
from features.records import Event, EventKind, SubjectKind
from synthetic import instants
from synthetic.chance import Flags, Ints, chance
from synthetic.containers import container_numbers
from synthetic.corridors import RAIL, ROAD, SMALL_CRAFT
from synthetic.honest_mistakes import ODD_EVENTS
from synthetic.journeys import JourneyDraft, journey_ids
from synthetic.networks.catalogue import typologies_of
from synthetic.networks.life import signature_strength
from synthetic.plan import Plan
from synthetic.shipments import ShipmentDraft, shipment_ids
from synthetic.signs import Signs, drawn_oddities
from synthetic.spelling import decimal, texts
from synthetic.subjects import Subjects

# The share of movements whose terminal or carrier reports events to the authority.
REPORTED_SHARE = 0.6
# The share of those by road or rail that travel under a transit procedure.
IN_TRANSIT: dict[SubjectKind, float] = {"route": 0.15, "shipment": 0.5}
NEVER_DISCHARGED = 0.4  # of transits that run over their limit


@dataclass(frozen=True)
class _Reported:
    """Events of one kind, a row per subject that may have one; `place` is a row of the codes."""

    kind: EventKind
    where: Flags
    at: Ints
    place: Ints
    limit: Ints | None = None


@dataclass(frozen=True)
class _Moved:
    """The subjects of events: numbers, ids, corridors and times."""

    kind: SubjectKind
    subjects: Subjects
    number: Ints
    ids: pa.Array
    corridor: Ints
    left: Ints
    arrives: Ints


def route_events(plan: Plan, chapter: int, draft: JourneyDraft) -> pa.Table:
    """Return the events of routes: departure, arrival, and some transits on land."""
    rng = chance(plan.seed, "route events", chapter)
    moved = _Moved(
        kind="route",
        subjects=draft.subjects,
        number=draft.number,
        ids=journey_ids(draft.number),
        corridor=draft.corridor,
        left=draft.departed_at,
        arrives=draft.due_at,
        # Order matters: each call below draws from the same stream.
    )
    first, last = _ends(plan, moved)
    odd = _odd_events(rng, moved)
    has = _is_reported(plan, rng, moved)
    arrived = instants.after(moved.arrives, rng.normal(0.0, 2.0, len(has)))
    reported = [
        _Reported("departed", has, moved.left, first),
        _Reported("arrived", has, np.maximum(arrived, moved.left), last),
        *_transit(plan, rng, moved, odd["late_discharge"]),
    ]
    return _events(plan, rng, moved, reported, pa.nulls(len(has), pa.string()))


def shipment_events(
    plan: Plan, chapter: int, draft: ShipmentDraft, journeys: JourneyDraft
) -> pa.Table:
    """Return the events of shipments: discharge and gate of containers, some transits on land."""
    rng = chance(plan.seed, "shipment events", chapter)
    moved = _Moved(
        kind="shipment",
        subjects=draft.subjects,
        number=draft.number,
        ids=shipment_ids(draft.number),
        corridor=journeys.corridor[draft.journey],
        left=journeys.departed_at[draft.journey],
        arrives=draft.arrives_at,
    )
    _, last = _ends(plan, moved)
    odd = _odd_events(rng, moved)
    has = _is_reported(plan, rng, moved) & draft.boxes.is_boxed
    landed = instants.after(moved.arrives, rng.exponential(9.0, len(has)))
    long_hours = np.where(odd["long_terminal_stay"], rng.uniform(200, 300, len(has)), 0.0)
    out = instants.after(landed, rng.gamma(2.0, 34.0, len(has)) + long_hours)
    # Drawn for all rows, so that an oddity does not shift the draws of others.
    early = instants.after(moved.arrives, -rng.uniform(3.0, 30.0, len(has)))
    reported = [
        _Reported("discharged", has, landed, last),
        _Reported("gate_out", has, np.where(odd["out_before_arrival"], early, out), last),
        *_transit(plan, rng, moved, odd["late_discharge"]),
    ]
    boxes = container_numbers(
        plan.seed,
        draft.boxes.box,
        is_wrong=draft.subjects.signs["container_check_failed"],
        where=draft.boxes.is_boxed,
    )
    return _events(plan, rng, moved, reported, boxes)


def _ends(plan: Plan, moved: _Moved) -> tuple[Ints, Ints]:
    stops = plan.ways.stops[moved.corridor]
    last = plan.ways.legs[moved.corridor]
    return stops[:, 0], stops[np.arange(len(stops)), last]


def _is_reported(plan: Plan, rng: np.random.Generator, moved: _Moved) -> Flags:
    """Return which movements have events; small craft call at no terminal."""
    is_small = plan.ways.lane[moved.corridor] == SMALL_CRAFT
    return (rng.random(len(moved.number)) < REPORTED_SHARE) & ~is_small


def _odd_events(rng: np.random.Generator, moved: _Moved) -> Signs:
    """Return the oddities of each subject's events, by name."""
    return drawn_oddities(
        rng,
        ODD_EVENTS[moved.kind],
        moved.subjects.typology,
        [typology.events for typology in typologies_of(moved.kind)],
        signature_strength(moved.subjects.probability),
    )


def _transit(
    plan: Plan, rng: np.random.Generator, moved: _Moved, is_late: Flags
) -> tuple[_Reported, _Reported]:
    """Return transits of some movements on land, opened at departure, mostly discharged in time."""
    number = len(moved.number)
    first, last = _ends(plan, moved)
    is_on_land = np.isin(plan.ways.lane[moved.corridor], (ROAD, RAIL))
    has = is_on_land & (rng.random(number) < IN_TRANSIT[moved.kind])
    opened = instants.after(moved.left, -rng.uniform(1.0, 12.0, number))
    limit = instants.after(moved.arrives, rng.uniform(48.0, 120.0, number))
    in_time = instants.after(moved.arrives, rng.uniform(2.0, 40.0, number))
    late = instants.after(limit, rng.uniform(24.0, 200.0, number))
    is_ended = has & ~(is_late & (rng.random(number) < NEVER_DISCHARGED))
    return (
        _Reported("transit_opened", has, opened, first, limit),
        _Reported("transit_discharged", is_ended, np.where(is_late, late, in_time), last),
    )


def _events(
    plan: Plan, rng: np.random.Generator, moved: _Moved, reported: list[_Reported], boxes: pa.Array
) -> pa.Table:
    """Return all events, kind by kind, each known some time after it happened."""
    codes = pa.array(plan.ways.codes, pa.string())
    prefix, tables = f"E{moved.kind[0].upper()}-", []
    for place, one in enumerate(reported):
        of = np.flatnonzero(one.where)
        known = instants.after(one.at[of], rng.exponential(1.5, len(of)))
        limit = one.at[of] if one.limit is None else one.limit[of]
        columns = {
            "event_id": texts(prefix, decimal(moved.number[of], 8), f"-{place}"),
            "subject_kind": pa.repeat(moved.kind, len(of)),
            "subject_id": moved.ids.take(pa.array(of)),
            "kind": pa.repeat(one.kind, len(of)),
            "occurred_at": instants.column(one.at[of]),
            "known_at": instants.column(known),
            "place": codes.take(pa.array(one.place[of])),
            "container_number": boxes.take(pa.array(of)),
            "time_limit_at": instants.column(limit, where=np.full(len(of), one.limit is not None)),
        }
        tables.append(record_table(columns, Event))
    return pa.concat_tables(tables)
