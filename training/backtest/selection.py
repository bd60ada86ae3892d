"""One week at every office: who is inspected, why, and with which probability that was so."""

from dataclasses import dataclass

import numpy as np

from training.backtest.policy import Policy
from training.errors import PolicyRefused
from training.outcomes import Bools, Texts
from training.ranking import Floats, Ints

BY_RULE, BY_SCORE, BY_LOT = 0, 1, 2


@dataclass(frozen=True)
class WeekSelection:
    """Who was inspected of one week: places in it, rising, with the way and its probability.

    `probability` is 1 for rule and score. For a random draw it is that of being drawn before it was
    known whether the office's week has room for one more: a draw that is due every fifth week
    stands for five. Of `pool` subjects that neither selected, per office in order of name, `drawn`
    were.
    """

    places: Ints
    selected_by: Ints
    probability: Floats
    pool: Ints
    drawn: Ints


def select(
    policy: Policy,
    scores: Floats,
    is_ruled: Bools,
    offices: Texts,
    rng: np.random.Generator,
) -> WeekSelection:
    """Fill each office's capacity. Raises PolicyRefused where rules alone exceed it."""
    parts = [
        _at_office(str(office), np.flatnonzero(offices == office), policy, scores, is_ruled, rng)
        for office in np.unique(offices.astype(str))
    ]
    places, selected_by, probability = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("places", "selected_by", "probability")
    )
    order = np.argsort(places, kind="stable")
    pool, drawn = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("pool", "drawn")
    )
    return WeekSelection(places[order], selected_by[order], probability[order], pool, drawn)


def _at_office(
    office: str,
    rows: Ints,
    policy: Policy,
    scores: Floats,
    is_ruled: Bools,
    rng: np.random.Generator,
) -> WeekSelection:
    share = policy.capacity_share * len(rows)
    begins = rng.random()  # one for both, so that the lot has room wherever it is due
    capacity, explored = (int(part + begins) for part in (share, policy.exploration_share * share))
    ruled = rows[is_ruled[rows]]
    if len(ruled) > max(capacity - explored, 0):
        raise PolicyRefused(
            f"the rules alone select {len(ruled)} of {len(rows)} subjects in one week at office "
            f"{office}, which has room for {max(capacity - explored, 0)} beside the lot; want "
            "narrower rules or a larger capacity_share"
        )
    scored = _highest(rows[~is_ruled[rows]], capacity - explored - len(ruled), policy, scores)
    pool = rng.permutation(np.setdiff1d(rows, np.concatenate([ruled, scored])))
    chances = _chances(policy, scores[pool], policy.exploration_share * share)
    is_drawn = _systematic(chances, begins)
    drawn = pool[is_drawn]
    selected_by = np.repeat([BY_RULE, BY_SCORE, BY_LOT], [len(ruled), len(scored), len(drawn)])
    probability = np.ones(len(selected_by))
    probability[selected_by == BY_LOT] = chances[is_drawn]
    return WeekSelection(
        places=np.concatenate([ruled, scored, drawn]).astype(np.int64),
        selected_by=selected_by,
        probability=probability,
        pool=np.array([len(pool)]),
        drawn=np.array([len(drawn)]),
    )


def _highest(candidates: Ints, room: int, policy: Policy, scores: Floats) -> Ints:
    above = candidates[scores[candidates] >= policy.threshold]
    return above[np.argsort(-scores[above], kind="stable")[:room]]


def _chances(policy: Policy, scores: Floats, expected: float) -> Floats:
    """The chance of each of a pool to be drawn; they add up to what is `expected`, or to the pool.

    The spread of what an inspection finds is sqrt(p (1 - p)), and drawing by it makes estimates as
    sure as so few draws can. The even half keeps a chance, and a bound on its weight, for what the
    score is sure and wrong about.
    """
    weights = np.full(len(scores), 1 / max(len(scores), 1))
    doubt = np.sqrt(scores * (1 - scores))
    if policy.lot == "by_doubt" and doubt.any():
        weights = (weights + doubt / doubt.sum()) / 2
    return _at_most_1(weights, min(expected, len(scores)))


def _at_most_1(weights: Floats, total: float) -> Floats:
    """Chances in proportion to `weights` that add up to `total`, where none exceeds 1."""
    chances = np.zeros(len(weights))
    is_open = np.ones(len(weights), dtype=np.bool_)
    while is_open.any():
        left = total - (~is_open).sum()
        chances[is_open] = left * weights[is_open] / weights[is_open].sum()
        above = is_open & (chances > 1)
        if not above.any():
            break
        chances[above], is_open[above] = 1.0, False
    return chances


def _systematic(chances: Floats, begins: float) -> Bools:
    """Draw each with exactly its chance: steps of 1 along their sum, from a random beginning.

    The sum tells how many are drawn, up to a part, which the beginning rounds.
    """
    ends = np.floor(np.cumsum(chances) + begins)
    return np.diff(ends, prepend=np.floor(begins)) > 0
