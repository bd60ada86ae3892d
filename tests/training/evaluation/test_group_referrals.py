"""False referrals of groups against plain counts, where every result is known and where few are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.training.planted import INPUTS
from training.data.training_set import TrainingSet
from training.estimation.inspected_sample import inspected_sample
from training.evaluation.evaluation_report import GroupReferrals
from training.evaluation.group_referrals import group_referrals
from training.evaluation.labelled_window import LabelledWindow
from training.ranking import Floats


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


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
    """Office a scores far higher than the others, for no reason."""
    rng = np.random.default_rng(5)
    is_a = (data.subjects["office_id"] == "office-a").to_numpy()
    return np.asarray(rng.normal(size=len(data)) + 1.5 * is_a)


def test_where_every_result_is_known_ratios_are_those_of_counting(
    data: TrainingSet, scores: Floats
) -> None:
    rng = np.random.default_rng(6)
    labels = (rng.random(len(data)) < 0.02).astype(np.float64)

    found = groups_of(data, labels, 1.0, scores)

    referred = np.argsort(np.argsort(-scores)) < round(0.05 * len(data))
    clean = labels == 0
    usual = (referred & clean).sum() / len(data)
    for office in ("office-a", "office-b", "office-c"):
        is_in = (data.subjects["office_id"] == office).to_numpy()
        figures, falsely = found[f"office {office}"], int((referred & clean & is_in).sum())
        assert (figures.subjects, figures.referred) == (is_in.sum(), (referred & is_in).sum())
        assert figures.ratio.value == pytest.approx(falsely / is_in.sum() / usual, rel=0.002)
        below, above = (
            stats.binomtest(falsely, int(is_in.sum()), 1.5 * usual, alternative=side).pvalue
            for side in ("less", "greater")
        )
        assert figures.p_within == pytest.approx(below, rel=0.05, abs=1e-12)
        assert figures.p_above == pytest.approx(above, rel=0.05, abs=1e-12)
        assert figures.ratio.low <= figures.ratio.value <= figures.ratio.high


def test_where_few_results_are_known_they_bound_what_is_not(
    data: TrainingSet, scores: Floats
) -> None:
    """One in ten was drawn, so of most groups too few referred ones were: the rest is left open."""
    rng = np.random.default_rng(7)
    truth = (rng.random(len(data)) < 0.02).astype(np.float64)
    labels = np.where(rng.random(len(data)) < 0.1, truth, np.nan)

    found = groups_of(data, labels, 0.1, scores)
    whole = groups_of(data, truth, 1.0, scores)

    for name, figures in found.items():
        assert figures.ratio.low <= whole[name].ratio.value <= figures.ratio.high, name
    assert found["office office-b"].ratio.value is None


def test_no_group_is_judged_where_nothing_of_all_traffic_may_be_said(
    data: TrainingSet, scores: Floats
) -> None:
    labels = np.full(len(data), np.nan)
    labels[:10] = 0.0

    assert groups_of(data, labels, 0.1, scores) == {}


def test_groups_of_fewer_than_a_hundred_are_judged_together(
    data: TrainingSet, scores: Floats
) -> None:
    offices = data.subjects["office_id"].astype(object).to_numpy().copy()
    offices[:99], offices[99:150] = "office-x", "office-y"
    other = replace(data, subjects=data.subjects.assign(office_id=offices))
    labels = np.zeros(len(data))

    found = groups_of(other, labels, 1.0, scores)

    assert found["office (smaller groups together)"].subjects == 150
    assert "office office-x" not in found
    assert not [name for name in found if name.startswith("selected by")]


def test_every_grouping_of_traffic_is_judged(data: TrainingSet, scores: Floats) -> None:
    found = groups_of(data, np.zeros(len(data)), 1.0, scores)

    judged = {figures.by for figures in found.values()}
    assert judged == {"mode", "office", "operator", "origin", "region of origin"}


def test_where_all_that_is_referred_is_confirmed_no_group_is_referred_falsely(
    data: TrainingSet, scores: Floats
) -> None:
    referred = np.argsort(np.argsort(-scores)) < round(0.05 * len(data))

    found = groups_of(data, referred.astype(np.float64), 1.0, scores)

    assert found
    assert all(group.ratio.value == 0 and group.p_above == 1 for group in found.values())


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
        figures = (each.p_within, each.p_above, each.ratio.low, each.ratio.high)
        assert all(figure is not None and np.isfinite(figure) for figure in figures), each
        assert "nan" not in each.model_dump_json().lower()
