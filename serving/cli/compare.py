"""`tidegate compare`: models side by side on traffic that none of them has seen."""

from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import DEFAULT_HOME, Home, Json, TrainingSetOption
from serving.cli.output import messages, print_json

if TYPE_CHECKING:
    import pandas as pd

    from training.model.risk_model import RiskModel


def compare(
    models: Annotated[
        list[str],
        typer.Argument(
            help="tidegate-shipment@champion, tidegate-shipment/3, a folder or the id of an "
            "MLflow run; the others are compared with the first."
        ),
    ],
    training_set: TrainingSetOption = None,
    baselines: Annotated[
        bool,
        typer.Option(
            "--baselines",
            help="Also fit a logistic regression and scikit-learn's histogram boosting on what "
            "the first model was fitted on.",
        ),
    ] = False,
    home: Home = DEFAULT_HOME,
    as_json: Json = False,
) -> None:
    """Compare models on traffic that none of them has learnt from: all traffic first.

    Exit code 1 where no traffic is new to all of them.
    """
    from training.evaluation.reevaluation import read_for
    from training.model.model_home import ModelHome
    from training.model.risk_model import RiskModel
    from training.model_comparison import compare_models

    held = ModelHome(home)
    found = [RiskModel.read(held.find(each), held.public_key) for each in models]
    subject = _one_subject(models, found)
    data = read_for(training_set or home / "training_sets" / subject, *found)
    named = [*zip(models, found, strict=True)]
    compared = compare_models(named, data, with_baselines=baselines)
    if as_json:
        print_json({"models": compared.reset_index().to_dict("records")})
        return
    for place, (name, row) in enumerate(compared.iterrows()):
        messages.print(f"{name}", markup=False)
        messages.print(f"  all traffic: ROC-AUC {_spelt(row, 'roc_auc')}", markup=False)
        messages.print(f"    lift at 5 % inspected {_spelt(row, 'lift_at_5pct')}", markup=False)
        if place:
            gained = _spelt(row, "recall_gain")
            messages.print(f"    mean recall above the first: {gained}", markup=False)
        inspected = _spelt(row, "inspected_roc_auc")
        messages.print(f"  inspected subjects alone: ROC-AUC {inspected}", markup=False)
    messages.print(
        "Intervals are of 95 %, of recall 90 %; a dash where too few results are known. Figures of "
        "inspected subjects say as much of whom one chose to inspect.",
        markup=False,
    )


def _one_subject(names: list[str], models: "list[RiskModel]") -> str:
    subjects = {model.manifest.subject for model in models}
    if len(subjects) > 1:
        told = ", ".join(
            f"{n} of a {m.manifest.subject}" for n, m in zip(names, models, strict=True)
        )
        raise typer.BadParameter(f"want models of one kind of subject, got {told}")
    return subjects.pop()


def _spelt(row: "pd.Series", name: str) -> str:
    from training.confidence_intervals import Estimate
    from training.evaluation.evaluation_page import spelt

    return spelt(Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"]))
