"""One training as one MLflow run: parameters, metrics, pictures, dataset, model and artefact."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import mlflow.data
import mlflow.lightgbm
import pandas as pd
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from mlflow.data.meta_dataset import MetaDataset
from mlflow.data.sources import (  # type: ignore[attr-defined]  # made when it is loaded
    LocalArtifactDatasetSource,
)
from mlflow.models import ModelSignature
from mlflow.models.model import ModelInfo
from mlflow.types import ColSpec, DataType, Schema

from features.ingest.record_summary import SUMMARY
from training.data.training_set import TrainingSet
from training.evaluation.evaluation_page import render_evaluation
from training.evaluation.evaluation_plots import evaluation_pictures
from training.evaluation.html_page import as_png
from training.lightgbm_alone import lightgbm
from training.model.manifest import Manifest, WindowFigures
from training.registry.mlflow.notes import note_on_run
from training.registry.mlflow.store import TrackingStore
from training.registry.mlflow.trials import write_losses, write_trials
from training.registry.training_origin import TrainingOrigin
from training.train import Candidate

ARTEFACT = "artefact"
PICTURES = "pictures"
INTERVALS = "evaluation/intervals.json"
# The most parameters that one request to a tracking server may have.
MAX_BATCH = 100


@dataclass(frozen=True)
class TrackedRun:
    """A finished run; `model_uri` points to its native model alone.

    `note` describes the training and its result in Markdown.
    """

    run_id: str
    model_id: str
    model_uri: str
    note: str


def track(
    store: TrackingStore,
    candidate: Candidate,
    data: TrainingSet,
    key: Ed25519PrivateKey,
    origin: TrainingOrigin,
) -> TrackedRun:
    """Record a training in the store.

    Raises TrainingError; the run is then marked as failed, and there is no version.
    """
    manifest = candidate.model.manifest
    experiment = store.experiment(manifest.name)
    with store.connected("the run could not be written"):
        run_id = store.client.create_run(experiment, tags=_tags(candidate, origin)).info.run_id
        try:
            with mlflow.start_run(run_id=run_id):
                model = _written(candidate, data, key)
            write_losses(store.client, run_id, candidate.losses, round(time.time() * 1000))
            write_trials(store.client, experiment, run_id, candidate.trials)
        except BaseException:
            # Report the original failure, not that of a store which may be down.
            with suppress(Exception):
                store.client.set_terminated(run_id, "FAILED")
            raise
    return TrackedRun(run_id, model.model_id, model.model_uri, note_on_run(candidate, origin))


def _written(candidate: Candidate, data: TrainingSet, key: Ed25519PrivateKey) -> ModelInfo:
    manifest = candidate.model.manifest
    _write_parameters(manifest)
    _write_datasets(manifest, data)
    _write_files(candidate, key)
    _write_intervals(manifest)
    if data.records is not None:
        mlflow.log_text(data.records, f"training_set/{SUMMARY}")
    info = mlflow.lightgbm.log_model(
        lightgbm.Booster(model_str=candidate.model.booster_text),
        name=manifest.name,
        signature=signature_of(manifest),
        pip_requirements=[f"{name}=={manifest.libraries[name]}" for name in ("lightgbm", "numpy")],
        tags=_calibration_tags(candidate),
    )
    # After the model, so that the metrics are attached to it and to the evaluation window.
    mlflow.log_metrics(
        _metrics(manifest), model_id=info.model_id, dataset=_dataset(manifest, data, "evaluation")
    )
    return info


def add_text(store: TrackingStore, run_id: str, name: str, text: str) -> None:
    """Add a text file to a finished run; raises TrainingError."""
    with store.connected(f"{name} could not be added to the run {run_id}"):
        store.client.log_text(run_id, text, name)


def signature_of(manifest: Manifest) -> ModelSignature:
    """Return the signature: optional doubles in the model's order; categories are codes."""
    inputs = Schema([ColSpec(DataType.double, c.name, required=False) for c in manifest.features])
    return ModelSignature(inputs, Schema([ColSpec(DataType.double)]))


