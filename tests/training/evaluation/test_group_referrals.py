"""Referrals of groups against counts, a model integrated plainly, and what scores were given."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from tests.training.planted import INPUTS
from training.data.training_set import TrainingSet
from training.estimation.inspected_sample import inspected_sample
from training.estimation.referral_ratios import ANYWHERE, ANYWHERE_SHARE, LIKE_ALL, RISK
from training.evaluation.evaluation_report import GroupReferrals
from training.evaluation.group_referrals import group_referrals
from training.evaluation.labelled_window import LabelledWindow
from training.ranking import Floats


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    """Three large offices, and a small one."""
    read = TrainingSet.read(planted, "shipment", INPUTS)
    offices = read.subjects["office_id"].astype(object).to_numpy().copy()
    offices[::20] = "office-x"
    return replace(read, subjects=read.subjects.assign(office_id=offices))


def groups_of(
    data: TrainingSet, labels: Floats, probability: float, log_odds: Floats
) -> dict[str, GroupReferrals]:
    """Figures by group of all traffic of which those with a label were drawn."""
    is_drawn = ~np.isnan(labels)
    selected_by = np.where(is_drawn, "random", None).astype(object)  # type: ignore[arg-type]  # numpy types no objects
    chances = np.where(is_drawn, probability, np.nan)
    outcomes = replace(
        data.outcomes, label=labels, selected_by=selected_by, selection_probability=chances
    )
    traffic = LabelledWindow(
        replace(data, outcomes=outcomes), np.arange(len(data)), 1 / (1 + np.exp(-log_odds))
    )
    sample = inspected_sample(labels, selected_by, chances)
    return {f"{g.by} {g.group}": g for g in group_referrals(traffic, sample, log_odds)}


@pytest.fixture(scope="module")
def scores(data: TrainingSet) -> Floats:
    """The small office scores far higher than the others, for no reason."""
    return np.random.default_rng(5).normal(size=len(data)) + 1.2 * in_office(data, "office-x")


def referred_by(log_odds: Floats) -> Floats:
    return np.argsort(np.argsort(-log_odds)) < round(0.05 * len(log_odds))


def in_office(data: TrainingSet, name: str) -> Floats:
    return np.asarray(data.subjects["office_id"] == name)


def test_counts_are_those_of_the_highest_twentieth(data: TrainingSet, scores: Floats) -> None:
    found = groups_of(data, np.full(len(data), np.nan), 1.0, scores)

    for office in ("office-a", "office-b", "office-x"):
        is_in = in_office(data, office)
        figures, referred = found[f"office {office}"], (referred_by(scores) & is_in).sum()
        assert (figures.subjects, figures.referred) == (is_in.sum(), referred)


def test_a_ratio_is_that_of_counting_drawn_a_little_to_1_and_its_interval_holds_it(
    data: TrainingSet, scores: Floats
) -> None:
    found = groups_of(data, np.full(len(data), np.nan), 1.0, scores)

    figures = found["office office-x"]
    ratio = figures.referred / figures.subjects / 0.05
    assert 0.85 * ratio < figures.ratio.value < ratio
    assert figures.ratio.low < ratio < figures.ratio.high


@pytest.mark.parametrize("known", [0.0, 0.3, 1.0])
def test_figures_are_those_of_the_stated_model_summed_over_a_fine_grid(
    data: TrainingSet, scores: Floats, known: float
) -> None:
    rng = np.random.default_rng(6)
    truth = (rng.random(len(data)) < 0.3).astype(np.float64)
    is_drawn = rng.random(len(data)) < known
    figures = groups_of(data, np.where(is_drawn, truth, np.nan), known or 1.0, scores)[
        "office office-x"
    ]

    referred, is_in = referred_by(scores), in_office(data, "office-x")
    ratio = np.linspace(0.001, 20, 40_000)
    chance = stats.poisson.pmf((referred & is_in).sum(), ratio * 0.05 * is_in.sum()) * (
        ANYWHERE_SHARE * stats.gamma.pdf(ratio, ANYWHERE, scale=1 / ANYWHERE)
        + (1 - ANYWHERE_SHARE) * stats.gamma.pdf(ratio, LIKE_ALL, scale=1 / LIKE_ALL)
    )
    chance /= chance.sum()
    of_referred, of_group = is_drawn & referred, is_drawn & referred & is_in
    confirmed = usual = 0.0
    if known:
        # Drawn evenly, each result stands for as many; all of them for at most the group.
        each = len(data) / is_drawn.sum()
        covered = min(each * of_group.sum() / (referred & is_in).sum(), 1.0)
        confirmed = covered * truth[of_group].sum()
        usual = covered * of_group.sum() * truth[of_referred].mean()
    risk = stats.gamma(RISK + confirmed, scale=1 / (RISK + usual / ratio))
    above = chance @ np.where(ratio > 1.5, risk.cdf(ratio / 1.5), 0.0)
    places = np.searchsorted(np.cumsum(chance), [0.025, 0.975])

    assert figures.ratio.value == pytest.approx(chance @ ratio, rel=0.01)
    assert (figures.ratio.low, figures.ratio.high) == pytest.approx(ratio[places], rel=0.01)
    assert figures.precision_ratio.value == pytest.approx(chance @ (risk.mean() / ratio), rel=0.05)
    assert figures.p_above == pytest.approx(above, rel=0.05, abs=0.005)


@pytest.mark.parametrize("raised", [1.5, 3.0, 5.0])
def test_a_group_whose_scores_are_raised_is_found_without_a_result(
    data: TrainingSet, raised: float
) -> None:
    plain = np.random.default_rng(5).normal(size=len(data))
    nothing = np.full(len(data), np.nan)

    found = groups_of(data, nothing, 1.0, plain + raised * in_office(data, "office-x"))

    assert next(iter(found)) == "office office-x"  # the worst comes first
    assert found["office office-x"].p_above > 0.95
    assert all(each.p_above < 0.2 for each in groups_of(data, nothing, 1.0, plain).values())


def test_results_as_usual_explain_referrals_and_fewer_do_not(
    data: TrainingSet, scores: Floats
) -> None:
    """In the riskier office as many of the referred smuggle as elsewhere, in another hardly any."""
    rng = np.random.default_rng(7)
    riskier = (rng.random(len(data)) < expit(scores - 2)).astype(np.float64)
    raised = np.where(in_office(data, "office-x"), riskier * (rng.random(len(data)) < 0.3), riskier)

    explained, raised_for_nothing = (
        groups_of(data, truth, 1.0, scores)["office office-x"] for truth in (riskier, raised)
    )

    assert explained.p_above < 0.2
    assert explained.precision_ratio.value == pytest.approx(1, abs=0.25)
    assert raised_for_nothing.p_above > 0.95
    assert raised_for_nothing.precision_ratio.value < 0.6


def test_new_operators_are_taken_for_risky_until_results_say_else(
    data: TrainingSet, scores: Floats
) -> None:
    is_new = np.arange(len(data)) % 20 == 0
    own = replace(
        data, subjects=data.subjects.assign(operator_subjects_before=np.where(is_new, 0, 500))
    )
    raised = np.random.default_rng(5).normal(size=len(data)) + 3 * is_new
    is_drawn = np.random.default_rng(6).random(len(data)) < 0.3
    clean = np.where(is_drawn, np.where(is_new, 0.0, np.arange(len(data)) % 2), np.nan)

    unknown = groups_of(own, np.full(len(data), np.nan), 1.0, raised)["operator new"]
    found_clean = groups_of(own, clean, 0.3, raised)["operator new"]

    assert 0.2 < unknown.p_above < 0.95
    assert unknown.results == 0
    assert found_clean.results > 10
    assert found_clean.p_above > 0.95


def test_results_that_stand_for_little_of_a_group_explain_little(
    data: TrainingSet, scores: Floats
) -> None:
    """One result is known of the office's referred, and confirmed: others may still be clean."""
    rng = np.random.default_rng(8)
    labels = np.where(rng.random(len(data)) < 0.3, 0.0, np.nan)
    few = np.flatnonzero(in_office(data, "office-x") & referred_by(scores))[:1]
    labels[in_office(data, "office-x")] = np.nan
    labels[few] = 1.0

    with_one = groups_of(data, labels, 0.3, scores)["office office-x"]
    without = groups_of(data, np.full(len(data), np.nan), 0.3, scores)["office office-x"]

    assert with_one.p_above == pytest.approx(without.p_above, abs=0.05)


