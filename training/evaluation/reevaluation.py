"""Re-evaluation of a finished model on a training set, which may be newer than its own.

Only declarations from the model's own evaluation window on count, because the model has seen
earlier ones.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.time_split import FAR_FUTURE, TimeWindow, as_instant, end_of_data, require_labels
from training.data.training_set import TrainingSet
from training.errors import TrainingSetError, WindowUnusable
from training.evaluation.evaluation_report import EvaluationReport
from training.evaluation.explained import ExplainedSample
from training.evaluation.scored_window import ScoredWindow
from training.evaluation.stability import stability
from training.fit.booster_predict import Margins
from training.model.model_inputs import ModelInputs
from training.model.risk_model import RiskModel
from training.parameters import TrainingParameters


@dataclass(frozen=True)
class Reevaluation:
    """A report, and a sample of its subjects with their contributions."""

    report: EvaluationReport
    explained: ExplainedSample


def reevaluate(
    model: RiskModel,
    data: TrainingSet,
    oracle: Path | None = None,
    champion: RiskModel | None = None,
) -> Reevaluation:
    """Evaluate a model on new data, and its agreement with the champion on whom to inspect.

    Raises WindowUnusable if there are too few labels to evaluate on.
    """
    parameters, window = parameters_of(model), unseen_window(model, data)
    scored = scored_window(model, data, window)
    report = scored.report(parameters, oracle)
    if champion is not None:
        champion_window = scored_window(champion, data, window)
        agreement = stability(
            scored.log_odds, champion_window.log_odds, champion.digest, parameters.evaluation
        )
        report = report.model_copy(update={"stability": agreement})
    return Reevaluation(report, scored.explained)


def read_for(folder: Path | str, *models: RiskModel | None) -> TrainingSet:
    """Read the training set in `folder` with every feature that these models read.

    The first model says the kind of subject; None is no model. The set may have been built by
    another catalogue. Raises TrainingSetError or CatalogueMismatch.
    """
    given = [model for model in models if model is not None]
    names = {name for model in given for name in model.encoding.names}
    subject = given[0].manifest.subject
    return TrainingSet.read(folder, subject, ModelInputs.for_subject(subject).only(names))


def scored_window(model: RiskModel, data: TrainingSet, window: TimeWindow) -> ScoredWindow:
    """Return every subject of `window` scored by `model`, with the features it reads alone."""
    data = data.only(model.encoding.names)
    margins = Margins.from_text(model.booster_text, parameters_of(model).threads)
    return ScoredWindow.from_window(
        data, window, model.encoding, margins, model.manifest.calibration
    )


def unseen_window(model: RiskModel, data: TrainingSet) -> TimeWindow:
    """Return the window from the model's evaluation window to the end of `data`."""
    require_same_subject(model, data)
    days = (unseen_from(model), end_of_data(data))
    # No gap and no cutoff for labels: nothing is fitted on this window.
    window = TimeWindow.between(
        "evaluation", data, days, known_before=FAR_FUTURE, gap=np.timedelta64(0)
    )
    parameters = parameters_of(model).split
    # The same rule as in training, so that figures are comparable.
    if parameters.operators == "apart":
        window = window.without_operators_before(data)
    require_labels(window, parameters.minimum_labels)
    return window


def unseen_from(model: RiskModel) -> np.datetime64:
    """Return the start of the model's own evaluation: it has seen no label from then on."""
    return as_instant(model.manifest.training_window.evaluation.begins)


def require_unseen(model: RiskModel, window: TimeWindow) -> None:
    """Raise WindowUnusable if the model was fitted on labels of the window."""
    if window.begins >= unseen_from(model):
        return
    learnt = model.manifest.training_window
    raise WindowUnusable(
        f"{model.manifest.name} ({model.digest[:19]}…) has learnt from labels of "
        f"{learnt.fit.begins:%Y-%m-%d} until before {learnt.evaluation.begins:%Y-%m-%d}, and the "
        f"window to compare on goes from {_day(window.begins)} until before {_day(window.ends)}; "
        "want a model that was trained before it, or a training set whose window begins later"
    )


def require_same_subject(model: RiskModel, data: TrainingSet) -> None:
    """Raise TrainingSetError if the training set holds another kind of subject."""
    if data.inputs.subject != model.manifest.subject:
        raise TrainingSetError(
            f"the model scores {model.manifest.subject}s, the training set holds "
            f"{data.inputs.subject}s"
        )


def parameters_of(model: RiskModel) -> TrainingParameters:
    """Return the parameters that the model was trained with."""
    return TrainingParameters.model_validate(model.manifest.parameters)


def _day(instant: np.datetime64) -> str:
    return str(instant.astype("datetime64[D]"))
