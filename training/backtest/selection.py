"""One week at every office: who is inspected, why, and with which probability that was so."""

from dataclasses import dataclass

import numpy as np

from training.backtest.policy import Policy
from training.errors import PolicyRefused
from training.outcomes import Bools, Texts
from training.ranking import Floats, Ints

BY_RULE, BY_SCORE, BY_LOT = 0, 1, 2


@dataclass(frozen=True)
class Selection:
    """Who was inspected of one week: places in it, rising, with the way and its probability.

    `probability` is 1 for rule and score and that of the draw for the lot. Of `pool` subjects that
    neither selected, per office in order of name, `drawn` were.
    """

    places: Ints
    ways: Ints
    probability: Floats
    pool: Ints
    drawn: Ints


def select(
    policy: Policy,
    scores: Floats,
    is_ruled: Bools,
    offices: Texts,
    lots: np.random.Generator,
) -> Selection:
    """Fill each office's capacity. Raises PolicyRefused where rules alone exceed it."""
    parts = [
        _at_office(str(office), np.flatnonzero(offices == office), policy, scores, is_ruled, lots)
        for office in np.unique(offices.astype(str))
    ]
    places, ways, probability = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("places", "ways", "probability")
    )
    order = np.argsort(places, kind="stable")
    pool, drawn = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("pool", "drawn")
    )
    return Selection(places[order], ways[order], probability[order], pool, drawn)


def _at_office(
    office: str,
    own: Ints,
    policy: Policy,
    scores: Floats,
    is_ruled: Bools,
    lots: np.random.Generator,
) -> Selection:
    capacity = _rounded(policy.capacity_share * len(own), lots)
    explored = _rounded(policy.exploration_share * capacity, lots)
    ruled = own[is_ruled[own]]
    if len(ruled) > max(capacity - explored, 0):
        raise PolicyRefused(
            f"the rules alone select {len(ruled)} of {len(own)} subjects in one week at office "
            f"{office}, which has room for {max(capacity - explored, 0)} beside the lot; want "
            "narrower rules or a larger capacity_share"
        )
    scored = _highest(own[~is_ruled[own]], capacity - explored - len(ruled), policy, scores)
    pool = np.setdiff1d(own, np.concatenate([ruled, scored]))
    drawn = lots.choice(pool, min(explored, len(pool)), replace=False)
    share = len(drawn) / len(pool) if len(pool) else 0.0
    ways = np.repeat([BY_RULE, BY_SCORE, BY_LOT], [len(ruled), len(scored), len(drawn)])
    return Selection(
        places=np.concatenate([ruled, scored, drawn]).astype(np.int64),
        ways=ways,
        probability=np.where(ways == BY_LOT, share, 1.0),
        pool=np.array([len(pool)]),
        drawn=np.array([len(drawn)]),
    )


def _highest(candidates: Ints, room: int, policy: Policy, scores: Floats) -> Ints:
    above = candidates[scores[candidates] >= policy.threshold]
    return above[np.argsort(-scores[above], kind="stable")[:room]]


def _rounded(expected: float, lots: np.random.Generator) -> int:
    """A whole number that is `expected` on average, so that small offices inspect their share."""
    return int(expected + lots.random())