def test_results_that_say_nothing_of_all_traffic_say_nothing_of_a_group(
    data: TrainingSet, scores: Floats
) -> None:
    labels = np.full(len(data), np.nan)
    labels[:10] = 1.0

    found = groups_of(data, labels, 0.1, scores)

    unknown = groups_of(data, np.full(len(data), np.nan), 0.1, scores)
    assert found == unknown


def test_a_group_that_is_unclear_is_clear_of_more_traffic(data: TrainingSet) -> None:
    rng = np.random.default_rng(9)
    scores = rng.normal(size=len(data)) + 0.75 * in_office(data, "office-x")

    found = groups_of(data, np.full(len(data), np.nan), 1.0, scores)["office office-x"]

    assert [*found.chances_of_more] == sorted(found.chances_of_more)
    assert min(found.chances_of_more) > found.subjects
    last = [*found.chances_of_more.values()][-1]
    assert min(last, 1 - last) <= min(found.p_above, 1 - found.p_above)


def test_groups_of_fewer_than_a_hundred_are_judged_together(
    data: TrainingSet, scores: Floats
) -> None:
    offices = data.subjects["office_id"].astype(object).to_numpy().copy()
    offices[:99], offices[99:150] = "office-y", "office-z"
    other = replace(data, subjects=data.subjects.assign(office_id=offices))
    labels = np.zeros(len(data))

    found = groups_of(other, labels, 1.0, scores)

    assert found["office (smaller groups together)"].subjects == 150
    assert "office office-y" not in found
    assert not [name for name in found if name.startswith("selected by")]


