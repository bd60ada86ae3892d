"""Reasons: exact sums, for and against, in words with value and what is usual."""

import math
import re
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from features.catalogue import ROUTE, SHIPMENT, feature_named, features_by_name
from features.definition import Feature, Peers, SuspiciousSide, Unit
from features.indicators import CHECKS, FIRST_TO_CHECK
from serving.explanation.comparison import (
    Comparison,
    compare_value,
    comparison_in_words,
    percentile_of,
    rarity,
)
from serving.explanation.formatting import Value, figure, listed, value_in_words
from serving.explanation.reason_ranking import (
    FEW_REASONS,
    MAX_REASONS,
    ReasonRanking,
    Reasons,
    judge,
)
from serving.explanation.reasons_in_words import Reason, ReasonRenderer, sentence
from training.model.manifest import Reference

parts = st.lists(
    st.tuples(st.sampled_from([None, 0.0, 1.0]), st.floats(-3, 3)),
    min_size=len(SHIPMENT),
    max_size=len(SHIPMENT),
)
HALF = 0.5
NONE = Comparison(how="about_the_same", share=0.15, percentile=7.5)
FAR = Comparison(how="above_all", high=1.0, percentile=100.0)
AS_MANY = Comparison(how="same", share=0.4)
RARE, USUAL = Comparison(how="same", share=0.04), Comparison(how="same", share=1.0)


class Contribution(NamedTuple):
    """A feature's value in this case, and its part of the log-odds."""

    feature: Feature
    value: Value
    log_odds: float


def contributions(given: list[tuple[Value, float]]) -> list[Contribution]:
    return [
        Contribution(feature, value, part)
        for feature, (value, part) in zip(SHIPMENT, given, strict=True)
    ]


def told(contributions: list[Contribution]) -> Reasons:
    features, values, parts = zip(*contributions, strict=True)
    return ReasonRanking(features).reasons(
        values, parts, partial(judge, lambda _, value: compared(value))
    )


def compared(value: Value) -> Comparison:
    """Whole numbers are rare, halves usual, and many have none."""
    if not value:
        return AS_MANY
    return USUAL if value == HALF else RARE


def renderer_of(contributions: list[Contribution]) -> ReasonRenderer:
    values = {each.feature.name: each.value for each in contributions}
    parts = {each.feature.name: each.log_odds for each in contributions}
    return ReasonRenderer("shipment", values, parts)


def reasons_in_words(contributions: list[Contribution]) -> tuple[Reason, ...]:
    return renderer_of(contributions).reasons(told(contributions))


def explained(**log_odds: float) -> list[Contribution]:
    features = [feature for feature in SHIPMENT if feature.name in log_odds]
    return [
        Contribution(feature, _value_of(feature, log_odds[feature.name]), log_odds[feature.name])
        for feature in features
    ]


def _value_of(feature: Feature, part: float) -> float:
    if part < 0:
        return HALF
    return 2.0 if feature.unit is Unit.RATIO else 1.0


@given(parts)
def test_reasons_remainder_and_habits_add_up_exactly(given: list[tuple[Value, float]]) -> None:
    reasons = told(contributions(given))
    total = pytest.approx(math.fsum(part for _, part in given), abs=1e-12)

    named = [reason.log_odds for reason in reasons.reasons]
    habits = reasons.habits
    assert math.fsum([*named, reasons.remainder.log_odds, habits.log_odds]) == total
    assert habits.raises + habits.lowers == pytest.approx(habits.log_odds, abs=1e-12)
    assert math.fsum(reasons.families.values()) == total
    for reason in reasons_in_words(contributions(given)):
        assert reason.log_odds == math.fsum(e.contribution for e in reason.evidence)


@given(parts)
def test_a_reason_never_rests_on_a_missing_value_or_one_on_the_other_side(
    given: list[tuple[Value, float]],
) -> None:
    for reason in reasons_in_words(contributions(given)):
        for found in reason.evidence:
            feature = feature_named(found.feature)
            assert found.value is not None
            assert feature.warns is not SuspiciousSide.NEVER
            is_high = found.value == 1.0
            if feature.warns is SuspiciousSide.HIGH:
                assert is_high == (found.contribution > 0)
            if feature.warns is SuspiciousSide.LOW:
                assert is_high == (found.contribution < 0)


