"""The gate of groups on figures written by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from training.confidence_intervals import Estimate
from training.estimation.population_figures import PopulationFigures
from training.evaluation.evaluation_report import (
    EvaluationReport,
    GroupReferrals,
    PopulationSection,
)
from training.gates.group_gate import fair_to_groups
from training.gates.verdict import Answer
from training.model.counted_cases import CountedCases

BEGINS = datetime(2026, 1, 1, tzinfo=UTC)


def group(
    name: str, p_above: float, subjects: int = 400, more: dict[int, float] | None = None
) -> GroupReferrals:
    return GroupReferrals(
        by="office",
        group=name,
        subjects=subjects,
        referred=40,
        ratio=Estimate(2.0, 1.2, 3.4),
        results=12.4,
        precision_ratio=Estimate(0.5, 0.2, 1.1),
        largest_ratio=1.5,
        p_above=p_above,
        chances_of_more={} if more is None else more,
    )


def report(*groups: GroupReferrals, **figures: Any) -> EvaluationReport:
    told: dict[str, Any] = {"subjects": 10_000, "refusal": None} | figures
    population = PopulationSection.model_construct(
        begins=BEGINS,
        ends=BEGINS + timedelta(days=100),
        figures=PopulationFigures(
            **told,
            certain=0,
            drawn=0,
            uncounted=0,
            effective_size=0.0,
            prevalence=Estimate(None),
            at_share=(),
            roc_auc=Estimate(None),
        ),
        groups=groups,
    )
    return EvaluationReport.model_construct(population=population)


FAIR = group("fair", 0.01)


@pytest.mark.parametrize(
    ("groups", "verdict"),
    [
        ((FAIR,), "passed"),
        ((FAIR, group("near", 0.2)), "passed"),
        ((FAIR, group("unclear", 0.2001)), "undecided"),
        ((FAIR, group("unclear", 0.95)), "undecided"),
        ((FAIR, group("far", 0.9501)), "refused"),
        ((group("far", 0.9501), group("unclear", 0.5)), "refused"),
        ((FAIR, group("tiny", 0.8, subjects=99)), "passed"),
        ((FAIR, group("tiny", 0.8, subjects=100)), "undecided"),
        ((FAIR, group("tiny", 0.99, subjects=20)), "refused"),
    ],
)
def test_groups_are_refused_passed_or_undecided(
    groups: tuple[GroupReferrals, ...], verdict: Answer
) -> None:
    assert fair_to_groups(report(*groups)).verdict == verdict


def test_in_little_traffic_a_small_group_is_a_large_share_and_leaves_it_undecided() -> None:
    small = group("small", 0.8, subjects=60)

    assert fair_to_groups(report(FAIR, small, subjects=10_000)).verdict == "passed"
    assert fair_to_groups(report(FAIR, small, subjects=1_000)).verdict == "undecided"


def test_the_groups_that_decide_are_named_with_their_figures() -> None:
    refused = fair_to_groups(report(FAIR, group("far", 0.99), group("unclear", 0.8)))
    passed = fair_to_groups(report(FAIR, FAIR, group("tiny", 0.8, subjects=20)))

    assert passed.reason == (
        "2 groups of all traffic are probably referred at most 1.5 times as often as all or as "
        "their risk explains; 1 are too small to say"
    )
    assert refused.reason == (
        "office far: of 400 subjects 40 are referred, 2.0 (1.2 to 3.4) times as often as all; 12 "
        "results are known of these, by which and by what is usual 0.5 (0.2 to 1.1) times as many "
        "of them would be confirmed as of all referred; that it is referred more than 1.5 times as "
        "often as all and as its risk explains has a probability of 99%"
    )


@pytest.mark.parametrize(
    ("more", "enough"),
    [
        ({570: 0.6, 800: 0.21, 1_130: 0.2, 1_600: 0.1}, 1_130),
        ({570: 0.95, 800: 0.951}, 800),
        ({570: 0.6, 800: 0.6}, None),
        ({}, None),
    ],
)
def test_an_unclear_group_says_from_how_many_subjects_it_would_be_clear(
    more: dict[int, float], enough: int | None
) -> None:
    sooner = group("sooner", 0.4, more={500: 0.1})
    verdict = fair_to_groups(report(FAIR, sooner, group("unclear", 0.5, more=more)))

    assert verdict.verdict == "undecided"
    if enough is None:
        assert "; so near the limit, no number of subjects would tell" in verdict.reason
    else:
        assert f"; about {enough:,} subjects of it would tell" in verdict.reason
    # Groups of 400 in a traffic of 10,000.
    needed = None if enough is None else 25 * enough
    days = (BEGINS, BEGINS + timedelta(days=100))
    assert verdict.cases == CountedCases("subjects of all traffic", 10_000, needed, *days)


def test_where_nothing_is_known_of_all_traffic_the_gate_is_undecided_and_says_why() -> None:
    for asked, why in (
        (EvaluationReport.model_construct(population=None), "were not measured"),
        (report(refusal="12 results say too little"), "12 results say too little"),
        (report(), "no subject names its mode"),
    ):
        verdict = fair_to_groups(asked)
        assert (verdict.gate, verdict.verdict) == ("groups", "undecided")
        assert why in verdict.reason


def test_a_ratio_without_a_figure_is_said_in_words() -> None:
    unknown = group("far", 0.99).model_copy(
        update={"precision_ratio": Estimate(None, 0.5, float("nan"))}
    )

    verdict = fair_to_groups(report(unknown))

    assert "by what is usual unknown times as many of them would be confirmed" in verdict.reason
    assert "nan" not in verdict.reason
