"""Signs: on which side of usual a value may be named as a reason."""

from dataclasses import replace

import pytest

from features.catalogue import feature_named, features_by_name
from features.definition import Feature, SuspiciousSide, Unit
from serving.explanation.comparison import compare_value
from serving.explanation.formatting import Value
from serving.explanation.true_reasons import agrees, is_absence, is_sign, shows_sign, tells_nothing
from training.model.manifest import Reference

TENTHS = Reference(missing_share=0.3, quantiles=tuple(float(step) for step in range(0, 101, 5)))
MOSTLY_NONE = Reference(missing_share=0.0, quantiles=(*[0.0] * 19, 1.0, 2.0))
FLAGS = Reference(missing_share=0.0, quantiles=(0.0,) * 21, shares={"yes": 0.04, "no": 0.96})
MODES = Reference(missing_share=0.0, shares={"sea": 0.95, "air": 0.04})
MOSTLY_YES = Reference(missing_share=0.0, quantiles=(1.0,) * 21, shares={"yes": 0.96, "no": 0.04})
NEVER_PRESENT = Reference(missing_share=1.0)

COUNT = replace(feature_named("container_conflict_count"), unit=Unit.COUNT)


def sign(
    value: Value, warns: SuspiciousSide, reference: Reference, unit: Unit = Unit.COUNT
) -> bool:
    feature = replace(COUNT, warns=warns, unit=unit)
    return is_sign(feature, value, compare_value(value, reference, unit))


@pytest.mark.parametrize(
    ("value", "high", "low", "either"),
    [
        (None, False, False, False),
        (0.0, False, True, True),
        (8.0, False, True, True),
        (12.0, False, False, False),
        (50.0, False, False, False),
        (88.0, False, False, False),
        (92.0, True, False, True),
        (100.0, True, False, True),
        (500.0, True, False, True),
    ],
)
def test_a_number_is_a_sign_on_the_side_on_which_its_feature_warns(
    value: float | None, high: bool, low: bool, either: bool
) -> None:
    assert sign(value, SuspiciousSide.HIGH, TENTHS) == high
    assert sign(value, SuspiciousSide.LOW, TENTHS) == low
    assert sign(value, SuspiciousSide.EITHER, TENTHS) == either
    assert not sign(value, SuspiciousSide.NEVER, TENTHS)


@pytest.mark.parametrize(
    ("value", "high", "low", "either"),
    [(0.2, False, True, True), (0.46, False, False, False), (0.9, False, False, False)],
)
def test_a_ratio_is_a_sign_only_beyond_1(value: float, high: bool, low: bool, either: bool) -> None:
    under_one = Reference(
        missing_share=0.0, quantiles=tuple(0.3 + step / 100 for step in range(21))
    )

    assert sign(value, SuspiciousSide.HIGH, under_one, Unit.RATIO) == high
    assert sign(value, SuspiciousSide.LOW, under_one, Unit.RATIO) == low
    assert sign(value, SuspiciousSide.EITHER, under_one, Unit.RATIO) == either
    mirrored = tuple(2 - quantile for quantile in reversed(under_one.quantiles))
    over_one = Reference(missing_share=0.0, quantiles=mirrored)
    assert sign(2 - value, SuspiciousSide.HIGH, over_one, Unit.RATIO) == low
    assert sign(2 - value, SuspiciousSide.LOW, over_one, Unit.RATIO) == high


def test_one_conflict_is_a_sign_where_nearly_all_have_none_and_none_is_not() -> None:
    assert sign(1.0, SuspiciousSide.HIGH, MOSTLY_NONE)
    assert not sign(0.0, SuspiciousSide.HIGH, MOSTLY_NONE)


def test_what_a_tenth_or_more_have_too_is_no_sign_wherever_it_lies() -> None:
    """Three in ten have none: 0 lies below 85 % of them in the middle, and is not rare."""
    often_none = Reference(missing_share=0.0, quantiles=(*[0.0] * 7, *map(float, range(1, 15))))
    third_yes = Reference(missing_share=0.0, quantiles=(0.0,) * 21, shares={"yes": 0.3, "no": 0.7})

    assert not sign(0.0, SuspiciousSide.LOW, often_none)
    assert not sign(1.0, SuspiciousSide.HIGH, third_yes, Unit.YES_NO)
    assert sign(14.0, SuspiciousSide.HIGH, often_none)


