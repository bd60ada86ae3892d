"""Each leak is planted into the same honest world, and must be found there and nowhere else."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.catalogue import features_of
from tests.training.planted import INPUTS
from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.errors import TrainingError
from training.leakage.finding import LeakageFinding
from training.leakage.pair_lookup import identifying_pairs
from training.leakage.shuffled_labels import shuffled_labels_finding
from training.leakage.single_features import features_that_predict_labels
from training.leakage.target_lookup import Sample, TargetLookup
from training.parameters import LeakageParameters, TrainingParameters, TreeParameters
from training.train import Candidate, train_model

PARAMETERS = TrainingParameters(threads=1, trees=TreeParameters(trees=60, leaves=8))


@pytest.fixture(scope="module")
def honest(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


def with_column(data: TrainingSet, values: np.ndarray) -> TrainingSet:
    """The same world, with other values in the column that was noise."""
    return replace(data, frame=data.frame.assign(noise_ratio=values))


def found(candidate: Candidate, check: str) -> list[LeakageFinding]:
    return [finding for finding in candidate.report.leakage if finding.check == check]


def from_the_future(data: TrainingSet) -> np.ndarray:
    """What an inspection wrote down, blurred: known only after the scoring instant."""
    lots = np.random.default_rng(1)
    label = np.where(np.isnan(data.outcomes.label), 0, data.outcomes.label)
    return label * 2 + lots.normal(scale=0.5, size=len(data))


def test_an_honest_world_has_no_finding_that_refuses(honest: TrainingSet) -> None:
    candidate = train_model(honest, PARAMETERS)

    assert [f.check for f in candidate.report.leakage] == ["shuffled labels"]
    assert not any(finding.is_refusal for finding in candidate.report.leakage)


def test_a_feature_from_the_future_is_refused_by_name(honest: TrainingSet) -> None:
    with pytest.raises(TrainingError, match=r"noise_ratio alone has a ROC-AUC of 0\.98"):
        train_model(with_column(honest, from_the_future(honest)), PARAMETERS)


def test_a_feature_that_knows_eight_answers_in_ten_is_warned_of(honest: TrainingSet) -> None:
    lots = np.random.default_rng(2)
    knows = lots.random(len(honest)) < 0.8
    label = np.where(np.isnan(honest.outcomes.label), 0, honest.outcomes.label)

    (warned,) = found(train_model(with_column(honest, label * knows), PARAMETERS), "single feature")

    assert (warned.features, warned.is_refusal) == (("noise_ratio",), False)
    assert "above 0.85: was it known when they were declared?" in warned.evidence


@pytest.mark.parametrize("share", [0.4, 0.15])
def test_a_feature_that_most_of_the_confirmed_lack_and_that_is_sure_of_the_rest_is_warned_of(
    honest: TrainingSet, share: float
) -> None:
    lots = np.random.default_rng(3)
    label = np.where(np.isnan(honest.outcomes.label), 0, honest.outcomes.label)
    noted = label * (lots.random(len(honest)) < share)
    written = np.where(noted, lots.lognormal(size=len(honest)), np.nan)

    for values in (noted, written):
        data = with_column(honest, values)
        sample = Sample.from_split(
            data, TimeSplit.from_training_set(data, PARAMETERS.split), PARAMETERS.split
        )
        (warned,) = features_that_predict_labels(sample, largest_auc=0.95)
        assert (warned.features, warned.is_refusal) == (("noise_ratio",), False)
        told = re.search(r"noise_ratio alone knows (\d+)% .*: (\d+) of (\d+) ", warned.evidence)
        assert told is not None, warned.evidence
        known, confirmed, among = map(int, told.groups())
        assert known == pytest.approx(100 * share, abs=10)
        assert confirmed == among


@pytest.mark.parametrize("confirmed", [None, 60])
def test_a_feature_that_knows_three_in_ten_and_is_set_for_one_in_a_hundred_others_is_warned_of(
    honest: TrainingSet, confirmed: int | None
) -> None:
    """Where some 60 are confirmed, fewer than ten of those that it knows are evaluated."""
    lots = np.random.default_rng(4)
    chance = np.where(honest.outcomes.label == 1, 0.3, 0.01)
    data = with_column(honest, (lots.random(len(honest)) < chance).astype(np.float64))
    split = TimeSplit.from_training_set(data, PARAMETERS.split)
    sample = Sample.from_split(data, split, PARAMETERS.split)
    if confirmed is not None:
        found = np.flatnonzero(sample.labels == 1)
        kept = np.isin(np.arange(len(sample.labels)), found[:: len(found) // confirmed])
        kept |= sample.labels == 0
        fit_count = int(kept[: sample.fit_count].sum())
        sample = Sample(sample.frame[kept], sample.labels[kept], fit_count, sample.rows[kept])

    (warned,) = features_that_predict_labels(sample, largest_auc=0.95)

    assert (warned.features, warned.is_refusal) == (("noise_ratio",), False)
    assert "of the later subjects that were confirmed" in warned.evidence


def test_where_most_are_confirmed_no_honest_feature_is_taken_for_sure(
    honest: TrainingSet,
) -> None:
    turned = replace(honest, outcomes=replace(honest.outcomes, label=1 - honest.outcomes.label))
    split = TimeSplit.from_training_set(turned, PARAMETERS.split)
    sample = Sample.from_split(turned, split, PARAMETERS.split)

    assert sample.evaluation_labels.mean() > 0.75
    assert not [*features_that_predict_labels(sample, largest_auc=0.95)]


def test_what_only_inspected_subjects_have_is_refused_though_it_tells_nothing_of_the_outcome(
    honest: TrainingSet,
) -> None:
    """Hours that an inspection took: random among the inspected, none for anybody else."""
    lots = np.random.default_rng(6)
    is_inspected = np.not_equal(honest.outcomes.selected_by, None)
    hours = np.where(is_inspected, lots.lognormal(size=len(honest)), np.nan)
    leaking = with_column(honest, hours)

    with pytest.raises(TrainingError, match="noise_ratio tells subjects that a lot chose"):
        train_model(leaking, PARAMETERS)
    accepting = PARAMETERS.model_copy(
        update={"leakage": LeakageParameters(accept=("noise_ratio",), is_checked=True)}
    )
    assert [f.features for f in found(train_model(leaking, accepting), "drawn by lot")] == [
        ("noise_ratio",)
    ]


@pytest.mark.parametrize("tells_by", ["being low", "being in between", "being absent"])
def test_a_feature_may_tell_the_label_in_any_way(honest: TrainingSet, tells_by: str) -> None:
    future = from_the_future(honest)
    values = {
        "being low": -future,
        "being in between": (future - 2) ** 2,
        "being absent": np.where(future > 1, np.nan, 0.0),
    }[tells_by]
    data = with_column(honest, values)
    split = TimeSplit.from_training_set(data, PARAMETERS.split)
    sample = Sample.from_split(data, split, PARAMETERS.split)

    named = [f.features for f in features_that_predict_labels(sample, largest_auc=0.95)]

    assert named == [("noise_ratio",)]


def test_an_accepted_feature_is_told_of_but_does_not_stop_training(honest: TrainingSet) -> None:
    accepting = PARAMETERS.model_copy(
        update={"leakage": LeakageParameters(accept=("noise_ratio",))}
    )

    candidate = train_model(with_column(honest, from_the_future(honest)), accepting)

    assert [f.features for f in found(candidate, "single feature")] == [("noise_ratio",)]
    assert not found(candidate, "single feature")[0].is_refusal


def test_a_set_that_repeats_its_rows_is_warned_of_with_the_columns_that_tell(
    honest: TrainingSet,
) -> None:
    """Every subject copies one of 300 originals, known again by mass and price together."""
    lots = np.random.default_rng(2)
    original = lots.integers(0, 300, len(honest))
    is_bad = lots.random(300) < 0.25
    label = np.where(honest.outcomes.is_labelled, is_bad[original].astype(float), np.nan)
    mass, price = lots.lognormal(size=30).round(3), lots.lognormal(size=10).round(3)
    data = replace(
        honest,
        outcomes=replace(honest.outcomes, label=label),
        frame=honest.frame.assign(
            value_per_kg_ratio=mass[original % 30],
            late_payments_30d=lots.poisson(1.0, len(honest)).astype(float),
            noise_ratio=price[original // 30] * (1 + lots.normal(scale=1e-7, size=len(honest))),
        ),
    )

    pairs = found(train_model(data, PARAMETERS), "pair lookup")

    assert pairs[0].features == ("value_per_kg_ratio", "noise_ratio")
    assert not pairs[0].is_refusal
    assert "100% of later subjects repeat values of earlier ones" in pairs[0].evidence


def test_beside_a_repeating_pair_stands_what_the_model_is_worth_on_what_repeats_nothing(
    honest: TrainingSet,
) -> None:
    """A history tells the label of any earlier copy; whoever copies nobody, nothing tells of."""
    lots = np.random.default_rng(4)
    places = np.arange(len(honest))
    is_original = (lots.random(len(honest)) < 0.25) | (places == 0)
    original = places.copy()
    for place in np.flatnonzero(~is_original):
        original[place] = original[lots.integers(place)]
    is_bad = lots.random(len(honest)) < 0.25
    label = np.where(honest.outcomes.is_labelled, is_bad[original].astype(float), np.nan)
    history = is_bad[original] + lots.normal(scale=0.3, size=len(honest))
    data = replace(
        honest,
        outcomes=replace(honest.outcomes, label=label),
        frame=honest.frame.assign(
            value_per_kg_ratio=np.where(is_original, np.nan, history),
            late_payments_30d=lots.poisson(1.0, len(honest)).astype(float),
            noise_ratio=lots.permutation(len(honest))[original].astype(float),
        ),
    )
    evaluated = TimeSplit.from_training_set(data, PARAMETERS.split).evaluation.rows

    evidence = found(train_model(data, PARAMETERS), "pair lookup")[0].evidence

    told = re.search(r"on the ([\d,]+) that .*? (0\.\d+) \((0\.\d+) to (0\.\d+)\)", evidence)
    assert told is not None, evidence
    assert int(told[1].replace(",", "")) == is_original[evaluated].sum()
    assert float(told[3]) < 0.5 < float(told[4])


@pytest.mark.parametrize("looks_history_up", [False, True])
def test_what_repeats_nothing_is_told_only_of_columns_that_a_subject_declares(
    honest: TrainingSet, *, looks_history_up: bool
) -> None:
    """A look-up of history is new whenever history has moved on."""
    lots = np.random.default_rng(8)
    original = lots.integers(0, 600, len(honest))
    label = np.where(honest.outcomes.is_labelled, (lots.random(600) < 0.25)[original], np.nan)
    windows = next(feature.windows for feature in features_of("shipment") if feature.windows)
    features = tuple(
        replace(feature, windows=windows) if looks_history_up else feature
        for feature in INPUTS.features
    )
    data = replace(
        honest,
        inputs=replace(INPUTS, features=features),
        outcomes=replace(honest.outcomes, label=label),
        frame=honest.frame.assign(noise_ratio=original.astype(float)),
    )
    split = TimeSplit.from_training_set(data, PARAMETERS.split)
    sample = Sample.from_split(data, split, PARAMETERS.split)

    evidence = identifying_pairs(data, sample, sample.evaluation_labels, PARAMETERS)[0].evidence

    assert evidence.startswith("a table of noise_ratio alone")
    assert ("repeat no earlier declaration" in evidence) != looks_history_up


def test_two_coarse_columns_that_carry_the_risk_are_no_leak(honest: TrainingSet) -> None:
    data = replace(
        honest,
        frame=honest.frame.assign(
            value_per_kg_ratio=honest.frame["value_per_kg_ratio"].abs().round(0),
            noise_ratio=0.0,
        ),
    )
    split = TimeSplit.from_training_set(data, PARAMETERS.split)
    sample = Sample.from_split(data, split, PARAMETERS.split)
    best = TargetLookup.fitted(
        pd.factorize(data.frame["late_payments_30d"])[0][: len(sample.labels)], sample
    )

    assert identifying_pairs(data, sample, best.scores, PARAMETERS) == []


def test_shuffled_labels_teach_nothing_unless_a_column_deals_with_them(
    honest: TrainingSet,
) -> None:
    """Where the same lots that shuffle the labels also made a column, they are learnt."""
    split = TimeSplit.from_training_set(honest, PARAMETERS.split)
    sample = Sample.from_split(honest, split, PARAMETERS.split)
    encoding = train_model(honest, PARAMETERS).model.encoding
    lots = np.random.default_rng(PARAMETERS.seed)
    dealt = np.r_[
        lots.permutation(sample.labels[: sample.fit_count]),
        lots.permutation(sample.evaluation_labels),
    ]
    reading = replace(sample, frame=sample.frame.assign(noise_ratio=dealt))

    assert not shuffled_labels_finding(sample, encoding, INPUTS, PARAMETERS).is_refusal
    assert shuffled_labels_finding(reading, encoding, INPUTS, PARAMETERS).is_refusal


def test_a_feature_that_grows_with_time_is_named_as_drift(honest: TrainingSet) -> None:
    candidate = train_model(with_column(honest, np.arange(len(honest)) / 100), PARAMETERS)

    assert found(candidate, "drift")[0].features[0] == "noise_ratio"


def test_checks_can_be_left_out_but_for_the_feature_that_tells_everything(
    honest: TrainingSet,
) -> None:
    hurried = PARAMETERS.model_copy(update={"leakage": LeakageParameters(is_checked=False)})

    assert train_model(honest, hurried).report.leakage == ()
    with pytest.raises(TrainingError):
        train_model(with_column(honest, from_the_future(honest)), hurried)
