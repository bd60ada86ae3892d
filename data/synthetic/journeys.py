"""Journeys of a chapter: a draft, on which other records depend, and then records."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.arrow_schema import record_table
from features.records import Journey
from synthetic import instants
from synthetic.actors import (
    CARRIER,
    CONVEYANCE,
    accustomed_carriers,
    chosen_carriers,
    firm,
    usual_hour,
)
from synthetic.chance import Flags, Floats, Ints, Words, chance, mixed, picked, share
from synthetic.conveyance_kinds import (
    AIRCRAFT,
    CARGO,
    COACH,
    CRAFT,
    FISHER,
    KINDS,
    SHIP,
    TANKER,
    TRUCK,
    VAN,
)
from synthetic.corridors import MODES
from synthetic.danger import on_board
from synthetic.identifiers import call_signs, cargo_units, imo_numbers, mmsis, plates
from synthetic.instants import HOUR
from synthetic.itineraries import Itineraries, travelled
from synthetic.networks.catalogue import typologies_of
from synthetic.plan import Plan, whole_days
from synthetic.rows import select_rows
from synthetic.signs import HONEST
from synthetic.spelling import decimal, hexadecimal, texts
from synthetic.subjects import Subjects, fronts_of, honest_and_moved
from synthetic.time_zones import ahead_of_utc

# The distribution of kinds of conveyance, by lane.
KIND_SHARES = np.array(
    [
        [0.72, 0.2, 0.08, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0.7, 0.17, 0.13, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 1, 0, 0],
        [0, 0.8, 0.2, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0.5, 0.5],
    ]
)
CAPACITY = np.array([28, 18, 22, 3, 9, 55, 180, 6, 10, 12])
USUAL_CARGO_KG = np.array([9e6, 4e6, 3e7, 15e3, 900, 350, 14e3, 8e5, 120, 2500])
HIRED_SHARE = np.array([0, 0, 0, 0.08, 0.35, 0.12, 0, 0, 0.25, 0.05])
# The share of journeys with a vehicle of another carrier, and of a network with one it keeps.
HIRED_FROM_OTHERS, KEPT, HIRED_ON_A_CORRIDOR = 0.12, 0.5, 15
OTHER_KIND = 1_000_000  # added to the numbers of networks whose consignments a journey carries
# Hours between the declaration and the due time, by lane.
LEAD_HOURS = np.array([30.0, 3.0, 5.0, 8.0, 10.0, 4.0])
FLAGS_OF_CONVENIENCE = ("PA", "LR", "MH", "MT", "KM", "TG", "CM", "BZ")


@dataclass(frozen=True)
class JourneyDraft:
    """One row per journey in order of declaration; `carries` is a network's shipment, or -1."""

    subjects: Subjects
    number: Ints
    carries: Ints
    corridor: Ints
    kind: Ints
    carrier: Words
    conveyance: Words
    declared_at: Ints
    departed_at: Ints
    due_at: Ints
    itineraries: Itineraries


