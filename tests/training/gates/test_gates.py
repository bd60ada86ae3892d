from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.training.planted import INPUTS, QUICK
from training.confidence_intervals import Estimate
from training.data.training_set import TrainingSet
from training.evaluation.evaluation_report import EvaluationReport, ProxyFigures
from training.evaluation.reevaluation import unseen_window
from training.gates import gates
from training.gates.non_inferiority import no_worse_by
from training.gates.verdict import Answer
from training.leakage.finding import LeakageFinding
from training.model.manifest import Manifest
from training.model.risk_model import RiskModel
from training.parameters import TrainingParameters, TreeParameters
from training.ranking import ScoreRanking
from training.train import train_model


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


def model_of(data: TrainingSet, trees: int) -> RiskModel:
    parameters = TrainingParameters(
        threads=1, trees=TreeParameters(trees=trees, leaves=6, early_stopping_rounds=0)
    )
    return train_model(data, parameters).model


@pytest.fixture(scope="module")
def stump(data: TrainingSet) -> RiskModel:
    return model_of(data, trees=1)


@pytest.fixture(scope="module")
def model(data: TrainingSet) -> RiskModel:
    return model_of(data, trees=60)


def with_metrics(model: RiskModel, **metrics: Estimate) -> Manifest:
    manifest = model.manifest
    return manifest.model_copy(update={"metrics": manifest.metrics | metrics})


def test_a_sound_model_answers_its_golden_rows(model: RiskModel) -> None:
    verdict = gates.golden_vectors(model)

    assert verdict.verdict == "passed", verdict.reason
    assert verdict.gate == "golden vectors"


@pytest.mark.parametrize("what", ["log_odds", "contributions", "base"])
def test_a_golden_row_that_no_longer_recomputes_shuts_the_gate(model: RiskModel, what: str) -> None:
    first, *others = model.manifest.golden
    parts = (first.contributions[0] + 1e-6, *first.contributions[1:])
    changed = {
        "log_odds": {"golden": (first.model_copy(update={"log_odds": 0.123}), *others)},
        "contributions": {"golden": (first.model_copy(update={"contributions": parts}), *others)},
        "base": {"base_log_odds": model.manifest.base_log_odds + 1e-6},
    }[what]
    broken = replace(model, manifest=model.manifest.model_copy(update=changed))

    assert gates.golden_vectors(broken).verdict != "passed"


def test_a_leak_or_an_unasked_question_shuts_the_gate(model: RiskModel) -> None:
    report = EvaluationReport.model_validate_json(model.report_json)
    leak = LeakageFinding(
        check="single feature", is_refusal=True, features=("x",), evidence="x tells everything"
    )

    assert gates.free_of_leaks(report).verdict == "passed"
    leaking = report.model_copy(update={"leakage": (*report.leakage, leak)})
    assert gates.free_of_leaks(leaking).reason == "x tells everything"
    assert gates.free_of_leaks(leaking).verdict != "passed"
    assert gates.free_of_leaks(report.model_copy(update={"leakage": ()})).verdict == "refused"


@pytest.mark.parametrize(
    ("told", "is_passed"), [((0.49, 0.2), True), ((0.51, 0.2), False), ((), False)]
)
def test_a_feature_that_tells_more_than_half_of_the_origin_or_none_measured_shuts_the_gate(
    model: RiskModel, told: tuple[float, ...], is_passed: bool
) -> None:
    figures = tuple(
        ProxyFigures(feature=f"f{n}", information_share=share) for n, share in enumerate(told)
    )
    report = EvaluationReport.model_validate_json(model.report_json)

    verdict = gates.no_proxy_for_origin(report.model_copy(update={"proxies": figures}))

    assert (verdict.verdict == "passed") is is_passed, verdict.reason


def test_a_clearly_worse_model_does_not_replace_the_champion(
    model: RiskModel, data: TrainingSet
) -> None:
    # It reads fewer features than the other, as one that is older than a feature.
    stump = train_model(
        data.only(("late_payments_30d", "noise_ratio")),
        TrainingParameters(
            **QUICK,
            trees=TreeParameters(
                trees=1, leaves=2, feature_share=0.01, early_stopping_rounds=0, l2=1000
            ),
        ),
    ).model

    worse = gates.no_worse_than_champion(stump, model, data)
    better = gates.no_worse_than_champion(model, stump, data)

    assert worse.verdict != "passed"
    assert "want an interval above" in worse.reason
    assert better.verdict == "passed"


def test_a_model_that_finds_exactly_as_much_as_the_champion_may_replace_it(
    model: RiskModel, data: TrainingSet
) -> None:
    same = gates.no_worse_than_champion(model, model, data)

    assert same.verdict == "passed"
    assert same.reason == "it ranks every subject as the champion does"