@given(parts)
def test_each_side_names_only_its_strongest(given: list[tuple[Value, float]]) -> None:
    reasons = reasons_in_words(contributions(given))

    for effect, sign in (("for", 1), ("against", -1)):
        side = [reason for reason in reasons if reason.effect == effect]
        assert len(side) <= MAX_REASONS
        assert all(reason.log_odds * sign > 0 for reason in side)
    ahead = [_ahead(reason) for reason in reasons]
    assert ahead == sorted(ahead)


def _ahead(reason: Reason) -> tuple[bool, float]:
    """First what contradicts itself or was found before, then what adds most and is rarest."""
    is_first = reason.sign_of is not None and reason.indicator in FIRST_TO_CHECK
    rarest = max(rarity(seen.comparison) for seen in reason.evidence)
    return not is_first, -abs(reason.log_odds) * (1 + rarest)


def test_papers_that_contradict_each_other_lead_whatever_adds_more() -> None:
    reasons = reasons_in_words(
        explained(unit_value_to_typical_ratio_365d=1.5, document_mass_excess_ratio=0.1)
    )

    assert [reason.indicator for reason in reasons] == ["D08", "D10"]
    assert reasons[0].check == CHECKS["D08"]


def test_every_reason_for_a_closer_look_says_what_to_check_and_none_against_does() -> None:
    reasons = reasons_in_words(explained(is_round_mass=0.5, unit_value_eur_per_kg=-0.5))

    assert {reason.effect: reason.check for reason in reasons} == {
        "for": CHECKS["D36"],
        "against": None,
    }
    assert {f.indicator for f in features_by_name().values()} - {None} == CHECKS.keys()


def test_small_reasons_are_named_only_until_there_are_three_to_check() -> None:
    small = {"is_round_mass": 0.01, "virtual_asset_ratio": 0.012, "mass_per_package_kg": 0.006}

    def named(**log_odds: float) -> set[str]:
        return {reason.indicator for reason in told(explained(**log_odds)).reasons}

    large = {"unit_value_eur_per_kg": 0.9, "density_kg_per_m3": 0.8, "tare_ratio": 0.7}
    assert named(**small) == {"D36", "T27", "D07"}
    assert named(**small | large) == {"D10", "D09", "D07"}
    assert named(is_round_mass=0.004) == set()


@given(parts)
def test_the_strongest_reason_of_an_effect_is_the_first_of_all_reasons(
    given: list[tuple[Value, float]],
) -> None:
    own = contributions(given)
    first = {each.effect: each for each in reversed(reasons_in_words(own))}

    assert renderer_of(own).strongest(told(own)) == first


@given(parts)
def test_no_rest_is_larger_than_a_named_part(given: list[tuple[Value, float]]) -> None:
    reasons = told(contributions(given))
    named = [abs(reason.log_odds) for reason in reasons.reasons]
    habits = reasons.habits

    if named:
        assert abs(reasons.remainder.log_odds) <= min(named)
        assert abs(habits.rest.log_odds) <= min(named) + 1e-12
    assert habits.rest.features == habits.features - len(habits.named)
    assert math.fsum([*habits.named.values(), habits.rest.log_odds]) == pytest.approx(
        habits.log_odds, abs=1e-12
    )


def test_more_than_a_few_reasons_are_named_only_where_the_rest_would_outweigh_one() -> None:
    indicators = [*dict.fromkeys(f.indicator for f in SHIPMENT if f.warns is SuspiciousSide.HIGH)][
        :20
    ]
    first = [next(f for f in SHIPMENT if f.indicator == number) for number in indicators]
    features = [f for f in first if f.warns is SuspiciousSide.HIGH]
    sizes = {"falling": [0.5**n for n in range(len(features))], "even": [0.1] * len(features)}

    named = {
        name: len(
            ReasonRanking(features)
            .reasons([9.0] * len(each), each, partial(judge, lambda *_: FAR))
            .reasons
        )
        for name, each in sizes.items()
    }

    assert named["falling"] <= FEW_REASONS
    assert named["even"] > FEW_REASONS


