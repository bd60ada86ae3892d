"""`tidegate evaluate`: quality of a model on declarations that it has never seen."""

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
    swaps: Annotated[
        bool,
        typer.Option(
            "--swaps",
            help="Exchange origin or destination instead, and payers with it, for a country of "
            "the same class, and show how far scores move.",
        ),
    ] = False,
    records: Annotated[
        Path | None, typer.Option(help="For --swaps: record files; HOME/records without.")
    ] = None,
    subjects: Annotated[
        int, typer.Option(min=1, help="For --swaps: how many to try, the newest.")
    ] = 1_000,
    largest: Annotated[
        float,
        typer.Option(
            min=0, help="For --swaps: exit 1 where 95 % of shifts are not within it (log-odds)."
        ),
    ] = 1.0,
    across_regions: Annotated[
        bool,
        typer.Option(
            "--across-regions",
            help="For --swaps: take the country from another region; exits 0 whatever moves.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="For --swaps: the seed of the choice.")] = 7,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Judge a model on declarations later than any it was fitted or calibrated on."""
    # Swaps score other data than an evaluation, so they end the command.
    if swaps:
        from serving.cli.swaps import SwapRequest, print_swaps

        rest = (subjects, largest, across_regions, seed)
        asked = SwapRequest(model, records or home / "records", home, *rest)
        print_swaps(asked, as_json=as_json)
        return
    from training.evaluation.reevaluation import read_for, reevaluate
    from training.model.model_home import ModelHome
    from training.model.risk_model import RiskModel

    models = ModelHome(home)
    folder = models.find(model)
    judged = RiskModel.read(folder, models.public_key)
    subject = judged.manifest.subject
    champion = other_champion(models, judged)
    data = read_for(training_set or home / "training_sets" / subject, judged, champion)
    judgement = reevaluate(judged, data, oracle, champion)
    report = judgement.report
    written = out or home / "evaluations" / judged.manifest.name / folder.name
    _write_report(judgement, written)
    if as_json:
        print_json(report.model_dump(mode="json"))
        return
    print_figures(report)
    messages.print(f"the whole report: {written / 'report.html'}")


def print_figures(report: "EvaluationReport") -> None:
    """Print the main figures on stderr: of all traffic, then of inspected subjects."""
    from training.evaluation.evaluation_page import inspecting_finds, spelt

    messages.print(report.population_in_words, markup=False)
    if report.population is not None:
        messages.print("of all of them, with 95 % intervals; dashes where too few were drawn:")
        for whom, precision, recall, lift in inspecting_finds(report.population):
            messages.print(
                f"  {whom}: precision {precision}, recall {recall}, lift {lift}", markup=False
            )
        for bound in report.population.bounds:
            messages.print(
                f"  assumed: {bound.assumption}; if {bound.instead}: {bound.figure} "
                f"{bound.low:.4f} to {bound.high:.4f}",
                markup=False,
            )
    figures = report.inspected
    messages.print(
        f"among the {figures.labelled:,} labelled subjects, {figures.confirmed:,} confirmed, which "
        f"say as much of whom one chose to inspect: ROC-AUC {spelt(figures.roc_auc)}, calibration "
        f"error {spelt(figures.ece)}",
        markup=False,
    )
    _print_beside_oracle(report)


def _print_beside_oracle(report: "EvaluationReport") -> None:
    """Print the model's share of the best possible, if an invented world gives the truth."""
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


def other_champion(models: "ModelHome", model: "RiskModel") -> "RiskModel | None":
    """Return the champion to compare with; None if it is this model or cannot be read."""
    from training.errors import ChampionUnreadable

    try:
        pointer = models.champion_pointer(model.manifest.name)
        if pointer is None or pointer.digest == model.digest:
            return None
        return models.champion(model.manifest.name)
    except ChampionUnreadable as error:
        messages.print(f"compared with no champion: {error}", markup=False)
        return None


def _write_report(judged: "Reevaluation", folder: Path) -> None:
    from features.atomic_dir import written_whole
    from training.evaluation.evaluation_page import render_evaluation
    from training.evaluation.evaluation_plots import evaluation_pictures
    from training.evaluation.html_page import as_png

    with written_whole(folder) as partial:
        drawn = as_png(evaluation_pictures(judged.report, judged.explained))
        (partial / "report.json").write_bytes(judged.report.as_bytes)
        (partial / "report.html").write_text(render_evaluation(judged.report, drawn))
