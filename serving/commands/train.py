"""`tidegate train`, `evaluate` and `promote`: a model, what it is worth, and who answers for it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serving.commands.options import DEFAULT_HOME, Home, Json, Subject, SubjectOption
from serving.commands.printing import messages, print_json, progress_bar

if TYPE_CHECKING:
    from training.candidate import Candidate
    from training.evaluation.report import Report
    from training.model_home import ModelHome, Registration
    from training.parameters import TrainingParameters
    from training.reevaluation import Reevaluation
    from training.risk_model import RiskModel
    from training.training_set import TrainingSet
    from training.trial import Trial

TrainingSetOption = Annotated[
    Path | None,
    typer.Option(
        "--training-set",
        help="Folder that `tidegate build` made; HOME/training_sets/<subject> without.",
    ),
]
TrackingUri = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        envvar="TIDEGATE_MLFLOW_URI",
        help="MLflow server or database; HOME/mlflow.db without.",
    ),
]
ModelReference = Annotated[
    str,
    typer.Option("--model", help="tidegate-shipment@challenger, tidegate-shipment/3 or a folder."),
]

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
    candidate, registration = trained(
        subject,
        training_set or home / "training_sets" / subject.value,
        parameters,
        home,
        tracking_uri,
        trainer or _logged_in(),
    )
    if as_json:
        print_json(_summary(candidate, registration))
        return
    name = f"{registration.name} version {registration.version}"
    messages.print(f"{name} is now the challenger ({registration.digest[:19]}…)")
    _print_figures(candidate.report)


def evaluate(
    model: ModelReference,
    training_set: TrainingSetOption = None,
    oracle: Annotated[
        Path | None, typer.Option(help="oracle.parquet of an invented world.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; HOME/evaluations/<model> without.")
    ] = None,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Judge a model on declarations later than any it was fitted or calibrated on."""
    from training.model_home import ModelHome
    from training.reevaluation import reevaluate
    from training.risk_model import RiskModel
    from training.training_set import TrainingSet

    models = ModelHome(home)
    folder = models.find(model)
    judged = RiskModel.read(folder, models.public_key)
    subject = judged.manifest.subject
    data = TrainingSet.read(training_set or home / "training_sets" / subject, subject)
    judgement = reevaluate(judged, data, oracle, _other_champion(models, judged))
    report = judgement.report
    written = out or home / "evaluations" / judged.manifest.name / folder.name
    _write_report(judgement, written)
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    _print_figures(report)
    messages.print(f"the whole report: {written / 'report.html'}")


def promote(
    model: ModelReference,
    approver: Annotated[str, typer.Option(help="Who answers for it; not who trained it.")],
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Name the former champion again.")
    ] = False,
    training_set: TrainingSetOption = None,
    home: Home = DEFAULT_HOME,
    tracking_uri: TrackingUri = None,
    as_json: Json = False,
) -> None:
    """Ask every gate, and make a model the champion if all are passed."""
    from training import promotion
    from training.model_home import ModelHome
    from training.tracking.store import TrackingStore

    models, approval = ModelHome(home), promotion.Approval(approver, datetime.now(UTC))
    store = TrackingStore.open(home, tracking_uri)
    if rollback:
        done = promotion.roll_back(model, models, store, approval)
    else:
        data = _data_of(models, model, training_set)
        done = promotion.promote(model, models, store, approval, data)
    if as_json:
        verdicts = [vars(verdict) for verdict in done.verdicts]
        print_json({"champion": done.champion.model_dump(mode="json"), "verdicts": verdicts})
        return
    for verdict in done.verdicts:
        messages.print(f"  passed  {verdict.gate}: {verdict.reason}")
    messages.print(f"{done.champion.name} version {done.champion.version} is now the champion")


