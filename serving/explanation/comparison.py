"""Compare a value with the training cases, or with its peers among them where there are enough.

Comparisons are stored with a decision as facts; they are put into words in the reader's language.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from features.definition import Feature, Peers, Unit
from features.records import SubjectKind
from serving.explanation.decision_parts import CHECKED_WHEN_READ
from serving.explanation.formatting import DIGITS, MAX_DIGITS, Value, value_in_words
from serving.language import ENGLISH, Language
from training.model.risk_model import RiskModel

if TYPE_CHECKING:
    from training.model.manifest import Reference

How = Literal[
    "missing",
    "same",
    "about_the_same",
    "unseen",
    "never_present",
    "others_equal",
    "below_all",
    "or_more",
    "between",
    "or_less",
    "above_all",
]

SAYINGS: dict[How, str] = {
    "missing": "missing in {share} of {peers}",
    "same": "as in {share} of {peers}",
    "about_the_same": "as in about {share} of {peers}",
    "unseen": "never seen in training",
    "never_present": "never seen with a value in training",
    "others_equal": "{share} of {peers} have {low}",
    "below_all": "among {peers} the lowest is {low}",
    "or_more": "{share} of {peers} have {low} or more",
    "between": "half of {peers} have between {low} and {high}",
    "or_less": "{share} of {peers} have {high} or less",
    "above_all": "among {peers} the highest is {high}",
}
# For hours before an event, where a larger value is earlier.
SAYINGS_OF_INSTANTS: dict[How, str] = {
    "below_all": "among {peers} the latest is {low}",
    "or_more": "{share} of {peers} have {low} or earlier",
    "or_less": "{share} of {peers} have {high} or later",
    "above_all": "among {peers} the earliest is {high}",
}
# For ratios, whose bounds are per cent of the quantity that the sentence compares with.
SAYINGS_OF_RATIOS: dict[How, str] = {
    "others_equal": "{share} of {peers} have {low} of it",
    "below_all": "among {peers} the lowest is {low} of it",
    "or_more": "{share} of {peers} have {low} of it or more",
    "between": "half of {peers} have between {low} and {high} of it",
    "or_less": "{share} of {peers} have {high} of it or less",
    "above_all": "among {peers} the highest is {high} of it",
}
PEERS: dict[tuple[SubjectKind, Peers], str] = {
    ("route", Peers.ALL): "all routes",
    ("route", Peers.CORRIDOR): "routes on this corridor",
    ("shipment", Peers.ALL): "all shipments",
    ("shipment", Peers.CORRIDOR): "shipments on this corridor",
    ("shipment", Peers.GOODS): "shipments of these goods",
}
FEWER, NEARLY_ALL = "fewer than 1 %", "more than 99 %"
MAX_RARITY = 2.0


# A dataclass instead of a `DecisionPart`: tens of thousands are cached, and a pydantic model would
# take several times the memory. Slots would save more of it, but triple the time of JSON.
@dataclass(frozen=True)
class Comparison:
    """How a value compares: `how`, with the share (0 to 1) and the bounds that it speaks of.

    `percentile` places a number among the present ones of its peers.
    """

    __pydantic_config__ = CHECKED_WHEN_READ

    how: How
    among: Peers = Peers.ALL
    share: float | None = None
    low: float | None = None
    high: float | None = None
    percentile: float | None = None


def compare_with_peers(
    model: RiskModel, groups: Mapping[Peers, str], feature: Feature, value: Value
) -> Comparison:
    """Compare a value with its peers in training, or with all cases if they are too few."""
    peers = model.peers.in_group(feature, groups.get(feature.among))
    if peers is None:
        return compare_value(value, model.manifest.reference[feature.name], feature.unit)
    return compare_value(value, peers.reference, feature.unit, feature.among)


def compare_value(
    value: Value, compared: "Reference", unit: Unit, among: Peers = Peers.ALL
) -> Comparison:
    """Compare any value with the usual values."""
    if value is None:
        return Comparison(how="missing", among=among, share=compared.missing_share)
    name = _name(value, unit) if compared.shares else None
    if name is not None or isinstance(value, str):
        share = compared.shares.get(name or str(value))
        return Comparison(how="unseen" if share is None else "same", among=among, share=share)
    return _number(value, compared.quantiles, among)


def comparison_in_words(
    comparison: Comparison,
    unit: Unit,
    kind: SubjectKind,
    language: Language = ENGLISH,
    value: Value = None,
) -> str:
    """Return the usual values, as shown in brackets after a sentence.

    Bounds have enough digits to differ from `value`, if the sentence names one.
    """
    values = {"peers": language.say(PEERS[kind, comparison.among])}
    if comparison.share is not None:
        values["share"] = _share(comparison.share, language)
    for name, bound in (("low", comparison.low), ("high", comparison.high)):
        if bound is not None:
            digits = digits_to_tell(value, bound, unit)
            values[name] = value_in_words(bound, unit, language, digits)
    is_bound = comparison.share is not None and not 0.005 <= comparison.share < 0.995
    # A bound such as "more than 99 %" is not approximate, nor are all of them.
    how = "same" if comparison.how == "about_the_same" and is_bound else comparison.how
    unlike = {Unit.HOURS_BEFORE: SAYINGS_OF_INSTANTS, Unit.RATIO: SAYINGS_OF_RATIOS}.get(unit, {})
    return language.say(unlike.get(how, SAYINGS[how]), **values)


def rarity(comparison: Comparison) -> float:
    """Return how rare a value is among its peers: 0 if half have it or more, 2 beyond all.

    >>> rarity(Comparison("below_all")), rarity(Comparison("or_less", percentile=95.0))
    (2.0, 1.0)
    """
    if comparison.how in ("below_all", "above_all", "unseen", "never_present"):
        return MAX_RARITY
    share = comparison.share
    if comparison.percentile is not None:
        share = 2 * min(comparison.percentile, 100 - comparison.percentile) / 100
    return 0.0 if share is None else min(-math.log10(max(share, 1e-9)), MAX_RARITY)


def digits_of_value(value: Value, comparison: Comparison, unit: Unit) -> int:
    """Return how many digits distinguish a value from the bounds of its comparison."""
    return max(digits_to_tell(value, b, unit) for b in (comparison.low, comparison.high))


def digits_to_tell(value: Value, bound: float | None, unit: Unit) -> int:
    """Return how many digits distinguish a value from a bound.

    Two if they are equal or if even four digits do not suffice.

    >>> digits_to_tell(1.134, 1.141, Unit.EURO_PER_KG), digits_to_tell(1.1, 4.5, Unit.EURO_PER_KG)
    (3, 2)
    """
    if value is None or isinstance(value, str) or bound in (None, value) or unit is Unit.RATIO:
        return DIGITS
    for digits in range(DIGITS, MAX_DIGITS + 1):
        if value_in_words(value, unit, digits=digits) != value_in_words(bound, unit, digits=digits):
            return digits
    return DIGITS


def percentile_of(value: float, quantiles: Sequence[float]) -> float:
    """Return the per cent of cases below `value`, from quantiles at even steps of 0 to 100 %.

    Interpolates between steps; a value that fills several steps is placed in their middle.

    >>> percentile_of(25.0, [0.0, 10.0, 20.0, 30.0, 40.0]), percentile_of(99.0, [0.0, 10.0])
    (62.5, 100.0)
    >>> percentile_of(0.0, [0.0, 0.0, 0.0, 1.0, 2.0])
    25.0
    """
    return _percentile(
        value, quantiles, bisect_left(quantiles, value), bisect_right(quantiles, value)
    )


def _percentile(value: float, quantiles: Sequence[float], below: int, upto: int) -> float:
    if below < upto:
        place = (below + upto - 1) / 2
    elif below in (0, len(quantiles)):
        place = min(below, len(quantiles) - 1)
    else:
        low, high = quantiles[below - 1], quantiles[below]
        place = below - 1 + (value - low) / (high - low)
    return 100.0 * place / (len(quantiles) - 1)


def _number(value: float, steps: Sequence[float], among: Peers) -> Comparison:
    """Compare a number with the quantiles, claiming only what holds for the steps themselves."""
    if len(steps) < 2:
        return Comparison(how="never_present", among=among)
    last = len(steps) - 1
    below, upto = bisect_left(steps, value), bisect_right(steps, value)
    low = high = share = None
    how: How
    if upto - below > 1:
        # The value also fills half a step on either side, except at an end of the scale.
        is_extreme = below == 0 or upto > last
        how, share = "about_the_same", (upto - below - is_extreme) / last
    elif upto == 0:
        how, low = "below_all", steps[0]
    elif below > last:
        how, high = "above_all", steps[-1]
    elif steps[last // 4] <= value <= steps[-1 - last // 4]:
        how, low, high = "between", steps[last // 4], steps[-1 - last // 4]
    elif value < steps[last // 4]:
        low, share = steps[upto], 1 - upto / last
        how = "others_equal" if low == steps[-1] else "or_more"
    elif steps[below - 1] == steps[0]:
        how, low, share = "others_equal", steps[0], (below - 1) / last
    else:
        how, high, share = "or_less", steps[below - 1], (below - 1) / last
    percentile = _percentile(value, steps, below, upto)
    return Comparison(how=how, among=among, share=share, low=low, high=high, percentile=percentile)


def _name(value: Value, unit: Unit) -> str | None:
    if unit is Unit.YES_NO:
        return "yes" if value else "no"
    return value if isinstance(value, str) else None


def _share(share: float, language: Language) -> str:
    if 0 < share < 0.005:
        return language.say(FEWER)
    return language.say(NEARLY_ALL) if 0.995 <= share < 1 else f"{100 * share:.0f} %"
