"""Combine counts, visits and outcomes into strata of equal inspection probability."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from serving.monitor.monitoring_report import WayOfSelection
from serving.monitor.population import Stratum, TrafficPart
from training.confidence_intervals import Estimate, proportion
from training.estimation.inspected_sample import inspections_of
from training.estimation.sensitivity import Extremes
from training.estimation.weighted_mean import part_of_both

INSPECTED, REST, RESCUE = "inspected", "not inspected", "rescue"
BY_SCORE = f"{INSPECTED} by score"
UNKNOWN = Estimate(None)

# The minimum number of findings that the draws would contain if as much had been missed as was
# found. With fewer, recall and lift are given as an interval only, since a point estimate would be
# too far off on average.
MIN_MISSED = 2.0

# An interval whose ends differ by at most this ratio has a point estimate anyway.
NARROW_RATIO = 3.0


@dataclass(frozen=True)
class Slice:
    """A part of the traffic: its strata, those inspected and the rest.

    `visits` counts the visits of each stratum, whether or not their outcome is known.
    """

    strata: tuple[Stratum, ...]
    visits: dict[str, int]

    @classmethod
    def from_visits(cls, sizes: Counter[str], visits: pd.DataFrame) -> "Slice":
        """Combine the sizes of strata with their visits, as returned by `with_outcomes`."""
        counts = _counts(visits)
        strata = (_stratum(name, size, counts.get(name)) for name, size in sorted(sizes.items()))
        return cls(tuple(strata), {name: each.visits for name, each in counts.items()})

    @cached_property
    def inspected(self) -> TrafficPart:
        """The subjects that rules, watch-lists and the score selected."""
        return TrafficPart.from_strata(each for each in self.strata if each.is_certain)

    @cached_property
    def rest(self) -> TrafficPart:
        """The subjects that only the control draw could select."""
        return TrafficPart.from_strata(each for each in self.strata if not each.is_certain)

    @property
    def everyone(self) -> TrafficPart:
        """All subjects."""
        return self.inspected + self.rest

    @property
    def prevalence(self) -> Estimate:
        """The share of all subjects that would be confirmed if everyone were inspected."""
        prevalence = self.everyone.share_confirmed
        return UNKNOWN if prevalence is None else prevalence.estimate

    @property
    def precision(self) -> Estimate:
        """The share confirmed among the inspected."""
        return self.inspected.precision

    @property
    def recall(self) -> Estimate:
        """The share inspected among all that would be confirmed."""
        return self._recall[0]

    @property
    def lift(self) -> Estimate:
        """Recall over the inspected share: findings relative to a random selection."""
        return self._recall[1]

    @property
    def unweighted_share(self) -> Estimate:
        """The share confirmed of all known outcomes, which is biased by the selection."""
        return proportion(
            sum(each.confirmed for each in self.strata),
            sum(each.known_outcomes for each in self.strata),
        )

    @property
    def unknown_share(self) -> float:
        """The part of the visits without a conclusive outcome, in 0..1."""
        visits = sum(self.visits.values())
        known = sum(each.known_outcomes for each in self.strata)
        return 1 - known / visits if visits else 0.0

    @property
    def extremes(self) -> Extremes:
        """Figures with the visits of unknown outcome at their worst and best (Manski's bounds)."""
        never, always = self._with_missing(), self._with_missing(inspected=True, rest=True)
        outside, inside = self._with_missing(rest=True), self._with_missing(inspected=True)
        return {
            "prevalence": (never.prevalence, always.prevalence),
            "precision": (never.precision, always.precision),
            "recall": (outside.recall, inside.recall),
        }

    def _with_missing(self, *, inspected: bool = False, rest: bool = False) -> "Slice":
        """Return the slice as if every visit had an outcome; unknown ones are confirmed or not."""

        def filled(each: Stratum) -> Stratum:
            known = max(self.visits.get(each.name, 0), each.known_outcomes)
            is_confirmed = inspected if each.is_certain else rest
            found = each.confirmed + is_confirmed * (known - each.known_outcomes)
            return replace(each, known_outcomes=known, confirmed=found)

        return replace(self, strata=tuple(map(filled, self.strata)))

    @property
    def resolution(self) -> float:
        """The number of findings in the draws if as much was missed as was found."""
        return self._resolution(self.inspected)

    @property
    def needs(self) -> tuple[str, ...]:
        """The number of decisions that would suffice where figures lack a point estimate."""
        too_few = tuple(each.needs for each in self.everyone.too_few_outcomes)
        if too_few or self.recall.value is not None or not self.inspected.size:
            return too_few
        enough = (
            f", as come of about {_rounded(MIN_MISSED / self.resolution * self.everyone.size)} "
            f"decisions instead of {self.everyone.size:,}"
            if self.resolution
            else ""
        )
        return (
            "recall and lift: had as much been missed as was found, the draws would hold "
            f"{self.resolution:.1f} of it; want {MIN_MISSED:g}{enough}",
        )

    def ways(self) -> Iterator[WayOfSelection]:
        """Yield each way of selection, the total without the score, and the random draw."""
        certain = [each for each in self.strata if each.is_certain]
        unscored = [each for each in certain if each.name != BY_SCORE]
        for each in certain:
            yield self._way(each.name.removeprefix(f"{INSPECTED} by "), [each])
        if len(unscored) > 1:
            yield self._way("all without the score", unscored)
        if len(certain) > 1:
            yield self._way("all together", certain)
        yield self._random_draw()

    @cached_property
    def _recall(self) -> tuple[Estimate, Estimate]:
        return _recall(self.inspected, self.rest, self.resolution)

    def _resolution(self, chosen: TrafficPart) -> float:
        if chosen.confirmed is None or not self.rest.size:
            return np.inf if chosen.confirmed else 0.0
        return chosen.confirmed.value * self.rest.effective_size / self.rest.size

    def _way(self, way: str, chosen: list[Stratum]) -> WayOfSelection:
        mine = TrafficPart.from_strata(chosen)
        others = TrafficPart.from_strata(
            each for each in self.strata if each.is_certain and each not in chosen
        )
        recall, lift = _recall(mine, others + self.rest, self._resolution(mine))
        return WayOfSelection(
            way=way,
            decisions=mine.size,
            known_outcomes=mine.known_outcomes,
            confirmed=sum(each.confirmed for each in chosen),
            precision=mine.precision,
            recall=recall,
            lift=lift,
        )

    def _random_draw(self) -> WayOfSelection:
        """Return what as many random draws find on average among subjects that nothing selected."""
        drawn = [each for each in self.strata if not each.is_certain]
        cases = sum(self.visits.get(each.name, 0) for each in drawn)
        recall, lift = _recall(self.rest, self.inspected, self.resolution)
        part = cases / self.rest.size if self.rest.size else 0.0
        return WayOfSelection(
            way="random draw",
            decisions=cases,
            known_outcomes=sum(each.known_outcomes for each in drawn),
            confirmed=sum(each.confirmed for each in drawn),
            precision=self.rest.precision,
            recall=scale_interval(recall, part),
            lift=lift,
        )


def _recall(
    chosen: TrafficPart, others: TrafficPart, resolution: float
) -> tuple[Estimate, Estimate]:
    """Return the share of all findings among the chosen, and that over their share of subjects.

    Only an interval where the draws are too few for a point estimate.
    """
    found, missed = chosen.confirmed, others.confirmed
    if found is None or missed is None or not chosen.size:
        return UNKNOWN, UNKNOWN
    part = part_of_both(found, missed)
    if not np.isfinite(part.value):
        return UNKNOWN, UNKNOWN
    times_as_many = part.scaled((chosen.size + others.size) / chosen.size)
    recall, lift = part.estimate, times_as_many.estimate
    is_narrow = (recall.high or 1.0) <= NARROW_RATIO * (recall.low or 0.0)
    if resolution < MIN_MISSED and not is_narrow:
        return replace(recall, value=None), replace(lift, value=None)
    return recall, lift


def scale_interval(estimate: Estimate, factor: float) -> Estimate:
    """Scale an estimate and its interval."""
    value, low, high = (
        None if each is None else each * factor
        for each in (estimate.value, estimate.low, estimate.high)
    )
    return Estimate(value, low, high)


def with_outcomes(visits: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Join visits with findings: `confirmed` is 1, 0, or missing if unknown.

    An outcome belongs to the newest visit of its subject before it; of several, the last counts.
    `known_at`, `typology` and `inspected_at` are the outcome's; `together` numbers inspections.
    """
    columns = ["confirmed", "known_at", "typology", "inspected_at", "is_at_report"]
    if visits.empty or outcomes.empty:
        unknown = pd.to_datetime(pd.Series(pd.NaT, visits.index), utc=True)
        return visits.assign(
            confirmed=np.nan,
            known_at=unknown,
            typology=None,
            inspected_at=unknown,
            is_at_report=False,
            together=np.arange(len(visits)),
        )
    # merge_asof needs both sides sorted by time; it picks the newest earlier visit.
    found = pd.merge_asof(
        outcomes.sort_values("inspected_at"),
        visits[["seq", "subject_id", "scored_at"]].sort_values("scored_at"),
        left_on="inspected_at",
        right_on="scored_at",
        by="subject_id",
    ).dropna(subset=["seq"])
    last = found.sort_values("known_at").drop_duplicates("seq", keep="last")
    joined = visits.merge(last[["seq", *columns]], on="seq", how="left")
    instants = joined["inspected_at"].mask(joined["is_at_report"].eq(True)).dt.tz_convert(None)
    together = inspections_of(
        instants.to_numpy("datetime64[us]"), joined["office"].to_numpy(object)
    )
    return joined.assign(together=together)


@dataclass(frozen=True)
class _Visits:
    visits: int
    known: int
    confirmed: int
    shared: tuple[tuple[int, int], ...]


def _counts(visits: pd.DataFrame) -> dict[str, _Visits]:
    grouped = visits.groupby("stratum")["confirmed"]
    counts = zip(
        grouped.size().items(), grouped.count().tolist(), grouped.sum().tolist(), strict=True
    )
    shared = _shared(visits)
    return {
        str(name): _Visits(int(size), known, int(found), tuple(shared.get(str(name), ())))
        for (name, size), known, found in counts
    }


def _shared(visits: pd.DataFrame) -> dict[str, list[tuple[int, int]]]:
    """Return, by stratum, subjects and those confirmed of each inspection that covered several."""
    if "together" not in visits:
        return {}
    by_inspection = visits.groupby(["stratum", "together"])["confirmed"].agg(["count", "sum"])
    several = by_inspection[by_inspection["count"] > 1].astype(int)
    shared: dict[str, list[tuple[int, int]]] = {}
    for (name, _), known, found in several.itertuples():
        shared.setdefault(str(name), []).append((known, found))
    return shared


def _stratum(name: str, size: int, counts: _Visits | None) -> Stratum:
    if counts is None:
        return Stratum(name, size, 0, 0, probability_of(name))
    return Stratum(name, size, counts.known, counts.confirmed, probability_of(name), counts.shared)


def _rounded(count: float) -> str:
    return f"{float(f'{count:.2g}'):,.0f}"


def probability_of(stratum: str) -> float:
    """Return the inspection probability of a stratum; 1 if it was selected.

    >>> probability_of("inspected by rule"), probability_of("not inspected, drawn at 0.015")
    (1.0, 0.015)
    """
    return float(stratum.rpartition(" ")[2]) if stratum.startswith(REST) else 1.0
