"""The gate of groups on figures written by hand, and how often it refuses whoever is fair."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from training.confidence_intervals import Estimate
from training.estimation.population_figures import PopulationFigures
from training.evaluation.evaluation_report import (
    EvaluationReport,
    GroupReferrals,
    PopulationSection,
)
from training.gates.group_gate import fair_to_groups
from training.gates.verdict import Answer


def group(name: str, p_within: float, p_above: float, subjects: int = 400) -> GroupReferrals:
    return GroupReferrals(
        by="office",
        group=name,
        subjects=subjects,
        referred=40,
        ratio=Estimate(2.0, 1.2, 3.4),
        largest_ratio=4.0,
        p_within=p_within,
        p_above=p_above,
    )


def report(*groups: GroupReferrals, **figures: Any) -> EvaluationReport:
    told: dict[str, Any] = {"subjects": 10_000, "refusal": None} | figures
    population = PopulationSection.model_construct(
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


FAIR = group("fair", 0.001, 1.0)


@pytest.mark.parametrize(
    ("groups", "verdict"),
    [
        ((FAIR,), "passed"),
        ((FAIR, group("near", 0.0499, 0.9)), "passed"),
        ((FAIR, group("small", 0.05, 0.9)), "undecided"),
        ((FAIR, group("far", 1.0, 0.0249)), "refused"),
        ((FAIR, group("far", 1.0, 0.025)), "refused"),
        ((FAIR, group("far", 1.0, 0.0251)), "undecided"),
        # Holm: the smallest of three counts three times, the next one twice.
        ((FAIR, group("far", 1.0, 0.016), group("next", 1.0, 0.026)), "refused"),
        ((FAIR, group("far", 1.0, 0.017), group("next", 1.0, 0.017)), "undecided"),
        ((FAIR, group("tiny", 0.8, 0.9, subjects=99)), "passed"),
        ((FAIR, group("tiny", 0.8, 0.9, subjects=100)), "undecided"),
        ((FAIR, group("tiny", 1.0, 1e-9, subjects=20)), "refused"),
    ],
)
def test_groups_are_refused_passed_or_undecided(
    groups: tuple[GroupReferrals, ...], verdict: Answer
) -> None:
    assert fair_to_groups(report(*groups)).verdict == verdict


def test_in_little_traffic_a_small_group_is_a_large_share_and_leaves_it_undecided() -> None:
    small = group("small", 0.8, 0.9, subjects=60)

    assert fair_to_groups(report(FAIR, small, subjects=10_000)).verdict == "passed"
    assert fair_to_groups(report(FAIR, small, subjects=1_000)).verdict == "undecided"


def test_the_groups_that_decide_are_named_with_their_figures() -> None:
    far, small = group("far", 1.0, 0.0), group("small", 0.8, 0.9)
    unknown = small.model_copy(update={"ratio": Estimate(None, 0.1, 9.0)})

    refused = fair_to_groups(report(FAIR, far, small))
    undecided = fair_to_groups(report(FAIR, unknown))

    passed = fair_to_groups(report(FAIR, FAIR, group("tiny", 0.8, 0.9, subjects=20)))

    assert passed.reason == (
        "2 groups of all traffic are referred falsely at most 4 times as often as all; 1 are too "
        "small to say"
    )
    assert refused.reason == (
        "office far: of 400 subjects 40 are referred, falsely 2.0 (1.2 to 3.4) times as often "
        "as all; want at most 4"
    )
    assert undecided.reason == (
        "office small: of 400 subjects 40 are referred, falsely 0.1 to 9.0 times as often "
        "as all; want at most 4; more subjects of these groups, and more results of those "
        "referred, would tell"
    )


def test_where_nothing_is_known_of_all_traffic_the_gate_is_undecided_and_says_why() -> None:
    for asked, why in (
        (EvaluationReport.model_construct(population=None), "were not measured"),
        (report(refusal="12 results say too little"), "12 results say too little"),
        (report(), "no subject names its mode"),
    ):
        verdict = fair_to_groups(asked)
        assert (verdict.gate, verdict.verdict) == ("groups", "undecided")
        assert why in verdict.reason


@pytest.mark.parametrize("groups", [1, 10, 80])
def test_of_models_on_the_bound_one_in_twenty_at_most_is_refused(groups: int) -> None:
    """Every group at exactly four times the usual is the worst that is still allowed."""
    rng = np.random.default_rng(11)
    is_refused = []
    for _ in range(200):
        referred = rng.binomial(300, 0.2, size=groups)
        p_above = stats.binom.sf(referred - 1, 300, 0.2)
        found = (group(f"g{n}", 1.0, float(p)) for n, p in enumerate(p_above))
        is_refused.append(fair_to_groups(report(*found)).verdict == "refused")

    assert np.mean(is_refused) <= 0.05


def test_an_office_that_is_referred_eight_times_too_often_is_refused_among_eighty() -> None:
    rng = np.random.default_rng(12)
    shares = np.array([0.4, *[0.05] * 79])
    is_refused = []
    for _ in range(50):
        p_above = stats.binom.sf(rng.binomial(300, shares) - 1, 300, 0.2)
        found = (group(f"g{n}", 1.0, float(p)) for n, p in enumerate(p_above))
        is_refused.append(fair_to_groups(report(*found)).verdict == "refused")

    assert np.mean(is_refused) >= 0.95


def test_a_ratio_without_a_figure_is_said_in_words() -> None:
    unknown = replace_ratio(group("small", 0.9, 0.9), Estimate(None, 0.5, float("nan")))

    verdict = fair_to_groups(report(unknown))

    assert unknown.ratio == Estimate(None, 0.5, None)
    assert verdict.verdict == "undecided"
    assert "how often falsely cannot be said; want at most 4" in verdict.reason
    assert "nan" not in verdict.reason.replace("finance", "")


def replace_ratio(of: GroupReferrals, ratio: Estimate) -> GroupReferrals:
    return of.model_copy(update={"ratio": ratio})
