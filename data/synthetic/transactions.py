"""Payments of routes and shipments: parties, methods, amounts and times."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.arrow_schema import record_table
from features.records import SubjectKind, Transaction
from features.reference.reporting_limits import reporting_limit
from synthetic import instants
from synthetic.actors import PAYER
from synthetic.chance import Flags, Floats, Ints, Words, chance, mixed, picked, share
from synthetic.journeys import JourneyDraft, journey_ids, party_ids
from synthetic.mass_and_value import CURRENCIES, rates
from synthetic.plan import Plan
from synthetic.shipments import ShipmentDraft, shipment_ids
from synthetic.signs import Signs
from synthetic.spelling import decimal, texts

METHODS = (
    "bank_transfer",
    "card",
    "cash",
    "money_service",
    "virtual_asset",
    "trade_credit",
    "netting",
)
BANK, CARD, CASH, MONEY_SERVICE, VIRTUAL, CREDIT, NETTING = range(7)
PURPOSES = ("goods", "freight", "deposit", "release", "other")
GOODS, FREIGHT, DEPOSIT, RELEASE, OTHER = range(5)
METHOD_SHARES = np.array([0.78, 0.06, 0.03, 0.008, 0.002, 0.11, 0.01])
INSTALMENTS, FAN = 5, 6
PAYERS_OF_A_NETWORK = 12
AGENTS = 5  # on a corridor
# The share of networks that take the same fee from everyone, and of carriers with a fixed price per
# route.
ONE_FEE, ONE_PRICE = 0.6, 0.2
FEE_EUR = 1_000.0, 4_500.0


@dataclass(frozen=True)
class _Paid:
    """One row per payment; `of` is the row of its subject."""

    of: Ints
    purpose: Ints
    amount_eur: Floats
    payer: Words
    payee: Words
    payer_country: Ints
    payee_country: Ints
    paid_at: Ints


_Counts = Mapping[int, Ints]


def shipment_transactions(plan: Plan, chapter: int, draft: ShipmentDraft) -> pa.Table:
    """Return payments of shipments: instalments for goods, freight, duties, deposits, releases."""
    rng = chance(plan.seed, "shipment transactions", chapter)
    signs, number = draft.subjects.signs, len(draft.number)
    # In euros, because each payment has a currency and date of its own.
    worth = draft.measures.paid_for / rates(draft.measures.currency, draft.declared_at)
    instalments = 1 + rng.integers(0, INSTALMENTS, number)
    instalments = np.where(signs["unpaid"], rng.integers(0, 2, number), instalments)
    fan = np.where(signs["fan_in"], rng.integers(3, FAN + 1, number), 0)
    prepaid = rng.random(number) < 0.7
    counts: _Counts = {
        GOODS: instalments + fan,
        FREIGHT: 1 + (rng.random(number) < 0.6),
        DEPOSIT: ((rng.random(number) < 0.35) | signs["advance_burst"]).astype(np.int64),
        RELEASE: (signs["release_payment"] | (rng.random(number) < 0.05)).astype(np.int64),
        OTHER: 1 + rng.integers(0, 3, number),
    }
    of, purpose = _slots(counts, number)
    total = np.bincount(of[purpose == GOODS], minlength=number)
    amount = np.select(
        [purpose == GOODS, purpose == DEPOSIT, purpose == RELEASE, purpose == FREIGHT],
        [
            worth[of] / np.maximum(total[of], 1) * rng.uniform(0.8, 1.2, len(of)),
            worth[of] * rng.uniform(0.05, 0.2, len(of)),
            worth[of] * rng.uniform(0.05, 0.2, len(of)),
            180 + 0.06 * draft.measures.gross_kg[of] * rng.uniform(0.6, 1.6, len(of)),
        ],
        worth[of] * rng.uniform(0.005, 0.05, len(of)),
    )
    is_fee = _is_fee(plan, draft.subjects.network, signs, of, purpose)
    amount = np.where(is_fee, _fee_eur(plan, draft.subjects.network)[of], amount)
    to = np.where(purpose == FREIGHT, draft.carrier[of], draft.consignor[of])
    to = np.where(purpose == OTHER, draft.declarant[of], to)
    third, country = _third_parties(plan, rng, draft.subjects.network, draft.destination, signs, of)
    paid = _Paid(
        of=of,
        purpose=purpose,
        amount_eur=amount,
        payer=np.where(_is_third(rng, signs, of, purpose), third, draft.consignee[of]),
        payee=to,
        payer_country=country,
        payee_country=draft.dispatch[of],
        paid_at=_paid_at(rng, signs, of, purpose, draft.declared_at, draft.arrives_at, prepaid),
    )
    habit = draft.habit
    return _transactions(
        plan, rng, "shipment", paid, signs, habit, draft.number, shipment_ids(draft.number)
    )


def route_transactions(plan: Plan, chapter: int, draft: JourneyDraft) -> pa.Table:
    """Return payments of routes: hire, freight and fares."""
    rng = chance(plan.seed, "route transactions", chapter)
    signs, number = draft.subjects.signs, len(draft.number)
    fan = np.where(signs["fan_in"], rng.integers(2, FAN + 1, number), 0)
    prepaid = rng.random(number) < 0.8
    counts: _Counts = {
        FREIGHT: 1 + (rng.random(number) < 0.7) + fan,
        DEPOSIT: ((rng.random(number) < 0.25) | signs["advance_burst"]).astype(np.int64),
        RELEASE: (signs["release_payment"] | (rng.random(number) < 0.04)).astype(np.int64),
        OTHER: (rng.random(number) < 0.6).astype(np.int64),
    }
    of, purpose = _slots(counts, number)
    # Routes have no consignee, so the carrier's firm determines habits of payment. The word is
    # reduced to fit into a signed integer.
    habit = (draft.carrier % np.uint64(2**40)).astype(np.int64)
    way_km = plan.ways.leg_km[draft.corridor].sum(axis=1)
    fixed_price, price = 250 + 0.5 * way_km, 250 + 0.5 * way_km * rng.lognormal(0, 0.4, number)
    client = mixed(plan.seed, PAYER, draft.corridor, (rng.random(number) ** 2 * 30))
    third, country = _third_parties(
        plan, rng, draft.subjects.network, plan.ways.destination_country[draft.corridor], signs, of
    )
    broker = mixed(plan.seed, PAYER, 4, draft.subjects.network, draft.subjects.epoch)
    draws = rng.random(len(of))
    to_broker = (draft.subjects.network[of] >= 0) & (purpose != FREIGHT) & (draws < 0.5)
    # Honest customers book with agents, who take the deposit or the fare for the carrier.
    agent = mixed(plan.seed, PAYER, 7, draft.corridor, share(plan.seed, habit, 62) * AGENTS)
    to_agent = ~to_broker & (draws > 1 - plan.scenario.agents)
    amount = price[of] * np.exp(rng.normal(-0.4, 0.5, len(of)))
    is_priced = (share(plan.seed, habit, 61) < ONE_PRICE)[of] & (purpose == FREIGHT)
    amount = np.where(is_priced, np.round(fixed_price[of], -1), amount)
    is_fee = _is_fee(plan, draft.subjects.network, signs, of, purpose)
    amount = np.where(is_fee, _fee_eur(plan, draft.subjects.network)[of], amount)
    paid = _Paid(
        of=of,
        purpose=purpose,
        amount_eur=amount,
        payer=np.where(_is_third(rng, signs, of, purpose), third, client[of]),
        payee=np.select([to_broker, to_agent], [broker[of], agent[of]], draft.carrier[of]),
        payer_country=country,
        payee_country=plan.ways.origin_country[draft.corridor][of],
        paid_at=_paid_at(rng, signs, of, purpose, draft.declared_at, draft.due_at, prepaid),
    )
    return _transactions(
        plan, rng, "route", paid, signs, habit, draft.number, journey_ids(draft.number)
    )


def _slots(counts: _Counts, number: int) -> tuple[Ints, Ints]:
    """Return one row per payment, ordered by subject: the subject's row and the purpose."""
    of = np.concatenate([np.repeat(np.arange(number), many) for many in counts.values()])
    purpose = np.concatenate([np.full(many.sum(), p) for p, many in counts.items()])
    order = np.argsort(of, kind="stable")
    return of[order], purpose[order]