def test_too_few_labels_to_compare_on_shut_the_gate(model: RiskModel, data: TrainingSet) -> None:
    nothing = replace(data.outcomes, label=np.full(len(data), np.nan))

    verdict = gates.no_worse_than_champion(model, model, replace(data, outcomes=nothing))

    assert verdict.verdict == "undecided"
    assert "the evaluation window" in verdict.reason


def test_a_champion_that_has_learnt_from_the_window_leaves_comparisons_undecided(
    model: RiskModel, data: TrainingSet
) -> None:
    """A successor is older than the champion where somebody returns to it."""
    learnt = model.manifest.training_window
    later = learnt.evaluation.begins + timedelta(days=1)
    champion = replace(
        model,
        manifest=model.manifest.model_copy(
            update={
                "training_window": learnt.model_copy(
                    update={"evaluation": learnt.evaluation.model_copy(update={"begins": later})}
                )
            }
        ),
    )

    for compare in (gates.no_worse_than_champion, gates.holds_on_the_control_lane):
        verdict = compare(model, champion, data)
        assert verdict.verdict == "undecided"
        assert f"until before {later:%Y-%m-%d}" in verdict.reason
        assert "has learnt from labels" not in compare(champion, model, data).reason


def by_lot(data: TrainingSet, model: RiskModel, confirmed: int, cleared: int) -> TrainingSet:
    """The same, where of the model's evaluation window so many were drawn by lot."""
    window = unseen_window(model, data)
    selected_by = np.full(len(data), "rule", dtype=object)
    for label, number in ((1, confirmed), (0, cleared)):
        selected_by[window.rows[window.labels == label][:number]] = "random"
    return replace(data, outcomes=replace(data.outcomes, selected_by=selected_by))


def test_thirty_confirmed_by_lot_are_enough_to_stop_a_worse_model(
    model: RiskModel, stump: RiskModel, data: TrainingSet
) -> None:
    """Only subjects drawn by lot count: one tree is worse there, and the same model is as good."""
    worse = gates.holds_on_the_control_lane(stump, model, by_lot(data, model, 30, 90))
    same = gates.holds_on_the_control_lane(model, model, by_lot(data, model, 30, 90))
    few = gates.holds_on_the_control_lane(stump, model, by_lot(data, model, 29, 90))

    assert worse.verdict == "refused"
    assert worse.reason.endswith(
        "over 120 subjects drawn at random, 30 of them confirmed; want an interval above -0.05 "
        "that does not lie below 0"
    )
    assert worse.reason.startswith("ROC-AUC differs from the champion's by -0.")
    assert same.verdict == "passed", same.reason
    assert (few.verdict, few.reason) == (
        "undecided",
        "29 confirmed of 119 drawn at random say too little; want 30",
    )
    assert few.cases is not None
    assert (few.cases.known, few.cases.needed) == (29, 30)


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (Estimate(0.0, -0.0499, 0.03), "passed"),
        (Estimate(0.0, -0.0501, 0.03), "undecided"),
        (Estimate(-0.03, -0.06, 0.001), "undecided"),
        (Estimate(-0.03, -0.06, -0.001), "refused"),
    ],
)
def test_a_twentieth_of_auc_may_be_lost_among_those_drawn_by_lot(
    model: RiskModel,
    stump: RiskModel,
    data: TrainingSet,
    monkeypatch: pytest.MonkeyPatch,
    gain: Estimate,
    said: Answer,
) -> None:
    monkeypatch.setattr(gates, "gain_of_auc", lambda ours, theirs: gain)

    verdict = gates.holds_on_the_control_lane(stump, model, by_lot(data, model, 30, 90))

    assert verdict.verdict == said
    assert ("confirmed subjects would" in verdict.reason) is (said == "undecided")


def test_hardly_a_model_is_refused_by_chance_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pairs of scores that know as much, a fifth of which loses .02 and more by chance."""
    monkeypatch.setattr(gates, "REDRAWS", 100)
    lots, gains = np.random.default_rng(3), []
    for _ in range(30):
        labels = np.repeat([1.0, 0.0], [40, 260])
        known = labels + lots.normal(size=300)
        one, other = (
            ScoreRanking.from_scores(labels, known + 0.5 * lots.normal(size=300)) for _ in range(2)
        )
        gains.append(gates.gain_of_auc(one, other))

    lost = [gain.value is not None and gain.value < -0.02 for gain in gains]
    assert sum(lost) >= 6
    assert [no_worse_by(gain, gates.MAX_LOSS_OF_AUC) for gain in gains].count("refused") <= 1
