"""One week at every office: who is inspected, why, and with which probability that was so.

An office with few subjects has room for less than one inspection a week. What it does not use is
carried over: its capacity is planned over a period that holds at least two, and spent within it on
the subjects whose scores stand out. Over all periods it inspects its share of its subjects, rounded
once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from training.backtest.policy import Policy
from training.errors import TrainingError
from training.outcomes import Bools, Texts
from training.ranking import Floats, Ints

BY_RULE, BY_SCORE, BY_LOT = 0, 1, 2
# With one in a period, an office that takes it early misses all that comes after.
MIN_IN_PERIOD = 2
# What sums of shares may lack of a whole number.
TINY = 1e-9


@dataclass(frozen=True)
class WeekSelection:
    """Who was inspected of one week: places in it, rising, with the way and its probability.

    `probability` is 1 for rule and score. For a random draw it is that of being drawn before it was
    known whether one is due: a draw that is due every fifth week stands for five. Of `pool`
    subjects that neither selected, per office in order of name, `drawn` were.
    """

    places: Ints
    selected_by: Ints
    probability: Floats
    pool: Ints
    drawn: Ints


@dataclass
class OfficePlan:
    """The capacity of one office over the weeks of a replay, and what it has used so far.

    `subjects` are those of each week, `period` is how many weeks share their capacity, and `begins`
    rounds the sums of capacity and of draws: one for both, so that a draw has room where it is due.
    `used` counts what was inspected by rule or score, and what a `threshold` left unused in earlier
    periods, `explored` how many draws were expected; `used_in_period` and `ruled_in_period` are of
    the period so far.
    """

    subjects: Sequence[int]
    period: int
    begins: float
    week: int = 0
    used: int = 0
    used_in_period: int = 0
    ruled_in_period: int = 0
    explored: float = 0.0
    seen: tuple[Floats, ...] = ()

    @classmethod
    def of_weeks(cls, policy: Policy, subjects: Sequence[int], begins: float) -> Self:
        """Plan the weeks of an office, in the shortest periods that hold two on average."""
        each_week = policy.capacity_share * sum(subjects) / len(subjects)
        period = min(len(subjects), math.ceil(MIN_IN_PERIOD / each_week))
        return cls(subjects, period, begins)

    def room(self, policy: Policy) -> int:
        """Return how many the period of this week can still inspect by rule or score."""
        expected = policy.exploration_share * policy.capacity_share * self.left
        return self._unused(policy, self.explored + expected)

    def _unused(self, policy: Policy, explored: float) -> int:
        share = policy.capacity_share * sum(self.subjects[: self._period_ends])
        whole, draws = (math.floor(part + self.begins + TINY) for part in (share, explored))
        return whole - draws - self.used

    @property
    def left(self) -> int:
        """Return how many subjects the period has from this week on."""
        return sum(self.subjects[self.week : self._period_ends])

    @property
    def _period_ends(self) -> int:
        return min(len(self.subjects), (self.week // self.period + 1) * self.period)

    def end_week(self, policy: Policy, ways: Ints, scores: Floats, drawn: float) -> None:
        """Note what the week inspected in which `ways`, and the scores by which the next choose."""
        ruled, scored = int((ways == BY_RULE).sum()), int((ways == BY_SCORE).sum())
        self.used += ruled + scored
        self.used_in_period += ruled + scored
        self.ruled_in_period += ruled
        self.explored += drawn
        self.seen = (*self.seen, scores)[-2 * self.period :]
        if self.week + 1 == self._period_ends:
            # What a threshold left lapses with its period.
            self.used += max(self._unused(policy, self.explored), 0)
            self.used_in_period = self.ruled_in_period = 0
        self.week += 1


def plans_of_offices(
    policy: Policy, weeks: Sequence[Texts], rng: np.random.Generator
) -> dict[str, OfficePlan]:
    """Return the plan of each office, by the offices of the subjects of each week."""
    counts = [dict(zip(*np.unique(w.astype(str), return_counts=True), strict=True)) for w in weeks]
    return {
        office: OfficePlan.of_weeks(policy, [int(w.get(office, 0)) for w in counts], rng.random())
        for office in sorted({office for week in counts for office in week})
    }


def select(
    policy: Policy,
    scores: Floats,
    is_ruled: Bools,
    offices: Texts,
    rng: np.random.Generator,
    plans: dict[str, OfficePlan] | None = None,
) -> WeekSelection:
    """Fill each office's capacity of a week; without `plans`, as if there were no other week.

    Raises TrainingError where rules alone exceed it.
    """
    names = offices.astype(str)
    plans = plans_of_offices(policy, [names], rng) if plans is None else plans
    parts = [
        _at_office(office, np.flatnonzero(names == office), plan, policy, scores, is_ruled, rng)
        for office, plan in plans.items()
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
    plan: OfficePlan,
    policy: Policy,
    scores: Floats,
    is_ruled: Bools,
    rng: np.random.Generator,
) -> WeekSelection:
    ruled, room = rows[is_ruled[rows]], plan.room(policy)
    _require_room(office, plan, len(ruled), room + plan.used_in_period)
    candidates = rows[~is_ruled[rows]]
    room_now = _room_now(policy, plan, room - len(ruled), scores[candidates], scores)
    above = candidates[scores[candidates] >= policy.threshold]
    scored = above[np.argsort(-scores[above], kind="stable")[:room_now]]
    pool = rng.permutation(np.setdiff1d(rows, np.concatenate([ruled, scored])))
    expected = policy.exploration_share * policy.capacity_share * len(rows)
    chances = _chances(policy, scores[pool], expected)
    is_drawn = _systematic(chances, (plan.begins + plan.explored) % 1)
    drawn = pool[is_drawn]
    selected_by = np.repeat([BY_RULE, BY_SCORE, BY_LOT], [len(ruled), len(scored), len(drawn)])
    plan.end_week(policy, selected_by, scores[rows], float(chances.sum()))
    probability = np.ones(len(selected_by))
    probability[selected_by == BY_LOT] = chances[is_drawn]
    return WeekSelection(
        places=np.concatenate([ruled, scored, drawn]).astype(np.int64),
        selected_by=selected_by,
        probability=probability,
        pool=np.array([len(pool)]),
        drawn=np.array([len(drawn)]),
    )


def _require_room(office: str, plan: OfficePlan, ruled: int, room: int) -> None:
    """Raise TrainingError where rules alone exceed a period; one that holds weeks has room for one.

    What scores have used before a rule hits is taken of the next period.
    """
    room = max(room, 0 if plan.period == 1 else 1)
    if plan.ruled_in_period + ruled <= room:
        return
    weeks = "one week" if plan.period == 1 else f"{plan.period} weeks"
    raise TrainingError(
        f"the rules alone select {plan.ruled_in_period + ruled} of "
        f"{sum(plan.subjects[plan.week // plan.period * plan.period :][: plan.period])} subjects "
        f"in {weeks} at office {office}, which has room for {room} beside the lot; want narrower "
        "rules or a larger capacity_share"
    )


def _room_now(policy: Policy, plan: OfficePlan, room: int, own: Floats, week: Floats) -> int:
    """Return how many of the room of its period an office spends on this week's candidates.

    It spends it on those among the highest of its newest scores, as many as it has capacity for in
    such a number; of the scores of all offices in this week until it has seen those of a period.
    What is left is spent where no later week of the period has a subject for it.
    """
    later = plan.left - plan.subjects[plan.week]
    if room <= 0 or not len(own) or not later:
        return max(room, 0)
    rate = policy.capacity_share * (1 - policy.exploration_share)
    seen = np.concatenate([*plan.seen, own])
    among = np.sort(seen if rate * len(seen) >= MIN_IN_PERIOD else week)
    higher = len(among) - np.searchsorted(among, own, side="right")
    standing_out = int((higher < int(rate * len(among))).sum())
    return min(room, max(standing_out, room - later))


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
