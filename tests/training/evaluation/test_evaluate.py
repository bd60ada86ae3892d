"""What a report says of a world whose true probabilities are known."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.planted import INPUTS, instant
from training.data.training_set import TrainingSet
from training.errors import TrainingSetError
from training.evaluation.evaluate import evaluate_model
from training.evaluation.evaluation_report import EvaluationReport
from training.evaluation.labelled_window import LabelledWindow
from training.evaluation.oracle import Oracle, compare_with_oracle
from training.evaluation.unseen_entities import unseen_entity_figures
from training.model.manifest import WindowFigures
from training.parameters import EvaluationParameters

PARAMETERS = EvaluationParameters(redraws=30)
WINDOW = WindowFigures(
    begins=instant("2025-01-01"), ends=instant("2026-01-01"), labelled=1, confirmed=1
)


@pytest.fixture(scope="module")
def judged(planted: Path) -> LabelledWindow:
    """Every labelled subject, scored by something that knows a part of the truth."""
    data = TrainingSet.read(planted, "shipment", INPUTS)
    rows = np.flatnonzero(data.outcomes.is_labelled)
    late = data.frame["late_payments_30d"].to_numpy()[rows]
    return LabelledWindow(data, rows, 1 / (1 + np.exp(-(late - 3))))


@pytest.fixture(scope="module")
def report(judged: LabelledWindow) -> EvaluationReport:
    return evaluate_model("tidegate-shipment", judged, WINDOW, PARAMETERS, seed=1)


def test_groups_of_one_kind_hold_every_subject_once(report: EvaluationReport) -> None:
    kinds = "mode, office, operator, operator is, origin, region of origin, selected by"
    for by in kinds.split(", "):
        groups = [group for group in report.groups if group.by == by]
        assert sum(group.labelled for group in groups) == report.inspected.labelled
        referred = sum(group.referred.value * group.labelled for group in groups)
        assert referred == pytest.approx(np.floor(report.inspected.labelled * 0.05))


def test_the_clean_and_the_confirmed_referrals_of_a_group_add_up(report: EvaluationReport) -> None:
    assert report.groups
    for group in report.groups:
        referred = group.referred.value * group.labelled
        confirmed = (group.precision.value or 0) * referred
        clean = group.false_referral.value * (group.labelled - group.confirmed)
        assert confirmed + clean == pytest.approx(referred)


def test_a_model_that_remembers_operators_fails_on_new_ones(judged: LabelledWindow) -> None:
    """Confirmed whenever the operator's number is odd, and scored by the operators known before."""
    data = judged.data
    number = data.subjects["operator_id"].str[1:].astype(int).to_numpy()
    label = np.where(data.outcomes.is_labelled, number % 2, np.nan)
    data = replace(data, outcomes=replace(data.outcomes, label=label.astype(float)))
    earlier = np.arange(len(data) // 4)
    later = judged.rows[judged.rows >= len(data) // 4]
    new = data.is_new("operator_id", later, earlier)
    remembered = np.where(new, 0.5, number[later] % 2)

    figures = unseen_entity_figures(
        LabelledWindow(data, later, remembered), earlier, PARAMETERS, seed=1
    )

    by_column = {figure.column: figure for figure in figures}
    assert by_column["operator_id"].labelled == new.sum() > 30
    assert by_column["operator_id"].roc_auc.value == 0.5
    assert by_column["origin_country"].labelled < 30
    assert by_column["origin_country"].roc_auc.value is None


def test_small_groups_are_pooled(judged: LabelledWindow) -> None:
    parameters = EvaluationParameters(redraws=10, smallest_group=10**6)

    report = evaluate_model("m", judged, WINDOW, parameters, seed=1)

    assert {group.group for group in report.groups} == {"(smaller groups together)"}


@pytest.fixture
def oracle(judged: LabelledWindow) -> pd.DataFrame:
    late = judged.data.frame["late_payments_30d"].to_numpy()
    return pd.DataFrame(
        {
            "subject_kind": "shipment",
            "subject_id": judged.data.subject_ids,
            "true_probability": 1 / (1 + np.exp(-(late - 2))),
            "typology": None,
        }
    )


def test_who_ranks_as_the_truth_does_reaches_the_whole_oracle(
    tmp_path: Path, judged: LabelledWindow, oracle: pd.DataFrame
) -> None:
    oracle.to_parquet(tmp_path / "oracle.parquet")
    known = Oracle.read(tmp_path / "oracle.parquet", judged)
    reversed_ = replace(known, window=replace(judged, probability=-known.probability))

    best = compare_with_oracle(known, known.probability, PARAMETERS, seed=1)
    worst = compare_with_oracle(reversed_, known.probability, PARAMETERS, seed=1)

    assert [at.share_of_oracle.value for at in best] == pytest.approx([1.0] * 4)
    assert worst[2].share_of_oracle.high < 0.5


def test_shares_of_the_oracle_at_one_and_two_percent_stand_beside_that_at_five(
    tmp_path: Path, judged: LabelledWindow, oracle: pd.DataFrame
) -> None:
    oracle.to_parquet(tmp_path / "oracle.parquet")
    known = Oracle.read(tmp_path / "oracle.parquet", judged)
    asked_for_other_shares = EvaluationParameters(capacity_shares=(0.2, 0.05), redraws=10)

    beside = compare_with_oracle(known, known.probability, asked_for_other_shares, seed=1)

    assert [at.share for at in beside] == [0.01, 0.02, 0.05, 0.2]


def test_an_oracle_that_lacks_a_subject_is_refused(
    tmp_path: Path, judged: LabelledWindow, oracle: pd.DataFrame
) -> None:
    oracle[oracle["subject_id"] != judged.data.subject_ids[judged.rows[0]]].to_parquet(
        tmp_path / "oracle.parquet"
    )

    with pytest.raises(TrainingSetError, match="is missing"):
        Oracle.read(tmp_path / "oracle.parquet", judged)


def test_a_report_survives_json(report: EvaluationReport) -> None:
    assert EvaluationReport.model_validate_json(report.model_dump_json()) == report
    assert "NaN" not in json.dumps(report.model_dump(mode="json"), allow_nan=False)
