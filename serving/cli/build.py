"""`tidegate build`: records to a point-in-time training set."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import (
    Engine,
    EngineOption,
    Json,
    MasterOption,
    Subject,
    SubjectOption,
    master_of,
)
from serving.cli.output import messages, print_json, progress_bar

if TYPE_CHECKING:
    from features.rescoring_rules import RescoringRules


def build(
    records: Annotated[Path, typer.Option(help="Folder of record files.")],
    subject: SubjectOption,
    out: Annotated[Path, typer.Option(help="Folder to write; replaced when all went well.")],
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many parts are computed at a time, by default one; on Spark as many tasks "
            "shuffle, by default one for each part. The bytes are the same.",
        ),
    ] = None,
    engine: EngineOption = Engine.MACHINE,
    master: MasterOption = None,
    quarantine: Annotated[
        Path | None,
        typer.Option(help="Folder for rows that are wrong, instead of refusing their file."),
    ] = None,
    scoring_instants: Annotated[
        bool,
        typer.Option(
            help="Also a row for each later instant at which a service would have scored a subject "
            "again, since something became known."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Compute every feature of every subject as of its declaration.

    A wrong row refuses the build with everything that is wrong in its file, and nothing is written.
    """
    import pyarrow.parquet as pq

    from features.errors import RecordsError
    from features.rescoring_rules import RescoringRules
    from serving.cli.rows_ahead import count_in_matrix

    rules = RescoringRules() if scoring_instants else None
    if found := master_of(engine, master):
        make = _on_spark(subject, found, threads, rules)
    else:
        make = _on_this_machine(subject, threads or 1, rules)
    try:
        with _usable(records, quarantine) as usable:
            strange = make(usable, out)
    except RecordsError as refusal:
        if as_json:
            # Machines get the faults as JSON too; the error itself goes to stderr.
            print_json({"refused": True, "faults": refusal.report()})
        raise
    shape = pq.read_metadata(out / "features.parquet")
    outcomes = pq.read_metadata(out / "outcomes.parquet").num_rows
    ahead = count_in_matrix(out, datetime.now(UTC))
    if as_json:
        rows = "scoring_instants" if scoring_instants else "subjects"
        counts = {rows: shape.num_rows, "outcomes": outcomes, "outcomes_without_subject": strange}
        print_json({"out": str(out), **counts, "declared_ahead": ahead})
    else:
        rows = "scoring instants of subjects" if scoring_instants else "subjects"
        # The other columns identify the subject and its instants.
        features = shape.num_columns - (3 if scoring_instants else 2)
        messages.print(
            f"{out}: {shape.num_rows:,} {rows} × {features} features, {outcomes:,} outcomes"
        )
        # Such outcomes often mean that ids differ between the files.
        if strange:
            messages.print(
                f"{strange:,} of the outcomes left out, since the records hold no such "
                f"{subject.value}: its row was set aside, or the ids differ"
            )


def _on_this_machine(
    subject: Subject, threads: int, rules: "RescoringRules | None"
) -> Callable[[Path, Path], int]:
    from features.build_training_set import build_training_set
    from features.engine.malloc import keep_freed_memory

    keep_freed_memory()

    def make(records: Path, out: Path) -> int:
        with progress_bar(f"{subject.value}: features") as progress:
            return build_training_set(
                records, subject.value, out, progress, threads=threads, rules=rules
            )

    return make


def _on_spark(
    subject: Subject, master: str, tasks: int | None, rules: "RescoringRules | None"
) -> Callable[[Path, Path], int]:
    from features.spark.build import build_on_spark

    return partial(build_on_spark, subject.value, master, tasks, rules=rules)


def _usable(records: Path, quarantine: Path | None) -> AbstractContextManager[Path]:
    from features.ingest.quarantine import set_aside

    return nullcontext(records) if quarantine is None else set_aside(records, quarantine)