def test_the_most_telling_fact_heads_a_reason_though_another_weighs_more() -> None:
    features = [
        feature_named(n) for n in ("unit_value_eur_per_kg", "unit_value_to_goods_ratio_365d")
    ]
    values, parts = [1.13, 0.9], [0.4, 0.5]
    compared = {
        "unit_value_eur_per_kg": Comparison(how="below_all", low=4.53, percentile=0.0),
        "unit_value_to_goods_ratio_365d": Comparison(
            how="or_more", low=0.95, share=0.95, percentile=5.0
        ),
    }
    stored = ReasonRanking(features).reasons(
        values, parts, partial(judge, lambda f, _: compared[f.name])
    )
    renderer = ReasonRenderer(
        "shipment",
        dict(zip(compared, values, strict=True)),
        dict(zip(compared, parts, strict=True)),
    )

    (reason,) = renderer.reasons(stored)

    assert [seen.feature for seen in reason.evidence] == [*compared]
    assert reason.words == (
        "Its declared price is 1.1 EUR per kg (among all shipments the lowest is 4.5 EUR/kg)."
    )
    assert reason.sign_of == "a value out of line with the goods"


def test_a_missing_value_never_heads_a_reason_of_a_former_release() -> None:
    stored = told(explained(unit_value_to_typical_ratio_365d=0.3, unit_value_eur_per_kg=1.0))
    values: dict[str, Value] = {
        "unit_value_to_typical_ratio_365d": 1.1,
        "unit_value_eur_per_kg": None,
    }
    parts = {"unit_value_to_typical_ratio_365d": 0.3, "unit_value_eur_per_kg": 1.0}

    (reason,) = ReasonRenderer("shipment", values, parts).reasons(stored)

    assert reason.evidence[0].feature == "unit_value_to_typical_ratio_365d"


@pytest.mark.parametrize(
    ("value", "sign"), [(9.0, None), (2.0, "parties new to each other or to us")]
)
def test_a_reason_is_called_a_sign_only_where_its_value_shows_it(
    value: float, sign: str | None
) -> None:
    feature = feature_named("carrier_journeys")
    usual = Comparison(how="or_more", low=12.0, share=0.95, percentile=5.0)
    stored = ReasonRanking([feature]).reasons([value], [0.5], partial(judge, lambda *_: usual))

    (reason,) = ReasonRenderer("route", {feature.name: value}, {feature.name: 0.5}).reasons(stored)

    assert (reason.sign_of, reason.topic) == (sign, "trading history")


def test_inspections_that_found_nothing_are_no_sign_of_earlier_findings() -> None:
    feature = feature_named("carrier_confirmed_rate")
    usual = Comparison(how="or_less", share=0.9, high=0.02, percentile=92.0)

    def reasons(confirmed: float) -> Reasons:
        counts = {feature.name: {"confirmed": confirmed, "inspected": 4.0}}
        return ReasonRanking([feature]).reasons(
            [0.05], [0.5], partial(judge, lambda *_: usual), counts
        )

    assert reasons(0.0).reasons == ()
    assert reasons(0.0).habits.log_odds == 0.5
    assert len(reasons(1.0).reasons) == 1


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (0.0, "0 % of"),
        (1e-7, "0.00001 % of"),
        (0.346, "35 % of"),
        (0.998, "the same as"),
        (1.18, "118 % of"),
        (9.99, "999 % of"),
        (12.0, "12 times"),
        (1234.5, "1,200 times"),
    ],
)
def test_a_ratio_is_said_in_per_cent_of_what_follows(ratio: float, words: str) -> None:
    assert figure(ratio, Unit.RATIO) == words


def test_two_digits_are_written_but_where_they_would_hide_a_difference() -> None:
    feature = feature_named("unit_value_eur_per_kg")
    usual = Comparison(how="below_all", low=1.141, percentile=0.0)
    stored = ReasonRanking([feature]).reasons([1.134], [0.5], partial(judge, lambda *_: usual))

    (reason,) = ReasonRenderer("shipment", {feature.name: 1.134}, {feature.name: 0.5}).reasons(
        stored
    )

    assert reason.words == (
        "Its declared price is 1.13 EUR per kg (among all shipments the lowest is 1.14 EUR/kg)."
    )


