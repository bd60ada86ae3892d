"""Compute results for a file of submissions on Spark, with what it adds to history.

Submissions are not records. Each brings records that only its own features see, except those that
become part of everyone's history. The latter are found first and stored next to the record files.
Then history is swept by keys as for a training set, which answers the queries of each submission's
online path.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa

from features.file_among_records import PLACE
from features.history.online_store import COUNTED_RECORD_TYPES
from features.ingest.record_folder import RecordFolder
from features.records import SubjectKind
from features.spark.build import (
    BY_PLACE,
    begun,
    in_order,
    keep,
    receive,
    records_in_parts,
)
from features.spark.new_history import write_new_history
from features.spark.part_messages import SparkPart
from features.spark.plan import BuildPlan, planned_history
from features.spark.session import spark_errors_in_words
from features.spark.shuffle import Packages, shuffled
from features.spark.submission_tasks import (
    OfVectors,
    answered,
    history_to_keys,
    queries_to_keys,
    tell_history,
)
from features.spark.submitted_file import SubmittedFile
from features.spark.tasks import SUBJECTS, keys_to_subjects

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class SubmissionsOnSpark:
    """Work on a file of submissions of one kind, with the code of some packages.

    `tasks` is the number of Spark tasks, by default one per part or piece.
    """

    spark: "SparkSession"
    master: str
    tasks: int | None
    packages: Packages
    kind: SubjectKind
    records: Path
    submitted: SubmittedFile

    def add_history(self) -> Mapping[str, int]:
        """Write the records that submissions add to history; return the number of records by type.

        Raises RecordsError for the first wrong line, and the errors of a build on Spark.
        """
        added = self.submitted.added
        with TemporaryDirectory(dir=added) as told:
            with spark_errors_in_words(self.master, "the work"):
                keep(self._of_pieces(tell_history), Path(told))
            write_new_history(Path(told), self.records, added)
        known, new = RecordFolder(self.records), RecordFolder(added)
        return {name: known.count(name) + new.count(name) for name in COUNTED_RECORD_TYPES}

    def computed(self, compute: OfVectors, scratch: Path) -> Iterator[pa.Table]:
        """Yield what is computed of the submissions, in order.

        Results are stored in `scratch` until they are read.
        """
        plan = planned_history(self.records, self.submitted.added, self.kind)
        receive(partial(self._answered, compute), self.master, plan, scratch)
        for table in in_order(scratch, SUBJECTS, BY_PLACE):
            yield table.drop_columns([PLACE])

    def _answered(self, compute: OfVectors, plan: BuildPlan) -> "DataFrame":
        tasks = self._tasks(plan.scan.parts)
        records = records_in_parts(self.spark, tasks, plan)
        # Events and queries meet in the parts of their keys, as in a build of a training set.
        history = shuffled(records, tasks, partial(history_to_keys, plan))
        queries = self._of_pieces(partial(queries_to_keys, plan))
        numbers = shuffled(history.union(queries), tasks, partial(keys_to_subjects, plan))
        last = partial(answered, compute, plan, self.submitted)
        return shuffled(numbers, tasks, last, self.packages)

    def _of_pieces(self, task: Callable[..., Iterator[SparkPart]]) -> "DataFrame":
        pieces = begun(self.spark, [b""] * len(self.submitted.pieces))
        return shuffled(pieces, self._tasks(1), partial(task, self.submitted), self.packages)

    def _tasks(self, parts: int) -> int:
        return self.tasks or max(parts, len(self.submitted.pieces))