def drafted_journeys(plan: Plan, chapter: int) -> JourneyDraft:
    """Draft a chapter's journeys: honest ones, those of networks, and carriers for networks."""
    rng = chance(plan.seed, "journeys", chapter)
    moves, carried = plan.movements("route", chapter), plan.movements("shipment", chapter)
    honest_day = plan.honest_days("route", chapter)
    corridor = np.concatenate([_corridors(plan, rng, honest_day), carried.corridor, moves.corridor])
    day = whole_days(np.concatenate([honest_day, carried.at_day, moves.at_day]))
    lane = plan.ways.lane[corridor]
    slot = chosen_carriers(plan.actors, rng, lane, corridor)
    owner = np.concatenate(
        [np.full(len(honest_day), HONEST), OTHER_KIND + carried.network, moves.network]
    )
    is_accustomed = (owner >= 0) & (rng.random(len(day)) < plan.scenario.reuse)
    home = np.concatenate([corridor[: len(honest_day)], carried.home, moves.home])
    slot = np.where(is_accustomed, accustomed_carriers(plan.actors, lane, home, owner), slot)
    subjects = honest_and_moved(plan, rng, "route", moves, slot=slot, corridor=corridor, day=day)
    kind = _kinds(rng, lane, subjects)
    carrier = _carriers(plan, rng, subjects, slot, day)
    declared_at = _declared_at(plan, rng, subjects, slot, day, corridor)
    itineraries = travelled(plan, chapter, rng, corridor, subjects.signs)
    late = np.where(subjects.signs["late_manifest"], rng.uniform(0.05, 0.4, len(day)), 1.0)
    lead = LEAD_HOURS[lane] * np.exp(0.35 * rng.standard_normal(len(day))) * late
    due_at = declared_at + (lead * HOUR).astype(np.int64)
    # A carrier has up to nine conveyances; the square favours the first ones.
    own = mixed(plan.seed, CONVEYANCE, carrier.view(np.int64), (rng.random(len(day)) ** 2 * 9))
    own = _passed_on(plan, rng, own, owner, lane, corridor)
    draft = JourneyDraft(
        subjects=subjects,
        number=np.zeros(len(day), dtype=np.int64),
        carries=np.concatenate(
            [
                np.full(len(honest_day), -1),
                np.arange(len(carried.at_day)),
                np.full(len(moves.at_day), -1),
            ]
        ),
        corridor=corridor,
        kind=kind,
        carrier=carrier,
        conveyance=own,
        declared_at=declared_at,
        departed_at=due_at - (itineraries.hours * HOUR).astype(np.int64),
        due_at=due_at,
        itineraries=itineraries,
    )
    # Only now: draws above are per group, while records and numbers follow the declaration.
    draft = select_rows(draft, np.argsort(declared_at, kind="stable"))
    draft.number[:] = plan.first_journey[chapter] + np.arange(len(day))
    return draft


def journey_ids(numbers: Ints) -> pa.Array:
    """Return the ids of journeys by number."""
    return texts("J-", decimal(numbers, 8))


def journey_table(plan: Plan, chapter: int, draft: JourneyDraft) -> pa.Table:
    """Return the records of journeys."""
    rng = chance(plan.seed, "journey records", chapter)
    number, signs, ways = len(draft.number), draft.subjects.signs, plan.ways
    first = ways.stops[draft.corridor, 0]
    last = ways.stops[draft.corridor, ways.legs[draft.corridor]]
    codes = pa.array(ways.codes, pa.string())
    hired, hired_at = _hire(rng, draft)
    home = np.where(signs["one_way_hire"], last, first)
    booked = np.exp(rng.normal(5.2, 0.7, number)) * np.where(signs["short_booking"], 0.06, 1.0)
    is_large = (draft.conveyance % np.uint64(3) == 2) & ~np.isin(draft.kind, (TRUCK, VAN))
    made_for = CAPACITY[draft.kind] * (1 + is_large.astype(np.int64))
    registered = _registered(plan, rng, draft)
    carried = on_board(rng, plan, chapter, draft, made_for)
    columns = {
        "journey_id": journey_ids(draft.number),
        "mode": pa.array(MODES).take(pa.array(ways.lane[draft.corridor])),
        "carrier_id": party_ids(draft.carrier),
        "conveyance_id": texts("v-", hexadecimal(draft.conveyance)),
        "conveyance_kind": pa.array(KINDS).take(pa.array(draft.kind)),
        "registration_country": registered,
        "origin": codes.take(pa.array(first)),
        "destination": codes.take(pa.array(last)),
        "booked_at": instants.column(instants.after(_begins_at(draft), -booked)),
        "declared_at": instants.column(draft.declared_at),
        "departed_at": instants.column(
            draft.departed_at, where=draft.departed_at < draft.declared_at
        ),
        "due_at": instants.column(draft.due_at),
        "certified_capacity": pa.array(carried.capacity, mask=~carried.is_certified),
        "persons_on_board": pa.array(carried.persons, mask=~carried.is_counted),
        "declared_cargo_mass_kg": _present(plan, rng, _cargo(rng, draft)),
        "hire_started_at": instants.column(hired_at, where=hired),
        "hire_return_location": codes.take(pa.array(home, mask=~hired)),
        **_identifiers(draft),
    }
    return record_table(columns, Journey)