def test_equal_contributions_stand_in_the_order_of_the_catalogue() -> None:
    reasons = told(
        explained(
            virtual_asset_ratio=0.3,  # T27
            is_round_mass=0.3,  # D36, and earlier in the catalogue
            unit_value_eur_per_kg=0.15,  # D10, earlier still
            unit_value_to_typical_ratio_365d=0.15,
        )
    )

    assert [reason.indicator for reason in reasons.reasons] == ["D36", "D10", "T27"]
    assert reasons.reasons[1].evidence == (
        "unit_value_eur_per_kg",
        "unit_value_to_typical_ratio_365d",
    )


def test_a_count_of_one_is_said_in_its_own_words() -> None:
    feature = feature_named("payment_count")

    said = [sentence(feature, count) for count in (0.0, 1.0, 2.0)]

    assert said == [
        "No payment for it is known",
        "One payment for it is known",
        "2 payments for it are known",
    ]


def test_features_of_one_indicator_are_one_reason() -> None:
    (reason,) = reasons_in_words(
        explained(unit_value_to_typical_ratio_365d=1.0, unit_value_eur_per_kg=-0.2)
    )

    assert reason.log_odds == pytest.approx(0.8)
    assert (reason.effect, reason.strength) == ("for", "strong")
    assert (
        reason.words == "Its price per kg is 200 % of the typical price of these goods "
        "(as in 4 % of all shipments)."
    )
    assert reason.sign_of == "a value out of line with the goods"


def test_what_cancels_out_is_no_reason_but_is_counted() -> None:
    reasons = told(explained(unit_value_to_typical_ratio_365d=1.0, unit_value_eur_per_kg=-1.0))

    assert reasons.reasons == ()
    assert reasons.remainder.features == 2


def test_a_feature_of_another_release_is_told_by_its_name_and_value() -> None:
    stored = told(explained(unit_value_to_typical_ratio_365d=1.0))
    (ranked,) = stored.reasons
    gone = stored.model_copy(
        update={
            "reasons": (replace(ranked, evidence=("gone_days",)),),
            "comparisons": {"gone_days": AS_MANY},
        }
    )

    (reason,) = ReasonRenderer("shipment", {"gone_days": 3.0}, {"gone_days": 1.0}).reasons(gone)

    assert reason.words == "Gone days: 3 (as in 40 % of all shipments)."


def test_a_rate_is_told_with_the_inspections_that_it_rests_on() -> None:
    feature = feature_named("consignee_confirmed_rate")
    counts = {
        feature.name: {"confirmed": 2.0, "inspected": 5.0},
        "another_rate": {"inspected": 9.0},
    }
    stored = ReasonRanking([feature]).reasons(
        [0.24], [0.5], partial(judge, lambda *_: RARE), counts
    )

    again = Reasons.model_validate_json(stored.as_json())
    (reason,) = ReasonRenderer("shipment", {feature.name: 0.24}, {feature.name: 0.5}).reasons(again)

    assert again.said_with == {feature.name: counts[feature.name]}
    assert reason.evidence[0].sentence == (
        "Inspected consignments of this consignee that were confirmed: 2 of 5 (estimated rate 24 %)"
    )


def test_fewer_than_five_inspections_are_counted_and_no_rate_is_made_of_them() -> None:
    feature = feature_named("consignee_confirmed_rate")
    counts = {feature.name: {"confirmed": 1.0, "inspected": 2.0}}
    stored = ReasonRanking([feature]).reasons(
        [0.24], [0.5], partial(judge, lambda *_: RARE), counts
    )

    (reason,) = ReasonRenderer("shipment", {feature.name: 0.24}, {feature.name: 0.5}).reasons(
        stored
    )

    assert reason.words == (
        "Inspected consignments of this consignee that were confirmed: 1 of 2 "
        "(too few inspections for a rate)."
    )