def test_yes_is_a_sign_of_what_warns_when_high_and_no_of_what_warns_when_low() -> None:
    assert sign(1.0, SuspiciousSide.HIGH, FLAGS, Unit.YES_NO)
    assert not sign(0.0, SuspiciousSide.HIGH, FLAGS, Unit.YES_NO)
    assert sign(0.0, SuspiciousSide.LOW, MOSTLY_YES, Unit.YES_NO)
    assert not sign(1.0, SuspiciousSide.LOW, MOSTLY_YES, Unit.YES_NO)
    assert sign(1.0, SuspiciousSide.EITHER, FLAGS, Unit.YES_NO)
    assert not sign(0.0, SuspiciousSide.EITHER, FLAGS, Unit.YES_NO)


def test_what_most_peers_lack_too_is_no_sign_and_no_comfort() -> None:
    lacks = replace(COUNT, unit=Unit.YES_NO, warns=SuspiciousSide.LOW)
    compared = compare_value(0.0, FLAGS, Unit.YES_NO)

    assert not agrees(lacks, 0.0, compared, 0.5)
    assert not agrees(lacks, 0.0, compared, -0.5)


def test_a_category_is_a_sign_only_where_it_is_seldom() -> None:
    assert not sign("sea", SuspiciousSide.EITHER, MODES, Unit.CATEGORY)
    assert sign("air", SuspiciousSide.EITHER, MODES, Unit.CATEGORY)
    assert sign("rail", SuspiciousSide.EITHER, MODES, Unit.CATEGORY)  # never seen


def test_a_value_that_training_never_had_is_beyond_all() -> None:
    assert sign(3.0, SuspiciousSide.HIGH, NEVER_PRESENT)
    assert not sign(0.0, SuspiciousSide.HIGH, NEVER_PRESENT)


@pytest.mark.parametrize("warns", SuspiciousSide)
def test_what_is_missing_is_never_a_reason(warns: SuspiciousSide) -> None:
    feature, compared = replace(COUNT, warns=warns), compare_value(None, TENTHS, Unit.COUNT)

    assert not agrees(feature, None, compared, 1.0)
    assert not agrees(feature, None, compared, -1.0)


def test_a_value_on_the_side_that_warns_never_speaks_against() -> None:
    high = replace(COUNT, warns=SuspiciousSide.HIGH)
    conflicts, none = (compare_value(value, MOSTLY_NONE, Unit.COUNT) for value in (2.0, 0.0))

    assert agrees(high, 2.0, conflicts, 0.5)
    assert not agrees(high, 2.0, conflicts, -0.5)
    assert agrees(high, 0.0, none, -0.5)
    assert not agrees(high, 0.0, none, 0.5)


def test_what_is_a_little_more_than_half_have_is_no_reason_at_all() -> None:
    high, low = (replace(COUNT, warns=warns) for warns in (SuspiciousSide.HIGH, SuspiciousSide.LOW))
    more, less = (compare_value(value, TENTHS, Unit.COUNT) for value in (60.0, 40.0))

    for log_odds in (0.5, -0.5):
        assert not agrees(high, 60.0, more, log_odds)
        assert not agrees(low, 40.0, less, log_odds)
    assert agrees(high, 40.0, less, -0.5)
    assert agrees(low, 60.0, more, -0.5)


def test_a_0_says_nothing_where_nothing_is_known_that_it_could_count() -> None:
    payers = feature_named("payer_count")

    assert payers.known_by == "payment_count"
    assert is_absence(payers, 0.0, 0.0)
    assert is_absence(payers, 0.0, None)
    assert not is_absence(payers, 0.0, 2.0)
    assert not is_absence(payers, 1.0, 1.0)
    assert is_absence(replace(payers, known_by=None), None, 2.0)
    assert not is_absence(replace(payers, known_by=None), 0.0, None)


