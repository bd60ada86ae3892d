"""`tidegate evaluate`: what a model is worth, on declarations that it has never seen."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import DEFAULT_HOME, Home, Json, ModelReference, TrainingSetOption
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    from training.evaluation.evaluation_report import EvaluationReport
    from training.evaluation.reevaluation import Reevaluation
    from training.model.model_home import ModelHome
    from training.model.risk_model import RiskModel


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
    from training.data.training_set import TrainingSet
    from training.evaluation.reevaluation import reevaluate
    from training.model.model_home import ModelHome
    from training.model.risk_model import RiskModel

    models = ModelHome(home)
    folder = models.find(model)
    judged = RiskModel.read(folder, models.public_key)
    subject = judged.manifest.subject
    data = TrainingSet.read(training_set or home / "training_sets" / subject, subject)
    judgement = reevaluate(judged, data, oracle, other_champion(models, judged))
    report = judgement.report
    written = out or home / "evaluations" / judged.manifest.name / folder.name
    _write_report(judgement, written)
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    print_figures(report)
    messages.print(f"the whole report: {written / 'report.html'}")


def print_figures(report: "EvaluationReport") -> None:
    """The figures that matter first, on stderr."""
    from training.evaluation.evaluation_page import spelt

    messages.print(report.population_in_words, markup=False)
    _print_status_quo(report)
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
    _print_beside_oracle(report)


def _print_beside_oracle(report: "EvaluationReport") -> None:
    """The model as a share of the best possible, where an invented world tells the truth."""
    from training.evaluation.evaluation_page import ORACLE_CAVEAT, spelt

    for everyone, known in zip(report.oracle, report.oracle_known, strict=True):
        messages.print(
            f"  {everyone.share:>4.0%} inspected: {spelt(everyone.share_of_oracle)} of the best "
            f"possible precision, {spelt(known.share_of_oracle)} among known typologies",
            markup=False,
        )
    for typology in report.oracle_typologies:
        if typology.is_new:
            messages.print(
                f"  {typology.typology} (new): recall {spelt(typology.recall)}", markup=False
            )
    if report.oracle:
        messages.print(ORACLE_CAVEAT, markup=False)


def _print_status_quo(report: "EvaluationReport") -> None:
    from training.evaluation.evaluation_page import spelt

    status_quo = report.population.status_quo if report.population else None
    if status_quo is None:
        return
    messages.print(
        f"without the model, {status_quo.inspected:,} inspections ({status_quo.share:.1%} of all) "
        f"confirmed {status_quo.confirmed:,}: precision {spelt(status_quo.precision)}, recall "
        f"{spelt(status_quo.recall)}; as many by the model's order: precision "
        f"{spelt(status_quo.model_precision)}, recall {spelt(status_quo.model_recall)}",
        markup=False,
    )


def other_champion(models: "ModelHome", model: "RiskModel") -> "RiskModel | None":
    """The champion to compare with, unless it is the model itself or, which is said, unreadable."""
    from training.errors import ChampionUnreadable

    pointer = models.pointer(model.manifest.name, "champion")
    if pointer is None or pointer.digest == model.digest:
        return None
    try:
        return models.champion(model.manifest.name)
    except ChampionUnreadable as error:
        messages.print(f"compared with no champion: {error}", markup=False)
        return None


def _write_report(judged: "Reevaluation", folder: Path) -> None:
    from features.atomic_dir import written_whole
    from training.evaluation.evaluation_page import page
    from training.evaluation.evaluation_plots import pictures

    with written_whole(folder) as partial:
        drawn = pictures(judged.report, judged.explained)
        (partial / "report.json").write_bytes(judged.report.as_bytes)
        (partial / "report.html").write_text(page(judged.report, drawn))
