"""Rank exact contributions into reasons for and against a closer look.

This module only makes facts, which are stored; `reasons_in_words` turns them into text for readers.
Features of one indicator measure the same suspicion, and models divide its weight among them
arbitrarily; only their sum is stable. A contribution that would be untrue as a reason
(`true_reasons`) is a habit of the model. Sums of log-odds are exact, so base + reasons + remainder
+ habits equals the score. Equal sums keep the order of the model.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from itertools import accumulate
from types import MappingProxyType
from typing import Literal, TypeVar

from pydantic import Field

from features.catalogue import feature_named
from features.definition import Feature, Peers
from features.indicators import CHECKS
from serving.explanation.comparison import Comparison, compare_with_peers, rarity
from serving.explanation.decision_parts import CHECKED_WHEN_READ, DecisionPart
from serving.explanation.formatting import Value
from serving.explanation.true_reasons import agrees, is_absence, shows_sign, tells_nothing
from training.model.risk_model import RiskModel

FEW_REASONS = 8  # per side: as many as a person can weigh before deciding
MAX_REASONS = 99  # per side: above FEW_REASONS only if the rest would outweigh a named reason
MAX_REMEMBERED = 20_000
MAX_CHECKS = 3  # of the first reasons, shown with them
SMALLEST_LOG_ODDS = 0.02  # changes the odds by 2 %; less is noise beside stronger reasons
# An unusual fact is worth a check though it adds little: so many for a closer look are named if
# they add this much.
FEWEST_REASONS, LEAST_LOG_ODDS = 3, 0.005
STRONG, MODERATE = math.log(2), math.log(1.25)

NO_COUNTS: Mapping[str, float] = MappingProxyType({})

Key = TypeVar("Key", int, str)
Effect = Literal["for", "against"]
Strength = Literal["strong", "moderate", "weak"]


@dataclass(frozen=True)
class RankedReason:
    """One indicator for or against a closer look; `log_odds` is the exact sum of its features.

    `evidence` names the features that contribute, strongest first.
    """

    __pydantic_config__ = CHECKED_WHEN_READ

    indicator: str
    family: str
    log_odds: float
    evidence: tuple[str, ...]


class Remainder(DecisionPart):
    """All that is too weak to be named: how many features, and the exact sum of their parts.

    The sum is never larger than a named reason: weaker ones are named until it is not.
    """

    features: int
    log_odds: float


class Habits(DecisionPart):
    """What the model adds for values that are no indicator: how many, and the exact sum.

    `raises` and `lowers` are the sums of those parts that raise the score and of those that lower
    it: missing values, values on the harmless side of usual, scales and descriptions. `named` has
    the exact parts of the strongest, so many that what is left is no larger than a named reason.
    """

    features: int
    log_odds: float
    raises: float
    lowers: float
    named: dict[str, float] = Field(default_factory=dict)

    @property
    def rest(self) -> Remainder:
        """The habits that are not named."""
        rest = math.fsum([self.log_odds, *(-part for part in self.named.values())])
        return Remainder(features=self.features - len(self.named), log_odds=rest)


# The default for decisions before December 2026, whose reasons contained every contribution.
NO_HABITS = Habits(features=0, log_odds=0.0, raises=0.0, lowers=0.0)


class Reasons(DecisionPart):
    """The ranked reasons; with `remainder`, `habits` and the base they add up to the score.

    `comparisons` compare every feature in evidence with training, and `said_with` holds the counts
    that its sentence names. `families` and `indicators` have the exact sum of each, whether named
    as a reason or not, habits included. `unweighted` has facts worth a check to which the score
    gives no weight, or weight against: uncommon values on the side on which their feature warns,
    where fewer than FEWEST_REASONS speak for a closer look. They are no part of the sum.
    """

    reasons: tuple[RankedReason, ...]
    comparisons: dict[str, Comparison]
    remainder: Remainder
    habits: Habits = NO_HABITS
    families: dict[str, float]
    indicators: dict[str, float]
    said_with: dict[str, dict[str, float]] = Field(default_factory=dict)
    unweighted: dict[str, Comparison] = Field(default_factory=dict)

    @property
    def features_named(self) -> tuple[str, ...]:
        """The features of all evidence and of the facts without weight."""
        return (*(name for each in self.reasons for name in each.evidence), *self.unweighted)


# The comparison of a value, and True if a part that raises the score, or lowers it, agrees with it.
Judgement = tuple[Comparison, bool]
Judge = Callable[[Feature, Value, bool], Judgement]


def judge(
    compare: Callable[[Feature, Value], Comparison], feature: Feature, value: Value, is_for: bool
) -> Judgement:
    """Compare a value, and judge if a part for a closer look, or against, may be named."""
    compared = compare(feature, value)
    return compared, agrees(feature, value, compared, 1.0 if is_for else -1.0)


@dataclass(frozen=True)
class Comparisons:
    """A cache of judgements by the training cases of one model.

    Most values recur, and a lookup among peers costs more than the value's part of a score. Not
    thread-safe.
    """

    model: RiskModel
    _remembered: dict[tuple[str, Value, str | None, bool], Judgement] = field(default_factory=dict)

    @cached_property
    def ranking(self) -> "ReasonRanking":
        """The ranking of the features that the model reads."""
        return ranking_of(tuple(self.model.encoding.names))

    def of(
        self, groups: Mapping[Peers, str], feature: Feature, value: Value, is_for: bool
    ) -> Judgement:
        """Return the judgement of a value whose subject belongs to these peer groups."""
        key = (feature.name, value, groups.get(feature.among), is_for)
        judgement = self._remembered.get(key)
        if judgement is None:
            # Bounds the memory; most values recur, so the cache fills again soon.
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            compare = partial(compare_with_peers, self.model, groups)
            judgement = self._remembered[key] = judge(compare, feature, value, is_for)
        return judgement


class FeatureGroups:
    """Features grouped by a shared name; sums their contributions group by group."""

    def __init__(self, features: Sequence[Feature], by: Literal["indicator", "family"]):
        places: dict[str, list[int]] = defaultdict(list)
        for place, feature in enumerate(features):
            if name := getattr(feature, by):
                places[name].append(place)
        self.places = {name: tuple(own) for name, own in sorted(places.items())}
        ends = [*accumulate(map(len, self.places.values()), initial=0)]
        self._stretches = [*zip(self.places, map(slice, ends, ends[1:]), strict=True)]
        self._laid_out = [place for own in self.places.values() for place in own]

    def sums(self, parts: Sequence[float]) -> dict[str, float]:
        """Return the exact sum of every group, ordered by name."""
        # One pass lays the parts out group by group, so that each sum is a slice.
        laid = [parts[place] for place in self._laid_out]
        return {name: math.fsum(laid[stretch]) for name, stretch in self._stretches}


class ReasonRanking:
    """Ranks contributions to the features of one model; prepared once for all cases."""

    def __init__(self, features: Sequence[Feature]):
        """Index features in the order of every case's values and parts."""
        self._features = tuple(features)
        self._names = [feature.name for feature in self._features]
        self._indicators = FeatureGroups(self._features, "indicator")
        self._families = FeatureGroups(self._features, "family")
        self._in_order = [*dict.fromkeys(f.indicator for f in self._features if f.indicator)]
        self._signs = [
            (name, at, self._features[at])
            for name in self._in_order
            for at in self._indicators.places[name]
        ]
        self._scales = tuple(at for at, f in enumerate(self._features) if f.indicator is None)
        place_of = {name: place for place, name in enumerate(self._names)}
        # The feature that shows if a 0 was observed; features without one refer to themselves.
        self._known_by = [place_of.get(f.known_by or f.name, at) for at, f in enumerate(features)]

    def reasons(
        self,
        values: Sequence[Value],
        parts: Sequence[float],
        judge: Judge,
        said_with: Mapping[str, Mapping[str, float]] = MappingProxyType({}),
    ) -> Reasons:
        """Rank the parts of one case by indicator; calls `judge` only for possible reasons.

        `said_with` are the counts that sentences name, by feature and name.
        """

        def counts(at: int) -> Mapping[str, float]:
            return said_with.get(self._names[at], NO_COUNTS)

        comparisons: dict[int, Comparison] = {}
        # By indicator, what may be named and what adds nothing; then what is no reason.
        agreeing: dict[str, list[int]] = {name: [] for name in self._in_order}
        of_habits: dict[int, float] = {}
        for name, at, feature in self._signs:
            value, part = values[at], parts[at]
            if not part:
                is_reason = True
            elif is_absence(feature, value, values[self._known_by[at]]) or tells_nothing(
                feature, counts(at), part > 0
            ):
                is_reason = False
            else:
                comparisons[at], is_reason = judge(feature, value, part > 0)
            if is_reason:
                agreeing[name].append(at)
            else:
                of_habits[at] = part
        # fsum rounds only once, so the result does not depend on the order of the parts.
        sums = {name: math.fsum([parts[at] for at in own]) for name, own in agreeing.items()}
        ranked = sorted(sums, key=lambda name: abs(sums[name]), reverse=True)
        # Begin with the strongest on each side, then add more until what is left cannot outweigh a
        # named reason.
        named = _named_until_rest_is_small(ranked, sums, _strongest(ranked, sums))
        evidence = {name: _evidence(parts, agreeing[name]) for name in named}
        rest = [at for name in ranked if name not in evidence for at in agreeing[name]]
        # Scales have no indicator, so their contributions can only be habits.
        of_habits |= {at: parts[at] for at in self._scales if parts[at]}
        habits = [*of_habits.values()]
        lacking = FEWEST_REASONS - sum(sums[name] > 0 for name in evidence)
        others = self._unweighted(values, parts, judge, counts, evidence) if lacking > 0 else []
        unweighted = others[: max(lacking, 0)]
        by_size = sorted(of_habits, key=lambda at: -abs(of_habits[at]))
        smallest = min([abs(sums[name]) for name in named], default=0.0)
        named_habits = _named_until_rest_is_small(by_size, of_habits, [], smallest)
        return Reasons(
            reasons=tuple([self._ranked(name, sums[name], at) for name, at in evidence.items()]),
            comparisons={
                self._names[at]: comparisons[at] for found in evidence.values() for at in found
            },
            remainder=Remainder(features=len(rest), log_odds=math.fsum([parts[at] for at in rest])),
            habits=Habits(
                features=len(habits),
                log_odds=math.fsum(habits),
                raises=math.fsum([part for part in habits if part > 0]),
                lowers=math.fsum([part for part in habits if part < 0]),
                named={self._names[at]: parts[at] for at in named_habits},
            ),
            families=self._families.sums(parts),
            indicators=self._indicators.sums(parts),
            said_with={
                name: dict(said_with[name])
                for found in (*evidence.values(), [at for at, _ in unweighted])
                for name in map(self._names.__getitem__, found)
                if name in said_with
            },
            unweighted={self._names[at]: comparison for at, comparison in unweighted},
        )

    def _unweighted(
        self,
        values: Sequence[Value],
        parts: Sequence[float],
        judge: Judge,
        counts: Callable[[int], Mapping[str, float]],
        evidence: Mapping[str, Sequence[int]],
    ) -> list[tuple[int, Comparison]]:
        """Return the rarest fact of each further indicator that the score does not rise by.

        Only of indicators that say what to check, the rarest first.
        """
        found: dict[str, tuple[int, Comparison]] = {}
        for name, at, feature in self._signs:
            value, known = values[at], values[self._known_by[at]]
            if parts[at] > 0 or name not in CHECKS or name in evidence:
                continue
            if is_absence(feature, value, known) or tells_nothing(feature, counts(at), True):
                continue
            comparison, _ = judge(feature, value, True)
            if not shows_sign(feature, value, comparison, counts(at)):
                continue
            if name not in found or rarity(comparison) > rarity(found[name][1]):
                found[name] = at, comparison
        return sorted(found.values(), key=lambda each: -rarity(each[1]))

    def _ranked(self, indicator: str, total: float, evidence: Sequence[int]) -> RankedReason:
        return RankedReason(
            indicator=indicator,
            family=self._features[evidence[0]].family,
            log_odds=total,
            evidence=tuple([self._names[at] for at in evidence]),
        )


