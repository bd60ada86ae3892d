"""`tidegate retrain`: a challenger from all that a home knows, beside the champion, in one step."""

import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.options import (
    DEFAULT_HOME,
    DatabaseUrl,
    Home,
    Json,
    SubjectOption,
    TrackingUri,
)
from serving.cli.output import messages, print_json, progress_bar
from serving.cli.train import logged_in, trained

if TYPE_CHECKING:
    from serving.history.export_records import HomeRecords
    from training.data.training_set import TrainingSet
    from training.gates.gates import Verdict
    from training.model.model_home import ModelHome, Registration


def retrain(
    subject: SubjectOption,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
            help="Only what was known before this instant (UTC); now without.",
        ),
    ] = None,
    experiment: Annotated[
        Path | None, typer.Option(help="TOML file of parameters; defaults without.")
    ] = None,
    home: Home = DEFAULT_HOME,
    database_url: DatabaseUrl = None,
    tracking_uri: TrackingUri = None,
    trainer: Annotated[
        str | None, typer.Option(help="Who trains; the name you are logged in with, without.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Gather records, decisions and outcomes, build, train, register a challenger, ask every gate.

    Nothing is promoted: `tidegate promote` is for somebody else. Exit code 0 even where gates would
    refuse it; what they say is printed. Run it from cron or a timer.
    """
    from training.parameters import TrainingParameters

    known_until = until.replace(tzinfo=UTC) if until else datetime.now(UTC)
    if known_until > datetime.now(UTC):
        raise typer.BadParameter("nothing of the future is known", param_hint="--until")
    parameters = TrainingParameters.read(experiment) if experiment else TrainingParameters()
    source, sets = _home_records(home, database_url), home / "training_sets"
    sets.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=sets, prefix=".retrain-") as scratch:
        built = Path(scratch) / "set"
        gathered = _gathered(source, Path(scratch), built, subject, known_until)
        who = trainer or logged_in()
        _, registration = trained(subject, built, parameters, home, tracking_uri, who)
        _put(built, sets / subject.value)
    verdicts = _verdicts(home, registration, subject, parameters.seed)
    proposed = _Proposed(registration, verdicts)
    if as_json:
        print_json(_summary(gathered, proposed, known_until))
        return
    _print(gathered, proposed)


@dataclass(frozen=True)
class _Gathered:
    """How many records of each type were put together, and outcomes whose author is known."""

    records: dict[str, int]
    authored: int


@dataclass(frozen=True)
class _Proposed:
    """The challenger, and what every gate but that of the approver says of it."""

    registration: "Registration"
    verdicts: "tuple[Verdict, ...]"


def _home_records(home: Path, database_url: str | None) -> "HomeRecords":
    from serving.access.pseudonyms import Pseudonyms
    from serving.db.engine import open_database
    from serving.db.repositories.decision_repository import DecisionRepository
    from serving.db.repositories.record_repository import RecordRepository
    from serving.errors import NotFound
    from serving.history.export_records import HomeRecords
    from serving.settings import settings_of

    settings = settings_of(home, database_url)
    if isinstance(settings.database, Path) and not settings.database.exists():
        raise NotFound(f"{settings.database} is missing: no service was ever started there")
    engine = open_database(settings.database, is_service=False, keys=settings.keys)
    pseudonyms = Pseudonyms.kept_in(settings.keys)
    return HomeRecords(
        settings.records, DecisionRepository(engine), RecordRepository(engine), pseudonyms
    )


def _gathered(
    source: "HomeRecords", scratch: Path, built: Path, subject: SubjectOption, until: datetime
) -> _Gathered:
    """Build a training set of all that was known, with the authors of its outcomes."""
    from features.build_training_set import build_training_set
    from training.data.label_authors import sign

    records = scratch / "records"
    records.mkdir()
    counts, authors = source.write(records, until)
    _refuse_nothing(counts, subject, until)
    with progress_bar(f"{subject.value}: features") as progress:
        build_training_set(records, subject.value, built, progress)
    return _Gathered(counts, sign(built, subject.value, authors))


def _put(built: Path, place: Path) -> None:
    """Let the set that was learnt from take the place of the former one."""
    from features.atomic_dir import written_whole

    with written_whole(place) as whole:
        for file in built.iterdir():
            shutil.move(file, whole)


def _refuse_nothing(counts: dict[str, int], subject: SubjectOption, until: datetime) -> None:
    from training.errors import TrainingSetError

    of_subjects = "journeys" if subject.value == "route" else "shipments"
    if absent := [name for name in (of_subjects, "outcomes") if not counts[name]]:
        raise TrainingSetError(f"no {' and no '.join(absent)} were known before {until:%Y-%m-%d}")


def _verdicts(
    home: Path, registration: "Registration", subject: SubjectOption, seed: int
) -> "tuple[Verdict, ...]":
    """Of every gate but that of the approver; canaries are chosen first, where there are none."""
    from training.data.training_set import TrainingSet
    from training.gates.promotion_checks import verdicts_of
    from training.model.model_home import ModelHome

    folder, models = home / "training_sets" / subject.value, ModelHome(home)
    data = TrainingSet.read(folder, subject.value)
    _choose_canaries(models, registration, data, seed)
    asked = verdicts_of(registration, models, "", data, None)
    return tuple(each for each in asked if each.gate != "approver")


def _choose_canaries(
    models: "ModelHome", registration: "Registration", data: "TrainingSet", seed: int
) -> None:
    """Once, from what was known before the champion was judged, or this model where none is."""
    import numpy as np

    from training.errors import ArtefactError
    from training.gates.canaries import Canaries
    from training.gates.promotion_checks import CHAMPION
    from training.model.risk_model import RiskModel

    kind = data.inputs.subject
    if Canaries.read(models.home, kind) is not None:
        return
    first = models.pointer(registration.name, CHAMPION) or registration
    # Of the champion only its dates are asked, so it may be of an older catalogue.
    folder = models.folder_of(first.name, first.version)
    try:
        model = RiskModel.read_archived(folder, models.public_key)
    except ArtefactError as error:
        messages.print(f"no canaries were chosen: {error}", markup=False)
        return
    begins = model.manifest.training_window.evaluation.begins
    before = np.datetime64(begins.astimezone(UTC).replace(tzinfo=None), "us")
    chosen = Canaries.chosen(data, before, seed)
    file = chosen.write(models.home, kind, registration.registered_at)
    messages.print(f"canaries were chosen: {file}")


def _summary(gathered: _Gathered, proposed: _Proposed, until: datetime) -> dict[str, Any]:
    shut = [verdict.gate for verdict in proposed.verdicts if not verdict.is_open]
    return {
        "known_until": until.isoformat(),
        **asdict(gathered),
        "challenger": proposed.registration.model_dump(mode="json"),
        "would_be_refused_by": shut,
        "verdicts": [vars(verdict) for verdict in proposed.verdicts],
    }


def _print(gathered: _Gathered, proposed: _Proposed) -> None:
    counts = ", ".join(f"{count:,} {name}" for name, count in gathered.records.items())
    messages.print(f"put together: {counts}; {gathered.authored:,} outcomes have an author")
    for verdict in proposed.verdicts:
        messages.print(f"  {verdict.answer}  {verdict.gate}: {verdict.reason}", markup=False)
    name = f"{proposed.registration.name} version {proposed.registration.version}"
    is_open = all(verdict.is_open for verdict in proposed.verdicts)
    word = "another person may promote it" if is_open else "its promotion would be refused"
    messages.print(f"{name} is now the challenger; {word}")
