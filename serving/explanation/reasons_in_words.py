"""Render stored reasons as text, on reading and in the reader's language.

A decision keeps its wording as long as the release words its features alike. A feature that the
release no longer has is shown by its name and value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from features.catalogue import feature_named
from features.definition import Feature, Unit
from features.errors import UnknownFeature
from features.indicators import CHECKS, FIRST_TO_CHECK, INDICATORS, TOPICS
from features.records import SubjectKind
from serving.explanation.comparison import (
    Comparison,
    comparison_in_words,
    digits_of_value,
    rarity,
)
from serving.explanation.decision_parts import CHECKED_WHEN_READ
from serving.explanation.formatting import (
    DIGITS,
    Value,
    capital,
    figure,
    number_of,
    readable,
    value_in_words,
)
from serving.explanation.reason_ranking import (
    Effect,
    RankedReason,
    Reasons,
    Strength,
    effect_of,
    strength_of,
)
from serving.explanation.true_reasons import MIN_EVENTS, shows_sign
from serving.language import ENGLISH, Language

WORDS = "{sentence} ({usual})."
# For a sentence that ends in a bracket: the comparison goes into the same bracket.
WORDS_OF_BRACKETED = "{sentence}; {usual})."
WHY_NOT_KNOWN = "{name}: not known, because {why}"
TOO_FEW = "too few inspections for a rate"
MAX_REMEMBERED = 20_000


@dataclass(frozen=True)
class Observation:
    """One feature within a reason: this case's value, what is usual, and its exact part."""

    __pydantic_config__ = CHECKED_WHEN_READ

    feature: str
    value: Value
    sentence: str
    usual: str
    comparison: Comparison
    contribution: float


@dataclass(frozen=True)
class Reason:
    """What one indicator says about this case; `log_odds` is the exact sum of its evidence.

    `topic` is what its features look at, whatever they find; `sign_of` is what the indicator is a
    sign of, and None where no value of the evidence shows it by itself. `check` says what to
    examine and what would clear it; None for a reason against. `words` say the evidence that stands
    first: the most telling fact that was measured. What adds nothing is no evidence.
    """

    __pydantic_config__ = CHECKED_WHEN_READ

    indicator: str
    topic: str
    sign_of: str | None
    family: str
    effect: Effect
    strength: Strength
    log_odds: float
    words: str
    evidence: tuple[Observation, ...]
    check: str | None = None


@dataclass(frozen=True)
class UnweightedFact:
    """An uncommon fact worth a check to which the score gives no weight, or weight against.

    `sign_of` is what its indicator is a sign of; `check` says what to examine and what would clear
    it; `words` say the fact and what is usual.
    """

    __pydantic_config__ = CHECKED_WHEN_READ

    indicator: str
    sign_of: str
    feature: str
    value: Value
    sentence: str
    usual: str
    words: str
    comparison: Comparison
    check: str


class RenderedValue(NamedTuple):
    """A value and its usual values as text, with whether it shows its sign and its rarity."""

    sentence: str
    usual: str
    words: str
    shows_sign: bool
    rarity: float


@dataclass(frozen=True)
class ReasonRenderer:
    """Renders the reasons of one case from its kind, values and contributions by feature."""

    kind: SubjectKind
    values: Mapping[str, Value]
    parts: Mapping[str, float]
    language: Language = ENGLISH

    def reasons(self, stored: Reasons) -> tuple[Reason, ...]:
        """Return every reason as text, the most urgent first; equal ones in stored order."""
        return tuple(sorted((self._reason(each, stored) for each in stored.reasons), key=_urgency))

    def unweighted(self, stored: Reasons) -> tuple[UnweightedFact, ...]:
        """Return the facts worth a check that the score does not rise by, as text."""
        return tuple(self._unweighted(*fact, stored) for fact in stored.unweighted.items())

    def _unweighted(self, name: str, comparison: Comparison, stored: Reasons) -> UnweightedFact:
        indicator = feature_named(name).indicator or ""
        counts = tuple(stored.said_with.get(name, {}).items())
        said = _rendered(name, self.values[name], counts, comparison, self.kind, self.language)
        return UnweightedFact(
            indicator=indicator,
            sign_of=self.language.say(INDICATORS[indicator]),
            feature=name,
            value=self.values[name],
            sentence=said.sentence,
            usual=said.usual,
            words=said.words,
            comparison=comparison,
            check=self.language.say(CHECKS[indicator]),
        )

    def strongest(self, stored: Reasons) -> dict[Effect, Reason]:
        """Return the first reason of each effect as text."""
        # In reverse, so that the first reason of each effect overwrites later ones.
        return {reason.effect: reason for reason in reversed(self.reasons(stored))}

    def _reason(self, ranked: RankedReason, stored: Reasons) -> Reason:
        found = [self._observation(name, stored) for name in ranked.evidence]
        lead, of_lead = max(found, key=lambda each: _tells(each[0], each[1], ranked.log_odds))
        sign = INDICATORS.get(ranked.indicator, ranked.indicator)
        topic = TOPICS.get(ranked.indicator, ranked.indicator)
        is_shown = ranked.log_odds > 0 and of_lead.shows_sign
        check = CHECKS.get(ranked.indicator) if ranked.log_odds > 0 else None
        return Reason(
            indicator=ranked.indicator,
            topic=self.language.say(topic),
            sign_of=self.language.say(sign) if is_shown else None,
            family=ranked.family,
            effect=effect_of(ranked.log_odds),
            strength=strength_of(ranked.log_odds),
            log_odds=ranked.log_odds,
            words=of_lead.words,
            evidence=(lead, *[seen for seen, _ in found if seen is not lead]),
            check=check and self.language.say(check),
        )

    def _observation(self, name: str, stored: Reasons) -> tuple[Observation, RenderedValue]:
        value, comparison = self.values[name], stored.comparisons[name]
        counts = tuple(stored.said_with.get(name, {}).items())
        said = _rendered(name, value, counts, comparison, self.kind, self.language)
        part = self.parts[name]
        return Observation(name, value, said.sentence, said.usual, comparison, part), said


