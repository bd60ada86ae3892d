"""A training-set folder, checked: one row per subject, labelled or not, in order of declaration.

features.parquet   subject_id, declared_at, then the catalogue's columns in its order
outcomes.parquet   at most one outcome record per subject
subjects.parquet   what a subject is, for evaluation by group; never seen by a model
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import CatalogueMismatch
from features.records import Outcome, SubjectKind
from features.schema import arrow_schema
from training.errors import TrainingSetError
from training.model_inputs import ModelInputs
from training.outcomes import Bools, Instants, Outcomes, as_instants
from training.ranking import Ints

FILES = ("features.parquet", "outcomes.parquet", "subjects.parquet")
SUBJECT_COLUMNS = (
    "subject_id",
    "declared_at",
    "mode",
    "office_id",
    "origin_country",
    "operator_id",
    "operator_subjects_before",
    "declared_value_eur",
)


@dataclass(frozen=True)
class TrainingSet:
    """All subjects in order of declaration; `frame` and `subjects` share the rows.

    `frame` holds the catalogue's columns and nothing else. `digest` covers the three files.
    """

    inputs: ModelInputs
    frame: pd.DataFrame
    subject_ids: pd.Index
    declared_at: Instants
    outcomes: Outcomes
    subjects: pd.DataFrame
    digest: str

    @classmethod
    def read(cls, folder: Path, subject: SubjectKind, inputs: ModelInputs | None = None) -> Self:
        """The training set in `folder`, made for `subject` with this release's catalogue.

        `inputs` default to the catalogue. Raises TrainingSetError or CatalogueMismatch.
        """
        tables = [_table(folder / name) for name in FILES]
        inputs = inputs or ModelInputs.of(subject)
        _check_face(tables[0], folder / FILES[0], inputs)
        _check_columns(tables[1], arrow_schema(Outcome).names, folder / FILES[1])
        _check_columns(tables[2], SUBJECT_COLUMNS, folder / FILES[2])
        return cls._of(tables, folder, inputs)

    @classmethod
    def _of(cls, tables: list[pa.Table], folder: Path, inputs: ModelInputs) -> Self:
        frame, outcomes, subjects = (table.to_pandas() for table in tables)
        ids = pd.Index(frame.pop("subject_id"))
        declared_at = as_instants(frame.pop("declared_at"))
        _check_rows(ids, declared_at, folder / FILES[0])
        _check_subjects(outcomes["subject_id"], ids, folder / FILES[1])
        _check_subjects(subjects["subject_id"], ids, folder / FILES[2])
        return cls(
            inputs=inputs,
            frame=frame,
            subject_ids=ids,
            declared_at=declared_at,
            outcomes=Outcomes.of(outcomes, ids),
            subjects=subjects.set_index("subject_id").reindex(ids).reset_index(drop=True),
            digest=_digest(folder),
        )

    def __len__(self) -> int:
        return len(self.subject_ids)

    def declared_between(self, begins: np.datetime64, ends: np.datetime64) -> Ints:
        """Rows declared in [begins, ends), as positions."""
        first, last = np.searchsorted(self.declared_at, np.array([begins, ends]), side="left")
        return np.arange(first, last)

    def is_new(self, column: str, rows: Ints, earlier: Ints) -> Bools:
        """Which of `rows` hold a value of a subjects' column that no labelled `earlier` row holds.

        A missing value is not new: nothing is known of it.
        """
        values = self.subjects[column]
        labelled = earlier[self.outcomes.is_labelled[earlier]]
        asked = values.iloc[rows]
        known = asked.isin(values.iloc[labelled].dropna().unique())
        return np.asarray(~known & asked.notna(), dtype=np.bool_)


def _table(file: Path) -> pa.Table:
    if not file.is_file():
        raise TrainingSetError(f"{file} is missing; `tidegate build` makes a training set")
    try:
        return pq.read_table(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise TrainingSetError(f"{file}: not a readable Parquet file ({error})") from None


def _check_face(table: pa.Table, file: Path, inputs: ModelInputs) -> None:
    try:
        face = json.loads((table.schema.metadata or {})[b"tidegate"])
        subject, catalogue = face["subject"], face["catalogue"]
    except (KeyError, ValueError, TypeError):
        raise TrainingSetError(
            f"{file}: not made by `tidegate build`; it names no catalogue"
        ) from None
    if subject != inputs.subject:
        raise TrainingSetError(f"{file}: holds {subject}s, want {inputs.subject}s")
    names = table.column_names
    for place, name in enumerate(("subject_id", "declared_at", *inputs.names)):
        if place >= len(names) or names[place] != name:
            found = repr(names[place]) if place < len(names) else "the end"
            raise CatalogueMismatch(f"{file}: column {place + 1} is {found}, want {name!r}")
    if len(names) != len(inputs.names) + 2 or catalogue != inputs.fingerprint:
        raise CatalogueMismatch(
            f"{file}: built with catalogue {catalogue}, this release has {inputs.fingerprint}; "
            "build anew"
        )


def _check_columns(table: pa.Table, names: tuple[str, ...] | list[str], file: Path) -> None:
    if absent := [name for name in names if name not in table.column_names]:
        raise TrainingSetError(f"{file}: the column {absent[0]!r} is missing")


def _check_rows(ids: pd.Index, declared_at: Instants, file: Path) -> None:
    if not ids.is_unique:
        raise TrainingSetError(f"{file}, subject_id: {ids[ids.duplicated()][0]!r} appears twice")
    if np.isnat(declared_at).any() or (np.diff(declared_at) < np.timedelta64(0)).any():
        raise TrainingSetError(f"{file}, declared_at: rows are not in order of declaration")


def _check_subjects(given: "pd.Series[str]", ids: pd.Index, file: Path) -> None:
    if given.duplicated().any():
        raise TrainingSetError(f"{file}, subject_id: {given[given.duplicated()].iloc[0]!r} twice")
    if (strange := ~given.isin(ids)).any():
        raise TrainingSetError(f"{file}, subject_id: {given[strange].iloc[0]!r} has no features")


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in FILES:
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()}"