def test_none_of_what_warns_where_there_is_little_never_comforts() -> None:
    nearly_all_have_none = compare_value(0.0, MOSTLY_NONE, Unit.COUNT)
    few = replace(COUNT, warns=SuspiciousSide.LOW)

    assert not agrees(few, 0.0, replace(nearly_all_have_none, percentile=60.0), -0.5)
    assert agrees(few, 2.0, compare_value(2.0, MOSTLY_NONE, Unit.COUNT), -0.5)


@pytest.mark.parametrize(("value", "shown"), [(3.0, True), (4.0, False)])
def test_a_value_short_of_where_its_sign_is_shown_from_is_a_sign_that_is_not_shown(
    value: float, shown: bool
) -> None:
    few = replace(COUNT, warns=SuspiciousSide.LOW, shows_from=3)
    compared = compare_value(value, TENTHS, Unit.COUNT)

    assert is_sign(few, value, compared)
    assert shows_sign(few, value, compared) == shown


@pytest.mark.parametrize(("value", "shown"), [(0.6, True), (0.8, False), (1.2, False), (1.3, True)])
def test_a_ratio_shows_a_sign_from_a_quarter_off_and_comforts_only_where_half_lie(
    value: float, shown: bool
) -> None:
    tight = Reference(missing_share=0.0, quantiles=tuple(0.95 + step / 200 for step in range(21)))
    paid = replace(COUNT, warns=SuspiciousSide.EITHER, unit=Unit.RATIO)
    compared = compare_value(value, tight, Unit.RATIO)

    assert is_sign(paid, value, compared)
    assert shows_sign(paid, value, compared) == shown
    assert not agrees(paid, value, compared, -0.5)
    assert agrees(paid, 1.0, compare_value(1.0, tight, Unit.RATIO), -0.5)


def test_fewer_than_five_earlier_events_tell_nothing_unless_something_was_found() -> None:
    of_history = feature_named("declarant_of_consignee_ratio")
    of_itself, rate = feature_named("cash_payment_ratio"), feature_named("carrier_confirmed_rate")

    assert tells_nothing(of_history, {"same": 0, "shipments": 4}, is_for=True)
    assert tells_nothing(of_history, {"same": 4, "shipments": 4}, is_for=False)
    assert not tells_nothing(of_history, {"same": 0, "shipments": 5}, is_for=True)
    assert not tells_nothing(of_itself, {"meeting": 1, "payments": 1}, is_for=True)
    assert not tells_nothing(rate, {"confirmed": 1, "inspected": 1}, is_for=True)
    assert tells_nothing(rate, {"confirmed": 0, "inspected": 90}, is_for=True)
    assert tells_nothing(rate, {"confirmed": 0, "inspected": 4}, is_for=False)
    assert not tells_nothing(rate, {"confirmed": 0, "inspected": 90}, is_for=False)


def test_a_find_of_few_inspections_is_a_reason_only_if_the_page_can_name_it() -> None:
    """The finds of a party are listed one by one; those of all goods of a kind are not."""
    of_party, of_network = map(feature_named, ("carrier_confirmed_rate", "partner_confirmed_rate"))
    of_goods, of_lane = map(feature_named, ("goods_way_confirmed_rate", "lane_confirmed_rate"))
    few, enough = {"confirmed": 1.0, "inspected": 4.0}, {"confirmed": 1.0, "inspected": 5.0}

    assert not tells_nothing(of_party, few, is_for=True)
    assert not tells_nothing(of_network, few, is_for=True)
    assert tells_nothing(of_goods, few, is_for=True)
    assert tells_nothing(of_lane, few, is_for=True)
    assert not tells_nothing(of_lane, enough, is_for=True)


RATES = [f for f in features_by_name().values() if f.name.endswith("_confirmed_rate")]


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: rate.name)
def test_a_rate_of_findings_shows_one_only_where_its_sentence_counts_one(rate: Feature) -> None:
    high = compare_value(0.3, Reference(missing_share=0.0, quantiles=(0.05,) * 21), Unit.SHARE)

    def shown(**counts: float) -> bool:
        return shows_sign(rate, 0.3, high, counts)

    assert is_sign(rate, 0.3, high)
    assert not shown()
    assert not shown(confirmed=0.0, inspected=2.0)
    assert shown(confirmed=1.0, inspected=2.0) == ("{confirmed}" in rate.sentence)
