"""Judgement of models and scores on traffic that they have not seen: figures, gates, comparison."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from serving.cli.evaluate import other_champion
from serving.cli.gates import verdicts_on_registered
from tidegate.frames import as_pandas, is_tabular
from tidegate.home import DEFAULT, AnyModel, AnyTrainingSet, model_in, training_set_in
from training.data.training_set import TrainingSet
from training.evaluation.evaluation_report import EvaluationReport
from training.evaluation.reevaluation import (
    parameters_of,
    reevaluate,
)
from training.gates.gates import golden_vectors, window_unseen_by_both
from training.gates.profiles import Profile, for_use
from training.gates.promotion_verdicts import comparison_verdicts, evaluation_verdicts
from training.gates.score_gates import ScoredSubjects, report_on, scores_verdicts
from training.gates.verdict import Verdict
from training.model.model_home import ModelHome
from training.model.risk_model import RiskModel
from training.model_comparison import compare_models as comparison
from training.parameters import TrainingParameters

# A model or its reference, or scores: a file or a table of `subject_id` and `log_odds`.
Judged = Any
SCORE_FILES = (".csv", ".parquet")


def evaluate_any(
    judged: Judged,
    training_set: AnyTrainingSet,
    *,
    oracle: str | Path | None = None,
    parameters: TrainingParameters | None = None,
    home: str | Path = DEFAULT,
) -> EvaluationReport:
    """Return the figures of a model, or of any scores, on traffic that it has not seen.

    `judged` is a model, its reference or folder, or scores: a CSV or Parquet file, a frame, or a
    list of dicts of `subject_id` and `log_odds`, a row for each subject of the evaluation window
    that `parameters` split off. `oracle` is the truth of an invented world, for models alone.
    Raises WindowUnusable with too few labels, and TrainingError for scores that do not fit.
    """
    given = parameters or TrainingParameters()
    if _are_scores(judged):
        return _scored(judged, training_set_in(training_set), given).report(given)
    model = model_in(home, judged)
    return reevaluate(
        model, training_set_in(training_set, model), Path(oracle) if oracle else None
    ).report


def gates_on(
    judged: Judged,
    training_set: AnyTrainingSet,
    *,
    champion: AnyModel | None = None,
    profile: Profile = "live",
    parameters: TrainingParameters | None = None,
    home: str | Path = DEFAULT,
) -> tuple[Verdict, ...]:
    """Return the verdict of every gate on a model or on any scores, as `tidegate gates` does.

    Arguments are as in `evaluate`. The model is compared with `champion`, or with that of the
    `home`. `profile` marks undecided gates that do not stop a trial or pilot (`Verdict.is_open`).
    Nothing is promoted. Raises WindowUnusable if a champion has learnt from the window's labels.
    """
    given, models = parameters or TrainingParameters(), ModelHome(Path(home))
    rival = None if champion is None else model_in(home, champion)
    if _are_scores(judged):
        scored = _scored(judged, training_set_in(training_set), given)
        verdicts = scores_verdicts(scored, rival, given)
    elif isinstance(judged, RiskModel):
        verdicts = _verdicts_in_memory(judged, models, training_set, rival)
    else:
        data = Path(training_set) if isinstance(training_set, str) else training_set
        verdicts = verdicts_on_registered(str(judged), models, data, rival)
    return tuple(for_use(verdict, profile) for verdict in verdicts)


def compare_models(
    models: Sequence[AnyModel],
    training_set: AnyTrainingSet,
    *,
    with_baselines: bool = False,
    home: str | Path = DEFAULT,
) -> pd.DataFrame:
    """Return a row of figures for each model, on the traffic that none of them has seen.

    With baselines, a logistic regression and scikit-learn's histogram boosting follow, fitted on
    what the first model was fitted on. Columns are as in `training.model_comparison`. Raises
    ValueError without models, and WindowUnusable if no traffic is new to all of them.
    """
    if not models:
        raise ValueError("want the models to compare, such as ['tidegate-shipment@champion', …]")
    found = [model_in(home, model) for model in models]
    names = [
        f"{each.manifest.name} {each.digest[7:15]}" if isinstance(given, RiskModel) else str(given)
        for given, each in zip(models, found, strict=True)
    ]
    data = training_set_in(training_set, *found)
    named = [*zip(names, found, strict=True)]
    return comparison(named, data, with_baselines=with_baselines)


def _are_scores(judged: Judged) -> bool:
    is_path = isinstance(judged, str | Path)
    return is_tabular(judged) or (is_path and Path(judged).suffix in SCORE_FILES)


def _scored(scores: Any, data: TrainingSet, parameters: TrainingParameters) -> ScoredSubjects:
    given = Path(scores) if isinstance(scores, str | Path) else as_pandas(scores)
    return ScoredSubjects.from_scores(given, data, parameters)


def _verdicts_in_memory(
    model: RiskModel, models: ModelHome, training_set: AnyTrainingSet, rival: RiskModel | None
) -> Iterator[Verdict]:
    """Yield the verdicts on a model that no home holds, so that no signature is checked."""
    yield golden_vectors(model)
    champion = rival or other_champion(models, model)
    data = training_set_in(training_set, *filter(None, (model, champion)))
    if rival is not None:
        window_unseen_by_both(model, rival, data)
    yield from evaluation_verdicts(report_on(model, data), parameters_of(model).leakage)
    yield from comparison_verdicts(model, champion, data, models)