def test_every_grouping_of_traffic_is_judged(data: TrainingSet, scores: Floats) -> None:
    found = groups_of(data, np.zeros(len(data)), 1.0, scores)

    judged = {figures.by for figures in found.values()}
    assert judged == {"mode", "office", "operator", "origin", "region of origin"}


@pytest.mark.parametrize("confirmed", [0.0, 1.0, None])
def test_a_group_that_is_referred_whole_has_figures_and_never_nan(
    data: TrainingSet, confirmed: float | None
) -> None:
    """All of a small office is referred, and of those nobody, or everybody, or nothing is known."""
    offices = data.subjects["office_id"].to_numpy().astype(object)
    offices[:] = "office-b"
    whole = np.arange(len(data)) < 0.04 * len(data)
    offices[whole] = "office-a"
    own = replace(data, subjects=data.subjects.assign(office_id=offices))
    labels = np.where(np.arange(len(data)) % 5 == 0, 0.0, np.nan)
    labels[-40:] = 1.0
    labels[whole] = np.nan if confirmed is None else confirmed

    found = groups_of(own, labels, 0.2, 5.0 * whole)

    group = found["office office-a"]
    assert group.referred == group.subjects
    for each in found.values():
        figures = (
            each.p_above,
            each.ratio.low,
            each.ratio.high,
            each.precision_ratio.low,
            each.precision_ratio.high,
        )
        assert all(figure is not None and np.isfinite(figure) for figure in figures), each
        assert "nan" not in each.model_dump_json().lower()
