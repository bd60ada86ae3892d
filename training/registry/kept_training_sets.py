"""The training sets of versions in use, each stored under its digest.

    training_sets/by_digest/<subject>-<12 hexadecimal digits>/

MLflow refers to these folders, because a later build or retraining replaces the contents of the
folder that a version was trained from. Their files are hard links, which use no extra space.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import get_args

from features.atomic_dir import locked, written_whole
from features.errors import Tampered
from features.ingest.record_summary import SUMMARY
from features.records import SubjectKind
from training.data.training_set import FILES, TrainingSet
from training.errors import ArtefactError
from training.model.model_home import ModelHome
from training.model.model_pointer import Alias
from training.model.risk_model import MANIFEST

BY_DIGEST = "by_digest"
DIGITS = 12


@contextmanager
def kept(data: TrainingSet, home: ModelHome) -> Iterator[Path]:
    """Store the training set and yield its folder; remove a new one if the block fails.

    Afterwards deletes the stored sets of versions that are not champion, challenger or shadow. A
    lock makes other processes wait until then, because they could otherwise delete the set of a
    version that is not the challenger yet.
    """
    sets = home.home / "training_sets"
    sets.mkdir(parents=True, exist_ok=True)
    with locked(sets), _kept_alone(data, home) as folder:
        yield folder


@contextmanager
def _kept_alone(data: TrainingSet, home: ModelHome) -> Iterator[Path]:
    folder = _folder_of(home, data.inputs.subject, data.digest)
    is_new = not folder.exists()
    if is_new:
        with written_whole(folder) as partial:
            for name in (*FILES, SUMMARY):
                _link(data.folder / name, partial / name)
    try:
        yield folder
    except BaseException:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    _drop_unused(home, data.inputs.subject)


def kept_of(home: ModelHome, subject: SubjectKind, version: Path) -> tuple[Path, str]:
    """Return the folder and digest of the set that a version was trained on, by its manifest.

    Raises OSError, ValueError or KeyError if the manifest cannot be read.
    """
    digest = json.loads((version / MANIFEST).read_bytes())["training_set_digest"]
    return _folder_of(home, subject, digest), digest


def _folder_of(home: ModelHome, subject: SubjectKind, digest: str) -> Path:
    digits = digest.removeprefix("sha256:")[:DIGITS]
    return home.home / "training_sets" / BY_DIGEST / f"{subject}-{digits}"


def _link(file: Path, place: Path) -> None:
    """Create a hard link, or a copy if the file system has no links; skip missing files."""
    with suppress(FileNotFoundError):
        try:
            os.link(file, place)
        # A subclass of OSError: without this branch a missing file would be copied.
        except FileNotFoundError:
            raise
        except OSError:
            shutil.copy2(file, place)


def _drop_unused(home: ModelHome, subject: SubjectKind) -> None:
    """Delete sets that no version in use needs; delete nothing if one cannot be read."""
    try:
        used = set(_folders_in_use(home, subject))
    except (OSError, ValueError, KeyError, ArtefactError, Tampered):
        return
    for folder in (home.home / "training_sets" / BY_DIGEST).glob(f"{subject}-*"):
        if folder not in used:
            shutil.rmtree(folder, ignore_errors=True)


def _folders_in_use(home: ModelHome, subject: SubjectKind) -> Iterator[Path]:
    name = f"tidegate-{subject}"
    for alias in get_args(Alias):
        if pointer := home.pointer(name, alias):
            yield kept_of(home, subject, home.folder_of(name, pointer.version))[0]
