"""Whether a value may be named as a reason: what is said of it must be true of this case.

A model may raise a score because nothing is known, or because a value is as harmless as can be:
that is a habit of the model, learnt from whatever went with it in training, and no sign of
anything. So a value speaks for a closer look only where it lies on the side of usual on which its
feature warns (`Feature.warns`), and speaks against only where it does not. What is missing is
never a reason. "Usual" is what the model saw among the peers of the case:

- of numbers that warn when high (low), those above (below) the median;
- of numbers that warn on either side, those outside the middle half;
- yes or no, the side itself;
- of categories, those that less than a tenth of the peers have.
"""

from features.definition import Feature, Unit, Warns
from serving.explanation.comparison import Comparison
from serving.explanation.formatting import Value

MEDIAN, MIDDLE_HALF = 50.0, (25.0, 75.0)
SELDOM = 0.1


def is_sign(feature: Feature, value: Value, comparison: Comparison) -> bool:
    """Whether the value is a sign of the feature's indicator; never where it is missing."""
    if value is None or feature.warns is Warns.NEVER:
        return False
    if isinstance(value, str):
        return (comparison.share or 0.0) < SELDOM
    if feature.unit is Unit.YES_NO and feature.warns is not Warns.EITHER:
        return bool(value) == (feature.warns is Warns.HIGH)
    percentile = _percentile(value, comparison)
    if feature.warns is Warns.HIGH:
        return percentile > MEDIAN
    if feature.warns is Warns.LOW:
        return percentile < MEDIAN
    low, high = MIDDLE_HALF
    return not low <= percentile <= high


def agrees(feature: Feature, value: Value, comparison: Comparison, log_odds: float) -> bool:
    """Whether a contribution of this sign may be named as a reason that rests on the value.

    Of a feature that warns on either side the domain does not know which one is harmless, so that
    every value of it may speak against.
    """
    if value is None or feature.warns is Warns.NEVER:
        return False
    if log_odds > 0:
        return is_sign(feature, value, comparison)
    return feature.warns is Warns.EITHER or not is_sign(feature, value, comparison)


def _percentile(value: float, comparison: Comparison) -> float:
    """The place among peers; where they never had a value, this one is beyond all of them."""
    if comparison.percentile is not None:
        return comparison.percentile
    if comparison.share is not None:  # yes and no
        return 50.0 + (50.0 - 50.0 * comparison.share) * (1 if value else -1)
    return 100.0 if value else 0.0
