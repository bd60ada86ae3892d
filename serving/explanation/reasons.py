"""Exact contributions, ranked into what speaks for a closer look and what speaks against.

Only facts are made here, and stored; `telling` puts them into words for whoever reads them.
Features of one indicator measure the same suspicion, and models share its weight among them at
whim; only their sum is stable. Sums of log-odds are exact, so base + reasons + remainder is the
score. Equal sums stand in the order of the catalogue.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from pydantic import model_validator

from features.definition import Feature
from serving.explanation.parts import Part
from serving.explanation.usual import Usual
from serving.explanation.wording import Value

MOST_REASONS = 8  # a side; what a person can weigh before deciding
SMALLEST_LOG_ODDS = 0.02  # changes the odds by 2 %: below that a reason is noise to its reader
STRONG, MODERATE = math.log(2), math.log(1.25)

Effect = Literal["for", "against"]
Strength = Literal["strong", "moderate", "weak"]


class RankedReason(Part):
    """One indicator that speaks for or against; `log_odds` is the exact sum of its features.

    `evidence` names those that add something, the strongest first.
    """

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


class Contribution(NamedTuple):
    """A feature's value in this case, its part of the log-odds, and its place in the catalogue."""

    feature: Feature
    value: Value
    log_odds: float
    place: int


Compare = Callable[[Feature, Value], Usual]


def reasons_of(contributions: Iterable[Contribution], compare: Compare) -> Reasons:
    """Rank contributions by indicator; the order doesn't depend on the order given."""
    ordered = sorted(contributions, key=attrgetter("place"))
    groups = _grouped(ordered, "indicator")
    sums = {name: _sum(group) for name, group in groups.items()}
    ranked = sorted(groups, key=lambda name: -abs(sums[name]))  # equal ones stay by place
    telling = [name for name in ranked if abs(sums[name]) >= SMALLEST_LOG_ODDS]
    named = {*_strongest(telling, sums, "for"), *_strongest(telling, sums, "against")}
    evidence = {name: _evidence(groups[name]) for name in ranked if name in named}
    rest = [c for name in ranked if name not in named for c in groups[name]]
    families = _grouped(ordered, "family")
    return Reasons(
        reasons=tuple(_ranked(seen, sums[name]) for name, seen in evidence.items()),
        beside={c.feature.name: compare(c.feature, c.value) for e in evidence.values() for c in e},
        remainder=Remainder(features=len(rest), log_odds=_sum(rest)),
        families={name: _sum(families[name]) for name in sorted(families)},
        indicators={name: sums[name] for name in sorted(sums)},
    )


def effect_of(log_odds: float) -> Effect:
    """Which way a sum speaks."""
    return "for" if log_odds > 0 else "against"


def strength_of(log_odds: float) -> Strength:
    """How much a sum changes the odds."""
    if abs(log_odds) >= STRONG:
        return "strong"
    return "moderate" if abs(log_odds) >= MODERATE else "weak"


def _grouped(
    contributions: Iterable[Contribution], by: Literal["indicator", "family"]
) -> Mapping[str, list[Contribution]]:
    groups: dict[str, list[Contribution]] = defaultdict(list)
    group_of = attrgetter(by)
    for contribution in contributions:
        groups[group_of(contribution.feature)].append(contribution)
    return groups


def _strongest(ranked: list[str], sums: Mapping[str, float], effect: Effect) -> list[str]:
    return [name for name in ranked if effect_of(sums[name]) == effect][:MOST_REASONS]


def _evidence(group: Sequence[Contribution]) -> list[Contribution]:
    """What adds something, the strongest first; what adds nothing is no evidence."""
    telling = [contribution for contribution in group if contribution.log_odds]
    return sorted(telling, key=lambda contribution: -abs(contribution.log_odds))


def _ranked(evidence: Sequence[Contribution], total: float) -> RankedReason:
    feature = evidence[0].feature
    return RankedReason(
        indicator=feature.indicator,
        family=feature.family,
        log_odds=total,
        evidence=tuple([contribution.feature.name for contribution in evidence]),
    )


def _sum(contributions: Iterable[Contribution]) -> float:
    return math.fsum([contribution.log_odds for contribution in contributions])


def _without_words(reason: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: reason[name] for name in ("indicator", "family", "log_odds")}
    return {**kept, "evidence": [seen["feature"] for seen in reason["evidence"]]}
