"""Exact contributions, grouped into what speaks for a closer look and what speaks against.

Features of one indicator measure the same suspicion, and models share its weight among them at
whim; only their sum is stable. Sums of log-odds are exact, so base + reasons + remainder is the
score. Equal sums stand in the order of the catalogue.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from features.catalogue import feature_named
from features.definition import Feature
from features.errors import UnknownFeature
from features.indicators import INDICATORS
from features.records import SubjectKind
from serving.explanation.language import ENGLISH, Language
from serving.explanation.parts import Part
from serving.explanation.sayings import Said
from serving.explanation.usual import Usual, usual_in_words
from serving.explanation.wording import Value, sentence

MOST_REASONS = 8  # a side; what a person can weigh before deciding
SMALLEST_LOG_ODDS = 0.02  # changes the odds by 2 %: below that a reason is noise to its reader
STRONG, MODERATE = math.log(2), math.log(1.25)
WORDS = "{sentence} ({usual})."

Effect = Literal["for", "against"]
Strength = Literal["strong", "moderate", "weak"]


class Observation(Part):
    """One feature within a reason: this case's value, what is usual, and its exact part."""

    feature: str
    value: Value
    sentence: str
    usual: str
    beside: Usual
    contribution: float


class Reason(Part):
    """What one indicator says about this case; `log_odds` is the exact sum of its evidence.

    `sign_of` is what the indicator is a sign of; `words` say its most telling evidence. What adds
    nothing is no evidence.
    """

    indicator: str
    sign_of: str
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
    """Strongest first, for and against; with `remainder` and the base they add up to the score.

    `families` and `indicators` have the exact sum of every one, named as a reason or not.
    """

    reasons: tuple[Reason, ...]
    remainder: Remainder
    families: dict[str, float]
    indicators: dict[str, float]


class Contribution(NamedTuple):
    """A feature's value in this case, its part of the log-odds, and its place in the catalogue."""

    feature: Feature
    value: Value
    log_odds: float
    place: int


Say = Callable[[Feature, Value], Said]


def reasons_of(contributions: Sequence[Contribution], say: Say) -> Reasons:
    """Group contributions by indicator; the order doesn't depend on the order given."""
    groups = _grouped(contributions)
    sums = {name: _sum(group) for name, group in groups.items()}
    first = {name: min(c.place for c in group) for name, group in groups.items()}
    ranked = sorted(groups, key=lambda name: (-abs(sums[name]), first[name]))
    telling = [name for name in ranked if abs(sums[name]) >= SMALLEST_LOG_ODDS]
    named = _strongest(telling, sums, "for") + _strongest(telling, sums, "against")
    rest = [c for name in ranked if name not in named for c in groups[name]]
    return Reasons(
        reasons=tuple(_reason(groups[n], sums[n], say) for n in ranked if n in named),
        remainder=Remainder(features=len(rest), log_odds=_sum(rest)),
        families=_families(contributions),
        indicators={name: sums[name] for name in sorted(sums)},
    )


def reason_in(language: Language, reason: Reason, kind: SubjectKind) -> Reason:
    """A stored reason in another language; one that this release cannot say stays as it was."""
    if language is ENGLISH:
        return reason
    try:
        evidence = tuple(_observed_in(language, seen, kind) for seen in reason.evidence)
    except UnknownFeature:
        return reason
    return reason.model_copy(
        update={
            "sign_of": language.say(INDICATORS[reason.indicator]),
            "words": _in_words(evidence, reason.log_odds, language),
            "evidence": evidence,
        }
    )


Groups = Mapping[str, list[Contribution]]


def _grouped(contributions: Sequence[Contribution]) -> Groups:
    groups: dict[str, list[Contribution]] = defaultdict(list)
    for contribution in sorted(contributions, key=lambda c: (-abs(c.log_odds), c.place)):
        groups[contribution.feature.indicator].append(contribution)
    return groups


def _strongest(ranked: list[str], sums: Mapping[str, float], effect: Effect) -> list[str]:
    return [name for name in ranked if _effect(sums[name]) == effect][:MOST_REASONS]


def _reason(group: list[Contribution], total: float, say: Say) -> Reason:
    telling = (contribution for contribution in group if contribution.log_odds)
    evidence = tuple(_observation(contribution, say) for contribution in telling)
    indicator = group[0].feature.indicator
    return Reason(
        indicator=indicator,
        sign_of=INDICATORS[indicator],
        family=group[0].feature.family,
        effect=_effect(total),
        strength=_strength(total),
        log_odds=total,
        words=_in_words(evidence, total, ENGLISH),
        evidence=evidence,
    )


def _observation(contribution: Contribution, say: Say) -> Observation:
    said = say(contribution.feature, contribution.value)
    return Observation(
        feature=contribution.feature.name,
        value=contribution.value,
        sentence=said.sentence,
        usual=said.usual,
        beside=said.beside,
        contribution=contribution.log_odds,
    )


def _observed_in(language: Language, seen: Observation, kind: SubjectKind) -> Observation:
    feature = feature_named(seen.feature)
    return seen.model_copy(
        update={
            "sentence": sentence(feature, seen.value, language),
            "usual": usual_in_words(seen.beside, feature.unit, kind, language),
        }
    )


def _in_words(evidence: Sequence[Observation], total: float, language: Language) -> str:
    """The strongest evidence that pulls the way the whole reason does."""
    telling = next(e for e in evidence if e.contribution * total > 0)
    return language.say(WORDS, sentence=telling.sentence, usual=telling.usual)


def _families(contributions: Sequence[Contribution]) -> dict[str, float]:
    families: dict[str, list[Contribution]] = defaultdict(list)
    for contribution in contributions:
        families[contribution.feature.family].append(contribution)
    return {name: _sum(families[name]) for name in sorted(families)}


def _sum(contributions: Sequence[Contribution]) -> float:
    return math.fsum([contribution.log_odds for contribution in contributions])


def _effect(log_odds: float) -> Effect:
    return "for" if log_odds > 0 else "against"


def _strength(log_odds: float) -> Strength:
    if abs(log_odds) >= STRONG:
        return "strong"
    return "moderate" if abs(log_odds) >= MODERATE else "weak"
