"""Known subjects keep their scores, and whom a lot chose stays well ranked, or it is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.errors import Tampered
from features.home_keys import SIGNING, private_key, public_pem
from tests.counts import count
from tests.training.planted import INPUTS, QUICK, planted_world, write_training_set
from training.data.training_set import TrainingSet
from training.gates.canaries import Canaries, CanaryShift
from training.gates.canary_file import canary_path
from training.gates.gates import holds_on_the_control_lane, steady_canaries
from training.model.risk_model import RiskModel
from training.parameters import TrainingParameters, TreeParameters
from training.train import train_model

PARAMETERS = TrainingParameters(
    **QUICK, trees=TreeParameters(trees=60, leaves=6, early_stopping_rounds=0)
)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    """Larger than the usual planted world: a flip of few labels must show in it."""
    folder = tmp_path_factory.mktemp("canaries")
    write_training_set(folder, *planted_world(40_000, seed=5))
    return TrainingSet.read(folder, "shipment", INPUTS)


@pytest.fixture(scope="module")
def champion(data: TrainingSet) -> RiskModel:
    return train_model(data, PARAMETERS).model


@pytest.fixture(scope="module")
def canaries(data: TrainingSet, champion: RiskModel) -> Canaries:
    return Canaries.chosen(data, begins_of(champion), seed=7, at=NOON)


def begins_of(model: RiskModel) -> np.datetime64:
    begins = model.manifest.training_window.evaluation.begins
    return np.datetime64(begins.replace(tzinfo=None), "us")


def flipped(data: TrainingSet, share: float, before: np.datetime64, seed: int = 1) -> TrainingSet:
    """The same with labels of one office turned, so many that they are this share of all.

    What was declared later than the fit keeps its label: nobody has turned it yet.
    """
    labelled = data.outcomes.is_labelled & (data.declared_at < before)
    offices = data.subjects["office_id"].to_numpy(dtype=object)
    names, counts = np.unique(offices[labelled].astype(str), return_counts=True)
    own = np.flatnonzero(labelled & (offices == names[counts.argmax()]))
    many = min(round(share * labelled.sum()), len(own))
    turned = np.random.default_rng(seed).choice(own, many, replace=False)
    label = data.outcomes.label.copy()
    label[turned] = 1 - label[turned]
    return replace(data, outcomes=replace(data.outcomes, label=label))


def test_canaries_are_known_before_and_of_both_sorts(
    data: TrainingSet, champion: RiskModel, canaries: Canaries
) -> None:
    labels = dict(zip(data.subject_ids, data.outcomes.label, strict=True))
    known = dict(zip(data.subject_ids, data.outcomes.known_at, strict=True))
    assert {labels[name] for name in canaries.confirmed} == {1.0}
    assert {labels[name] for name in canaries.cleared} == {0.0}
    assert len(canaries.confirmed) == len(canaries.cleared) == 100
    assert all(known[n] < begins_of(champion) for n in (*canaries.confirmed, *canaries.cleared))
    by_lot = dict(zip(data.subject_ids, data.outcomes.in_random_lane, strict=True))
    assert all(by_lot[name] for name in canaries.confirmed)


@pytest.fixture
def key(tmp_path: Path) -> Ed25519PrivateKey:
    return private_key(tmp_path / "keys", SIGNING)


def test_canaries_are_kept_as_they_were_chosen(
    canaries: Canaries, key: Ed25519PrivateKey, tmp_path: Path
) -> None:
    assert Canaries.read(tmp_path, "shipment", public_pem(key.public_key())) is None
    for _ in range(2):
        canaries.write(tmp_path, "shipment", key)
    assert Canaries.read(tmp_path, "shipment", public_pem(key.public_key())) == canaries
    file = canary_path(tmp_path, "shipment")
    assert [*file.parent.iterdir()] == [file]
    assert json.loads(file.read_text())["chosen_at"] == "2026-01-01T12:00:00Z"


def swapped(file: dict[str, Any]) -> dict[str, Any]:
    return file | {"confirmed": file["cleared"], "cleared": file["confirmed"]}


@pytest.mark.parametrize(
    "change",
    [
        swapped,
        lambda file: file | {"confirmed": file["confirmed"][:1]},
        lambda file: file | {"chosen_at": "2025-01-01T12:00:00Z"},
        lambda file: file | {"chosen_at": "yesterday"},
        lambda file: file | {"signature": "", "open": []},
        lambda file: file | {"signature": ""},
        lambda file: file | {"signature": "no digits"},
        lambda file: {name: value for name, value in file.items() if name != "signature"},
        lambda file: [],
    ],
)
def test_canaries_that_anybody_changed_are_refused(
    canaries: Canaries, key: Ed25519PrivateKey, tmp_path: Path, change: Callable[[Any], Any]
) -> None:
    file = canaries.write(tmp_path, "shipment", key)
    file.write_text(json.dumps(change(json.loads(file.read_text()))))

    with pytest.raises(Tampered, match=r"shipment\.json is not as this home signed it"):
        Canaries.read(tmp_path, "shipment", public_pem(key.public_key()))


def test_canaries_of_shipments_are_none_of_routes(
    canaries: Canaries, key: Ed25519PrivateKey, tmp_path: Path
) -> None:
    file = canaries.write(tmp_path, "shipment", key)
    file.rename(canary_path(tmp_path, "route"))

    with pytest.raises(Tampered, match=r"route\.json is not as this home signed it"):
        Canaries.read(tmp_path, "route", public_pem(key.public_key()))


def test_a_choice_of_canaries_is_that_of_its_seed(
    data: TrainingSet, champion: RiskModel, canaries: Canaries
) -> None:
    again, other = (Canaries.chosen(data, begins_of(champion), seed, NOON) for seed in (7, 8))

    assert again == canaries
    assert set(other.confirmed) != set(canaries.confirmed)
    assert set(other.cleared) != set(canaries.cleared)


def test_where_too_few_were_drawn_at_random_others_fill_up_the_canaries(
    data: TrainingSet, champion: RiskModel
) -> None:
    before = begins_of(champion)
    is_known = data.outcomes.is_labelled_by(before) & (data.outcomes.label == 1)
    at_random = np.flatnonzero(is_known & data.outcomes.in_random_lane)[:30]
    ways = np.full(len(data), "rule", dtype=object)
    ways[at_random] = "random"
    few = replace(data, outcomes=replace(data.outcomes, selected_by=ways))

    confirmed = Canaries.chosen(few, before, seed=7, at=NOON).confirmed

    assert set(data.subject_ids[at_random]) < set(confirmed)
    assert len(confirmed) == 100


def test_a_shift_is_the_mean_difference_of_log_odds_of_those_who_are_there(
    data: TrainingSet, champion: RiskModel, canaries: Canaries
) -> None:
    manifest = champion.manifest
    raised = {"intercept": manifest.calibration.intercept + 0.3}
    calibration = manifest.calibration.model_copy(update=raised)
    higher = replace(champion, manifest=manifest.model_copy(update={"calibration": calibration}))
    first = str(data.subject_ids[0])

    all_there = CanaryShift(pytest.approx(0.3), 100, 100)
    assert canaries.shifts(higher, champion, data) == (all_there, all_there)
    lower, _ = canaries.shifts(champion, higher, data)
    assert lower.log_odds == pytest.approx(-0.3)
    assert Canaries((first, "gone"), ("gone",), NOON).shifts(higher, champion, data) == (
        CanaryShift(pytest.approx(0.3), 1, 2),
        CanaryShift(None, 0, 1),
    )
    unchosen, _ = Canaries((), (first,), NOON).shifts(higher, champion, data)
    assert unchosen == CanaryShift(None, 0, 0)


def test_a_model_of_another_seed_moves_no_canary_far(
    data: TrainingSet, champion: RiskModel, canaries: Canaries
) -> None:
    other = train_model(data, PARAMETERS.model_copy(update={"seed": 99})).model
    assert steady_canaries(canaries, other, champion, data).verdict == "passed"
    assert holds_on_the_control_lane(other, champion, data).verdict == "passed"


def test_a_model_taught_the_opposite_is_stopped_by_both(
    data: TrainingSet, champion: RiskModel, canaries: Canaries
) -> None:
    label = data.outcomes.label.copy()
    turned = np.random.default_rng(1).random(len(label)) < 0.45
    turned &= data.declared_at < begins_of(champion)
    label[turned] = 1 - label[turned]
    wrong = replace(data, outcomes=replace(data.outcomes, label=label))
    taught = train_model(wrong, PARAMETERS).model
    moved = steady_canaries(canaries, taught, champion, data)
    held = holds_on_the_control_lane(taught, champion, data)
    assert moved.verdict != "passed", moved.reason
    assert held.verdict != "passed", held.reason
    assert "towards the wrong side" in moved.reason


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(1, count(1, 3) + 1))
def test_a_twentieth_of_labels_turned_by_one_office_moves_little_or_is_refused(
    data: TrainingSet, champion: RiskModel, canaries: Canaries, seed: int
) -> None:
    taught = train_model(flipped(data, 0.05, begins_of(champion), seed), PARAMETERS).model
    verdicts = (
        steady_canaries(canaries, taught, champion, data),
        holds_on_the_control_lane(taught, champion, data),
    )
    lost = _auc(champion, data) - _auc(taught, data)
    assert abs(lost) < 0.01 or not all(verdict.verdict == "passed" for verdict in verdicts), lost


def _auc(model: RiskModel, data: TrainingSet) -> float:
    from training.evaluation.reevaluation import scored_window, unseen_window
    from training.ranking import roc_auc

    judged = scored_window(model, data, unseen_window(model, data)).subjects(labelled_only=True)
    return roc_auc(judged.only(judged.in_random_lane).ranking())


def test_canaries_of_one_sort_that_are_gone_stop_a_promotion_though_all_others_are_there(
    data: TrainingSet, champion: RiskModel, canaries: Canaries
) -> None:
    left = (*canaries.confirmed[:1], *(f"x{n}" for n in range(99)))
    gone = Canaries(left, canaries.cleared, NOON)
    verdict = steady_canaries(gone, champion, champion, data)
    assert verdict.verdict != "passed"
    assert "over 1 of 100 subjects, of known cleared by 0.000, over 100 of 100" in verdict.reason
