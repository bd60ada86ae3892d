"""Score every subject of a file on Spark, with the bits of one machine.

Workers compute features, scores and contributions. Lanes are drawn by the machine that asked: what
decides a draw is a secret of the home, and leaves it as little as the signing key does.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import pyarrow as pa

from features.atomic_dir import working_folder
from features.engine.columns import Columns
from features.engine.spark.shuffle import installed_code
from features.errors import RecordsError
from features.file_among_records import among_records
from features.records import SubjectKind
from features.spark_build.build import computed_on_spark, of_rows
from serving.models.scores import Scorer
from serving.scoring.files import (
    AT_ONCE,
    columns_read,
    explained,
    holds_submissions,
    none_in,
    record_counts,
    subjects_of,
)
from training.model.risk_model import RiskModel

PACKAGES = ("features", "serving", "training")
"""Whose code a worker must have as this machine has it."""


@dataclass(frozen=True)
class Explaining:
    """A model on its way to workers, each of which prepares it once."""

    model: RiskModel

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer.for_model(self.model)

    def __call__(self, matrix: pa.Table, subjects: Columns) -> pa.Table:
        """Scores and contributions of the subjects of a part."""
        of_part = subjects_of(self.model.manifest.subject, matrix, subjects, {})
        return pa.concat_tables(explained(of_part, self._scorer))


@contextmanager
def explained_on_spark(
    file: Path,
    kind: SubjectKind,
    records: Path,
    model: RiskModel,
    master: str,
    tasks: int | None,
    out: Path,
) -> Iterator[tuple[Mapping[str, int], Iterator[pa.Table]]]:
    """Give `record_counts`, and scores of a record file as `explained` makes them of one machine.

    What comes back waits beside `out`. Raises RecordsError as `read_subjects` does, and
    SparkUnavailable, SparkFailed or WorkerMismatch.
    """
    if holds_submissions(file):
        raise RecordsError(
            f"{file}: submissions are scored on one machine; want a record file of {kind}s, or "
            "--engine machine"
        )
    with (
        among_records(file, kind, records, is_shared=True) as asked,
        working_folder(out) as scratch,
    ):
        compute = Explaining(model)
        scored = computed_on_spark(
            asked, columns_read(kind), compute, PACKAGES, master, tasks, scratch
        )
        yield record_counts(asked), _any(of_rows(AT_ONCE, scored), file, kind)


def _any(tables: Iterator[pa.Table], file: Path, kind: SubjectKind) -> Iterator[pa.Table]:
    first = next(tables, None)
    if first is None:
        raise none_in(file, kind)
    yield from chain([first], tables)


# As that of `features`: of the code that this process loaded.
installed_code(PACKAGES)
