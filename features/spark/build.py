"""Build a training set on Spark from a folder of records that all workers can read."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from features.atomic_dir import written_whole
from features.build_training_set import (
    SUBJECT_ROWS,
    feature_tables,
    subject_table,
    write_training_set,
)
from features.engine.batch.feature_frame import BLOCK_ROWS
from features.errors import RecordsSuspected
from features.file_among_records import PLACE, AskedSubjects
from features.ingest.record_files import read_record_file, record_file_of
from features.records import SubjectKind
from features.rescoring_rules import RescoringRules
from features.spark.part_features import BuildRequest, after_keys
from features.spark.part_messages import SCHEMA, SparkPart, part_name, unpack_table
from features.spark.plan import BuildPlan, plan_build
from features.spark.scan_records import Scan
from features.spark.session import spark_errors_in_words, spark_session
from features.spark.shuffle import OURS, Packages, shuffled
from features.spark.tasks import (
    FEATURES,
    SUBJECTS,
    OfFeatures,
    history_to_everyone,
    journeys_to_subjects,
    keys_to_subjects,
    subjects_to_keys,
    subjects_to_places,
    subjects_to_ranges,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Last task: turns the columns and window values of a part into rows of the result.
LastTask = Callable[[BuildPlan, int, Iterator[bytes]], Iterator[SparkPart]]

Order = list[tuple[str, str]]
# Later scoring instants of a subject come in order from its part, and the sort is stable.
_BY_INSTANT: Order = [("declared_at", "ascending"), ("subject_id", "ascending")]
BY_PLACE: Order = [(PLACE, "ascending")]


def build_on_spark(
    kind: SubjectKind,
    master: str,
    tasks: int | None,
    records: Path,
    out: Path,
    rules: RescoringRules | None = None,
) -> int:
    """Write the same training set, byte for byte, as `build_training_set`.

    `tasks` is the number of Spark tasks, by default one per part. The folder of records must have
    the same path on every worker. Raises TidegateError, and RecordsError as the
    build on one machine does; then nothing is written.
    """
    with (
        spark_session(master) as spark,
        written_whole(out) as folder,
        TemporaryDirectory(dir=folder) as scratch,
    ):
        wanted = BuildRequest.of_training_set(kind, rules)
        plan, no_subjects = plan_build(records, wanted)
        received = Path(scratch)
        receive(partial(_computed, spark, tasks, subjects_to_ranges, OURS), master, plan, received)
        # An empty table goes first, so that a result without rows still has the right schema.
        with after_keys(wanted, plan.keyed, no_subjects, lambda _: np.empty(0)) as none:
            no_features, no_table = next(feature_tables(kind, none)), subject_table(kind, none)
        return write_training_set(
            folder,
            kind,
            records,
            of_rows(BLOCK_ROWS, chain([no_features], in_order(received, FEATURES, _BY_INSTANT))),
            of_rows(SUBJECT_ROWS, chain([no_table], in_order(received, SUBJECTS, _BY_INSTANT))),
        )


def computed_on_spark(
    asked: AskedSubjects,
    columns: frozenset[str],
    compute: OfFeatures,
    packages: Packages,
    master: str,
    tasks: int | None,
    scratch: Path,
) -> Iterator[pa.Table]:
    """Yield what `compute` makes of features and columns of subjects, in the order of their file.

    Each part is computed where its features are. Workers must have the same code of `packages` as
    this process. Results are stored in `scratch` until they are read. Raises as `build_on_spark`
    does, before the first rows.
    """
    with spark_session(master) as spark:
        plan, _ = plan_build(asked.records, BuildRequest.of_asked(asked, columns))
        last = partial(subjects_to_places, compute)
        receive(partial(_computed, spark, tasks, last, packages), master, plan, scratch)
    for table in in_order(scratch, SUBJECTS, BY_PLACE):
        yield table.drop_columns([PLACE])


def keep(messages: "DataFrame", folder: Path) -> None:
    """Write messages to files whose names sort by part and position."""
    # `toLocalIterator` fetches one partition at a time, so the driver never holds the whole result.
    for part, at, body in messages.toLocalIterator():
        (folder / f"{part:08}-{at:020}").write_bytes(body)


def receive(
    compute: Callable[[BuildPlan], "DataFrame"], master: str, plan: BuildPlan, folder: Path
) -> None:
    """Run a Spark computation and write its messages, which arrive in any order, to files.

    If a task suspects a record file, this process reads the whole file to report the exact fault.
    Equal hashes may be a coincidence; then the file is marked as sound and the work is repeated.
    """
    while True:
        try:
            with spark_errors_in_words(master, "the work"):
                keep(compute(plan), folder)
        except RecordsSuspected as suspected:
            name = str(suspected)
            if file := record_file_of(plan.scan.folder, name):
                read_record_file(file, name)
            # Marking the file as sound ends the loop: each file can be suspected once only.
            plan = replace(plan, scan=replace(plan.scan, sound=plan.scan.sound | {name}))
        else:
            return


def _computed(
    spark: "SparkSession", tasks: int | None, last: LastTask, packages: Packages, plan: BuildPlan
) -> "DataFrame":
    tasks = tasks or plan.scan.parts
    records = records_in_parts(spark, tasks, plan)
    keys = shuffled(records, tasks, partial(subjects_to_keys, plan))
    numbers = shuffled(keys, tasks, partial(keys_to_subjects, plan))
    return shuffled(numbers, tasks, partial(last, plan), packages)


def records_in_parts(spark: "SparkSession", tasks: int, plan: BuildPlan) -> "DataFrame":
    """Return the records of each part of subjects, with the journeys and findings it needs."""
    records = _read(spark, tasks, plan.scan)
    if plan.joining is not None:
        named = _read(spark, tasks, plan.joining)
        journeys = shuffled(named, tasks, partial(journeys_to_subjects, plan))
        records = records.union(journeys)
    if plan.history is not None:
        found = _read(spark, tasks, plan.history)
        if plan.joining is not None:
            found = found.union(journeys)
        records = records.union(shuffled(found, tasks, partial(history_to_everyone, plan)))
    return records


def _read(spark: "SparkSession", tasks: int, scan: Scan) -> "DataFrame":
    splits = [pickle.dumps(split) for split in scan.splits()]
    return shuffled(begun(spark, splits), tasks, scan.read)


def begun(spark: "SparkSession", bodies: Sequence[bytes]) -> "DataFrame":
    """Return a data frame with one message per part that describes its work."""
    parts = [(part, 0, body) for part, body in enumerate(bodies)]
    return spark.createDataFrame(parts, SCHEMA)


def in_order(folder: Path, what: str, order: Order) -> Iterator[pa.Table]:
    """Yield the stored rows of one name, one sorted range at a time."""
    files = sorted(folder.iterdir())
    for _, of_range in groupby(files, lambda file: file.name.partition("-")[0]):
        tables = (unpack_table(file.read_bytes()) for file in of_range)
        rows = [table for table in tables if part_name(table) == what]
        yield pa.concat_tables(rows).sort_by(order)


def of_rows(size: int, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield the same rows in contiguous tables of `size`; one empty table if there are no rows."""
    waiting: pa.Table | None = None
    is_any = False
    for table in tables:
        rows = table.replace_schema_metadata()
        waiting = rows if waiting is None else pa.concat_tables([waiting, rows])
        while len(waiting) >= size:
            yield waiting.slice(0, size).combine_chunks()
            waiting, is_any = waiting.slice(size), True
    if waiting is not None and (len(waiting) or not is_any):
        yield waiting.combine_chunks()