def _third_parties(
    plan: Plan,
    rng: np.random.Generator,
    network: Ints,
    country: Ints,
    signs: Signs,
    of: Ints,
) -> tuple[Words, Ints]:
    """Return payers outside the trade, and the countries that payments come from.

    A network pays through its own pool of payers; others through random third parties.
    """
    pool = rng.integers(0, PAYERS_OF_A_NETWORK, len(of))
    own = mixed(plan.seed, PAYER, 1, network[of], pool)
    anyone = mixed(plan.seed, PAYER, 2, country[of], (rng.random(len(of)) ** 2 * 400))
    foreign = signs["foreign_payer"][of] & (rng.random(len(of)) < 0.6)
    elsewhere = rng.integers(0, len(plan.ways.countries), len(of))
    is_network = (network[of] >= 0) & (rng.random(len(of)) < 0.55)
    return np.where(is_network, own, anyone), np.where(foreign, elsewhere, country[of])


def _is_fee(plan: Plan, network: Ints, signs: Signs, of: Ints, purpose: Ints) -> Flags:
    """Return a mask of payments that are the fixed fee a network takes for a place."""
    takes_one = (network >= 0) & (share(plan.seed, PAYER, 5, network) < ONE_FEE)
    return (takes_one & signs["fan_in"])[of] & np.isin(purpose, (GOODS, FREIGHT))


