"""One week of selections at every office: subjects, ways and probabilities.

An office with few subjects may have capacity for less than one inspection a week. Capacity is
therefore planned over a period with at least eight inspections, and spent within it on subjects
whose scores stand out. Over all periods an office inspects its share of subjects, rounded once.
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

BY_RULE, BY_SCORE, BY_LOT, BY_TIP = range(4)
# With few inspections per period, an office that uses them early misses all later subjects: periods
# of two found 148 of 479 smuggling shipments where eight found 188, and hindsight 232.
MIN_IN_PERIOD = 8
# Tolerance for sums of floats that should be whole numbers.
TINY = 1e-9


@dataclass(frozen=True)
class WeekSelection:
    """The selections of one week: rising positions, with way and probability.

    `probability` is 1 for tip, rule and score. For a random draw it is the unconditional chance: a
    draw that is due every fifth week represents five subjects. `pool` is the number of subjects
    that only the draw could select, by office in order of name, and `drawn` how many of these were
    drawn.
    """

    places: Ints
    selected_by: Ints
    probability: Floats
    pool: Ints
    drawn: Ints


@dataclass
class OfficePlan:
    """The capacity of one office over the weeks of a replay, and its use so far.

    `subjects` are counts per week, `period` is the number of weeks that share capacity, and
    `begins` is the rounding offset of both capacity and draws: one for both, so that there is room
    when a draw is due. `used` counts inspections by rule or score, and capacity that a `threshold`
    left unused in earlier periods; `tipped` counts inspections on tips; `explored` is the expected
    number of draws; `used_in_period` and `ruled_in_period` cover the current period.
    """

    subjects: Sequence[int]
    period: int
    begins: float
    week: int = 0
    used: int = 0
    tipped: int = 0
    used_in_period: int = 0
    ruled_in_period: int = 0
    explored: float = 0.0
    seen: tuple[Floats, ...] = ()

    @classmethod
    def of_weeks(cls, policy: Policy, subjects: Sequence[int], begins: float) -> Self:
        """Return the plan of an office, in the shortest periods with MIN_IN_PERIOD inspections."""
        each_week = policy.capacity_share * sum(subjects) / len(subjects)
        period = min(len(subjects), math.ceil(MIN_IN_PERIOD / each_week))
        return cls(subjects, period, begins)

    def room(self, policy: Policy) -> int:
        """Return how many subjects the current period can still inspect by rule or score.

        Negative if tips took more than there was.
        """
        expected = policy.exploration_share * policy.capacity_share * self.left
        return self._unused(policy, self.explored + expected)

    def _unused(self, policy: Policy, explored: float) -> int:
        share = policy.capacity_share * sum(self.subjects[: self._period_ends])
        whole, draws = (math.floor(part + self.begins + TINY) for part in (share, explored))
        return whole - draws - self.used - self.tipped

    def later_draws(self, policy: Policy) -> int:
        """Return how many draws are due in the later weeks of the period."""
        each = policy.exploration_share * policy.capacity_share
        begins = self.explored + self.begins + TINY
        now = self.subjects[self.week]
        return math.floor(begins + each * self.left) - math.floor(begins + each * now)

    @property
    def left(self) -> int:
        """The number of subjects of the period from this week on."""
        return sum(self.subjects[self.week : self._period_ends])

    @property
    def _period_ends(self) -> int:
        return min(len(self.subjects), (self.week // self.period + 1) * self.period)

    def end_week(self, policy: Policy, ways: Ints, scores: Floats, drawn: float) -> None:
        """Record a week's selections and its scores, with which later weeks are compared."""
        ruled, scored = int((ways == BY_RULE).sum()), int((ways == BY_SCORE).sum())
        self.used += ruled + scored
        self.tipped += int((ways == BY_TIP).sum())
        self.used_in_period += ruled + scored
        self.ruled_in_period += ruled
        self.explored += drawn
        self.seen = (*self.seen, scores)[-2 * self.period :]
        if self.week + 1 == self._period_ends:
            # Capacity that a threshold left unused expires with its period.
            self.used += max(self._unused(policy, self.explored), 0)
            self.used_in_period = self.ruled_in_period = 0
        self.week += 1


