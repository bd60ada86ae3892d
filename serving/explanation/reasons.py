"""Exact contributions, ranked into what speaks for a closer look and what speaks against.

Only facts are made here, and stored; `telling` puts them into words for whoever reads them.
Features of one indicator measure the same suspicion, and models share its weight among them at
whim; only their sum is stable. Sums of log-odds are exact, so base + reasons + remainder is the
score. Equal sums stand in the order of the catalogue.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import model_validator

from features.catalogue import catalogue
from features.definition import Feature
from features.records import SubjectKind
from serving.explanation.parts import CHECKED_WHEN_READ, Part
from serving.explanation.usual import Usual
from serving.explanation.wording import Value

MOST_REASONS = 8  # a side; what a person can weigh before deciding
SMALLEST_LOG_ODDS = 0.02  # changes the odds by 2 %: below that a reason is noise to its reader
STRONG, MODERATE = math.log(2), math.log(1.25)

Effect = Literal["for", "against"]
Strength = Literal["strong", "moderate", "weak"]


@dataclass(frozen=True)
class RankedReason:
    """One indicator that speaks for or against; `log_odds` is the exact sum of its features.

    `evidence` names those that add something, the strongest first.
    """

    __pydantic_config__ = CHECKED_WHEN_READ

    indicator: str
    family: str
    log_odds: float
    evidence: tuple[str, ...]


class Remainder(Part):
    """All that is too weak to be named: how many features, and the exact sum of their parts."""

    features: int
    log_odds: float


class Reasons(Part):
    """Strongest first, for and against; with `remainder` and the base they add up to the score.

    `beside` says of every feature in evidence how its value compares with training. `families` and
    `indicators` have the exact sum of every one, named as a reason or not.
    """

    reasons: tuple[RankedReason, ...]
    beside: dict[str, Usual]
    remainder: Remainder
    families: dict[str, float]
    indicators: dict[str, float]

    @model_validator(mode="before")
    @classmethod
    def _with_words(cls, stored: Any) -> Any:
        """The facts alone of what was stored with words, as every decision once was."""
        if not isinstance(stored, dict) or "beside" in stored:
            return stored
        seen = [seen for reason in stored["reasons"] for seen in reason["evidence"]]
        return {
            **stored,
            "reasons": [_without_words(reason) for reason in stored["reasons"]],
            "beside": {each["feature"]: each["beside"] for each in seen},
        }


Compare = Callable[[Feature, Value], Usual]


class Ranking:
    """How contributions of the features of one catalogue are ranked, planned once for all cases."""

    def __init__(self, features: Sequence[Feature]):
        """`features` are in catalogue order, as values and parts of every case will be."""
        self._features = tuple(features)
        self._indicators = _grouped(self._features, "indicator")
        self._families = sorted(_grouped(self._features, "family").items())

    def reasons(self, values: Sequence[Value], parts: Sequence[float], compare: Compare) -> Reasons:
        """Rank the parts of one case by indicator; `compare` is asked of the evidence alone."""
        sums = {name: _sum(parts, places) for name, places in self._indicators.items()}
        ranked = sorted(sums, key=lambda name: -abs(sums[name]))  # equal ones stay by place
        telling = [name for name in ranked if abs(sums[name]) >= SMALLEST_LOG_ODDS]
        named = {*_strongest(telling, sums, "for"), *_strongest(telling, sums, "against")}
        evidence = {
            name: _evidence(parts, self._indicators[name]) for name in telling if name in named
        }
        rest = [at for name in ranked if name not in named for at in self._indicators[name]]
        return Reasons(
            reasons=tuple([self._ranked(name, sums[name], at) for name, at in evidence.items()]),
            beside={
                (feature := self._features[at]).name: compare(feature, values[at])
                for places in evidence.values()
                for at in places
            },
            remainder=Remainder(features=len(rest), log_odds=_sum(parts, rest)),
            families={name: _sum(parts, places) for name, places in self._families},
            indicators={name: sums[name] for name in sorted(sums)},
        )

    def _ranked(self, indicator: str, total: float, evidence: Sequence[int]) -> RankedReason:
        return RankedReason(
            indicator=indicator,
            family=self._features[evidence[0]].family,
            log_odds=total,
            evidence=tuple([self._features[at].name for at in evidence]),
        )


@cache
def ranking(kind: SubjectKind) -> Ranking:
    """How contributions of one kind of subject are ranked."""
    return Ranking(catalogue(kind))


def effect_of(log_odds: float) -> Effect:
    """Which way a sum speaks."""
    return "for" if log_odds > 0 else "against"


def strength_of(log_odds: float) -> Strength:
    """How much a sum changes the odds."""
    if abs(log_odds) >= STRONG:
        return "strong"
    return "moderate" if abs(log_odds) >= MODERATE else "weak"


def _grouped(
    features: Sequence[Feature], by: Literal["indicator", "family"]
) -> dict[str, tuple[int, ...]]:
    """The places of the features of every group, in order."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place, feature in enumerate(features):
        groups[getattr(feature, by)].append(place)
    return {name: tuple(places) for name, places in groups.items()}


def _strongest(ranked: list[str], sums: Mapping[str, float], effect: Effect) -> list[str]:
    return [name for name in ranked if effect_of(sums[name]) == effect][:MOST_REASONS]


def _evidence(parts: Sequence[float], places: Sequence[int]) -> list[int]:
    """Where something is added, the strongest first; what adds nothing is no evidence."""
    return sorted([at for at in places if parts[at]], key=lambda at: -abs(parts[at]))


def _sum(parts: Sequence[float], places: Iterable[int]) -> float:
    return math.fsum([parts[at] for at in places])


def _without_words(reason: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: reason[name] for name in ("indicator", "family", "log_odds")}
    return {**kept, "evidence": [seen["feature"] for seen in reason["evidence"]]}
