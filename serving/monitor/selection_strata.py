"""Counts, visits and outcomes, put together as strata of equal probability of being looked at."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serving.monitor.population import PopulationEstimate, Stratum, recall, share
from training.confidence_intervals import Estimate, proportion

INSPECTED, REST, RESCUE = "inspected", "not inspected", "rescue"


@dataclass(frozen=True)
class Slice:
    """A part of the traffic: its strata, those that were inspected and those of the rest.

    `unknown` counts the visits whose outcome is not known yet, by stratum.
    """

    inspected: tuple[Stratum, ...]
    rest: tuple[Stratum, ...]
    unknown: dict[str, int]

    @classmethod
    def from_visits(cls, sizes: Counter[str], visits: pd.DataFrame) -> "Slice":
        """From the sizes of strata and the visits among them, as `with_outcomes` gives them."""
        counts = _counts(visits)
        strata = [_stratum(name, size, counts.get(name)) for name, size in sorted(sizes.items())]
        return cls(
            tuple(each for each in strata if each.name.startswith(INSPECTED)),
            merged([each for each in strata if each.name.startswith(REST)]),
            {name: each.visits - each.known for name, each in counts.items()},
        )

    @property
    def prevalence(self) -> PopulationEstimate:
        """The share of all subjects that would be confirmed if everyone were looked at."""
        return share([*self.inspected, *self.rest])

    @property
    def precision(self) -> PopulationEstimate:
        """The share of the inspected that is confirmed."""
        return share([_together(INSPECTED, self.inspected)] if self.inspected else [])

    @property
    def recall(self) -> PopulationEstimate:
        """The share of everything that would be confirmed that was inspected."""
        return recall([_together(INSPECTED, self.inspected)], self.rest)

    @property
    def lift(self) -> Estimate:
        """Recall over the share that is inspected: how many times as many as at random."""
        subjects = sum(each.size for each in (*self.inspected, *self.rest))
        chosen = sum(each.size for each in self.inspected)
        found = self.recall.estimate
        if found.value is None or found.low is None or found.high is None or not chosen:
            return Estimate(None)
        times = subjects / chosen
        return Estimate(found.value * times, found.low * times, found.high * times)

    @property
    def unweighted_share(self) -> Estimate:
        """The share confirmed of all known outcomes; how subjects were selected biases it."""
        strata = (*self.inspected, *self.rest)
        return proportion(sum(s.confirmed for s in strata), sum(s.known_outcomes for s in strata))


def merged(strata: list[Stratum]) -> tuple[Stratum, ...]:
    """Strata of too few control cases join the one drawn with the next probability.

    Those that are left too small are refused by whoever estimates.
    """
    kept = sorted(strata, key=_drawn_at)
    place = 0
    while len(kept) > 1 and place < len(kept):
        if kept[place].has_enough_outcomes:
            place += 1
            continue
        other = place + 1 if place + 1 < len(kept) else place - 1
        low, high = sorted((place, other))
        larger = max(kept[low], kept[high], key=lambda each: each.size)
        kept[low : high + 1] = [_together(larger.name, kept[low : high + 1])]
        place = low
    return tuple(kept)


def with_outcomes(visits: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Each visit with what was found: `confirmed` is 1, 0, or missing where that is not known.

    An outcome belongs to the newest visit of its subject before it; of several, the last counts.
    `known_at` and `typology` are the outcome's.
    """
    columns = ["confirmed", "known_at", "typology"]
    if visits.empty or outcomes.empty:
        unknown = pd.to_datetime(pd.Series(pd.NaT, visits.index), utc=True)
        return visits.assign(confirmed=np.nan, known_at=unknown, typology=None)
    found = pd.merge_asof(
        outcomes.sort_values("inspected_at"),
        visits[["seq", "subject_id", "scored_at"]].sort_values("scored_at"),
        left_on="inspected_at",
        right_on="scored_at",
        by="subject_id",
    ).dropna(subset=["seq"])
    last = found.sort_values("known_at").drop_duplicates("seq", keep="last")
    return visits.merge(last[["seq", *columns]], on="seq", how="left")


@dataclass(frozen=True)
class _Visits:
    visits: int
    known: int
    confirmed: int


def _counts(visits: pd.DataFrame) -> dict[str, _Visits]:
    grouped = visits.groupby("stratum")["confirmed"]
    counts = zip(
        grouped.size().items(), grouped.count().tolist(), grouped.sum().tolist(), strict=True
    )
    return {
        str(name): _Visits(int(size), known, int(found)) for (name, size), known, found in counts
    }


def _stratum(name: str, size: int, counts: _Visits | None) -> Stratum:
    return Stratum(name, size, counts.known if counts else 0, counts.confirmed if counts else 0)


def _together(name: str, strata: Iterable[Stratum]) -> Stratum:
    parts = list(strata)
    return Stratum(
        name,
        sum(part.size for part in parts),
        sum(part.known_outcomes for part in parts),
        sum(part.confirmed for part in parts),
    )


def _drawn_at(stratum: Stratum) -> float:
    return float(stratum.name.rpartition(" ")[2])
