"""Every gate is asked at a promotion, and each refuses by itself."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

from tests.training.planted import INPUTS
from tests.training.registry.promotions import (
    COMPARISONS,
    FIRST,
    GRACE,
    NAME,
    NOON,
    champion_in,
    gates_of,
    put_in_place,
    refused_by_one,
    versions,
)
from training.data.training_set import TrainingSet
from training.errors import PromotionRefused
from training.evaluation.reevaluation import scored_window, unseen_window
from training.gates.canaries import Canaries
from training.gates.canary_file import canary_path
from training.gates.promotion_verdicts import attempt_of, promotion_verdicts
from training.gates.verdict import Verdict
from training.model.model_home import ModelHome
from training.model.model_pointer import ModelPointer
from training.model.risk_model import RiskModel
from training.registry.mlflow.store import TrackingStore
from training.registry.promotion import Approval, promote_version
from training.train import Candidate

GATES_OF_THE_MODEL = (
    "golden vectors",
    "better than random",
    "calibration",
    "leakage",
    "groups",
    "proxies",
    "influence",
)
GATES_OF_A_SUCCESSOR = (
    "approver",
    "no worse than the champion",
    "canaries",
    "control lane",
    "live traffic",
)


def test_every_gate_is_asked_and_is_one_that_is_tried_below(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    live = Verdict("live traffic", "passed", "as much was found")

    done = promote_version(f"{NAME}@challenger", home, store, GRACE, data, INPUTS, FIRST, live)

    asked = [verdict.gate for verdict in done.verdicts]
    assert sorted(asked) == sorted({"artefact", *GATES_OF_THE_MODEL, *GATES_OF_A_SUCCESSOR})


@pytest.mark.parametrize("gate", GATES_OF_THE_MODEL)
def test_a_promotion_that_one_gate_alone_would_refuse_is_refused(
    home: ModelHome,
    store: TrackingStore,
    data: TrainingSet,
    candidates: list[Candidate],
    gate: str,
) -> None:
    _, version = versions(home)
    put_in_place(home, version, *refused_by_one(gate, candidates[1].model))

    with pytest.raises(PromotionRefused) as refusal:
        promote_version(f"{NAME}/{version}", home, store, GRACE, data, INPUTS, FIRST)

    assert gates_of(refusal.value) == [gate]
    assert home.pointer(NAME, "champion") is None


def against(gate: str, data: TrainingSet, models: tuple[RiskModel, RiskModel]) -> TrainingSet:
    """Later inspections that speak against the second model beside the first, in one respect."""
    window = unseen_window(models[1], data)
    log_odds = [scored_window(m, data, window).subjects(labelled_only=True) for m in models]
    rows = log_odds[0].rows
    champion, other = (rankdata(each.probability) for each in log_odds)
    label = data.outcomes.label.copy()
    selected_by = np.where(np.isnan(label), None, "rule").astype(object)  # type: ignore[arg-type]  # numpy types no objects
    if gate == "control lane":
        is_worse = np.where(label[rows] == 1, other < champion, other > champion)
        selected_by[rows[is_worse]] = "random"
    else:
        top = [each > 0.95 * len(rows) for each in (champion, other)]
        label[rows] = np.where(top[0] & ~top[1], 1, np.where(champion < len(rows) / 4, 1, 0))
    return replace(data, outcomes=replace(data.outcomes, label=label, selected_by=selected_by))


@pytest.mark.parametrize("gate", GATES_OF_A_SUCCESSOR)
def test_a_successor_that_one_comparison_alone_would_refuse_is_refused(
    home: ModelHome,
    store: TrackingStore,
    data: TrainingSet,
    candidates: list[Candidate],
    gate: str,
) -> None:
    """A waiver of what is undecided is no use to it: what refuses it refuses."""
    first, second = versions(home)
    promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)
    approval = Approval(" Ada", NOON) if gate == "approver" else GRACE
    live = Verdict(gate, "refused", "it found less") if gate == "live traffic" else None
    if gate == "canaries":
        gone = Canaries(("gone-1", "gone-2"), ("gone-3",), NOON)
        gone.write(home.home, "shipment", home.signing_key)
    elif gate in ("no worse than the champion", "control lane"):
        data = against(gate, data, (candidates[0].model, candidates[1].model))

    with pytest.raises(PromotionRefused) as refusal:
        promote_version(f"{NAME}/{second}", home, store, approval, data, INPUTS, FIRST, live)

    assert gates_of(refusal.value) == [gate]
    assert home.pointer(NAME, "champion").version == first == champion_in(store)


def test_a_successor_whose_canaries_somebody_swapped_is_refused(
    home: ModelHome, store: TrackingStore, data: TrainingSet
) -> None:
    first, second = versions(home)
    promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)
    file = canary_path(home.home, "shipment")
    said = json.loads(file.read_text())
    said["confirmed"], said["cleared"] = said["cleared"], said["confirmed"]
    file.write_text(json.dumps(said))

    with pytest.raises(PromotionRefused, match="is not as this home signed it") as refusal:
        promote_version(f"{NAME}/{second}", home, store, GRACE, data, INPUTS, FIRST)

    assert gates_of(refusal.value) == ["canaries"]


@pytest.mark.parametrize("given", ["none", "another"])
def test_another_training_set_than_the_one_it_is_from_compares_nothing(
    home: ModelHome, store: TrackingStore, data: TrainingSet, given: str
) -> None:
    first, second = versions(home)
    promote_version(f"{NAME}/{first}", home, store, GRACE, data, INPUTS, FIRST)
    other = replace(data, digest="sha256:another") if given == "another" else None

    with pytest.raises(PromotionRefused, match="give --training-set") as refusal:
        promote_version(f"{NAME}/{second}", home, store, GRACE, other, INPUTS)

    assert refusal.value.undecided == COMPARISONS


def test_an_artefact_that_does_not_answer_its_rows_is_asked_nothing_else(
    home: ModelHome, data: TrainingSet, candidates: list[Candidate]
) -> None:
    _, version = versions(home)
    put_in_place(home, version, *refused_by_one("golden vectors", candidates[1].model))
    registration = home.registration_of(home.folder_of(NAME, version))

    verdicts = [*promotion_verdicts(registration, home, "grace", data, INPUTS)]

    assert [(v.gate, v.verdict) for v in verdicts] == [
        ("approver", "passed"),
        ("artefact", "passed"),
        ("golden vectors", "refused"),
    ]


def test_versions_since_the_champion_are_counted_and_an_earlier_one_comes_last(
    tmp_path: Path,
) -> None:
    home = ModelHome(tmp_path)
    for version in ("1", "2", "9", "10", "11"):
        home.folder_of(NAME, version).mkdir(parents=True)
    assert attempt_of(NAME, "11", home) == 1

    home.point("champion", ModelPointer(name=NAME, version="2", digest="sha256:a", set_at=NOON))

    assert [attempt_of(NAME, each, home) for each in ("9", "10", "11", "1")] == [1, 2, 3, 4]