def test_a_rate_whose_inspections_were_not_stored_is_told_by_its_name_and_value() -> None:
    assert sentence(feature_named("goods_confirmed_rate"), 0.24) == "Goods confirmed rate: 24 %"


def test_a_missing_value_says_why_it_is_missing() -> None:
    feature = feature_named("unit_value_eur_per_kg")

    assert sentence(feature, None) == (
        "Unit value EUR per kg: not known, because value or mass is missing"
    )


def test_every_feature_can_be_said_in_words() -> None:
    for feature in map(feature_named, features_by_name()):
        value = "sea" if feature.is_categorical else 1.0

        said = sentence(feature, value, said_with=dict.fromkeys(feature.said_with, 2.0))

        assert not re.search(r"[{}]|not known", said), feature.name
        assert said[0].isupper() or said[0].isdigit(), feature.name


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.0, Unit.COUNT, "0"),
        (3.0, Unit.COUNT, "3"),
        (1234.0, Unit.COUNT, "1,234"),
        (0.012345, Unit.RATIO, "1.2 %"),
        (1e-7, Unit.RATIO, "0.00001 %"),
        (0.0, Unit.RATIO, "0 %"),
        (1e-7, Unit.EURO, "0.0000001 EUR"),
        (1.18, Unit.RATIO, "118 %"),
        (1.996, Unit.RATIO, "200 %"),
        (1234.5, Unit.RATIO, "123,450 %"),
        (0.9996, Unit.SHARE, "more than 99 %"),
        (0.47, Unit.DAYS, "11 hours"),
        (3.04, Unit.DAYS, "3 days"),
        (3.04, Unit.DAYS_UP_TO_YEAR, "3 days"),
        (365.0, Unit.DAYS_UP_TO_YEAR, "a year or more"),
        (400.0, Unit.DAYS_UP_TO_YEAR, "a year or more"),
        (999.96, Unit.EURO, "1,000 EUR"),
        (1234567.0, Unit.EURO, "1,200,000 EUR"),
        (-36.25, Unit.HOURS, "-36 hours"),
        (0.0, Unit.HOURS, "0 minutes"),
        (1 / 60, Unit.HOURS, "one minute"),
        (0.957, Unit.HOURS, "57 minutes"),
        (1.0, Unit.HOURS, "one hour"),
        (72.0, Unit.HOURS, "72 hours"),
        (479.0, Unit.HOURS, "20 days"),
        (1.004, Unit.RATIO, "100 %"),
        (1.0, Unit.COUNT, "1"),
        (0.5, Unit.SHARE, "50 %"),
        (1.0, Unit.YES_NO, "yes"),
        (14.0, Unit.HOUR_OF_DAY, "14:00 UTC"),
        ("sea", Unit.CATEGORY, "sea"),
        (None, Unit.RATIO, "not known"),
    ],
)
def test_values_are_written_as_they_are_read(
    value: float | str | None, unit: Unit, words: str
) -> None:
    assert value_in_words(value, unit) == words


SIGNED = [each for each in features_by_name().values() if each.sentence_below_zero]


@pytest.mark.parametrize("feature", SIGNED, ids=lambda feature: feature.name)
@given(value=st.floats(-1e6, -1e-6))
def test_a_value_below_zero_is_said_without_a_minus_and_other_than_one_above(
    feature: Feature, value: float
) -> None:
    said, above = sentence(feature, value), sentence(feature, -value)

    assert not re.search(r"-\d", said)
    assert figure(-value, feature.unit) in said
    assert said != above


@given(bounds=st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), value=st.floats(-1e6, 1e6))
def test_hours_before_are_compared_as_earlier_and_later_never_with_a_minus(
    bounds: tuple[float, float], value: float
) -> None:
    usual = Reference(missing_share=0.0, quantiles=tuple(np.linspace(*sorted(bounds), 21).tolist()))

    words = in_words(value, usual, Unit.HOURS_BEFORE)

    assert not re.search(r"-\d|more|less|most|least", words)