def _fee_eur(plan: Plan, network: Ints) -> Floats:
    """Return the fee of each network, rounded to 50 euros."""
    lowest, highest = FEE_EUR
    fee = lowest + (highest - lowest) * share(plan.seed, PAYER, 6, network)
    return np.round(fee / 50) * 50


def _is_third(rng: np.random.Generator, signs: Signs, of: Ints, purpose: Ints) -> Flags:
    by_sign = signs["third_party_payer"][of] & (rng.random(len(of)) < 0.6)
    by_fan = signs["fan_in"][of] & np.isin(purpose, (GOODS, FREIGHT)) & (rng.random(len(of)) < 0.8)
    return by_sign | by_fan | (rng.random(len(of)) < 0.015)


def _paid_at(
    rng: np.random.Generator,
    signs: Signs,
    of: Ints,
    purpose: Ints,
    declared_at: Ints,
    arrives_at: Ints,
    prepaid: Flags,
) -> Ints:
    """Return times before the declaration if prepaid, else up to two months after it.

    A release follows the arrival within three days; a burst falls into the ten days before.
    """
    rows = len(of)
    before = -rng.uniform(12.0, 45 * 24.0, rows)
    after = rng.uniform(24.0, 60 * 24.0, rows)
    hours = np.where(prepaid[of], before, after)
    burst = signs["advance_burst"][of] & (rng.random(rows) < 0.8)
    hours = np.where(burst, -rng.uniform(24.0, 240.0, rows), hours)
    hours = np.where(purpose == DEPOSIT, -np.abs(hours), hours)
    released = instants.after(arrives_at[of], rng.uniform(2.0, 72.0, rows))
    return np.where(purpose == RELEASE, released, instants.after(declared_at[of], hours))


