"""Mass, packages, containers and value of shipments."""

from dataclasses import dataclass

import numpy as np

from features.engine.string_table import STRING_TABLE
from features.reference.currencies import units_per_eur
from synthetic.actors import CONSIGNOR, CONTAINER
from synthetic.chance import Flags, Floats, Ints, mixed, picked, share
from synthetic.goods import goods
from synthetic.signs import Signs
from synthetic.subjects import Subjects

CURRENCIES = ("EUR", "USD", "GBP", "CNY", "TRY")
CURRENCY_SHARES = np.array([0.58, 0.27, 0.06, 0.05, 0.04])


@dataclass(frozen=True)
class Measures:
    """One row per shipment; masses in kg, money in `currency`, a row of CURRENCIES.

    `paid_for` is the true price, which an undervalued invoice hides.
    """

    gross_kg: Floats
    net_kg: Floats
    packages: Ints
    value: Floats
    paid_for: Floats
    currency: Ints


@dataclass(frozen=True)
class Boxes:
    """The container and seal of each shipment; `is_boxed` is false without a container."""

    box: Ints
    seal: Ints
    is_boxed: Flags


def measured(
    rng: np.random.Generator,
    seed: int,
    signs: Signs,
    kinds: Ints,
    slot: Ints,
    dispatch: Ints,
    declared_at: Ints,
) -> Measures:
    """Return masses typical for goods and consignee, and prices by their contracts."""
    gross = _gross_kg(rng, seed, signs, kinds, slot)
    tare = np.where(signs["odd_tare"], rng.choice([0.72, 1.12], len(kinds)), 1.0)
    spread = np.exp(0.03 * rng.standard_normal(len(kinds)))
    # Net mass never exceeds gross mass, whatever the tare error.
    net = np.minimum(gross * goods().net_to_gross[kinds] * spread * tare, gross)
    # By contract: a consignee pays the suppliers of one country in one currency.
    currency = picked(CURRENCY_SHARES, share(seed, CONSIGNOR, slot, dispatch))
    worth = net * _price_eur_per_kg(rng, seed, kinds, slot, dispatch)
    worth *= rates(currency, declared_at)
    low = np.where(signs["undervalued"], rng.uniform(0.2, 0.6, len(kinds)), 1.0)
    high = np.where(signs["overvalued"], rng.uniform(1.7, 3.5, len(kinds)), 1.0)
    packages = np.maximum(np.round(gross / goods().kg_per_package[kinds]), 1)
    return Measures(
        gross_kg=np.round(gross, 1),
        net_kg=np.round(net, 1),
        packages=packages.astype(np.int64),
        value=np.round(worth * low * high, 2),
        paid_for=np.round(worth * np.where(signs["overpaid"], 1.0, low), 2),
        currency=currency,
    )


def boxed(
    rng: np.random.Generator, pool: int, subjects: Subjects, *, by_ship: Flags, kept: float
) -> Boxes:
    """Return containers from a pool so large that each rests for weeks, unless used twice.

    A network uses one of its own three for the share `kept` of its shipments.
    """
    box = rng.integers(0, pool, len(by_ship))
    if kept:
        draws = rng.random((2, len(by_ship)))
        own = mixed(CONTAINER, subjects.network, draws[0] * 3) % np.uint64(pool)
        box = np.where((subjects.network >= 0) & (draws[1] < kept), own.astype(np.int64), box)
    return Boxes(
        box=np.where(subjects.signs["shared_container"], np.roll(box, 7), box),
        seal=rng.integers(0, 10**7, len(by_ship)),
        is_boxed=by_ship & (rng.random(len(by_ship)) < 0.93),
    )


def rates(currency: Ints, instants: Ints) -> Floats:
    """Return the value of a euro in each currency (a row of CURRENCIES) in an instant's month."""
    return units_per_eur(STRING_TABLE.codes(CURRENCIES)[currency], instants)


def _gross_kg(rng: np.random.Generator, seed: int, signs: Signs, kinds: Ints, slot: Ints) -> Floats:
    size = np.exp(0.5 * rng.standard_normal(len(kinds)) + 0.5 * (share(seed, slot, 31) - 0.5))
    split = np.where(signs["split"], rng.uniform(0.08, 0.25, len(kinds)), 1.0)
    gross = np.maximum(goods().usual_mass_kg[kinds] * size * split, 2.0)
    step = np.where(gross > 5_000, 500.0, np.where(gross > 500, 50.0, 5.0))
    return np.where(signs["round_mass"], np.maximum(np.round(gross / step), 1) * step, gross)


def _price_eur_per_kg(
    rng: np.random.Generator, seed: int, kinds: Ints, slot: Ints, dispatch: Ints
) -> Floats:
    """Return prices around each consignee's own stable level for its goods and sources."""
    level = share(seed, slot, kinds, dispatch) + share(seed, slot, kinds, 33) - 1.0
    noise = 0.12 * rng.standard_normal(len(kinds))
    return goods().eur_per_kg[kinds] * np.exp(1.6 * goods().price_spread[kinds] * level + noise)
