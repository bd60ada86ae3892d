"""`tidegate score` and `tidegate replay`: scores of files, and recomputed past decisions."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.opened_home import CommandOutput, OpenedHome, on_home, opened_database
from serving.cli.options import (
    DEFAULT_HOME,
    Engine,
    EngineOption,
    Home,
    Json,
    MasterOption,
    Subject,
    SubjectOption,
    master_of,
)
from serving.cli.output import messages, print_json, progress_bar

if TYPE_CHECKING:
    import pyarrow as pa

    from serving.audit.replay import Replay
    from serving.models.model_pool import LoadedModel
    from serving.settings import Settings
    from serving.triage.control_draws import FirstDrawn


def score(
    file: Annotated[
        Path,
        typer.Argument(help="Journeys or shipments as a record file, or NDJSON of submissions."),
    ],
    subject: SubjectOption,
    out: Annotated[Path, typer.Option(help="File to write: .parquet or .csv.")],
    model: Annotated[
        str | None,
        typer.Option(help="tidegate-shipment@champion (the default), …/3, or a folder."),
    ] = None,
    records: Annotated[
        Path | None, typer.Option(help="Folder of records known besides; HOME/records without.")
    ] = None,
    engine: EngineOption = Engine.MACHINE,
    master: MasterOption = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="On Spark, how many tasks share a shuffle.")
    ] = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Score every subject in a file, with the lane and every contribution."""
    from features.subject_types import SUBJECT_TYPES
    from serving.cli.rows_ahead import count_in_subjects
    from serving.scoring.files import placed, write_tables
    from serving.settings import Settings
    from serving.triage.lanes import Lanes

    # Check the output first, so that no long scoring is lost.
    _refuse_unwritable(out, file)
    found = master_of(engine, master)
    settings = Settings(home=home)
    champion = _model(settings, model or f"{SUBJECT_TYPES[subject.value].model_name}@champion")
    lanes = Lanes.from_settings(settings, first_drawn=first_draws_in(home))
    known = records or settings.records
    with (
        _on_spark(file, subject, known, champion, found, threads, out)
        if found
        else _on_this_machine(file, subject, known, champion)
    ) as explained:
        table = write_tables(placed(explained, champion, lanes), out)
    # A warning only: a file may be scored although a service would refuse some of its rows.
    ahead = count_in_subjects(file, subject.value, datetime.now(UTC))
    if as_json:
        name = champion.model.manifest.name
        filled = {row["values"]: row["counts"] for row in table["lane"].value_counts().to_pylist()}
        print_json(
            {
                "out": str(out),
                "subjects": table.num_rows,
                "model": {"name": name, "version": champion.version},
                "lanes": filled,
                "declared_ahead": ahead,
            }
        )
    else:
        messages.print(f"{out}: {table.num_rows:,} scores")


def _refuse_unwritable(out: Path, file: Path) -> None:
    """Raise BadParameter for an unknown file type, or for the input file itself."""
    if out.suffix not in (".parquet", ".csv"):
        raise typer.BadParameter("want a name that ends in .parquet or .csv", param_hint="--out")
    # samefile also recognises links and other spellings of the path.
    if out.exists() and file.exists() and out.samefile(file):
        raise typer.BadParameter("is the file that is scored", param_hint="--out")


@contextmanager
def _on_this_machine(
    file: Path, subject: Subject, records: Path, champion: "LoadedModel"
) -> Iterator[Iterator["pa.Table"]]:
    from serving.scoring.files import explained, read_subjects

    subjects = read_subjects(file, subject.value, records)
    _say_missing(subjects.record_counts, champion)
    with progress_bar(f"{subject.value}: scores") as progress:
        yield _counted(explained(subjects, champion.scorer), len(subjects.ids), progress)


@contextmanager
def _on_spark(
    file: Path,
    subject: Subject,
    records: Path,
    champion: "LoadedModel",
    master: str,
    tasks: int | None,
    out: Path,
) -> Iterator[Iterator["pa.Table"]]:
    from serving.scoring.files_on_spark import explained_on_spark

    with explained_on_spark(file, subject.value, records, champion.model, master, tasks, out) as (
        record_counts,
        explained,
    ):
        _say_missing(record_counts, champion)
        yield explained


def _say_missing(record_counts: Mapping[str, int], champion: "LoadedModel") -> None:
    from serving.scoring.files import missing_history

    if missing := missing_history(record_counts, champion):
        messages.print(
            f"too few {', '.join(missing)} are known: {champion.model.manifest.name} was trained "
            "on more than twice as many (history_missing)"
        )


def _counted(
    tables: Iterator["pa.Table"], total: int, progress: Callable[[int, int], None]
) -> Iterator["pa.Table"]:
    done = 0
    for table in tables:
        yield table
        done += len(table)
        progress(done, total)


@on_home
def replay(
    at: OpenedHome,
    decision_id: Annotated[str, typer.Argument(help="The decision to compute again.")],
) -> CommandOutput:
    """Recompute a stored decision with its own model, and compare every bit."""
    replayed = _replayed(at, decision_id)
    at.record_reading("replay", "decision", decision_id)
    says = "the same to the bit"
    if not replayed.is_identical:
        says = f"different in {', '.join(replayed.differences)}"
    exit_code = 0 if replayed.is_identical else 1
    return CommandOutput(_document(replayed), (), (f"{decision_id}: {says}",), exit_code)


def _replayed(at: OpenedHome, decision_id: str) -> "Replay":
    from serving.audit.decision import Decision
    from serving.audit.replay import replayed
    from serving.errors import NotFound
    from serving.models.model_pool import LoadedModel
    from training.model.model_home import ModelHome

    record = at.stores.decisions.record(decision_id)
    if record is None:
        raise NotFound(f"there is no decision {decision_id} in the log")
    decision = Decision.model_validate_json(record)
    models, result = ModelHome(at.home), decision.result
    folder = models.find(f"{result.model.name}/{result.model.version}")
    # Compare with the archived model: the stored vector was made for it, whatever the catalogue
    # computes today.
    return replayed(decision, LoadedModel.read_archived(folder, models.public_key))


def _model(settings: "Settings", reference: str) -> "LoadedModel":
    from serving.models.model_pool import LoadedModel
    from training.model.model_home import ModelHome

    models = ModelHome(settings.home)
    return LoadedModel.read(models.find(reference), models.public_key)


def first_draws_in(home: Path) -> "FirstDrawn":
    """Return a function that gives the seed of a subject's first draw, if keys were rotated."""
    from features.home_keys import DRAWS, former_keys
    from serving.settings import settings_of
    from serving.storage.repositories.placement_repository import PlacementRepository
    from serving.triage.control_draws import never_drawn

    settings = settings_of(home, None)
    # Without a rotation, the current seed has drawn everything, and no database is needed.
    if not former_keys(settings.keys, DRAWS):
        return never_drawn
    engine = opened_database(settings, may_create=False)
    return PlacementRepository(engine).first_drawn


def _document(replay: "Replay") -> dict[str, Any]:
    result = replay.decision.result
    return {
        "decision_id": replay.decision.decision_id,
        "identical": replay.is_identical,
        "differences": replay.differences,
        "model": result.model.model_dump(),
        "log_odds": {"stored": result.score.log_odds, "recomputed": replay.recomputed.log_odds},
        "probability": {
            "stored": result.score.probability,
            "recomputed": replay.recomputed.probability,
        },
    }