@lru_cache(maxsize=4)
def ranking_of(names: tuple[str, ...]) -> ReasonRanking:
    """Return the ranking of these features, which may be those of an earlier catalogue.

    Raises UnknownFeature for a feature that this release does not have.
    """
    return ReasonRanking([feature_named(name) for name in names])


def effect_of(log_odds: float) -> Effect:
    """Return the direction of a sum."""
    return "for" if log_odds > 0 else "against"


def strength_of(log_odds: float) -> Strength:
    """Return the strength of a sum, by how much it changes the odds."""
    if abs(log_odds) >= STRONG:
        return "strong"
    return "moderate" if abs(log_odds) >= MODERATE else "weak"


def _strongest(ranked: list[str], sums: Mapping[str, float]) -> list[str]:
    """Return the first FEW_REASONS for, and as many against; of small ones FEWEST_REASONS for."""
    room: dict[Effect, int] = {"for": FEW_REASONS, "against": FEW_REASONS}
    named = []
    for name in ranked:
        effect = effect_of(sums[name])
        is_needed = effect == "for" and room[effect] > FEW_REASONS - FEWEST_REASONS
        smallest = LEAST_LOG_ODDS if is_needed else SMALLEST_LOG_ODDS
        if room[effect] and abs(sums[name]) >= smallest:
            room[effect] -= 1
            named.append(name)
    return named


def _named_until_rest_is_small(
    ranked: Sequence[Key],
    sums: Mapping[Key, float],
    named: Sequence[Key],
    smallest: float | None = None,
) -> list[Key]:
    """Extend `named`, by rank, until the sum of the rest is no larger than any of them.

    The next one named is the strongest that pulls in the direction of the rest, so that the rest
    becomes balanced. If nothing is named, only `smallest` can be a limit.
    """
    chosen = set(named)
    rest = [key for key in ranked if key not in chosen]
    parts = [sums[key] for key in rest]
    least = min([abs(sums[key]) for key in named], default=0.0) if smallest is None else smallest
    left = math.fsum(parts)
    while least and abs(left) > least:
        at = next(at for at, part in enumerate(parts) if part * left > 0)
        chosen.add(rest.pop(at))
        least = min(least, abs(parts.pop(at)))
        left = math.fsum(parts)
    return [key for key in ranked if key in chosen]


def _evidence(parts: Sequence[float], places: Sequence[int]) -> list[int]:
    """Return the contributing indices, strongest first; a contribution of 0 is no evidence."""
    adding = [at for at in places if parts[at]]
    return adding if len(adding) == 1 else sorted(adding, key=lambda at: -abs(parts[at]))
