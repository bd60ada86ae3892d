"""Whether a value may be named as a reason: what is said of it must be true of this case.

A model may raise a score because nothing is known, or because a value is as harmless as can be:
that is a habit of the model, learnt from whatever went with it in training, and no sign of
anything. So a value speaks for a closer look only where it lies beyond what is usual, on the side
on which its feature warns (`Feature.warns`), and speaks against only on the other side. What is
missing is never a reason, and neither is a 0 that only says that nothing is known: of payers, where
no payment is (`Feature.known_by`). Usual is what the model saw among the peers of the case:

- numbers are a sign outside the middle half of the peers, and harmless on the other side of the
  median; between the two they are no reason at all; a ratio to what is usual or possible is a sign
  of too much only above 1, and of too little only below, wherever its peers lie;
- yes or no is harmless on one side, and a sign on the other where less than half have it;
- categories are a sign where less than a tenth of the peers have them.
"""

from collections.abc import Mapping
from types import MappingProxyType

from features.definition import Feature, SuspiciousSide, Unit
from serving.explanation.comparison import Comparison
from serving.explanation.formatting import Value

FIRST_QUARTER, MEDIAN, LAST_QUARTER = 25.0, 50.0, 75.0
SELDOM, HALF = 0.1, 0.5
FIRST_TENTH, LAST_TENTH = 10.0, 90.0
# A ratio that is so much less or more than 1 shows what its indicator is a sign of.
FAR_BELOW, FAR_ABOVE = 0.75, 1.25


def is_sign(feature: Feature, value: Value, comparison: Comparison) -> bool:
    """Whether the value is a sign of the feature's indicator; never where it is missing."""
    if value is None or feature.warns is SuspiciousSide.NEVER:
        return False
    if isinstance(value, str):
        return (comparison.share or 0.0) < SELDOM
    if feature.unit is Unit.YES_NO and feature.warns is not SuspiciousSide.EITHER:
        is_on_its_side = bool(value) == (feature.warns is SuspiciousSide.HIGH)
        return is_on_its_side and (comparison.share or 0.0) < HALF
    percentile = _percentile(value, comparison)
    is_high, is_low = percentile > LAST_QUARTER, percentile < FIRST_QUARTER
    if feature.unit is Unit.RATIO:
        is_high, is_low = is_high and value > 1, is_low and value < 1
    return {SuspiciousSide.HIGH: is_high, SuspiciousSide.LOW: is_low}.get(
        feature.warns, is_high or is_low
    )


def shows_sign(
    feature: Feature,
    value: Value,
    comparison: Comparison,
    said_with: Mapping[str, float] = MappingProxyType({}),
) -> bool:
    """Return whether the value by itself shows what its indicator is a sign of.

    More than `is_sign` asks: a value may be a little beyond usual and speak for a closer look, as
    nine journeys where most made twelve, and yet be no newcomer's. It has to reach `shows_from`
    where its feature has one; a ratio has to be a quarter off, and what warns on either side to lie
    beyond nine in ten of its peers. `said_with` are the counts that its sentence names: a rate at
    which inspections confirmed something is drawn to that of all, and shows a finding only where
    one was counted.
    """
    counts_no_finding = "confirmed" in feature.said_with and not said_with.get("confirmed")
    if value is None or counts_no_finding or not is_sign(feature, value, comparison):
        return False
    if isinstance(value, str) or feature.unit is Unit.YES_NO:
        return True
    if feature.shows_from is not None:
        is_low = feature.warns is SuspiciousSide.LOW
        return value <= feature.shows_from if is_low else value >= feature.shows_from
    if feature.unit is Unit.RATIO:
        return value <= FAR_BELOW or value >= FAR_ABOVE
    if feature.warns is not SuspiciousSide.EITHER:
        return True
    return not FIRST_TENTH <= _percentile(value, comparison) <= LAST_TENTH


def is_absence(feature: Feature, value: Value, known: Value) -> bool:
    """Whether a value only says that nothing is known; `known` is that of its `known_by`."""
    return value is None or (feature.known_by is not None and not value and not known)


def agrees(feature: Feature, value: Value, comparison: Comparison, log_odds: float) -> bool:
    """Whether a contribution of this sign may be named as a reason that rests on the value.

    What is no absence is asked of. Of a feature that warns on either side the domain does not know
    which one is harmless, so that every value of it may speak against that does not show the sign;
    none at all of what warns where there is little never does.
    """
    if value is None or feature.warns is SuspiciousSide.NEVER:
        return False
    if log_odds > 0:
        return is_sign(feature, value, comparison)
    if feature.warns is SuspiciousSide.LOW and not value:
        return False
    if feature.warns is SuspiciousSide.EITHER:
        return not shows_sign(feature, value, comparison)
    return _is_harmless(feature, value, comparison)


def _is_harmless(feature: Feature, value: float | str, comparison: Comparison) -> bool:
    """Whether the value lies on the side on which its feature does not warn."""
    if isinstance(value, str):
        return not is_sign(feature, value, comparison)
    if feature.unit is Unit.YES_NO:
        return bool(value) != (feature.warns is SuspiciousSide.HIGH)
    percentile = _percentile(value, comparison)
    return percentile <= MEDIAN if feature.warns is SuspiciousSide.HIGH else percentile >= MEDIAN


def _percentile(value: float, comparison: Comparison) -> float:
    """The place among peers; where they never had a value, this one is beyond all of them."""
    if comparison.percentile is not None:
        return comparison.percentile
    if comparison.share is not None:  # yes and no
        return 50.0 + (50.0 - 50.0 * comparison.share) * (1 if value else -1)
    return 100.0 if value else 0.0