def party_ids(words: Words, where: Flags | None = None) -> pa.Array:
    """Return party ids, which look like keyed pseudonyms."""
    return texts("p-", hexadecimal(words), where=where)


def _present(plan: Plan, rng: np.random.Generator, values: Floats | Ints) -> pa.Array:
    """Return values with the scenario's share set to null."""
    return pa.array(values, mask=rng.random(len(values)) < plan.scenario.missing)


def _corridors(plan: Plan, rng: np.random.Generator, day: Ints) -> Ints:
    """Return corridors by weight; none from the closed region after its closure."""
    weight = plan.ways.weight
    closed = plan.ways.region[plan.ways.origin_country] == plan.scenario.closed_region
    usual = picked(weight, rng.random(len(day)))
    instead = picked(np.where(closed, 0.0, weight), rng.random(len(day)))
    # Both draws are made for every row, so that a closure changes no other row.
    is_shut = closed[usual] & (day > plan.scenario.regime_at * plan.days)
    return np.where(is_shut, instead, usual)


def _kinds(rng: np.random.Generator, lane: Ints, subjects: Subjects) -> Ints:
    edges = np.cumsum(KIND_SHARES, axis=1)
    usual = (rng.random(len(lane))[:, None] >= edges[lane]).sum(axis=1)
    own = [t.conveyances[0] if t.conveyances else "" for t in typologies_of("route")]
    wanted = np.array([*(KINDS.index(k) if k else -1 for k in own), -1])[subjects.typology]
    return np.minimum(np.where(wanted >= 0, wanted, usual), len(KINDS) - 1)


def _carriers(
    plan: Plan, rng: np.random.Generator, subjects: Subjects, slot: Ints, day: Ints
) -> Words:
    honest = firm(plan.seed, CARRIER, slot, day)
    shell = mixed(plan.seed, CARRIER, subjects.network, subjects.epoch, rng.random(len(day)) < 0.3)
    return np.where(fronts_of("route", subjects, rng), shell, honest)


def _passed_on(
    plan: Plan, rng: np.random.Generator, own: Words, owner: Ints, lane: Ints, corridor: Ints
) -> Words:
    """Return conveyances, some of them driven for several carriers.

    A network keeps two through all its shells; honest carriers hire what waits on the corridor.
    """
    if not plan.scenario.reuse:
        return own
    draws = rng.random((2, len(own)))
    hired = mixed(plan.seed, CONVEYANCE, 8, corridor, draws[1] ** 2 * HIRED_ON_A_CORRIDOR)
    kept = mixed(plan.seed, CONVEYANCE, 7, owner, lane, draws[1] < 0.3)
    is_kept = (owner >= 0) & (draws[0] < KEPT * plan.scenario.reuse)
    return np.where(is_kept, kept, np.where(draws[0] > 1 - HIRED_FROM_OTHERS, hired, own))


def _declared_at(
    plan: Plan, rng: np.random.Generator, subjects: Subjects, slot: Ints, day: Ints, corridor: Ints
) -> Ints:
    """Return times on each day, by the clock of the country of arrival."""
    hour = usual_hour(plan.seed, CARRIER, slot) + 2.5 * rng.standard_normal(len(day))
    by_night = rng.uniform(0.2, 4.8, len(day))
    there = instants.at(day, np.where(subjects.signs["off_hours"], by_night, hour % 24))
    return there - office_offset(plan, plan.ways.destination_country[corridor], there)


