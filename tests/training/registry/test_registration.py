"""A candidate's way into a store, as any MLflow client sees it; one real SQLite store for all."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from features.errors import Tampered
from tests.kills import KILLED, is_killed_at
from tests.training.planted import INPUTS, QUICK
from training.data.training_set import TrainingSet
from training.errors import ArtefactError, TrainingError
from training.gates.promotion_verdicts import promotion_verdicts
from training.model.calibration import log_odds_of
from training.model.model_home import ModelHome
from training.model.model_registration import Registration
from training.model.risk_model import RiskModel
from training.parameters import TrainingParameters, TreeParameters
from training.registry import registration as registrations
from training.registry.mlflow.store import TrackingStore
from training.registry.mlflow.versions import UNFINISHED
from training.registry.registration import register_version
from training.registry.training_origin import SourceRevision, TrainingOrigin
from training.train import Candidate, train_model

PROVENANCE = TrainingOrigin(
    "ada", datetime(2026, 1, 2, tzinfo=UTC), revision=SourceRevision("f" * 40, is_dirty=True)
)
NAME = "tidegate-shipment"


@pytest.fixture(scope="module")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)


@pytest.fixture(scope="module")
def candidate(data: TrainingSet) -> Candidate:
    return train_model(data, TrainingParameters(**QUICK, trees=TreeParameters(trees=15, leaves=6)))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> ModelHome:
    return ModelHome(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def store(home: ModelHome) -> TrackingStore:
    return TrackingStore.open(home.home)


@pytest.fixture(scope="module")
def registration(
    candidate: Candidate, data: TrainingSet, home: ModelHome, store: TrackingStore
) -> Registration:
    return register_version(candidate, data, home, store, PROVENANCE)


def test_a_client_finds_the_run_with_parameters_metrics_tags_and_dataset(
    store: TrackingStore, registration: Registration, candidate: Candidate, data: TrainingSet
) -> None:
    run = store.client.get_run(registration.run_id)

    assert run.info.status == "FINISHED"
    assert run.data.params["trees.leaves"] == "6"
    auc = candidate.report.inspected.roc_auc
    assert run.data.metrics["roc_auc"] == auc.value
    assert run.data.tags["tidegate.catalogue"] == INPUTS.fingerprint
    assert run.data.tags["mlflow.source.git.commit"] == "f" * 40
    assert run.data.tags["mlflow.source.git.dirty"] == "true"
    assert run.data.tags["mlflow.user"] == "ada"
    assert run.data.tags["mlflow.source.name"] == "tidegate train"
    inputs = [
        {tag.key: tag.value for tag in given.tags} | {"short_digest": given.dataset.digest}
        for given in run.inputs.dataset_inputs
    ]
    windows = {given["mlflow.data.context"]: given for given in inputs}
    assert set(windows) == {"fit", "calibration", "evaluation"}
    assert windows["fit"]["begins"] == "2025-01-01T00:00:00+00:00"
    assert windows["fit"]["digest"] == data.digest
    assert windows["fit"]["short_digest"] == data.digest[7:43]


def test_every_figure_is_one_metric_and_one_row_of_a_table_with_its_bounds(
    store: TrackingStore, registration: Registration, candidate: Candidate
) -> None:
    figures = candidate.model.manifest.metrics
    known = {name: figure.value for name, figure in figures.items() if figure.value is not None}
    run = store.client.get_run(registration.run_id)

    mlflow.set_tracking_uri(store.uri)
    table = store.client.load_table(
        run.info.experiment_id, "evaluation/intervals.json", run_ids=[registration.run_id]
    )

    assert {n: v for n, v in run.data.metrics.items() if n != "ranking_loss"} == known
    assert table["metric"].tolist() == list(figures)
    for name, low, high in zip(table["metric"], table["low_95"], table["high_95"], strict=True):
        assert (figures[name].low or 0.0) == pytest.approx(0.0 if pd.isna(low) else low)
        assert (figures[name].high or 0.0) == pytest.approx(0.0 if pd.isna(high) else high)
    assert len(known) > 30


def test_the_source_of_every_dataset_loads_the_training_set_again(
    store: TrackingStore, registration: Registration, data: TrainingSet, planted: Path
) -> None:
    given = store.client.get_run(registration.run_id).inputs.dataset_inputs

    for dataset_input in given:
        folder = Path(mlflow.data.get_source(dataset_input).load())
        again = TrainingSet.read(folder, "shipment", INPUTS)
        assert not folder.samefile(planted)
        assert (folder / "features.parquet").samefile(planted / "features.parquet")
        assert again.digest == {tag.key: tag.value for tag in dataset_input.tags}["digest"]
        assert again.frame.equals(data.frame)
    assert len(given) == 3


def test_the_run_shows_how_the_ranking_loss_fell_while_trees_grew(
    store: TrackingStore, registration: Registration, candidate: Candidate
) -> None:
    curve = store.client.get_metric_history(registration.run_id, "ranking_loss")

    assert {point.step: point.value for point in curve} == candidate.losses
    assert len(curve) >= 10
    assert curve[0].value > min(point.value for point in curve)


def test_run_version_and_model_say_in_words_what_they_are(
    store: TrackingStore, registration: Registration, candidate: Candidate
) -> None:
    note = store.client.get_run(registration.run_id).data.tags["mlflow.note.content"]
    version = store.client.get_model_version(NAME, registration.version)

    assert "fit: 2025-01-01 until" in note
    assert f"commit `{'f' * 40}` **with changes that are in no commit**" in note
    assert candidate.report.population_in_words in note
    assert f"{candidate.report.inspected.roc_auc.value:.3f}" in note
    assert version.description == note
    assert len(note) < 5_000  # more does not fit into a server's database
    assert "`champion` answers" in store.client.get_registered_model(NAME).description


def test_the_logged_model_says_what_it_takes_what_it_needs_and_what_it_is(
    store: TrackingStore, registration: Registration, candidate: Candidate
) -> None:
    version = store.client.get_model_version(NAME, registration.version)
    logged = store.client.get_logged_model(version.source.removeprefix("models:/"))
    mlflow.set_tracking_uri(store.uri)
    info = mlflow.models.get_model_info(logged.model_uri)

    assert logged.source_run_id == registration.run_id
    judged_on = {metric.dataset_name for metric in logged.metrics}
    assert len(judged_on) == 1
    assert str(candidate.report.window.begins.date()) in str(*judged_on)
    assert [column.name for column in info.signature.inputs] == candidate.model.encoding.names
    assert not any(column.required for column in info.signature.inputs)
    assert "lightgbm" in info.flavors
    folder = Path(mlflow.artifacts.download_artifacts(logged.model_uri))
    libraries = candidate.model.manifest.libraries
    wanted = {f"{name}=={libraries[name]}" for name in ("lightgbm", "numpy")}
    assert wanted | {f"mlflow=={mlflow.__version__}"} == set(
        (folder / "requirements.txt").read_text().split()
    )


def test_a_client_finds_pictures_report_and_our_own_artefact(
    store: TrackingStore, registration: Registration, candidate: Candidate, home: ModelHome
) -> None:
    paths = {
        file.path
        for folder in ("pictures", "evaluation", "training_set", "artefact")
        for file in store.client.list_artifacts(registration.run_id, folder)
    }
    folder = store.client.download_artifacts(registration.run_id, "artefact")

    assert {"pictures/reliability.png", "evaluation/report.html", "evaluation/report.json"} <= paths
    assert {"training_set/records.json", "artefact/usual.parquet"} <= paths
    assert RiskModel.read(Path(folder), home.public_key, INPUTS).digest == candidate.model.digest


def test_the_native_flavour_gives_the_margins_that_calibration_starts_from(
    store: TrackingStore, registration: Registration, candidate: Candidate, data: TrainingSet
) -> None:
    rows = candidate.model.encode_frame(data.frame.head(50))
    frame = pd.DataFrame(rows, columns=candidate.model.encoding.names)

    mlflow.set_tracking_uri(store.uri)
    booster = mlflow.lightgbm.load_model(f"models:/{NAME}@challenger")
    margins = booster.predict(rows, raw_score=True)
    plain = mlflow.pyfunc.load_model(f"models:/{NAME}@challenger").predict(frame)

    assert np.allclose(plain, 1 / (1 + np.exp(-margins)))
    source = store.client.get_model_version(NAME, registration.version).source
    tags = store.client.get_logged_model(source.removeprefix("models:/")).tags
    line = candidate.model.manifest.calibration
    assert float(tags["tidegate.calibration_slope"]) == line.slope
    assert np.isfinite(log_odds_of(margins, line)).all()


def test_the_home_keeps_the_version_so_that_serving_needs_no_registry(
    home: ModelHome, registration: Registration, candidate: Candidate
) -> None:
    folder = home.find(f"{NAME}@challenger")

    assert folder == home.home / "models" / NAME / registration.version
    assert folder == home.find(f"{NAME}/{registration.version}") == home.find(str(folder))
    assert RiskModel.read(folder, home.public_key, INPUTS).digest == candidate.model.digest
    assert home.registration_of(folder).trainer == "ada"


@pytest.mark.parametrize("changed", [{"trainer": "grace"}, {"version": "9"}, {"signature": "00"}])
def test_who_trained_is_believed_only_as_the_home_signed_it(
    home: ModelHome, registration: Registration, changed: dict[str, str]
) -> None:
    folder = home.find(f"{NAME}@challenger")
    file = folder / "registration.json"
    before = file.read_bytes()
    told = json.loads(before)

    file.write_text(json.dumps(told | changed))
    try:
        with pytest.raises(Tampered, match="not as this home signed it"):
            home.registration_of(folder)
    finally:
        file.write_bytes(before)

    unsigned = home.registration_of(folder).model_copy(update={"signature": "", "trainer": "eve"})
    (verdict, *_) = promotion_verdicts(unsigned, home, "grace", None, None)
    assert (verdict.gate, verdict.verdict) == ("approver", "undecided")


def test_a_failure_after_registering_takes_the_version_back(
    candidate: Candidate,
    data: TrainingSet,
    home: ModelHome,
    store: TrackingStore,
    registration: Registration,
) -> None:
    following = home.folder_of(NAME, str(_latest(store) + 1))
    following.mkdir(parents=True)
    (following / "in-the-way").touch()
    before = _latest(store)

    with pytest.raises(ArtefactError, match="is there already"):
        register_version(candidate, data, home, store, PROVENANCE)

    assert _latest(store) == before
    challenger = store.client.get_model_version_by_alias(NAME, "challenger")
    assert str(challenger.version) == home.pointer(NAME, "challenger").version


def test_a_store_that_does_not_answer_is_named_before_anything_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")

    with pytest.raises(TrainingError, match=r"http://127\.0\.0\.1:9 does not answer"):
        TrackingStore.open(tmp_path, "http://127.0.0.1:9")


def test_a_home_that_cannot_be_written_leaves_no_version(
    candidate: Candidate, data: TrainingSet, tmp_path: Path, store: TrackingStore
) -> None:
    before = _latest(store)
    (tmp_path / "models").touch()  # a file where the folder of models should be

    with pytest.raises(OSError, match="models"):
        register_version(candidate, data, ModelHome(tmp_path), store, PROVENANCE)

    assert _latest(store) == before


def test_a_store_that_fails_in_the_middle_keeps_a_failed_run_and_no_version(
    candidate: Candidate, data: TrainingSet, tmp_path: Path
) -> None:
    store = TrackingStore.open(tmp_path)
    (tmp_path / "mlartifacts").touch()  # a file where the folder of artefacts should be

    with pytest.raises(TrainingError, match="the run could not be written"):
        register_version(candidate, data, ModelHome(tmp_path), store, PROVENANCE)

    runs = store.client.search_runs([store.experiment(NAME)])
    assert [run.info.status for run in runs] == ["FAILED"]
    assert _latest(store) == 0
    assert not (tmp_path / "models").exists()


def test_nothing_is_told_to_anyone_outside() -> None:
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["DO_NOT_TRACK"] == "true"
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"


def _latest(store: TrackingStore) -> int:
    versions = store.client.search_model_versions(f"name = '{NAME}'")
    return max((int(version.version) for version in versions), default=0)


def test_what_a_killed_registration_left_goes_with_the_first_one_an_hour_later(
    candidate: Candidate, data: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, store = ModelHome(tmp_path), TrackingStore.open(tmp_path)
    _ = home.signing_key
    now = replace(PROVENANCE, at=datetime.now(UTC))
    with monkeypatch.context() as patched:
        patched.setattr(registrations, "set_alias", lambda *_: os._exit(KILLED))
        assert is_killed_at(10**9, lambda: register_version(candidate, data, home, store, now))
    left = home.folder_of(NAME, "1")
    assert UNFINISHED in store.client.get_model_version(NAME, "1").tags

    register_version(candidate, data, home, store, now)
    assert left.is_dir()  # somebody may be at it
    register_version(candidate, data, home, store, replace(now, at=now.at + timedelta(hours=2)))

    assert not left.exists()
    assert home.folder_of(NAME, "2").is_dir()
    found = store.client.search_model_versions(f"name='{NAME}'")
    assert {str(each.version) for each in found} == {"2", "3"}