def plans_of_offices(
    policy: Policy, weeks: Sequence[Texts], rng: np.random.Generator
) -> dict[str, OfficePlan]:
    """Return the plan of each office, from the offices of each week's subjects."""
    counts = [dict(zip(*np.unique(w.astype(str), return_counts=True), strict=True)) for w in weeks]
    return {
        # A random offset per office: otherwise all offices would round in the same weeks.
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
    is_tipped: Bools | None = None,
) -> WeekSelection:
    """Fill each office's capacity of a week; without `plans`, as if it were the only week.

    Raises TrainingError if rules alone exceed the capacity.
    """
    names = offices.astype(str)
    plans = plans_of_offices(policy, [names], rng) if plans is None else plans
    tipped = np.zeros(len(names), dtype=np.bool_) if is_tipped is None else is_tipped
    parts = [
        _at_office(
            office, np.flatnonzero(names == office), plan, policy, scores, is_ruled, tipped, rng
        )
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
    is_tipped: Bools,
    rng: np.random.Generator,
) -> WeekSelection:
    tipped, ruled = rows[is_tipped[rows]], rows[(is_ruled & ~is_tipped)[rows]]
    room = plan.room(policy)
    _require_room(office, plan, len(ruled), room + plan.tipped + plan.used_in_period)
    candidates = rows[~(is_ruled | is_tipped)[rows]]
    room_now = _room_now(policy, plan, room - len(tipped) - len(ruled), scores[candidates], scores)
    above = candidates[scores[candidates] >= policy.threshold]
    scored = above[np.argsort(-scores[above], kind="stable")[:room_now]]
    # Shuffled: systematic sampling would otherwise depend on the order of declarations.
    certain = np.concatenate([ruled, scored, tipped])
    pool = rng.permutation(np.setdiff1d(rows, certain))
    expected = policy.exploration_share * policy.capacity_share * len(rows)
    chances = _chances(policy, scores[pool], expected)
    is_drawn = _systematic(chances, (plan.begins + plan.explored) % 1)
    drawn = pool[is_drawn]
    selected_by = np.repeat(
        [BY_RULE, BY_SCORE, BY_TIP, BY_LOT], [len(ruled), len(scored), len(tipped), len(drawn)]
    )
    plan.end_week(policy, selected_by, scores[rows], float(chances.sum()))
    probability = np.ones(len(selected_by))
    probability[selected_by == BY_LOT] = chances[is_drawn]
    return WeekSelection(
        places=np.concatenate([certain, drawn]).astype(np.int64),
        selected_by=selected_by,
        probability=probability,
        pool=np.array([len(pool)]),
        drawn=np.array([len(drawn)]),
    )


def _require_room(office: str, plan: OfficePlan, ruled: int, room: int) -> None:
    """Raise TrainingError if rules alone exceed the period's capacity, or 1 if it spans weeks.

    Capacity that scores used before a rule matched is taken from the next period.
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
    """Return how much of the period's room an office spends on this week's candidates.

    It inspects candidates that rank within its capacity among its newest scores, or among this
    week's scores of all offices until it has seen enough of its own. Room that later weeks of the
    period have too few subjects for is spent at once.
    """
    # A later draw needs a subject of its own: room that took the last ones would leave it none.
    later = plan.left - plan.subjects[plan.week] - plan.later_draws(policy)
    if room <= 0 or not len(own) or later <= 0:
        return max(room, 0)
    rate = policy.capacity_share * (1 - policy.exploration_share)
    seen = np.concatenate([*plan.seen, own])
    among = np.sort(seen if rate * len(seen) >= MIN_IN_PERIOD else week)
    higher = len(among) - np.searchsorted(among, own, side="right")
    standing_out = int((higher < int(rate * len(among))).sum())
    return min(room, max(standing_out, room - later))


def _chances(policy: Policy, scores: Floats, expected: float) -> Floats:
    """Return the chance of each subject in a pool to be drawn; the sum is `expected`, or the pool.

    Inspection results have a standard deviation of sqrt(p (1 - p)), and drawing in proportion to
    that makes estimates as precise as so few draws can. The even half keeps a minimum chance, and
    so a bounded weight, for subjects about which the score is confidently wrong.
    """
    weights = np.full(len(scores), 1 / max(len(scores), 1))
    doubt = np.sqrt(scores * (1 - scores))
    if policy.lot == "by_doubt" and doubt.any():
        weights = (weights + doubt / doubt.sum()) / 2
    return _at_most_1(weights, min(expected, len(scores)))


def _at_most_1(weights: Floats, total: float) -> Floats:
    """Return chances in proportion to `weights` with the sum `total`, none above 1.

    Capped chances leave more for the others, which may then exceed 1 in turn; hence the loop.
    """
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
    """Draw each with exactly its chance: steps of 1 along the cumulative sum.

    The number of draws equals the sum of chances up to rounding, which the random start decides.
    """
    ends = np.floor(np.cumsum(chances) + begins)
    return np.diff(ends, prepend=np.floor(begins)) > 0
