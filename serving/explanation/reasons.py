"""Exact contributions, grouped into what speaks for a closer look and what speaks against.

Features of one indicator measure the same suspicion, and models share its weight among them at
whim; only their sum is stable. Sums of log-odds are exact, so base + reasons + remainder is the
score.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from features.definition import Feature
from serving.explanation.usual import Usual
from serving.explanation.wording import Value, sentence

MOST_REASONS = 8  # a side; what a person can weigh before deciding
SMALLEST_LOG_ODDS = 0.02  # changes the odds by 2 %: below that a reason is noise to its reader
STRONG, MODERATE = math.log(2), math.log(1.25)

Effect = Literal["for", "against"]
Strength = Literal["strong", "moderate", "weak"]


class Part(BaseModel):
    """Base of what is stored with a decision and shown: frozen, closed, finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Observation(Part):
    """One feature within a reason: this case's value, what is usual, and its exact part."""

    feature: str
    value: Value
    sentence: str
    usual: str
    percentile: float | None
    contribution: float


class Reason(Part):
    """What one indicator says about this case; `log_odds` is the exact sum of its evidence."""

    indicator: str
    family: str
    effect: Effect
    strength: Strength
    log_odds: float
    words: str
    evidence: tuple[Observation, ...]


class Remainder(Part):
    """All that is too weak to be named: how many features, and the exact sum of their parts."""

    features: int
    log_odds: float


class Reasons(Part):
    """Strongest first, for and against; with `remainder` and the base they add up to the score."""

    reasons: tuple[Reason, ...]
    remainder: Remainder
    families: dict[str, float]


@dataclass(frozen=True)
class Contribution:
    """A feature's value in this case, how it compares, and its part of the log-odds."""

    feature: Feature
    value: Value
    usual: Usual
    log_odds: float


def reasons_of(contributions: Sequence[Contribution]) -> Reasons:
    """Group contributions by indicator; the order doesn't depend on the order given."""
    groups = _grouped(contributions)
    ranked = sorted(groups, key=lambda name: (-abs(_sum(groups[name])), name))
    telling = [n for n in ranked if abs(_sum(groups[n])) >= SMALLEST_LOG_ODDS]
    named = _strongest(telling, groups, "for") + _strongest(telling, groups, "against")
    rest = [c for name in ranked if name not in named for c in groups[name]]
    return Reasons(
        reasons=tuple(_reason(groups[name]) for name in ranked if name in named),
        remainder=Remainder(features=len(rest), log_odds=_sum(rest)),
        families=_families(contributions),
    )


Groups = Mapping[str, list[Contribution]]


def _grouped(contributions: Sequence[Contribution]) -> Groups:
    groups: dict[str, list[Contribution]] = defaultdict(list)
    for contribution in sorted(contributions, key=lambda c: (-abs(c.log_odds), c.feature.name)):
        groups[contribution.feature.indicator].append(contribution)
    return groups


def _strongest(ranked: list[str], groups: Groups, effect: Effect) -> list[str]:
    return [name for name in ranked if _effect(_sum(groups[name])) == effect][:MOST_REASONS]


def _reason(group: list[Contribution]) -> Reason:
    total = _sum(group)
    evidence = tuple(_observation(contribution) for contribution in group)
    return Reason(
        indicator=group[0].feature.indicator,
        family=group[0].feature.family,
        effect=_effect(total),
        strength=_strength(total),
        log_odds=total,
        words=_in_words(evidence, total),
        evidence=evidence,
    )


def _observation(contribution: Contribution) -> Observation:
    return Observation(
        feature=contribution.feature.name,
        value=contribution.value,
        sentence=sentence(contribution.feature, contribution.value),
        usual=contribution.usual.words,
        percentile=contribution.usual.percentile,
        contribution=contribution.log_odds,
    )


def _in_words(evidence: Sequence[Observation], total: float) -> str:
    """The strongest evidence that pulls the way the whole reason does."""
    telling = next(e for e in evidence if e.contribution * total > 0)
    return f"{telling.sentence} ({telling.usual})."


def _families(contributions: Sequence[Contribution]) -> dict[str, float]:
    families: dict[str, list[Contribution]] = defaultdict(list)
    for contribution in contributions:
        families[contribution.feature.family].append(contribution)
    return {name: _sum(families[name]) for name in sorted(families)}


def _sum(contributions: Sequence[Contribution]) -> float:
    return math.fsum(contribution.log_odds for contribution in contributions)


def _effect(log_odds: float) -> Effect:
    return "for" if log_odds > 0 else "against"


def _strength(log_odds: float) -> Strength:
    if abs(log_odds) >= STRONG:
        return "strong"
    return "moderate" if abs(log_odds) >= MODERATE else "weak"