def _transactions(
    plan: Plan,
    rng: np.random.Generator,
    kind: SubjectKind,
    paid: _Paid,
    signs: Signs,
    habit: Ints,
    numbers: Ints,
    ids: pa.Array,
) -> pa.Table:
    of, rows = paid.of, len(paid.of)
    currency = picked(np.array([0.62, 0.26, 0.06, 0.03, 0.03]), share(plan.seed, habit[of], 41))
    rate = rates(currency, paid.paid_at)
    invalid = signs["invalid_iban"][of] & (rng.random(rows) < 0.7) | (rng.random(rows) < 0.004)
    under = signs["structuring"][of] & (rng.random(rows) < 0.6)
    method = np.where(under, CASH, _methods(plan, rng, signs, habit, of))
    has_iban = np.isin(method, (BANK, CREDIT))
    countries = pa.array(plan.ways.countries, pa.string())
    unknown = rng.random((2, rows)) < plan.scenario.missing
    # The index of each payment within its subject makes ids unique.
    first = np.concatenate([[0], np.flatnonzero(np.diff(of)) + 1]) if rows else np.zeros(0, int)
    place = np.arange(rows) - np.repeat(first, np.diff(np.append(first, rows)))
    # Two prefixes, because the numbers of shipments and journeys overlap.
    prefix = "TS-" if kind == "shipment" else "TR-"
    columns = {
        "transaction_id": texts(prefix, decimal(numbers[of], 8), "-", decimal(place, 2)),
        "subject_kind": pa.array([kind]).take(pa.array(np.zeros(rows, np.int64))),
        "subject_id": ids.take(pa.array(of)),
        "payer_id": party_ids(paid.payer),
        "payee_id": party_ids(paid.payee),
        "payer_country": countries.take(pa.array(paid.payer_country, mask=unknown[0])),
        "payee_country": countries.take(pa.array(paid.payee_country, mask=unknown[1])),
        "amount": pa.array(_amounts(rng, signs, of, paid.amount_eur * rate, under, currency)),
        "currency": pa.array(CURRENCIES).take(pa.array(currency)),
        "method": pa.array(METHODS).take(pa.array(method)),
        "purpose": pa.array(PURPOSES).take(pa.array(paid.purpose)),
        "payer_iban_valid": pa.array(~invalid, mask=~has_iban),
        "paid_at": instants.column(paid.paid_at),
        "known_at": instants.column(instants.after(paid.paid_at, rng.exponential(20.0, rows))),
    }
    return record_table(columns, Transaction)


def _methods(plan: Plan, rng: np.random.Generator, signs: Signs, habit: Ints, of: Ints) -> Ints:
    """Return the method of each payment: mostly the payer's usual one, unless a sign differs."""
    usual = picked(METHOD_SHARES, share(plan.seed, habit[of], 43))
    other = picked(METHOD_SHARES, rng.random(len(of)))
    method = np.where(rng.random(len(of)) < 0.75, usual, other)
    for sign, odd in (
        ("netting", NETTING),
        ("virtual_asset", VIRTUAL),
        ("money_service", MONEY_SERVICE),
        ("cash", CASH),
    ):
        method = np.where(signs[sign][of] & (rng.random(len(of)) < 0.6), odd, method)
    return method


def _amounts(
    rng: np.random.Generator, signs: Signs, of: Ints, amount: Floats, under: Flags, currency: Ints
) -> Floats:
    """Return amounts in their currency: some just below its reporting limit, some round."""
    rows = len(of)
    # Currencies without a known reporting limit use 10,000 units.
    limit = np.nan_to_num([reporting_limit(name) for name in CURRENCIES], nan=10_000.0)[currency]
    amount = np.where(under, limit * rng.uniform(0.8, 0.999, rows), np.maximum(amount, 20.0))
    step = np.where(amount > 5_000, 500.0, 50.0)
    is_round = (signs["round_amounts"][of] & (rng.random(rows) < 0.6)) | (rng.random(rows) < 0.05)
    rounded = np.maximum(np.round(amount / step), 1) * step
    return np.round(np.where(is_round, rounded, amount), 2)
