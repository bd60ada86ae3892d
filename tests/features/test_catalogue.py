import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from features import publications
from features.catalogue import feature_named, features_by_name, features_of
from features.definition import Feature, MonotoneConstraint, Peers, SuspiciousSide, Unit
from features.definition import feature as defined
from features.digests.computations import catalogue_fingerprint
from features.engine.columns import Column
from features.engine.windows.reducers import Reducer
from features.errors import TidegateError, UnknownFeature
from features.indicators import INDICATORS
from features.persons import describes_a_person
from features.records import SubjectKind

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {text for name, text in vars(publications).items() if name.isupper()}
WAYS = (
    r"\b(high|low|lower|higher|large|small|short|long|many|more|several|few|any|none|neither|either|"
    r"little|much|under|over|far|new|old|late|unusual|unfit|unlike|off|out of line|burst|cluster|"
    r"first|last|sudden|failing|round|vague|if so|having one|very|third|preference|one that|"
    r"wakes|cannot reach|hardly|at night|one-way|agreed)\b"
)
EVERY_FEATURE = list(features_by_name().values())


def of_every_feature(check: Callable[[Feature], None]) -> Callable[[], None]:
    """One test of what holds of each feature, which names those of which it does not.

    A test for each would take longer than all that they look at.
    """

    def holds_of_every_feature() -> None:
        failed = {}
        for each in EVERY_FEATURE:
            try:
                check(each)
            except AssertionError as found:
                failed[each.name] = str(found)
        assert failed == {}

    return holds_of_every_feature


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_each_kind_of_subject_has_at_least_thirty_features_over_every_family(
    kind: SubjectKind,
) -> None:
    families = {feature.family for feature in features_of(kind)}

    assert len(features_of(kind)) >= 30
    assert {"documents", "payments", "prior_outcomes"} <= families


def test_names_are_unique() -> None:
    for kind in ("route", "shipment"):
        names = [feature.name for feature in features_of(kind)]
        assert len(names) == len(set(names))


@of_every_feature
def test_a_meaning_says_which_way_is_suspicious(feature: Feature) -> None:
    what, *verdict = feature.meaning.split(". ")

    assert what
    assert re.search(r"suspicious|suggest", " ".join(verdict))
    assert re.search(WAYS, " ".join(verdict), re.IGNORECASE)


@of_every_feature
def test_a_sure_direction_is_the_one_that_the_meaning_names(feature: Feature) -> None:
    rising = r"(Any|Many|More|A high share|A high rate|A large) .*suspicious"
    falling = r"(A failing number|A low share|A short lead|A very new|Few|None) .*suspicious"

    if feature.direction is MonotoneConstraint.HIGHER_IS_RISKIER:
        assert re.search(rising, feature.meaning)
    if feature.direction is MonotoneConstraint.LOWER_IS_RISKIER:
        assert re.search(falling, feature.meaning)


@of_every_feature
def test_a_face_is_complete(feature: Feature) -> None:
    assert feature.when_missing
    assert feature.source in SOURCES or re.match(r"ISO \d+ check digit", feature.source)
    assert feature.indicator is None or feature.indicator in INDICATORS
    assert (feature.indicator is None) == (feature.warns is SuspiciousSide.NEVER)
    if feature.unit is Unit.YES_NO:
        assert "{" not in feature.sentence
        assert feature.sentence_of_none is not None
    else:
        assert feature.sentence.count("{value}") == 1 or len(feature.said_with) == 2
    assert not feature.sentence.endswith(".")
    assert set(feature.face()) >= {"name", "meaning", "unit", "reads", "indicator", "among"}


@of_every_feature
def test_a_count_can_be_said_of_one_and_of_none(feature: Feature) -> None:
    is_count = feature.unit is Unit.COUNT
    assert (feature.sentence_of_one is not None) == is_count
    is_never_none = feature.name == "certified_capacity_count" or "_hop_" in f"_{feature.name}"
    assert feature.sentence_of_none is not None or not is_count or is_never_none
    assert "{" not in f"{feature.sentence_of_one}{feature.sentence_of_none}"


