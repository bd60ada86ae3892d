"""Decide whether a value may be named as a reason: the statement must be true of this case.

A model may raise a score because nothing is known, or because a value is perfectly harmless. That
is a habit of the model, learned from what coincided with it in training, and not a sign of
anything. A value therefore counts for a closer look only if it lies beyond what is usual on the
side on which its feature warns (`Feature.warns`), and against only on the other side. A missing
value is never a reason, nor is a 0 that only means "unknown", such as the number of payers where no
payment is known (`Feature.known_by`). Usual is what the model saw among the peers of the case:

- numbers are a sign where at most a tenth of the peers lie as far out, and harmless on the other
  side of the median; between the two they are no reason at all; a ratio to what is usual or
  possible is a sign of too much only above 1, and of too little only below, wherever its peers lie;
- yes or no is harmless on one side, and a sign on the other where at most a tenth have it;
- categories are a sign where at most a tenth of the peers have them.

A share of earlier events is a reason only if there were at least five; a finding is one however few
inspections there were, if it can be named, as those of a party can.
"""

from collections.abc import Mapping
from types import MappingProxyType

from features.definition import Feature, SuspiciousSide, Unit
from features.history.confirmed_finds import counts_finds
from serving.explanation.comparison import Comparison
from serving.explanation.formatting import Value

FIRST_QUARTER, MEDIAN, LAST_QUARTER = 25.0, 50.0, 75.0
# More peers as far out would make a value one that many have.
SELDOM = 0.1
MIN_EVENTS = 5
# A ratio this far from 1 by itself shows what its indicator is a sign of.
FAR_BELOW, FAR_ABOVE = 0.75, 1.25


def is_sign(feature: Feature, value: Value, comparison: Comparison) -> bool:
    """Return True if the value is a sign of the feature's indicator; never if it is missing."""
    if value is None or feature.warns is SuspiciousSide.NEVER:
        return False
    if isinstance(value, str):
        # Without a share the category never occurred in training.
        return (comparison.share or 0.0) <= SELDOM
    if feature.unit is Unit.YES_NO and feature.warns is not SuspiciousSide.EITHER:
        is_on_its_side = bool(value) == (feature.warns is SuspiciousSide.HIGH)
        return is_on_its_side and (comparison.share or 0.0) <= SELDOM
    is_low, is_high = (tail <= SELDOM for tail in _tails(value, comparison))
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
    """Return True if the value by itself shows what its indicator is a sign of.

    This is stricter than `is_sign`: a value may be slightly unusual and count for a closer look,
    such as nine journeys where most made twelve, without being a newcomer's. It must reach
    `shows_from` if its feature has one, and a ratio must be off by a quarter. `said_with` are the
    counts that its sentence names: an estimated rate of confirmed inspections is shrunk towards the
    average, and shows a finding only if one was counted.
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
    return True


def is_absence(feature: Feature, value: Value, known: Value) -> bool:
    """Return True if a value only means "unknown"; `known` is the value of its `known_by`."""
    return value is None or (feature.known_by is not None and not value and not known)


def tells_nothing(feature: Feature, said_with: Mapping[str, float], is_for: bool) -> bool:
    """Return True if the counts of a sentence are no reason: fewer than five earlier events.

    Findings that can be named are one however few inspections there were; inspections without a
    finding never speak for a closer look.
    """
    if (confirmed := said_with.get("confirmed")) is not None and (confirmed or is_for):
        is_of_few = said_with.get("inspected", MIN_EVENTS) < MIN_EVENTS
        return not confirmed or (is_of_few and not _names_finds(feature))
    earlier = [n for name, n in said_with.items() if feature.windows[name].by != ("subject_id",)]
    return bool(earlier) and max(earlier) < MIN_EVENTS


def _names_finds(feature: Feature) -> bool:
    return any(
        counts_finds(kind, window)
        for kind in feature.subjects
        for window in feature.windows.values()
    )


def agrees(feature: Feature, value: Value, comparison: Comparison, log_odds: float) -> bool:
    """Return True if a contribution of this sign may be named as a reason based on the value.

    Call it only for values that are no absence. For a feature that warns on either side, the
    harmless side is unknown, so only the middle half of the peers counts against it. A value of 0
    never counts against a feature that warns of low values.
    """
    if value is None or feature.warns is SuspiciousSide.NEVER:
        return False
    if log_odds > 0:
        return is_sign(feature, value, comparison)
    if feature.warns is SuspiciousSide.LOW and not value:
        return False
    if feature.warns is SuspiciousSide.EITHER:
        return _is_usual(value, comparison)
    return _is_harmless(feature, value, comparison)


def _is_harmless(feature: Feature, value: float | str, comparison: Comparison) -> bool:
    """Return True if the value lies on the side on which its feature does not warn."""
    if isinstance(value, str):
        return not is_sign(feature, value, comparison)
    if feature.unit is Unit.YES_NO:
        return bool(value) != (feature.warns is SuspiciousSide.HIGH)
    percentile = _percentile(value, comparison)
    return percentile <= MEDIAN if feature.warns is SuspiciousSide.HIGH else percentile >= MEDIAN


def _is_usual(value: float | str, comparison: Comparison) -> bool:
    """Return True if a value lies in the middle half, or if more than a tenth have the category."""
    if isinstance(value, str):
        return (comparison.share or 0.0) > SELDOM
    return FIRST_QUARTER <= _percentile(value, comparison) <= LAST_QUARTER


def _tails(value: float, comparison: Comparison) -> tuple[float, float]:
    """Return the shares of the peers that have as little, and as much; equal ones count in both."""
    place = _percentile(value, comparison) / 100
    equal = (comparison.share or 0.0) / 2 if comparison.how == "about_the_same" else 0.0
    return place + equal, 1 - place + equal


def _percentile(value: float, comparison: Comparison) -> float:
    """Return the percentile among peers; a value where no peer has any is beyond all of them."""
    if comparison.percentile is not None:
        return comparison.percentile
    if comparison.share is not None:  # yes and no
        return 50.0 + (50.0 - 50.0 * comparison.share) * (1 if value else -1)
    return 100.0 if value else 0.0
