"""`tidegate gates`: verdicts of the gates on a model or on any scores, without promotion."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from serving.cli.evaluate import other_champion
from serving.cli.options import DEFAULT_HOME, Home, Json
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from training.data.training_set import TrainingSet
    from training.gates.verdict import Verdict
    from training.model.model_home import ModelHome
    from training.model.risk_model import RiskModel


def gates(
    training_set: Annotated[
        Path, typer.Option("--training-set", help="Folder that `tidegate build` made.")
    ],
    model: Annotated[
        str | None,
        typer.Option(help="tidegate-shipment@challenger, tidegate-shipment/3 or a folder."),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            help="CSV or Parquet of subject_id and log_odds, one row for each subject of the "
            "evaluation window."
        ),
    ] = None,
    champion: Annotated[
        str | None,
        typer.Option(help="The model to compare with; a model's own champion without."),
    ] = None,
    experiment: Annotated[
        Path | None,
        typer.Option(help="TOML file of the parameters that split off the window of --scores."),
    ] = None,
    profile: Annotated[
        Literal["trial", "pilot", "live"],
        typer.Option(help="Use to judge for: undecided gates that it does not require are marked."),
    ] = "live",
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Say what every gate would, of a model or of any vector of scores, and promote nothing.

    Exit code 1 where --champion has learnt from labels of the window that they are compared on.
    """
    from training.data.training_set import TrainingSet, training_set_subject
    from training.gates.profiles import for_use
    from training.model.model_home import ModelHome
    from training.model.risk_model import RiskModel

    if (model is None) == (scores is None):
        raise typer.BadParameter("want --model or --scores, and not both")
    models = ModelHome(home)
    rival = RiskModel.read(models.find(champion), models.public_key) if champion else None
    if scores is not None:
        data = TrainingSet.read(training_set, training_set_subject(training_set))
        asked = _of_scores(scores, data, rival, experiment)
    else:
        asked = verdicts_on_registered(str(model), models, training_set, rival)
    verdicts = tuple(for_use(verdict, profile) for verdict in asked)
    if as_json:
        print_json({"gates": [_in_json(verdict) for verdict in verdicts]})
        return
    now = datetime.now(UTC)
    for verdict in verdicts:
        messages.print(f"  {verdict.answer}  {verdict.gate}: {verdict.in_words(now)}", markup=False)


def _in_json(verdict: "Verdict") -> dict[str, Any]:
    cases = verdict.as_json["cases"]
    if verdict.cases is not None:
        cases |= {"expected_at": verdict.cases.expected_at}
    return {
        "name": verdict.gate,
        "verdict": verdict.verdict,
        "not_required_in": verdict.not_required_in,
        "says": verdict.reason,
        "cases": cases,
    }


def verdicts_on_registered(
    reference: str, models: "ModelHome", data: "TrainingSet | Path", rival: "RiskModel | None"
) -> "Iterator[Verdict]":
    """Yield the verdicts on a model of a home; `rival` None is its champion.

    A model that is not sound has no further verdicts. Raises WindowUnusable if the rival has learnt
    from labels of the window.
    """
    from training.evaluation.reevaluation import parameters_of, read_for
    from training.gates.gates import window_unseen_by_both
    from training.gates.promotion_verdicts import (
        attempt_of,
        comparison_verdicts,
        evaluation_verdicts,
        soundness,
    )
    from training.gates.score_gates import report_on
    from training.model.risk_model import RiskModel

    folder = models.find(reference)
    registered = models.registration_of(folder)
    sound = list(soundness(folder, registered.digest, models, None))
    yield from sound
    # Figures of an unsound model would mean nothing.
    if any(verdict.verdict != "passed" for verdict in sound):
        return
    model = RiskModel.read(folder, models.public_key)
    champion = rival or other_champion(models, model)
    data = read_for(data, model, champion) if isinstance(data, Path) else data
    if rival is not None:
        # A rival that has seen the window's labels would win unfairly.
        window_unseen_by_both(model, rival, data)
    yield from evaluation_verdicts(report_on(model, data), parameters_of(model).leakage)
    is_challenger = rival is None and champion is not None
    attempt = attempt_of(registered.name, registered.version, models) if is_challenger else 1
    yield from comparison_verdicts(model, champion, data, models, attempt)


def _of_scores(
    file: Path, data: "TrainingSet", rival: "RiskModel | None", experiment: Path | None
) -> "Iterator[Verdict]":
    from training.gates.score_gates import ScoredSubjects, scores_verdicts
    from training.parameters import TrainingParameters

    parameters = TrainingParameters.read(experiment) if experiment else TrainingParameters()
    return scores_verdicts(ScoredSubjects.from_scores(file, data, parameters), rival, parameters)