def test_a_manifest_after_the_arrival_is_said_to_have_come_after_it() -> None:
    feature = feature_named("manifest_lead_hours")
    usual = Reference(missing_share=0.0, quantiles=tuple(np.linspace(-2.0, 98.0, 21).tolist()))

    assert sentence(feature, -2.1667) == (
        "The manifest came 2.2 hours after the conveyance was due"
    )
    assert in_words(-2.1667, usual, feature.unit) == (
        "among shipments of these goods the latest is 2 hours after"
    )
    assert in_words(2.0, usual, feature.unit) == (
        "95 % of shipments of these goods have 3 hours before or earlier"
    )


@given(st.floats(-1e12, 1e12), st.sampled_from(Unit))
def test_any_number_can_be_written(value: float, unit: Unit) -> None:
    assert value_in_words(value, unit)


def in_words(value: Value, compared: Reference, unit: Unit = Unit.EURO_PER_KG) -> str:
    return comparison_in_words(compare_value(value, compared, unit, Peers.GOODS), unit, "shipment")


TENTHS = Reference(missing_share=0.3, quantiles=tuple(np.linspace(0, 100, 21).tolist()))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (7.0, "90 % of shipments of these goods have 10 EUR/kg or more"),
        (23.0, "75 % of shipments of these goods have 25 EUR/kg or more"),
        (40.0, "half of shipments of these goods have between 25 EUR/kg and 75 EUR/kg"),
        (92.0, "90 % of shipments of these goods have 90 EUR/kg or less"),
        (-5.0, "among shipments of these goods the lowest is 0 EUR/kg"),
        (500.0, "among shipments of these goods the highest is 100 EUR/kg"),
        (None, "missing in 30 % of shipments of these goods"),
    ],
)
def test_a_number_is_placed_among_those_of_training(value: float | None, words: str) -> None:
    assert in_words(value, TENTHS) == words


@given(
    st.lists(st.integers(0, 30), min_size=21, max_size=200),
    st.floats(-5, 35) | st.integers(0, 30).map(float),
)
@example([0] * 7 + [13] * 5 + [30] * 23, 13.0)  # a seventh of them, on two steps
def test_what_is_said_to_be_usual_holds_of_the_cases_themselves(
    cases: list[int], value: float
) -> None:
    present = np.array(cases, dtype=float)
    steps = tuple(np.quantile(present, np.linspace(0, 1, 21), method="inverted_cdf").tolist())

    said = compare_value(value, Reference(missing_share=0.0, quantiles=steps), Unit.COUNT)

    slack = 0.05 + 1 / len(cases)
    if said.how == "or_more":
        assert value < said.low
        assert np.mean(present >= said.low) >= said.share - slack
    if said.how == "or_less":
        assert value > said.high
        assert np.mean(present <= said.high) >= said.share - slack
    if said.how == "others_equal":
        assert value != said.low
        assert np.mean(present == said.low) >= said.share - slack
    if said.how == "between":
        assert said.low <= value <= said.high
        assert np.mean((present >= said.low) & (present <= said.high)) >= 0.5 - slack
    if said.how == "below_all":
        assert value < present.min() == said.low
    if said.how == "above_all":
        assert value > present.max() == said.high
    if said.how == "about_the_same":
        assert np.mean(present == value) == pytest.approx(said.share, abs=slack)


def test_a_number_that_most_cases_share_is_called_the_same() -> None:
    steps = (*[0.0] * 15, 1.0, 2.0, 3.0, 4.0, 5.0, 9.0)

    said = compare_value(0.0, Reference(missing_share=0.0, quantiles=steps), Unit.COUNT)

    assert said.percentile == 35.0
    assert comparison_in_words(said, Unit.COUNT, "route") == "as in about 70 % of all routes"


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, "100 %"), (0.996, "more than 99 %"), (0.004, "fewer than 1 %"), (0.99, "about 99 %")],
)
def test_a_bound_or_all_of_them_are_not_said_to_be_about_so_many(share: float, words: str) -> None:
    said = Comparison(how="about_the_same", share=share)

    assert comparison_in_words(said, Unit.COUNT, "route") == f"as in {words} of all routes"


