"""A checked training-set folder: one row per subject, labelled or not, by declaration.

features.parquet   subject_id, declared_at, optional as_of, then a column for each feature
outcomes.parquet   at most one outcome record per subject
subjects.parquet   attributes of subjects, for evaluation by group; never input of a model
records.json       a summary of the source records

Of several scoring instants of a subject, only the last one before its inspection is read: each
subject counts once, and nothing counts that became known with the inspection or later.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.ingest.record_summary import SUMMARY
from features.records import OF_DOCUMENTS, RECORD_FILES, SUBJECT_KINDS, SubjectKind
from training.errors import TrainingError, TrainingSetError
from training.estimation.inspected_sample import inspections_of
from training.model.encoding import Encoding
from training.model.model_inputs import ModelInputs
from training.outcomes import (
    AT_STATED,
    AUTHOR,
    OUTCOME_COLUMNS,
    STATED,
    Bools,
    Instants,
    Outcomes,
    as_instants,
)
from training.ranking import Floats, Ints

if TYPE_CHECKING:
    import polars

FILES = ("features.parquet", "outcomes.parquet", "subjects.parquet")
OPTIONAL = ("inspected_at", AT_STATED, AUTHOR, *STATED)
# Columns to read of outcomes and of subjects, as far as they exist; None reads all.
COLUMNS = (("subject_id", *OUTCOME_COLUMNS, *OPTIONAL), None)

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

    `frame` holds exactly the columns of `inputs`. `digest` covers the three files in `folder`.
    `records` is a JSON summary of the source records, None if the folder has none. `places_in_file`
    are the rows' indices in the features file; None if all of it was read.
    """

    inputs: ModelInputs
    frame: pd.DataFrame
    subject_ids: pd.Index
    declared_at: Instants
    outcomes: Outcomes
    subjects: pd.DataFrame
    digest: str
    folder: Path
    records: str | None = None
    places_in_file: Ints | None = None

    @classmethod
    def read(
        cls,
        folder: str | Path,
        subject: SubjectKind | None = None,
        inputs: ModelInputs | None = None,
        numbers_in: Path | None = None,
    ) -> Self:
        """Read and check the training set in `folder`, built for `subject` with these features.

        `subject` defaults to the kind it was built for, `inputs` to the catalogue; other features
        of the folder are not read. With `numbers_in`, numeric features are mapped from files in
        that folder instead of held in memory, unless the set has scoring instants. Raises
        TrainingSetError or CatalogueMismatch.
        """
        folder = Path(folder)
        subject = subject or training_set_subject(folder)
        # Schemas first: they are cheap, and most mistakes show there.
        schemas = [_schema(folder / name) for name in FILES]
        inputs = inputs or ModelInputs.for_subject(subject)
        _check_metadata(schemas[0], folder / FILES[0], inputs)
        _check_columns(schemas[1], ("subject_id", *OUTCOME_COLUMNS), folder / FILES[1])
        _check_columns(schemas[2], SUBJECT_COLUMNS, folder / FILES[2])
        try:
            return cls._of(folder, inputs, numbers_in)
        finally:
            # Arrow keeps freed memory; the fit needs it next.
            pa.default_memory_pool().release_unused()

    @classmethod
    def _of(cls, folder: Path, inputs: ModelInputs, numbers_in: Path | None) -> Self:
        of_frame = ("subject_id", "declared_at", "as_of", *inputs.names)
        frame, outcomes, subjects = (
            _frame(folder / name, columns, keep)
            for name, columns, keep in zip(
                FILES, (of_frame, *COLUMNS), (numbers_in, None, None), strict=True
            )
        )
        places_in_file = None
        if "as_of" in frame:
            is_last = _is_last_before_inspection(frame, outcomes)
            places_in_file = np.flatnonzero(is_last)
            frame = frame[is_last].reset_index(drop=True).drop(columns="as_of")
            subjects = _same_rows(subjects, is_last, folder / FILES[2])
        ids = pd.Index(frame.pop("subject_id"))
        declared_at = as_instants(frame.pop("declared_at"))
        _check_order(declared_at, folder / FILES[0])
        outcomes = outcomes.assign(**{name: outcomes.get(name) for name in OPTIONAL})
        id_texts = _texts(ids, folder / FILES[0])
        places = _places(outcomes.pop("subject_id"), id_texts, folder / FILES[1])
        subject_rows = _places(subjects.pop("subject_id"), id_texts, folder / FILES[2])
        return cls(
            inputs=inputs,
            frame=frame,
            subject_ids=ids,
            declared_at=declared_at,
            outcomes=Outcomes.from_table(outcomes, places, len(ids)),
            subjects=subjects.set_index(subject_rows).reindex(range(len(ids))),
            digest=training_set_digest(folder),
            folder=folder,
            records=summary.read_text() if (summary := folder / SUMMARY).is_file() else None,
            places_in_file=places_in_file,
        )

    def __len__(self) -> int:
        return len(self.subject_ids)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row per subject: `subject_id`, `declared_at`, the features, then `label`.

        Instants are in UTC, units those of the catalogue (`tidegate features`). Missing features
        are NaN, categories text; `label` is 1 (confirmed), 0 (not confirmed) or NaN (not known).
        """
        before = {"subject_id": self.subject_ids, "declared_at": self.declared_at}
        return pd.DataFrame(
            {**before, **self.frame, "label": self.outcomes.label}, index=self.frame.index
        )

    def to_arrow(self) -> pa.Table:
        """Return the rows of `to_pandas` as an Arrow table, with null for missing values."""
        return pa.Table.from_pandas(self.to_pandas(), preserve_index=False)

    def to_polars(self) -> "polars.DataFrame":
        """Return the rows of `to_arrow` as a Polars frame; raises TrainingError without Polars."""
        try:
            import polars  # noqa: PLC0415 - not a requirement: who asks for it has it
        except ModuleNotFoundError:
            raise TrainingError("Polars is not installed: pip install polars") from None
        return polars.DataFrame(self.to_arrow())

    @property
    def record_counts(self) -> dict[str, int]:
        """Numbers of source records by type; empty if the folder has no summary."""
        summary = json.loads(self.records or "{}")
        return {name: summary[name]["rows"] for name in RECORD_FILES if name in summary}

    @cached_property
    def together(self) -> Ints:
        """A number for each subject, equal for those that one inspection covered."""
        offices = self.subjects["office_id"].to_numpy(dtype=object)
        return inspections_of(self.outcomes.inspected_at, offices)

    def only(self, names: Sequence[str]) -> Self:
        """Return the set with the features of these names alone, or itself if it has no other."""
        if len(names) == len(self.frame.columns):
            return self
        inputs = self.inputs.only(names)
        return replace(self, inputs=inputs, frame=self.frame[[*inputs.names]])

    def declared_between(self, begins: np.datetime64, ends: np.datetime64) -> Ints:
        """Return the rows declared in [begins, ends) as indices."""
        span = self.span(begins, ends)
        return np.arange(span.start, span.stop)

    def span(self, begins: np.datetime64, ends: np.datetime64) -> slice:
        """Return the rows declared in [begins, ends) as a slice, which takes views of tables."""
        first, last = np.searchsorted(self.declared_at, np.array([begins, ends]), side="left")
        return slice(int(first), int(last))

    def encoding(self, rows: Ints, *, fewest: int) -> Encoding:
        """Return category lists from `rows`; a category on fewer than `fewest` is left out."""
        text = [feature.name for feature in self.inputs.features if feature.is_categorical]
        return Encoding.learnt(self.frame[text].iloc[rows], self.inputs, fewest=fewest)

    def is_new(self, column: str, rows: Ints, earlier: Ints) -> Bools:
        """Return a mask of `rows` whose value in `column` no labelled `earlier` row has.

        A missing value is not new, because nothing is known about it.
        """
        values = self.subjects[column]
        labelled = earlier[self.outcomes.is_labelled[earlier]]
        values_of_rows = values.iloc[rows]
        is_known = values_of_rows.isin(values.iloc[labelled].dropna().unique())
        return np.asarray(~is_known & values_of_rows.notna(), dtype=np.bool_)


def training_set_subject(folder: Path) -> SubjectKind:
    """Return the kind of subject a training set was built for; raises TrainingSetError."""
    file = folder / FILES[0]
    metadata = (_schema(file).metadata or {}).get(b"tidegate", b"{}")
    for kind in SUBJECT_KINDS:
        if json.loads(metadata).get("subject") == kind:
            return kind
    raise TrainingSetError(f"{file}: not made by `tidegate build`; it names no subject")


def _schema(file: Path) -> pa.Schema:
    if not file.is_file():
        raise TrainingSetError(f"{file} is missing; `tidegate build` makes a training set")
    with _readable(file):
        return pq.read_schema(file)


def _frame(file: Path, names: Iterable[str] | None, numbers_in: Path | None = None) -> pd.DataFrame:
    """Read a Parquet file column by column, so that no large table is in memory twice.

    Texts other than ids become categories, because few of them differ. With `numbers_in`, numbers
    are mapped from files in that folder.
    """
    texts = [
        f.name
        for f in pq.read_schema(file)
        if f.name != "subject_id"
        and bool(pa.types.is_string(f.type) or pa.types.is_large_string(f.type))
    ]
    with (
        _readable(file),
        pq.ParquetFile(
            file, pre_buffer=False, buffer_size=1 << 20, read_dictionary=texts
        ) as parquet,
    ):
        columns = {
            name: _kept(_finite(parquet, name, file), numbers_in)
            for name in names or parquet.schema_arrow.names
            if name in parquet.schema_arrow.names
        }
    return pd.DataFrame(columns, copy=False)


def _finite(parquet: pq.ParquetFile, name: str, file: Path) -> "pd.Series[Any]":
    column = parquet.read([name], use_threads=False).column(0).to_pandas()
    if column.dtype == np.float64 and np.isinf(column.to_numpy()).any():
        row = int(np.flatnonzero(np.isinf(column.to_numpy()))[0])
        raise TrainingSetError(
            f"{file}, {name}: row {row + 1} holds an infinite number; one that is not known is null"
        )
    return column


def _kept(column: "pd.Series[Any]", numbers_in: Path | None) -> "pd.Series[Any] | Floats":
    """Return a column; numbers are mapped from a file in `numbers_in`, if given."""
    if numbers_in is None or column.dtype != np.float64:
        return column
    with NamedTemporaryFile(dir=numbers_in, suffix=".npy", delete=False) as file:
        np.save(file, column.to_numpy())
    mapped: Floats = np.load(file.name, mmap_mode="r")
    return mapped


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        raise TrainingSetError(f"{file}: not a readable Parquet file ({error})") from None


def _check_metadata(schema: pa.Schema, file: Path, inputs: ModelInputs) -> None:
    try:
        metadata = json.loads((schema.metadata or {})[b"tidegate"])
        subject, computations = metadata["subject"], metadata.get("computations", {})
    except (KeyError, ValueError, TypeError):
        raise TrainingSetError(
            f"{file}: not made by `tidegate build`; it names no subject"
        ) from None
    if subject != inputs.subject:
        raise TrainingSetError(f"{file}: holds {subject}s, want {inputs.subject}s")
    built = {name: computations.get(name) for name in schema.names}
    remedy = f"build anew with `tidegate build --subject {subject}`"
    inputs.require_same_computations(built, f"{file} was built", remedy)
    _check_columns(schema, ("subject_id", "declared_at"), file)


def _is_last_before_inspection(frame: pd.DataFrame, outcomes: pd.DataFrame) -> Bools:
    """Return a mask of each subject's last scoring instant before its inspection.

    If no scoring instant precedes the inspection, the one at the declaration counts.
    """
    # A check of documents is no visit: the subject was still to be inspected after it.
    visits = outcomes[~outcomes["result"].isin(OF_DOCUMENTS)]
    inspected_at = frame["subject_id"].map(visits.set_index("subject_id")["inspected_at"])
    is_before = (frame["as_of"] < inspected_at) | inspected_at.isna()
    counts = is_before | (frame["as_of"] == frame["declared_at"])
    last = frame[counts].groupby("subject_id", sort=False)["as_of"].idxmax()
    return np.asarray(frame.index.isin(last), dtype=np.bool_)


def _same_rows(subjects: pd.DataFrame, which: Bools, file: Path) -> pd.DataFrame:
    if len(subjects) != len(which):
        raise TrainingSetError(f"{file}: has other scoring instants than {FILES[0]}")
    return subjects[which]


def _check_columns(schema: pa.Schema, names: tuple[str, ...] | list[str], file: Path) -> None:
    if absent := [name for name in names if name not in schema.names]:
        raise TrainingSetError(f"{file}: the column {absent[0]!r} is missing")


def _check_order(declared_at: Instants, file: Path) -> None:
    # Windows are found by binary search, which needs this order.
    if np.isnat(declared_at).any() or (np.diff(declared_at) < np.timedelta64(0)).any():
        raise TrainingSetError(f"{file}, declared_at: rows are not in order of declaration")


def _texts(ids: "pd.Index | pd.Series[str]", file: Path) -> pa.Array:
    """Return ids as an Arrow array; raises TrainingSetError for duplicates.

    In pandas each id would be a Python object.
    """
    texts = pa.array(ids, pa.string())
    counts = pc.value_counts(texts)
    if len(counts) < len(texts):
        many = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
        raise TrainingSetError(f"{file}, subject_id: {many[0].as_py()!r} appears twice")
    return texts


def _places(given: "pd.Series[str]", ids: pa.Array, file: Path) -> Ints:
    """Return the index of each given subject in `ids`."""
    texts = _texts(given, file)
    places = pc.index_in(texts, value_set=ids)
    if places.null_count:
        strange = texts.filter(pc.is_null(places))[0].as_py()
        raise TrainingSetError(f"{file}, subject_id: {strange!r} has no features")
    return places.to_numpy().astype(np.int64)


def training_set_digest(folder: Path) -> str:
    """Return the SHA-256 over the files of a training set."""
    digest = hashlib.sha256()
    for name in FILES:
        # The digest of digests: unlike a digest of the contents, it fixes where a file ends.
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"sha256:{digest.hexdigest()}"
