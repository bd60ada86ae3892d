"""A finished model judged again, on a training set that may be newer than the one it is from.

Only declarations from the model's own evaluation window on count: earlier ones it has seen.
"""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from training.errors import TrainingSetError
from training.evaluation.report import Report
from training.margins import Margins
from training.parameters import TrainingParameters
from training.risk_model import RiskModel
from training.scored_window import ScoredWindow
from training.time_split import LAST, Window, end_of, refuse_thin
from training.training_set import TrainingSet


def reevaluate(model: RiskModel, data: TrainingSet, oracle: Path | None = None) -> Report:
    """The report of `model` on `data`; raises NotEnoughLabels where it could say nothing."""
    parameters = parameters_of(model)
    scored = scored_window(model, data, unseen_window(model, data))
    return scored.report(parameters, oracle)


def scored_window(model: RiskModel, data: TrainingSet, window: Window) -> ScoredWindow:
    """Every subject of `window` under `model`."""
    margins = Margins.from_text(model.booster_text, parameters_of(model).threads)
    return ScoredWindow.of(data, window, model.encoding, margins, model.manifest.calibration)


def unseen_window(model: RiskModel, data: TrainingSet) -> Window:
    """What was declared from the model's evaluation window on, to the end of `data`."""
    if data.inputs.subject != model.manifest.subject:
        raise TrainingSetError(
            f"the model scores {model.manifest.subject}s, the training set holds "
            f"{data.inputs.subject}s"
        )
    begins = _instant(model.manifest.training_window.evaluation.begins)
    days = (begins, end_of(data))
    window = Window.of("evaluation", data, days, known_before=LAST, gap=np.timedelta64(0))
    parameters = parameters_of(model).split
    if parameters.operators == "apart":
        window = window.without_operators_before(data)
    refuse_thin(window, parameters.minimum_labels)
    return window


def parameters_of(model: RiskModel) -> TrainingParameters:
    """The parameters that the model was trained with."""
    return TrainingParameters.model_validate(model.manifest.parameters)


def _instant(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")
