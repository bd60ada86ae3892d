"""Reasons: exact sums, for and against, in words with value and what is usual."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue import ROUTE, SHIPMENT, feature_named, features_by_name
from features.definition import Unit
from serving.explanation.reasons import MOST_REASONS, Contribution, Reasons, reasons_of
from serving.explanation.usual import Usual, percentile_of, usual
from serving.explanation.wording import listed, sentence, value_in_words

parts = st.lists(st.floats(-3, 3), min_size=len(SHIPMENT), max_size=len(SHIPMENT))


def contributions(values: list[float]) -> list[Contribution]:
    return [
        Contribution(feature, None, Usual("as always"), value)
        for feature, value in zip(SHIPMENT, values, strict=True)
    ]


def explained(**log_odds: float) -> Reasons:
    return reasons_of(
        [
            Contribution(feature_named(name), 1.0, Usual("as always"), value)
            for name, value in log_odds.items()
        ]
    )


@given(parts)
def test_reasons_and_remainder_add_up_exactly(values: list[float]) -> None:
    reasons = reasons_of(contributions(values))

    named = [reason.log_odds for reason in reasons.reasons]
    assert math.fsum([*named, reasons.remainder.log_odds]) == pytest.approx(
        math.fsum(values), abs=1e-12
    )
    assert math.fsum(reasons.families.values()) == pytest.approx(math.fsum(values), abs=1e-12)
    for reason in reasons.reasons:
        assert reason.log_odds == math.fsum(e.contribution for e in reason.evidence)


@given(parts, st.randoms())
def test_the_order_given_does_not_matter(values: list[float], lots: object) -> None:
    given_order = contributions(values)
    shuffled = sorted(given_order, key=lambda _: lots.random())  # type: ignore[attr-defined]

    assert reasons_of(shuffled) == reasons_of(given_order)


@given(parts)
def test_each_side_names_only_its_strongest(values: list[float]) -> None:
    reasons = reasons_of(contributions(values)).reasons

    for effect, sign in (("for", 1), ("against", -1)):
        side = [reason for reason in reasons if reason.effect == effect]
        assert len(side) <= MOST_REASONS
        assert all(reason.log_odds * sign > 0 for reason in side)
    sizes = [abs(reason.log_odds) for reason in reasons]
    assert sizes == sorted(sizes, reverse=True)


def test_equal_contributions_are_ordered_by_name() -> None:
    reasons = explained(declared_value_eur=0.3, unit_value_eur_per_kg=0.3)

    (reason,) = reasons.reasons
    assert [e.feature for e in reason.evidence] == ["declared_value_eur", "unit_value_eur_per_kg"]


def test_features_of_one_indicator_are_one_reason() -> None:
    (reason,) = explained(declared_value_eur=1.0, unit_value_eur_per_kg=-0.2).reasons

    assert reason.log_odds == pytest.approx(0.8)
    assert (reason.effect, reason.strength) == ("for", "strong")
    assert reason.words == "Its declared value is 1 EUR (as always)."


def test_what_cancels_out_is_no_reason_but_is_counted() -> None:
    reasons = explained(declared_value_eur=1.0, unit_value_eur_per_kg=-1.0)

    assert reasons.reasons == ()
    assert reasons.remainder.features == 2


def test_a_missing_value_says_why_it_is_missing() -> None:
    feature = feature_named("unit_value_eur_per_kg")

    assert sentence(feature, None) == (
        "Unit value EUR per kg: not known, because value or mass is missing"
    )


@pytest.mark.parametrize("name", sorted(features_by_name()))
def test_every_feature_can_be_said_in_words(name: str) -> None:
    feature = feature_named(name)
    value = "sea" if feature.is_categorical else 1.0

    said = sentence(feature, value)

    assert not re.search(r"[{}]|not known", said)
    assert said[0].isupper() or said[0].isdigit()


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.0, Unit.COUNT, "0"),
        (3.0, Unit.COUNT, "3"),
        (1234.0, Unit.COUNT, "1,234"),
        (0.012345, Unit.RATIO, "0.0123"),
        (1e-7, Unit.RATIO, "0.0000001"),
        (999.96, Unit.EURO, "1,000 EUR"),
        (1234567.0, Unit.EURO, "1,230,000 EUR"),
        (-36.25, Unit.HOURS, "-36.2 hours"),
        (0.5, Unit.SHARE, "50 %"),
        (1.0, Unit.YES_NO, "yes"),
        (14.0, Unit.HOUR_OF_DAY, "14 h UTC"),
        ("sea", Unit.CATEGORY, "sea"),
        (None, Unit.RATIO, "not known"),
    ],
)
def test_values_are_written_as_they_are_read(
    value: float | str | None, unit: Unit, words: str
) -> None:
    assert value_in_words(value, unit) == words


@given(st.floats(-1e12, 1e12), st.sampled_from(Unit))
def test_any_number_can_be_written(value: float, unit: Unit) -> None:
    assert value_in_words(value, unit)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (25.0, "lower than 75 % of the cases it was trained on"),
        (92.0, "higher than 92 % of the cases it was trained on"),
        (-5.0, "lower than nearly all of the cases it was trained on"),
        (500.0, "higher than nearly all of the cases it was trained on"),
        (None, "missing in 30 % of the cases it was trained on"),
    ],
)
def test_a_number_is_placed_among_those_of_training(value: float | None, words: str) -> None:
    quantiles = np.linspace(0, 100, 21).tolist()

    assert usual(value, quantiles, {}, 0.3).words == words


def test_a_number_that_most_cases_share_is_called_the_same() -> None:
    quantiles = [0.0] * 15 + [1.0, 2.0, 3.0, 4.0, 5.0, 9.0]

    assert usual(0.0, quantiles, {}, 0.0) == Usual(
        "the same as in about 70 % of the cases it was trained on", 35.0
    )


def test_a_category_is_placed_by_its_share() -> None:
    shares = {"sea": 0.6, "air": 0.001}

    assert usual("sea", (), shares, 0.0).words == "as in 60 % of the cases it was trained on"
    assert usual("air", (), shares, 0.0).words.startswith("as in fewer than 1 %")
    assert usual("rail", (), shares, 0.0).words == "never seen in training"


def test_a_value_that_training_never_had_is_called_so() -> None:
    assert usual(1.0, (), {}, 1.0).words == "never seen with a value in training"


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=21), st.floats(-1e7, 1e7))
def test_a_percentile_rises_with_the_value(steps: list[float], value: float) -> None:
    quantiles = sorted(steps)

    low, high = percentile_of(value, quantiles), percentile_of(value + 1.0, quantiles)

    assert 0 <= low <= high <= 100


def test_lists_read_as_in_a_sentence() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b"])] == ["", "a", "a and b"]


def test_routes_have_sentences_of_their_own() -> None:
    assert ROUTE
    assert all("{value}" in feature.sentence for feature in ROUTE)
