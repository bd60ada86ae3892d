"""Parties of shipments: honest firms with lasting relations, or a network's shell companies."""

import numpy as np

from synthetic.actors import CONSIGNEE, CONSIGNOR, DECLARANT, FORWARDER, firm
from synthetic.chance import Flags, Ints, Words, mixed, picked, share
from synthetic.plan import Plan
from synthetic.subjects import Subjects

SUPPLIER_SHARES = np.array([0.6, 0.25, 0.12, 0.03])
SLOTS_PER_COUNTRY = 100_000
OWN_AGENT = 0.5


def shells(plan: Plan, rng: np.random.Generator, subjects: Subjects) -> Words:
    """Return a network's consignee of its own: one of two.

    When the network moves it leaves the first; the second survives every other time.
    """
    second = rng.random(len(subjects.network)) < 0.3
    outlives = second & (plan.scenario.reuse > 0)
    epoch = np.where(outlives, subjects.epoch // 2, subjects.epoch)
    return mixed(plan.seed, CONSIGNEE, 1, subjects.network, epoch, second)


def consignors(
    plan: Plan,
    rng: np.random.Generator,
    subjects: Subjects,
    *,
    is_front: Flags,
    slot: Ints,
    dispatch: Ints,
    day: Ints,
) -> Words:
    """Return one of a consignee's few suppliers in the country; a shell has its own."""
    rank = picked(SUPPLIER_SHARES, rng.random(len(slot)))
    spread = mixed(plan.seed, CONSIGNOR, slot, dispatch, rank)
    pool = max(len(plan.actors.consignee_country) // 25, 6)
    supplier = dispatch * SLOTS_PER_COUNTRY + (spread % np.uint64(pool)).astype(np.int64)
    # A consignor's shell survives every second seizure, a consignee's none.
    shell = mixed(plan.seed, CONSIGNOR, 1, subjects.network, subjects.epoch // 2)
    own = is_front & (rng.random(len(slot)) < 0.6)
    return np.where(own, shell, firm(plan.seed, CONSIGNOR, supplier, day))


def forwarders(
    plan: Plan, rng: np.random.Generator, subjects: Subjects, slot: Ints, country: Ints, day: Ints
) -> Words:
    """Return each consignee's forwarder, mostly the same one."""
    return _agents(plan, rng, FORWARDER, subjects, slot, country, day)


def declarants(
    plan: Plan, rng: np.random.Generator, subjects: Subjects, slot: Ints, country: Ints, day: Ints
) -> Words:
    """Return each consignee's declarant, mostly the same one."""
    return _agents(plan, rng, DECLARANT, subjects, slot, country, day)


def _agents(
    plan: Plan,
    rng: np.random.Generator,
    role: int,
    subjects: Subjects,
    slot: Ints,
    country: Ints,
    day: Ints,
) -> Words:
    switches = subjects.signs["broker_switch"] | (rng.random(len(slot)) < 0.1)
    other = np.where(switches, rng.integers(1, 40, len(slot)), 0)
    pool = max(len(plan.actors.consignee_country) // 60, 4)
    # A network has one agent who asks no questions, for all its firms.
    is_own = (subjects.network >= 0) & (rng.random(len(slot)) < OWN_AGENT * plan.scenario.reuse)
    client = np.where(is_own, -2 - subjects.network, slot)
    trait = share(plan.seed, role, client, np.where(is_own, 0, other)) ** 1.7
    agent = country * SLOTS_PER_COUNTRY + (trait * pool).astype(np.int64)
    return firm(plan.seed, role, agent, day)
