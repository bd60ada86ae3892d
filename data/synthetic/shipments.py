"""Shipments of a chapter: a draft, on which documents and payments depend, and then records."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.arrow_schema import record_table
from features.records import Shipment
from synthetic import instants
from synthetic.actors import (
    CONSIGNEE,
    accustomed_consignees,
    chosen_consignees,
    firm,
    usual_hour,
)
from synthetic.chance import Flags, Ints, Words, chance, mixed, picked, share
from synthetic.containers import container_numbers
from synthetic.conveyance_kinds import SHIP
from synthetic.goods import goods
from synthetic.instants import DAY, HOUR
from synthetic.journeys import JourneyDraft, is_freight, journey_ids, office_offset, party_ids
from synthetic.mass_and_value import CURRENCIES, Boxes, Measures, boxed, measured
from synthetic.networks.catalogue import typologies_of
from synthetic.parties import consignors, declarants, forwarders, shells
from synthetic.plan import Plan
from synthetic.rows import select_rows
from synthetic.spelling import Bytes, decimal, texts
from synthetic.subjects import Subjects, fronts_of, honest_and_moved

VAGUE = ("Parts", "General merchandise", "Goods", "Samples", "Various articles")
TAX_TYPES = ("duty", "preferential", "exempt")
PAYMENT_TYPES = ("open_account", "prepaid", "letter_of_credit", "collection")
IMPORT_TYPES = ("consumption", "transit", "warehouse", "temporary")
OFFICES_PER_COUNTRY = 4
KEPT_BOXES = 0.5  # of a network's containers, if it reuses what it has


@dataclass(frozen=True)
class ShipmentDraft:
    """One row per shipment, in order of declaration.

    `journey` is a row of the chapter's journeys; `habit` the slot whose lasting traits it has;
    `goods` what it truly is and `declared_goods` what it is declared as.
    """

    subjects: Subjects
    number: Ints
    journey: Ints
    declared_at: Ints
    arrives_at: Ints
    lane: Ints
    habit: Ints
    consignee: Words
    consignor: Words
    forwarder: Words
    declarant: Words
    carrier: Words
    origin: Ints
    dispatch: Ints
    destination: Ints
    goods: Ints
    declared_goods: Ints
    measures: Measures
    boxes: Boxes


def drafted_shipments(plan: Plan, chapter: int, journeys: JourneyDraft) -> ShipmentDraft:
    """Draft a chapter's shipments on its journeys: honest ones, then those of networks."""
    rng = chance(plan.seed, "shipments", chapter)
    moves = plan.movements("shipment", chapter)
    low, high = plan.edges[chapter : chapter + 2]
    honest = len(plan.honest_days("shipment", chapter))
    carrying = np.flatnonzero(journeys.carries >= 0)
    # Journeys are sorted by declaration; bring carriers into the order of the networks' shipments.
    own = carrying[np.argsort(journeys.carries[carrying])]
    ridden = picked(is_freight(journeys), rng.random(honest))
    journey = np.concatenate([ridden, own])
    number, reuse = len(journey), plan.scenario.reuse
    corridor = journeys.corridor[journey]
    country = plan.ways.destination_country[corridor]
    # One day for the whole chapter: the ages of firms hardly change within it.
    slot = chosen_consignees(plan.actors, rng, country, float(low + high) / 2)
    day = (journeys.declared_at[journey] - instants.BEGIN) // DAY
    subjects = honest_and_moved(plan, rng, "shipment", moves, slot=slot, corridor=corridor, day=day)
    is_front = fronts_of("shipment", subjects, rng)
    shell = shells(plan, rng, subjects)
    if reuse:
        # Shells have lasting habits too, and networks abuse the same honest firms again.
        abused = subjects.network * 2 + (rng.random(number) < 0.3)
        other = rng.integers(2**40, 2**62, number)
        is_known = rng.random(number) < reuse
        owner = np.select([is_front, is_known], [shell.view(np.int64), abused], other)
        taken = accustomed_consignees(plan.actors, country, owner)
        slot[subjects.network >= 0] = taken[subjects.network >= 0]
    dispatch = plan.ways.origin_country[corridor]
    kinds = _goods(plan, rng, subjects, slot)
    declared_at = _declared_at(plan, rng, subjects, slot, country, journeys.declared_at[journey])
    draft = ShipmentDraft(
        subjects=subjects,
        number=np.zeros(number, dtype=np.int64),
        journey=journey,
        declared_at=declared_at,
        arrives_at=journeys.due_at[journey],
        lane=plan.ways.lane[corridor],
        habit=slot,
        consignee=np.where(is_front, shell, firm(plan.seed, CONSIGNEE, slot, day)),
        consignor=consignors(
            plan, rng, subjects, is_front=is_front, slot=slot, dispatch=dispatch, day=day
        ),
        forwarder=forwarders(plan, rng, subjects, slot, country, day),
        declarant=declarants(plan, rng, subjects, slot, country, day),
        carrier=journeys.carrier[journey],
        origin=_origins(plan, rng, subjects, kinds, dispatch),
        dispatch=dispatch,
        destination=country,
        goods=kinds,
        declared_goods=_declared_goods(rng, subjects, kinds),
        measures=measured(rng, plan.seed, subjects.signs, kinds, slot, dispatch, declared_at),
        boxes=boxed(
            rng,
            max(int(plan.honest_shipments.sum()) // 6, 500),
            subjects,
            by_ship=journeys.kind[journey] == SHIP,
            kept=KEPT_BOXES * reuse,
        ),
    )
    draft = select_rows(draft, np.argsort(draft.declared_at, kind="stable"))
    draft.number[:] = plan.first_shipment[chapter] + np.arange(number)
    return draft


def shipment_ids(numbers: Ints) -> pa.Array:
    """Return the ids of shipments by number."""
    return texts("S-", decimal(numbers, 8))


def shipment_table(
    plan: Plan, chapter: int, draft: ShipmentDraft, journeys: JourneyDraft
) -> pa.Table:
    """Return the records of shipments."""
    rng = chance(plan.seed, "shipment records", chapter)
    number, table = len(draft.number), goods()
    countries = pa.array(plan.ways.countries, pa.string())
    known = rng.random((7, number)) >= plan.scenario.missing
    # Types of tax, payment and import are lasting habits of a consignee with its goods.
    trait = mixed(plan.seed, draft.habit, draft.declared_goods)
    tax_type = np.where(table.tax_percent[draft.declared_goods] == 0, 2, trait % np.uint64(5) == 0)
    odd = draft.subjects.signs["odd_density"]
    # By the true goods, so that a false declaration shows in the density.
    density = np.where(odd, rng.choice([0.35, 2.6], number), 1.0) * table.kg_per_m3[draft.goods]
    columns = {
        "shipment_id": shipment_ids(draft.number),
        "journey_id": journey_ids(journeys.number[draft.journey]),
        "consignor_id": party_ids(draft.consignor),
        "consignee_id": party_ids(draft.consignee),
        "notify_party_id": party_ids(
            np.where(trait % np.uint64(3) == 0, draft.forwarder, draft.consignee),
            where=known[0] & (trait % np.uint64(7) < 5),
        ),
        "forwarder_id": party_ids(draft.forwarder, where=known[1]),
        "declarant_id": party_ids(draft.declarant, where=known[2]),
        "hs_code": pa.array(table.hs_code, pa.string()).take(pa.array(draft.declared_goods)),
        "goods_description": _described(rng, draft, known[3]),
        "origin_country": countries.take(pa.array(draft.origin)),
        "dispatch_country": countries.take(pa.array(draft.dispatch)),
        "destination_country": countries.take(pa.array(draft.destination)),
        "office_id": office_ids(plan, draft),
        "gross_mass_kg": pa.array(draft.measures.gross_kg),
        "net_mass_kg": pa.array(draft.measures.net_kg, mask=~known[4]),
        "volume_m3": pa.array(
            np.round(
                draft.measures.gross_kg
                / density
                * np.exp(0.12 * rng.standard_normal(len(draft.measures.gross_kg))),
                3,
            ),
            mask=~known[5],
        ),
        "packages": pa.array(draft.measures.packages, mask=~known[6]),
        "declared_value": pa.array(draft.measures.value),
        "currency": pa.array(CURRENCIES).take(pa.array(draft.measures.currency)),
        "tax_rate": pa.array(table.tax_percent[draft.declared_goods]),
        "tax_type": pa.array(TAX_TYPES).take(pa.array(tax_type.astype(np.int64))),
        "payment_type": pa.array(PAYMENT_TYPES).take(pa.array((trait >> np.uint64(8)) % 4)),
        "import_type": pa.array(IMPORT_TYPES).take(pa.array(_import_types(rng, draft))),
        "container_number": container_numbers(
            plan.seed,
            draft.boxes.box,
            is_wrong=draft.subjects.signs["container_check_failed"],
            where=draft.boxes.is_boxed,
        ),
        "seal_number": texts("SL", decimal(draft.boxes.seal, 7), where=draft.boxes.is_boxed),
        "declared_at": instants.column(draft.declared_at),
    }
    return record_table(columns, Shipment)


def office_ids(plan: Plan, draft: ShipmentDraft) -> pa.Array:
    """Return the deciding office: mostly that nearest to the consignee, of a few in the country."""
    pairs: Bytes = np.array([c.encode() for c in plan.ways.countries], dtype="S2")
    country = pairs.view(np.uint8).reshape(-1, 2)[draft.destination]
    nearest = share(plan.seed, draft.habit, 9)
    draws = share(plan.seed, draft.number, 9)
    other = share(plan.seed, draft.number, 10)
    at = np.where(draws < plan.scenario.second_offices, other, nearest) ** 2 * OFFICES_PER_COUNTRY
    return texts("office-", country, "-", decimal(at.astype(np.int64) + 1, 1))


def _declared_at(
    plan: Plan,
    rng: np.random.Generator,
    subjects: Subjects,
    slot: Ints,
    country: Ints,
    journey: Ints,
) -> Ints:
    """Return times after the journey's declaration, in office hours or, oddly, at night.

    The hours are those of the office's country.
    """
    soon = journey + (rng.uniform(0.1, 3.0, len(journey)) * HOUR).astype(np.int64)
    ahead = office_offset(plan, country, soon)
    hour = (usual_hour(plan.seed, CONSIGNEE, slot) + 2.0 * rng.standard_normal(len(slot))) % 24
    hour = np.where(subjects.signs["off_hours"], rng.uniform(0.2, 4.8, len(slot)), hour)
    day = (soon + ahead - instants.BEGIN) // DAY
    there = instants.at(day, hour) - ahead
    return np.where(there > soon, there, there + DAY)


def _goods(plan: Plan, rng: np.random.Generator, subjects: Subjects, slot: Ints) -> Ints:
    """Return goods: a consignee's usual ones, sometimes others; for networks what they need."""
    number = len(slot)
    usual = plan.actors.consignee_goods[slot, (rng.random(number) < 0.3).astype(np.int64)]
    other = picked(goods().weight, rng.random(number))
    kinds = np.where(rng.random(number) < 0.22, other, usual)
    for row, typology in enumerate(typologies_of("shipment")):
        if typology.goods:
            of = (subjects.typology == row) & (rng.random(number) < 0.75)
            kinds[of] = rng.choice(goods().rows(typology.goods), int(of.sum()))
    return kinds


def _declared_goods(rng: np.random.Generator, subjects: Subjects, kinds: Ints) -> Ints:
    other = rng.integers(0, len(goods().hs_code), len(kinds))
    return np.where(subjects.signs["misclassified"], other, kinds)


def _origins(
    plan: Plan, rng: np.random.Generator, subjects: Subjects, kinds: Ints, dispatch: Ints
) -> Ints:
    """Return origins: mostly the country of dispatch; some goods come from one other country."""
    countries = len(plan.ways.countries)
    usual_source = (mixed(kinds, dispatch, 21) % np.uint64(countries)).astype(np.int64)
    from_source = rng.random(len(kinds)) < 0.1
    odd = rng.integers(0, countries, len(kinds))
    return np.where(
        subjects.signs["origin_mismatch"], odd, np.where(from_source, usual_source, dispatch)
    )


def _described(rng: np.random.Generator, draft: ShipmentDraft, known: Flags) -> pa.Array:
    number = len(draft.goods)
    words = [*goods().description, *VAGUE]
    vague = len(goods().description) + rng.integers(0, len(VAGUE), number)
    which = np.where(draft.subjects.signs["vague_description"], vague, draft.goods)
    return pa.array(words, pa.string()).take(pa.array(which, mask=~known))


def _import_types(rng: np.random.Generator, draft: ShipmentDraft) -> Ints:
    names = [typology.name for typology in typologies_of("shipment")]
    in_transit = draft.subjects.typology == names.index("transit_diversion")
    usual = picked(np.array([0.8, 0.09, 0.08, 0.03]), rng.random(len(draft.goods)))
    return np.where(in_transit & (rng.random(len(usual)) < 0.5), 1, usual)