def _tags(candidate: Candidate, origin: TrainingOrigin) -> dict[str, str]:
    manifest = candidate.model.manifest
    return {
        "mlflow.runName": f"{manifest.subject} {candidate.model.digest[7:15]}",
        "mlflow.note.content": note_on_run(candidate, origin),
        "mlflow.source.name": "tidegate train",
        "mlflow.source.type": "LOCAL",
        "tidegate.subject": manifest.subject,
        "tidegate.catalogue": manifest.catalogue,
        "tidegate.digest": candidate.model.digest,
        "tidegate.training_set": manifest.training_set_digest,
        **origin.tags,
    }


def _calibration_tags(candidate: Candidate) -> dict[str, str]:
    calibration = candidate.model.manifest.calibration
    return {
        "tidegate.digest": candidate.model.digest,
        "tidegate.calibration_slope": repr(calibration.slope),
        "tidegate.calibration_intercept": repr(calibration.intercept),
    }


def _write_parameters(manifest: Manifest) -> None:
    flat = _flat(manifest.parameters)
    names = sorted(flat)
    for start in range(0, len(names), MAX_BATCH):
        mlflow.log_params({name: flat[name] for name in names[start : start + MAX_BATCH]})


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _metrics(manifest: Manifest) -> dict[str, float]:
    """Return the known figures; MLflow has no intervals, so these are in `INTERVALS`."""
    return {
        name: estimate.value
        for name, estimate in manifest.metrics.items()
        if estimate.value is not None
    }


def _write_intervals(manifest: Manifest) -> None:
    """Log a table that MLflow's pages can show: a row per figure, known or not."""
    rows = [(name, e.value, e.low, e.high) for name, e in manifest.metrics.items()]
    columns = ["metric", "value", "low_95", "high_95"]
    mlflow.log_table(pd.DataFrame(rows, columns=columns), INTERVALS)


def _write_datasets(manifest: Manifest, data: TrainingSet) -> None:
    windows = manifest.training_window
    for context in ("fit", "calibration", "evaluation"):
        window: WindowFigures = getattr(windows, context)
        mlflow.log_input(
            _dataset(manifest, data, context),
            context=context,
            tags={
                "begins": window.begins.isoformat(),
                "ends": window.ends.isoformat(),
                "labelled": str(window.labelled),
                "confirmed": str(window.confirmed),
                "digest": data.digest,
            },
        )


def _dataset(manifest: Manifest, data: TrainingSet, context: str) -> Any:
    """Return the description of a window: name, columns, folder and digest, without rows.

    Its source leads to the folder again, on a machine that has it, while the version is in use.
    MLflow accepts at most 36 characters of the digest.
    """
    window: WindowFigures = getattr(manifest.training_window, context)
    return MetaDataset(  # type: ignore[abstract]  # MLflow's own, made so by MLflow's own pages
        source=LocalArtifactDatasetSource(data.folder.resolve().as_uri()),
        name=f"{manifest.subject} {window.begins:%Y-%m-%d} to {window.ends:%Y-%m-%d}",
        # Without the prefix `sha256:`.
        digest=data.digest[7:43],
        schema=Schema(
            [
                ColSpec(DataType.double if c.categories is None else DataType.string, c.name)
                for c in manifest.features
            ]
        ),
    )


def _write_files(candidate: Candidate, key: Ed25519PrivateKey) -> None:
    drawn = as_png(evaluation_pictures(candidate.report, candidate.explained))
    mlflow.log_text(candidate.report.as_bytes.decode(), "evaluation/report.json")
    mlflow.log_text(render_evaluation(candidate.report, drawn), "evaluation/report.html")
    with TemporaryDirectory() as scratch:
        folder, beside = Path(scratch) / ARTEFACT, Path(scratch) / PICTURES
        beside.mkdir()
        for name, png in drawn.items():
            (beside / f"{name}.png").write_bytes(png)
        mlflow.log_artifacts(str(beside), PICTURES)
        candidate.model.write(folder, key)
        mlflow.log_artifacts(str(folder), ARTEFACT)