@of_every_feature
def test_an_age_ends_at_a_year_as_it_would_tell_the_date_otherwise(feature: Feature) -> None:
    read = feature.windows.values()
    is_age = any("since_first" in f"{window.reducer} {window.value}" for window in read)

    assert is_age == (feature.unit is Unit.DAYS_UP_TO_YEAR)
    if is_age:
        assert feature.compute(np.array([364.0, 365.0, 4_000.0])).tolist() == [364.0, 365.0, 365.0]


@of_every_feature
def test_a_share_of_events_is_said_with_what_it_is_a_share_of(feature: Feature) -> None:
    counts = [window.reducer for window in feature.windows.values()]
    is_of_events = feature.unit is Unit.SHARE and Reducer.COUNT in counts

    assert not is_of_events or len(feature.said_with) == 2


@of_every_feature
def test_a_count_that_could_comfort_says_by_what_it_is_known(feature: Feature) -> None:
    comforts_by_0 = feature.unit is Unit.COUNT and feature.warns in (
        SuspiciousSide.HIGH,
        SuspiciousSide.EITHER,
    )
    is_else_missing = not feature.when_missing.startswith("never") and feature.known_by is None

    assert not comforts_by_0 or feature.known_by or is_else_missing
    for kind in feature.subjects if feature.known_by else ():
        assert feature.known_by in [each.name for each in features_of(kind)]


@of_every_feature
def test_only_what_has_a_goods_code_is_compared_by_it(feature: Feature) -> None:
    assert feature.among is not Peers.GOODS or feature.subjects == ("shipment",)


def test_there_are_at_least_a_hundred_features_over_every_kind_of_evidence() -> None:
    assert len(EVERY_FEATURE) >= 100
    assert {feature.indicator[0] for feature in EVERY_FEATURE if feature.indicator} == set("JDTN")


def test_the_list_of_indicators_is_whole_and_says_each_once() -> None:
    counts = Counter(number[0] for number in INDICATORS)

    assert counts == {"J": 38, "D": 46, "T": 34, "N": 8}
    assert len(set(INDICATORS.values())) == len(INDICATORS)


def test_a_sentence_that_names_no_window_of_its_feature_is_refused() -> None:
    def mass_count(mass_kg: Column) -> Column:
        """Its mass. Much is suspicious."""
        return mass_kg

    define = defined(
        subjects=("shipment",),
        unit=Unit.COUNT,
        when_missing="never",
        indicator=None,
        source=publications.PRACTICE,
        sentence="{value} of {inspected}",
    )

    with pytest.raises(TidegateError, match=r"mass_count: no window is called .*inspected"):
        define(mass_count)


def test_no_sentence_agrees_with_a_number_that_it_counts() -> None:
    """Such a sentence would say "0 of 1 payments were": the counts follow a colon."""
    counted = [
        said
        for feature in EVERY_FEATURE
        for said in (feature.sentence, feature.sentence_of_few)
        if said is not None and feature.said_with
    ]

    assert len(counted) > 60
    for said in counted:
        assert re.search(r": \{\w+\} of \{\w+\}( \(.*\))?$", said), said


def test_meanings_and_sentences_are_unique() -> None:
    for texts in (
        [feature.meaning for feature in EVERY_FEATURE],
        [feature.sentence for feature in EVERY_FEATURE],
    ):
        assert len(texts) == len(set(texts))


def test_no_feature_reads_a_life_at_risk_signal_or_an_attribute_of_a_person() -> None:
    for feature in EVERY_FEATURE:
        assert not any(describes_a_person(column) for column in feature.columns)
        assert "persons_on_board" not in feature.columns
        assert not (feature.indicator or "").startswith("L")
        for window in feature.windows.values():
            read = {*window.by, *window.matching, window.value or "", window.where or ""}
            assert not any(map(describes_a_person, read)), feature.name
            assert "persons_on_board" not in read, feature.name


@of_every_feature
def test_a_feature_leads_to_the_line_that_defines_it(feature: Feature) -> None:
    path, line = feature.defined_at.split("#L")

    assert (
        (ROOT / path)
        .read_text()
        .splitlines()[int(line) - 1]
        .startswith((f"def {feature.name}(", f"{feature.name} = "))
    )


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownFeature, match="detour_ratio"):
        feature_named("detuor_ratio")


def test_the_fingerprints_differ_between_kinds_and_stay_between_calls() -> None:
    assert catalogue_fingerprint("route") == catalogue_fingerprint("route")
    assert catalogue_fingerprint("route") != catalogue_fingerprint("shipment")
