"""Retraining: a challenger from all known records, with the verdicts of all gates.

It promotes nothing; that takes another person.
"""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from features.atomic_dir import working_folder, written_whole
from features.build_training_set import build_training_set
from features.errors import Tampered
from features.records import SubjectKind
from features.subject_types import SUBJECT_TYPES
from training.data.label_authors import Authors, add_authors
from training.data.training_set import TrainingSet
from training.errors import ArtefactError, TrainingSetError
from training.gates.canaries import Canaries
from training.gates.canary_file import canary_path
from training.gates.promotion_verdicts import CHAMPION, promotion_verdicts
from training.gates.verdict import Verdict
from training.model.model_home import ModelHome
from training.model.model_registration import Registration
from training.model.risk_model import RiskModel

if TYPE_CHECKING:
    from serving.history.export_records import HomeRecords

# A progress bar, called with the amount done and the total.
Progress = AbstractContextManager[Callable[[int, int], None]]


@dataclass(frozen=True)
class Retraining:
    """A registered challenger, its training data, and the gates' verdicts.

    `records` are counts by type, `authored` the number of outcomes with a known author. The
    approver's gate is not among the `verdicts`. `canaries` is the file of canaries if they were
    chosen now, or the reason why they could not be; None if there were some already.
    """

    records: dict[str, int]
    authored: int
    registration: Registration
    verdicts: tuple[Verdict, ...]
    canaries: Path | str | None


def retrain_challenger(
    source: "HomeRecords",
    home: ModelHome,
    subject: SubjectKind,
    until: datetime,
    seed: int,
    train: Callable[[Path], Registration],
    progress: Progress,
) -> Retraining:
    """Build a training set of all that was known before `until`, train on it, and run all gates.

    `train` fits and registers a model from a training-set folder, which then replaces the previous
    one. Raises TrainingSetError if there is nothing to train on, and any error of the steps; the
    previous set then stays.
    """
    training_sets = home.home / "training_sets"
    with working_folder(training_sets / f"{subject}.retrain") as scratch:
        built = scratch / "set"
        records, authors = _write_records(source, scratch / "records", subject, until)
        with progress as advance:
            build_training_set(scratch / "records", subject, built, advance)
        authored = add_authors(built, subject, authors)
        registration = train(built)
        # Only after the registration: if anything failed, the previous set stays.
        place = training_sets / subject
        with written_whole(place) as folder:
            for file in built.iterdir():
                shutil.move(file, folder)
    data = TrainingSet.read(training_sets / subject, subject)
    canaries = _choose_canaries(home, registration, data, seed)
    # There is no approver yet, so that gate's verdict is dropped below.
    verdicts = promotion_verdicts(registration, home, "", data, None)
    return Retraining(
        records,
        authored,
        registration,
        tuple(verdict for verdict in verdicts if verdict.gate != "approver"),
        canaries,
    )


def _write_records(
    source: "HomeRecords", folder: Path, subject: SubjectKind, until: datetime
) -> tuple[dict[str, int], Authors]:
    folder.mkdir()
    counts, authors = source.write(folder, until)
    needed = (SUBJECT_TYPES[subject].record_file, "outcomes")
    if absent := [name for name in needed if not counts[name]]:
        raise TrainingSetError(f"no {' and no '.join(absent)} were known before {until:%Y-%m-%d}")
    return counts, authors


def _choose_canaries(
    home: ModelHome, registration: Registration, data: TrainingSet, seed: int
) -> Path | str | None:
    """Choose canaries once, among subjects known before the champion's evaluation window.

    Without a champion, the registered model's own evaluation window counts.
    """
    subject = data.inputs.subject
    if canary_path(home.home, subject).exists():
        return None
    try:
        first = home.pointer(registration.name, CHAMPION) or registration
        # Only the champion's dates are needed, so its catalogue may be older.
        folder = home.folder_of(first.name, first.version)
        model = RiskModel.read_archived(folder, home.public_key)
    except (ArtefactError, Tampered) as error:
        return str(error)
    begins = model.manifest.training_window.evaluation.begins
    before = np.datetime64(begins.astimezone(UTC).replace(tzinfo=None), "us")
    canaries = Canaries.chosen(data, before, seed, registration.registered_at)
    return canaries.write(home.home, subject, home.signing_key)