def _urgency(reason: Reason) -> tuple[bool, float]:
    """Return the sort key of a reason: contradictions and finds first, then large and rare ones.

    Rarity multiplies the log-odds by up to three, as where a fact is chosen to head a reason.
    """
    is_first = reason.sign_of is not None and reason.indicator in FIRST_TO_CHECK
    rarest = max(rarity(seen.comparison) for seen in reason.evidence)
    return not is_first, -abs(reason.log_odds) * (1 + rarest)


def _tells(seen: Observation, rendered: RenderedValue, log_odds: float) -> tuple[bool, bool, float]:
    """Return the sort key for the leading observation: measured, on its side, strong and rare.

    A value that shows the sign precedes one that does not. Rarity multiplies the contribution by up
    to three.
    """
    pulls = seen.contribution * log_odds > 0
    is_measured = seen.value is not None and pulls
    shows = is_measured and log_odds > 0 and rendered.shows_sign
    return is_measured, shows, abs(seen.contribution) * (1 + rendered.rarity) * pulls


# Cached because most values recur: missing, none, yes, and the same few counts.
@lru_cache(MAX_REMEMBERED)
def _rendered(
    name: str,
    value: Value,
    counts: tuple[tuple[str, float], ...],
    comparison: Comparison,
    kind: SubjectKind,
    language: Language,
) -> RenderedValue:
    try:
        feature = feature_named(name)
    except UnknownFeature:
        said = _named(name, value, Unit.COUNT, language)
        usual, is_sign = comparison_in_words(comparison, Unit.COUNT, kind, language), False
    else:
        shown = value if "{value}" in feature.sentence else None
        digits = digits_of_value(shown, comparison, feature.unit)
        said = sentence(feature, value, language, dict(counts), digits)
        usual = (
            language.say(TOO_FEW)
            if _is_of_few(feature, dict(counts))
            else comparison_in_words(comparison, feature.unit, kind, language, shown)
        )
        is_sign = shows_sign(feature, value, comparison, dict(counts))
    words = with_usual(said, usual, language)
    return RenderedValue(said, usual, words, is_sign, rarity(comparison))


def with_usual(sentence: str, usual: str, language: Language = ENGLISH) -> str:
    """Combine a statement about the case with the usual values into a sentence."""
    if sentence.endswith(")"):
        return language.say(WORDS_OF_BRACKETED, sentence=sentence[:-1], usual=usual)
    return language.say(WORDS, sentence=sentence, usual=usual)


def _named(name: str, value: Value, unit: Unit, language: Language) -> str:
    """Return a feature that this release cannot word, as its name and value."""
    written = "–" if value is None else value_in_words(value, unit, language)
    return f"{language.say(readable(name))}: {written}"


def sentence(
    feature: Feature,
    value: Value,
    language: Language = ENGLISH,
    said_with: Mapping[str, float] = MappingProxyType({}),
    digits: int = DIGITS,
) -> str:
    """Return the statement about this case, without a full stop; a missing value gives its cause.

    `said_with` are the counts that the sentence names. If one is unknown, as in a decision of an
    earlier release, the feature's name and value are shown instead.
    """
    if value is None:
        name, why = language.say(readable(feature.name)), language.say(feature.when_missing)
        return language.say(WHY_NOT_KNOWN, name=name, why=why)
    if value == 0 and feature.sentence_of_none is not None:
        return capital(language.say(feature.sentence_of_none))
    if not said_with.keys() >= {*feature.said_with}:
        return _named(feature.name, value, feature.unit, language)
    if feature.sentence_below_zero and not isinstance(value, str) and value < 0:
        written = figure(-value, feature.unit, language, digits)
        return capital(language.say(feature.sentence_below_zero, value=written))
    written = figure(value, feature.unit, language, digits)
    if feature.sentence_of_one is None or isinstance(value, str):
        counts = {name: figure(said_with[name], Unit.COUNT, language) for name in feature.said_with}
        template = feature.sentence_of_few if _is_of_few(feature, said_with) else None
        return capital(language.say(template or feature.sentence, value=written, **counts))
    # The plural form must fit the number as shown, which is rounded.
    count = number_of(figure(value, feature.unit, ENGLISH, digits))
    return capital(language.say_of(count, feature.sentence_of_one, feature.sentence, value=written))


def _is_of_few(feature: Feature, said_with: Mapping[str, float]) -> bool:
    """Return True if a sentence counts too few inspections to name a rate."""
    is_rate = feature.sentence_of_few is not None
    return is_rate and said_with.get("inspected", MIN_EVENTS) < MIN_EVENTS
