"""Score every subject of a file on Spark, with the same bits as on one machine.

Workers compute features, scores and contributions. The submitting machine draws the lanes, because
the seed of the draws is a secret that, like the signing key, must not leave it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path

import pyarrow as pa

from features.atomic_dir import working_folder
from features.engine.columns import Columns
from features.file_among_records import among_records
from features.records import SubjectKind
from features.spark.build import computed_on_spark, of_rows
from features.spark.session import spark_session
from features.spark.shuffle import code_of_packages
from features.spark.submissions import SubmissionsOnSpark
from features.spark.submitted_file import submitted_beside
from features.submission import Submission
from features.vector import Vector
from serving.models.scores import Scorer
from serving.scoring.files import (
    ROWS_PER_CALL,
    FileSubjects,
    columns_read,
    explained,
    holds_submissions,
    none_in,
    of_submissions,
    record_counts,
    subjects_of,
    submissions_in,
)
from training.model.risk_model import RiskModel

# Packages whose code must be identical on workers and on this machine.
PACKAGES = ("features", "serving", "training")


@dataclass(frozen=True)
class Explaining:
    """A model sent to workers; each of them prepares it once."""

    model: RiskModel

    @cached_property
    def _scorer(self) -> Scorer:
        return Scorer.for_model(self.model)

    def recorded(self, matrix: pa.Table, subjects: Columns) -> pa.Table:
        """Return scores and contributions of one partition of recorded subjects."""
        return self._explained(subjects_of(self.model.manifest.subject, matrix, subjects, {}))

    def submitted(self, submissions: Sequence[Submission], vectors: Sequence[Vector]) -> pa.Table:
        """Return scores and contributions of submissions with their features."""
        kind = self.model.manifest.subject
        return self._explained(of_submissions(kind, submissions, vectors, {}))

    def _explained(self, subjects: FileSubjects) -> pa.Table:
        return pa.concat_tables(explained(subjects, self._scorer))


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
    """Yield the `record_counts`, and tables as `explained` yields them on one machine.

    Intermediate results are stored next to `out`. Raises RecordsError as `read_subjects` does,
    TidegateError and TidegateError.
    """
    compute = Explaining(model)
    with ExitStack() as stack:
        if holds_submissions(file):
            read = partial(submissions_in, file, kind)
            submitted = stack.enter_context(submitted_beside(file, records, read))
            spark = stack.enter_context(spark_session(master))
            scratch = stack.enter_context(working_folder(out))
            work = SubmissionsOnSpark(spark, master, tasks, PACKAGES, kind, records, submitted)
            counts = work.add_history()
            scored = work.computed(compute.submitted, scratch)
        else:
            asked = stack.enter_context(among_records(file, kind, records, is_shared=True))
            scratch = stack.enter_context(working_folder(out))
            counts = record_counts(asked)
            scored = computed_on_spark(
                asked, columns_read(kind), compute.recorded, PACKAGES, master, tasks, scratch
            )
        yield counts, _any(of_rows(ROWS_PER_CALL, scored), file, kind)


def _any(tables: Iterator[pa.Table], file: Path, kind: SubjectKind) -> Iterator[pa.Table]:
    first = next(tables, None)
    if first is None:
        raise none_in(file, kind)
    yield from chain([first], tables)


# Fingerprint the packages at import, so that the result describes the code this process loaded.
code_of_packages(PACKAGES)