@pytest.mark.parametrize(
    ("steps", "percent"), [((0.2, *[1.0] * 20), "100 %"), ((*[0.0] * 20, 0.8), "0 %")]
)
def test_where_the_others_share_one_value_neither_more_nor_less_is_told(
    steps: tuple[float, ...], percent: str
) -> None:
    said = in_words(0.4, Reference(missing_share=0.0, quantiles=steps), Unit.SHARE)

    assert said == f"95 % of shipments of these goods have {percent}"


def test_a_category_and_yes_or_no_are_placed_by_their_share() -> None:
    modes = Reference(missing_share=0.0, shares={"sea": 0.6, "air": 0.001})
    flags = Reference(missing_share=0.0, quantiles=(0.0,) * 21, shares={"yes": 0.04, "no": 0.96})

    assert in_words("sea", modes) == "as in 60 % of shipments of these goods"
    assert in_words("air", modes).startswith("as in fewer than 1 %")
    assert in_words("rail", modes) == "never seen in training"
    assert in_words(1.0, flags, Unit.YES_NO) == "as in 4 % of shipments of these goods"


def test_a_value_that_training_never_had_is_called_so() -> None:
    assert in_words(1.0, Reference(missing_share=1.0)) == "never seen with a value in training"


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=21), st.floats(-1e7, 1e7))
def test_a_percentile_rises_with_the_value(steps: list[float], value: float) -> None:
    quantiles = sorted(steps)

    low, high = percentile_of(value, quantiles), percentile_of(value + 1.0, quantiles)

    assert 0 <= low <= high <= 100


def test_lists_read_as_in_a_sentence() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b"])] == ["", "a", "a and b"]


def test_routes_have_sentences_of_their_own() -> None:
    assert ROUTE
    assert all("{" in f.sentence or f.unit is Unit.YES_NO for f in ROUTE)


def test_a_0_of_which_nothing_is_known_is_a_habit_of_the_model() -> None:
    features = [feature_named("payment_count"), feature_named("payer_count")]

    def against(payments: float) -> Reasons:
        return ReasonRanking(features).reasons(
            [payments, 0.0], [0.0, -0.5], partial(judge, lambda *_: NONE)
        )

    unknown, known = against(0.0), against(3.0)
    assert [reason.indicator for reason in known.reasons] == ["T15"]
    assert unknown.reasons == ()
    assert (unknown.habits.features, unknown.habits.lowers) == (1, -0.5)


def test_what_is_usual_stands_within_the_bracket_of_a_sentence_that_ends_in_one() -> None:
    name = "carrier_confirmed_rate"
    counts = {name: {"confirmed": 2.0, "inspected": 5.0}}
    usual = Comparison(how="or_less", share=0.9, high=0.2, percentile=92.0)
    stored = ReasonRanking([feature_named(name)]).reasons(
        [0.24], [0.5], partial(judge, lambda *_: usual), counts
    )

    (told,) = ReasonRenderer("route", {name: 0.24}, {name: 0.5}).reasons(stored)

    assert told.words == (
        "Inspected journeys of this carrier that were confirmed: 2 of 5 "
        "(estimated rate 24 %; 90 % of all routes have 20 % or less)."
    )


def test_none_is_said_as_none_and_not_as_a_figure() -> None:
    conflicts = feature_named("document_value_shortfall_ratio")

    assert sentence(conflicts, 0.0) == "No document states a lower value than the declared one"
    assert sentence(conflicts, 0.125) == "A document states a value 12 % below the declared one"


def test_few_reasons_are_joined_by_uncommon_facts_without_weight() -> None:
    features = [feature_named(name) for name in ("invalid_iban_count", "payer_count", "mass_kg")]
    rare = Comparison("above_all", percentile=100.0)

    def facts(*parts: float) -> dict[str, Comparison]:
        return (
            ReasonRanking(features)
            .reasons([2.0, 3.0, 5.0], parts, lambda *_: (rare, True))
            .unweighted
        )

    assert list(facts(0.0, -0.1, 0.3)) == ["invalid_iban_count"]
    assert list(facts(0.0, 0.0, 0.3)) == ["invalid_iban_count", "payer_count"]
    assert list(facts(0.5, 0.0, 0.3)) == ["payer_count"]
    assert not facts(0.5, 0.4, 0.3)