def office_offset(plan: Plan, country: Ints, at: Ints) -> Ints:
    """Return by how much the clocks of each office's country are ahead of UTC."""
    if plan.scenario.office_hours == "utc":
        return np.zeros(len(at), dtype=np.int64)
    return ahead_of_utc(plan.ways.countries[country], at)


def _hire(rng: np.random.Generator, draft: JourneyDraft) -> tuple[Flags, Ints]:
    signs, number = draft.subjects.signs, len(draft.number)
    hireable = HIRED_SHARE[draft.kind] > 0
    asked = signs["one_way_hire"] | signs["short_hire_notice"]
    hired = hireable & (asked | (rng.random(number) < HIRED_SHARE[draft.kind]))
    before = np.exp(rng.normal(4.3, 0.6, number)) * np.where(signs["short_hire_notice"], 0.1, 1.0)
    return hired, instants.after(_begins_at(draft), -before)


def _begins_at(draft: JourneyDraft) -> Ints:
    """Return the departure, or an earlier declaration; what is arranged must be by then."""
    return np.minimum(draft.declared_at, draft.departed_at)


def _registered(plan: Plan, rng: np.random.Generator, draft: JourneyDraft) -> pa.Array:
    """Return countries of registration: mostly the origin's, some flags of convenience."""
    home = pa.array(plan.ways.countries, pa.string()).take(
        pa.array(plan.ways.origin_country[draft.corridor])
    )
    # A trait of the conveyance, so that its flag does not change between journeys.
    by_habit = share(draft.conveyance.view(np.int64)) < np.where(draft.kind <= TANKER, 0.35, 0.04)
    flag = pa.array(FLAGS_OF_CONVENIENCE).take(
        pa.array((draft.conveyance % np.uint64(len(FLAGS_OF_CONVENIENCE))).astype(np.int64))
    )
    foreign = pa.array(by_habit | draft.subjects.signs["foreign_flag"])
    shown = pa.compute.if_else(foreign, flag, home)
    unknown = pa.array(rng.random(len(draft.number)) < plan.scenario.missing)
    return pa.compute.if_else(unknown, pa.scalar(None, pa.string()), shown)


def _identifiers(draft: JourneyDraft) -> dict[str, pa.Array]:
    """Return the identifiers of each conveyance, and the cargo units of lorries."""
    kind, conveyance = draft.kind, draft.conveyance
    has_hull_number = np.isin(kind, (SHIP, CARGO, TANKER))
    has_radio = has_hull_number | (kind == FISHER) | (kind == CRAFT) & (conveyance % 3 == 0)
    on_road = np.isin(kind, (TRUCK, VAN, COACH))
    names = np.array([*(t.name for t in typologies_of("route")), ""])
    is_cooled = names[draft.subjects.typology] == "refrigerated_unit"
    return {
        "imo_number": imo_numbers(conveyance, has_hull_number),
        "mmsi": mmsis(conveyance, has_radio),
        "call_sign": call_signs(conveyance, has_radio | (kind == AIRCRAFT)),
        "plate_number": plates(conveyance, on_road),
        "cargo_unit": cargo_units(conveyance, kind == TRUCK, is_cooled),
    }


def _cargo(rng: np.random.Generator, draft: JourneyDraft) -> Floats:
    signs, number = draft.subjects.signs, len(draft.number)
    usual = USUAL_CARGO_KG[draft.kind] * np.exp(0.45 * rng.standard_normal(number))
    light = np.where(signs["empty_run"], rng.uniform(0.02, 0.25, number), 1.0)
    odd = np.where(signs["mass_mismatch"], rng.uniform(0.5, 0.8, number), 1.0)
    return np.round(usual * light * odd, 1)


def is_freight(draft: JourneyDraft) -> Floats:
    """Return the relative number of consignments on each journey, as a weight."""
    carried = np.array([6.0, 3.0, 0.4, 1.5, 0.5, 0.0, 2.2, 3.5, 0.0, 0.0])
    return np.where(draft.carries >= 0, 0.3, carried[draft.kind])
