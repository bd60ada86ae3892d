"""Figures of all traffic in a report hold what their intervals say: a short run of the study."""

import importlib
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from features.build_training_set import build_training_set
from synthetic.plan import plan_world
from synthetic.scenario import Scenario
from synthetic.world import invent
from tests.counts import in_full_alone
from training.confidence_intervals import Estimate
from training.data.training_set import TrainingSet
from training.evaluation.reevaluation import scored_window, unseen_window
from training.parameters import TrainingParameters
from training.train import train_model

STUDY: Any = importlib.import_module("experiments.2026-11-27-figures-that-hold.report")
JOURNEYS, SEED, REDRAWS = 20_000, 5, 40
HURRIED = TrainingParameters.model_validate(
    {
        "threads": 1,
        "trees": {"trees": 25, "leaves": 8, "early_stopping_rounds": 0},
        "leakage": {"is_checked": False},
        "evaluation": {"redraws": 10},
    }
)


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("world")
    invent(folder / "records", scenario=Scenario(), journeys=JOURNEYS, days=365, seed=SEED, cores=1)
    build_training_set(folder / "records", "shipment", folder / "set")
    data = TrainingSet.read(folder / "set", "shipment")
    model = train_model(data, HURRIED).model
    scored = scored_window(model, data, unseen_window(model, data))
    plan = plan_world(Scenario(), JOURNEYS, 365, SEED)
    return STUDY.traffic_of(scored, plan, np.random.default_rng(1))


@pytest.mark.faults
@in_full_alone
def test_intervals_of_a_report_hold_what_inspecting_everybody_would_confirm(traffic: Any) -> None:
    rng, scenario = np.random.default_rng(2), Scenario(random_inspections=0.3)
    told: dict[str, list[tuple[float, Estimate]]] = defaultdict(list)
    for _ in range(REDRAWS):
        drawn = traffic.come_true_again(rng)
        section = drawn.inspected(rng, scenario)
        truths = drawn.truths(section)
        for figure, estimate in STUDY.estimates(section):
            if estimate.value is not None:
                told[figure].append((truths[figure], estimate))

    for figure in (
        "prevalence",
        "roc_auc",
        "precision@10%",
        "recall@10%",
        "observed over expected",
    ):
        pairs = told[figure]
        mean_truth = np.mean([truth for truth, _ in pairs])
        mean_value = np.mean([estimate.value for _, estimate in pairs])
        assert len(pairs) == REDRAWS, figure
        # Of 40 intervals that hold 95 % of the time, fewer than 34 hold once in 300 runs.
        assert sum(e.low <= truth <= e.high for truth, e in pairs) >= 34, figure
        assert abs(mean_value / mean_truth - 1) < 0.08, figure
