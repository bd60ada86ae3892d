"""Offices, strata, typologies and champions: a model beside what it is measured against."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.planted import INPUTS
from training.data.training_set import TrainingSet
from training.evaluation.labelled_window import LabelledWindow
from training.evaluation.offices import at_office_capacity
from training.evaluation.oracle import Oracle, compare_with_oracle
from training.evaluation.stability import stability
from training.evaluation.strata import by_stratum
from training.evaluation.typologies import by_typology, is_new
from training.parameters import EvaluationParameters
from training.ranking import ScoreRanking, at_capacity

PARAMETERS = EvaluationParameters(redraws=30)


@pytest.fixture(scope="module")
def everyone(planted: Path) -> LabelledWindow:
    """All subjects, scored by something that knows a part of the truth."""
    data = TrainingSet.read(planted, "shipment", INPUTS)
    late = data.frame["late_payments_30d"].to_numpy()
    lots = np.random.default_rng(5)
    return LabelledWindow(
        data, np.arange(len(data)), 1 / (1 + np.exp(-(late - 3 + lots.random(len(data)))))
    )


@pytest.fixture(scope="module")
def labelled(everyone: LabelledWindow) -> LabelledWindow:
    return everyone.only(~np.isnan(everyone.labels))


def test_one_office_at_its_capacity_is_everyone_at_that_share(
    everyone: LabelledWindow, labelled: LabelledWindow
) -> None:
    data = replace(everyone.data, subjects=everyone.data.subjects.assign(office_id=None))
    one, chosen = replace(everyone, data=data), replace(labelled, data=data)

    found = at_office_capacity(one, chosen, PARAMETERS, seed=1)

    assert found.share == pytest.approx(0.6, abs=0.03)  # that many were inspected
    plain = at_capacity(chosen.ranking(), found.share)
    assert found.precision.value == pytest.approx(plain["precision"], abs=1e-3)
    assert found.value_captured.value == pytest.approx(plain["value_captured"], abs=2e-3)


def test_an_office_of_many_hands_inspects_a_larger_part_of_its_own(
    everyone: LabelledWindow, labelled: LabelledWindow
) -> None:
    """Where the busy office has all that is confirmed, its capacity decides what is found."""
    lots = np.random.default_rng(1)
    is_busy = lots.random(len(everyone.data)) < 0.5
    is_seen = lots.random(len(everyone.data)) < np.where(is_busy, 0.8, 0.1)
    label = np.where(is_seen, (is_busy & (lots.random(len(is_busy)) < 0.3)).astype(float), np.nan)
    outcomes = replace(
        everyone.data.outcomes,
        label=label,
        selected_by=np.where(is_seen, "rule", None),
    )
    offices = everyone.data.subjects.assign(office_id=np.where(is_busy, "busy", "idle"))
    data = replace(everyone.data, outcomes=outcomes, subjects=offices)
    own = replace(everyone, data=data)

    found = at_office_capacity(own, own.only(is_seen), PARAMETERS, seed=1)

    assert found.recall.value == pytest.approx(0.8, abs=0.05)


def test_every_stratum_is_ranked_by_itself(labelled: LabelledWindow) -> None:
    strata = by_stratum(labelled, PARAMETERS, seed=1)

    assert [s.selected_by for s in strata] == ["random", "rule"]
    assert sum(s.labelled for s in strata) == len(labelled.rows)
    own = labelled.only(labelled.in_random_lane)
    alone = at_capacity(own.ranking(), 0.05)
    assert strata[0].precision.value == alone["precision"]
    assert strata[0].precision.low < alone["precision"] < strata[0].precision.high


def test_a_stratum_that_found_hardly_anything_gives_counts_only(labelled: LabelledWindow) -> None:
    spared = labelled.in_random_lane & (labelled.labels == 1)

    stratum = by_stratum(labelled.only(~spared), PARAMETERS, seed=1)[0]

    assert (stratum.selected_by, stratum.confirmed) == ("random", 0)
    assert stratum.prevalence.high is not None
    assert stratum.roc_auc.value is None


def as_oracle(
    everyone: LabelledWindow, folder: Path, typology: np.ndarray, probability: np.ndarray
) -> Oracle:
    table = {
        "subject_kind": "shipment",
        "subject_id": everyone.data.subject_ids,
        "true_probability": probability,
        "typology": typology,
    }
    pd.DataFrame(table).to_parquet(folder / "oracle.parquet")
    return Oracle.read(folder / "oracle.parquet", everyone)


def test_a_typology_that_no_earlier_outcome_told_of_is_new_and_stands_apart(
    everyone: LabelledWindow, tmp_path: Path
) -> None:
    """The model finds every known case and none of the new kind."""
    lots = np.random.default_rng(3)
    draws = lots.random(len(everyone.rows))
    typology = np.select([draws < 0.02, draws < 0.03], ["undervaluation", "cloned"], None)
    known = everyone.only(np.ones(len(draws), dtype=bool))
    model = replace(known, probability=np.where(typology == "undervaluation", 0.9, draws / 2))
    oracle = as_oracle(model, tmp_path, typology, np.where(typology == None, 0.0, 1.0))  # noqa: E711  compares each element

    new = is_new(model, oracle.typology, everyone.data.declared_at[-1])
    lines = {line.typology: line for line in by_typology(model, oracle.typology, new)}
    whole = compare_with_oracle(oracle, oracle.came_true, PARAMETERS, seed=1)
    among_known = oracle.only(~new)
    apart = compare_with_oracle(among_known, among_known.came_true, PARAMETERS, seed=1)

    assert lines["undervaluation"].recall.value == 1
    assert not lines["undervaluation"].is_new
    assert lines["cloned"].is_new
    assert lines["cloned"].recall.high < 0.2
    assert apart[2].share_of_oracle.value == 1
    assert whole[2].share_of_oracle.value < 0.8


def test_before_any_outcome_is_known_every_typology_is_new(everyone: LabelledWindow) -> None:
    typology = everyone.data.outcomes.typology

    new = is_new(everyone, typology, everyone.data.declared_at[0])

    assert (new == (typology == "undervaluation")).all()
    assert new.any()


def test_a_champion_that_ranks_alike_agrees_and_one_that_reverses_does_not() -> None:
    scores = np.random.default_rng(1).random(1_000)

    same = stability(scores, 5 * scores, "sha256:a", PARAMETERS)
    other = stability(scores, -scores, "sha256:a", PARAMETERS)
    half = stability(scores, np.where(scores > 0.975, -1, scores), "sha256:a", PARAMETERS)

    assert same.rank_correlation == 1
    assert {a.common.value for a in same.agreement} == {1.0}
    assert {a.common.value for a in other.agreement} == {0.0}
    five = next(a for a in half.agreement if a.share == 0.05)
    assert five.common.value == pytest.approx(0.5, abs=0.1)
    assert five.common.low < five.common.value < five.common.high


def test_equal_scores_agree_in_expectation() -> None:
    """Who cannot tell subjects apart shares with anyone what a lot would give."""
    told = stability(np.zeros(1_000), np.arange(1_000.0), "sha256:a", PARAMETERS)

    assert ScoreRanking.from_scores(np.zeros(3), np.zeros(3)).starts.tolist() == [0]
    assert told.agreement[3].common.value == pytest.approx(0.1)