def trained(
    subject: Subject,
    training_set: Path,
    parameters: "TrainingParameters",
    home: Path,
    tracking_uri: str | None,
    trainer: str,
) -> "tuple[Candidate, Registration]":
    """Train and register, with a bar on stderr; the store is asked first, so nothing is in vain.

    Where the parameters ask for a search, the best that it finds are trained with.
    """
    from dataclasses import replace

    from training.candidate import train as make_candidate
    from training.model_home import ModelHome
    from training.registration import Provenance, register, source_revision
    from training.tracking.store import TrackingStore
    from training.training_set import TrainingSet

    data = TrainingSet.read(training_set, subject.value)
    store = TrackingStore.open(home, tracking_uri)
    provenance = Provenance(trainer, datetime.now(UTC), source_revision(SOURCE))
    trials: tuple[Trial, ...] = ()
    if parameters.search.is_asked_for:
        parameters, trials = _searched(data, parameters, home)
    with progress_bar(f"{subject.value}: trees") as progress:
        candidate = make_candidate(data, parameters, _told(progress))
    candidate = replace(candidate, trials=trials)
    return candidate, register(candidate, data, ModelHome(home), store, provenance)


def _searched(
    data: "TrainingSet", parameters: "TrainingParameters", home: Path
) -> "tuple[TrainingParameters, tuple[Trial, ...]]":
    """Search in HOME/searches.db and write what is best as HOME/searches/<search>.toml."""
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


def _told(progress: Any) -> Any:
    """Only growing trees takes long enough to watch."""

    def tell(step: str, done: int, total: int) -> None:
        if step in ("fit", "refit"):
            progress(done, total)

    return tell


def _data_of(models: Any, reference: str, training_set: Path | None) -> Any:
    """The training set to compare with a champion on; None where neither is there."""
    from training.errors import TrainingSetError
    from training.training_set import TrainingSet

    name = models.registration_of(models.find(reference)).name
    if models.pointer(name, "champion") is None:
        return None
    subject = name.removeprefix("tidegate-")
    try:
        return TrainingSet.read(
            training_set or models.home / "training_sets" / subject, Subject(subject).value
        )
    except TrainingSetError:
        if training_set is not None:
            raise
        return None


def _summary(candidate: "Candidate", registration: "Registration") -> dict[str, Any]:
    manifest = candidate.model.manifest.model_dump(mode="json")
    kept = ("training_window", "training_set_digest", "catalogue", "metrics")
    return (
        registration.model_dump(mode="json")
        | {name: manifest[name] for name in kept}
        | {"population_precision": candidate.report.population_precision}
    )


def _other_champion(models: "ModelHome", model: "RiskModel") -> "RiskModel | None":
    """The champion, unless it is the model itself or can no longer answer."""
    from contextlib import suppress

    from features.errors import CatalogueMismatch
    from training.errors import ArtefactError
    from training.risk_model import RiskModel

    pointer = models.pointer(model.manifest.name, "champion")
    if pointer is None or pointer.digest == model.digest:
        return None
    folder = models.folder_of(pointer.name, pointer.version)
    with suppress(ArtefactError, CatalogueMismatch):
        return RiskModel.read(folder, models.public_key)
    return None


def _write_report(judged: "Reevaluation", folder: Path) -> None:
    from features.folders import written_whole
    from training.evaluation.page import page
    from training.evaluation.pictures import pictures

    with written_whole(folder) as partial:
        drawn = pictures(judged.report, judged.explained)
        (partial / "report.json").write_bytes(judged.report.as_bytes)
        (partial / "report.html").write_text(page(judged.report, drawn))


def _print_figures(report: "Report") -> None:
    from training.evaluation.page import spelt

    figures = report.inspected
    messages.print(
        f"evaluated on {figures.labelled:,} inspected subjects, {figures.confirmed:,} confirmed; "
        "95 % intervals in brackets"
    )
    for at in figures.at_capacity:
        messages.print(
            f"  {at.share:>4.0%} inspected: precision {spelt(at.precision)}, "
            f"recall {spelt(at.recall)}, lift {spelt(at.lift, places=2)}",
            markup=False,
        )
    messages.print(
        f"  ROC-AUC {spelt(figures.roc_auc)}, calibration error {spelt(figures.ece)}", markup=False
    )
    messages.print(report.population_precision, markup=False)


def _logged_in() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
