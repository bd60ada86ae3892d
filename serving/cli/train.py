"""`tidegate train`: fit, calibrate, evaluate and register a model."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.cli.evaluate import print_figures
from serving.cli.growers import ListenOption, WorkersOption, chosen_growers
from serving.cli.options import (
    DEFAULT_HOME,
    Engine,
    Home,
    Json,
    MasterOption,
    Subject,
    SubjectOption,
    TrackingUri,
    TrainingSetOption,
)
from serving.cli.output import messages, print_json, progress_bar

if TYPE_CHECKING:
    from training.data.training_set import TrainingSet
    from training.fit.workers.worker_group import WorkerGroup
    from training.model.model_registration import Registration
    from training.model.risk_model import RiskModel
    from training.parameters import TrainingParameters
    from training.search_trial import Trial
    from training.train import Candidate

SOURCE = Path(__file__).resolve().parents[2]


def train(
    subject: SubjectOption,
    training_set: TrainingSetOption = None,
    experiment: Annotated[
        Path | None, typer.Option(help="TOML file of parameters; defaults without.")
    ] = None,
    search: Annotated[
        int | None,
        typer.Option(min=1, help="Look for better trees first, in so many trials altogether."),
    ] = None,
    workers: WorkersOption = None,
    listen: ListenOption = None,
    engine: Annotated[
        Engine, typer.Option(help="Where workers run; tasks of Spark see this training set, too.")
    ] = Engine.MACHINE,
    master: MasterOption = None,
    home: Home = DEFAULT_HOME,
    tracking_uri: TrackingUri = None,
    trainer: Annotated[
        str | None, typer.Option(help="Who trains; the name you are logged in with, without.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fit, calibrate and evaluate a model, and register it as challenger."""
    from training.parameters import TrainingParameters

    parameters = TrainingParameters.read(experiment) if experiment else TrainingParameters()
    if search is not None:
        limits = parameters.search.model_copy(update={"trials": search})
        parameters = parameters.model_copy(update={"search": limits})
    # Check the options before the search and the training.
    growers = chosen_growers(workers, listen, engine, master)
    # Several workers support only basic monotonicity constraints.
    if workers is not None:
        parameters = _for_workers(parameters)
    with _scratch(home, workers) as numbers_in:
        candidate, registration = trained(
            subject,
            training_set or home / "training_sets" / subject.value,
            parameters,
            home,
            tracking_uri,
            trainer or logged_in(),
            growers,
            numbers_in,
        )
    if as_json:
        print_json(_summary(candidate, registration))
        return
    name = f"{registration.name} version {registration.version}"
    messages.print(f"{name} is now the challenger ({registration.digest[:19]}…)")
    print_figures(candidate.report)


def trained(
    subject: Subject,
    training_set: Path,
    parameters: "TrainingParameters",
    home: Path,
    tracking_uri: str | None,
    trainer: str,
    growers: "AbstractContextManager[WorkerGroup | None]" = nullcontext(),
    numbers_in: Path | None = None,
    at: datetime | None = None,
) -> "tuple[Candidate, Registration]":
    """Train and register a model, with a progress bar on stderr.

    The tracking store is opened first, so that no training is lost to its absence. The registration
    is dated `at`, or now. If the parameters ask for a search, its best result is used for the
    training.
    """
    from dataclasses import replace

    from training.data.training_set import TrainingSet
    from training.model.model_home import ModelHome
    from training.registry.mlflow.store import TrackingStore
    from training.registry.registration import register_version
    from training.registry.training_origin import TrainingOrigin, source_revision
    from training.train import train_model as make_candidate

    data = TrainingSet.read(training_set, subject.value, numbers_in=numbers_in)
    store = TrackingStore.open(home, tracking_uri)
    origin = TrainingOrigin(trainer, at or datetime.now(UTC), source_revision(SOURCE))
    trials: tuple[Trial, ...] = ()
    if parameters.search.is_asked_for:
        parameters, trials = _searched(data, parameters, home)
    with growers as workers, progress_bar(f"{subject.value}: trees") as progress:
        candidate = make_candidate(data, parameters, _reporting(progress), workers)
    candidate = replace(candidate, trials=trials)
    return candidate, register_version(candidate, data, ModelHome(home), store, origin)


def recalibrated(
    champion: "RiskModel", training_set: Path, home: Path, tracking_uri: str | None, trainer: str
) -> "Registration":
    """Register a version with the champion's trees, calibrated to the newer results of a set."""
    from training.data.training_set import TrainingSet
    from training.model.model_home import ModelHome
    from training.registry.mlflow.store import TrackingStore
    from training.registry.registration import register_version
    from training.registry.training_origin import TrainingOrigin, source_revision
    from training.train import recalibrate_model

    data = TrainingSet.read(training_set, champion.manifest.subject)
    store = TrackingStore.open(home, tracking_uri)
    origin = TrainingOrigin(trainer, datetime.now(UTC), source_revision(SOURCE))
    candidate = recalibrate_model(champion, data)
    return register_version(candidate, data, ModelHome(home), store, origin)


def _searched(
    data: "TrainingSet", parameters: "TrainingParameters", home: Path
) -> "tuple[TrainingParameters, tuple[Trial, ...]]":
    """Search in HOME/searches.db and write the best parameters to HOME/searches/<search>.toml."""
    from training.search import search

    with progress_bar(f"{data.inputs.subject}: trials") as progress:
        found = search(
            data,
            parameters,
            home / "searches.db",
            lambda done, limit: progress(done, limit or done),
        )
    best = home / "searches" / f"{found.name}.toml"
    best.parent.mkdir(exist_ok=True)
    best.write_text(found.parameters.as_toml)
    messages.print(f"the best parameters of {len(found.trials)} trials: {best}")
    return found.parameters, found.trials


@contextmanager
def _scratch(home: Path, workers: int | None) -> Iterator[Path | None]:
    """Yield a folder for data that may exceed memory, on the disk of the home."""
    if workers is None:
        yield None
        return
    home.mkdir(parents=True, exist_ok=True)
    # Not in /tmp, which may be too small or in memory.
    with TemporaryDirectory(dir=home, prefix=".train") as scratch:
        yield Path(scratch)


def _for_workers(parameters: "TrainingParameters") -> "TrainingParameters":
    if parameters.search.is_asked_for:
        raise typer.BadParameter("a search needs one machine", param_hint="--workers")
    return parameters.for_workers()


def _reporting(progress: Any) -> Any:
    """Return a report of fitting only; other steps are too short to watch."""

    def tell(step: str, done: int, total: int) -> None:
        if step in ("fit", "refit"):
            progress(done, total)

    return tell


def _summary(candidate: "Candidate", registration: "Registration") -> dict[str, Any]:
    manifest = candidate.model.manifest.model_dump(mode="json")
    kept = ("training_window", "training_set_digest", "catalogue", "metrics")
    return (
        registration.model_dump(mode="json")
        | {name: manifest[name] for name in kept}
        | {"population": candidate.report.population_in_words}
    )


def logged_in() -> str:
    """Return the login name of the current user."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
