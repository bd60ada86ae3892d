"""Training of a model with its evaluation: split, encode, fit, calibrate, evaluate.

A recalibration leaves out the first steps: it keeps the trees of a model.
"""

from dataclasses import dataclass, field

import numpy as np

from training.data.time_split import TimeSplit, as_instant
from training.data.training_set import TrainingSet
from training.errors import TrainingError
from training.evaluation.evaluation_report import EvaluationReport
from training.evaluation.explained import ExplainedSample
from training.evaluation.reevaluation import parameters_of, require_same_subject
from training.evaluation.scored_window import ScoredWindow
from training.fit.booster_predict import Margins
from training.fit.fit_calibrated import CalibratedFit, Progress
from training.fit.workers.worker_group import WorkerGroup
from training.leakage.leakage_checks import leakage_findings, refuse_leaking_features
from training.model.manifest import Calibration
from training.model.risk_model import BOOSTER, PEERS, REPORT, RiskModel
from training.model.usual_values_of_peers import PeerReference
from training.parameters import TrainingParameters
from training.search_trial import Trial


@dataclass(frozen=True)
class Candidate:
    """A model that is not promoted yet, with its evaluation."""

    model: RiskModel
    report: EvaluationReport
    explained: ExplainedSample
    trials: tuple[Trial, ...] = ()
    """The trials of the search that led to its parameters, if there was one."""
    losses: dict[int, float] = field(default_factory=dict)
    """The ranking loss on held-back rows by number of trees."""


def train_model(
    data: TrainingSet,
    parameters: TrainingParameters,
    progress: Progress = lambda step, done, total: None,
    growers: WorkerGroup | None = None,
) -> Candidate:
    """Train a model; equal data and parameters give an equal model digest.

    With `growers`, several workers grow the trees, which the parameters must state. Raises
    WindowUnusable, or TrainingError, also if a worker is lost.
    """
    _hold_learner(parameters, growers)
    split = TimeSplit.from_training_set(data, parameters.split)
    # Before the fit: a leak shows in seconds, while a fit may take hours.
    refuse_leaking_features(data, split, parameters)
    encoding = data.encoding(split.fit.rows, fewest=parameters.trees.fewest_per_category)
    fitting = CalibratedFit(data, split, encoding, parameters, progress, growers)
    text, calibration = fitting.fit()
    return evaluated(fitting, text, calibration)


def recalibrate_model(model: RiskModel, data: TrainingSet) -> Candidate:
    """Return the trees of `model` with a calibration to results that they have not learnt from.

    The later half of these results is the evaluation window, and teaches nothing. The evaluation
    includes all that training evaluates. Raises WindowUnusable, TrainingSetError or TrainingError.
    """
    require_same_subject(model, data)
    data, parameters = data.only(model.encoding.names), parameters_of(model)
    split = TimeSplit.for_recalibration(data, parameters.split, *_learnt_by_trees(model))
    # The trees have learnt from the fit window alone, whatever the first split was.
    as_split = parameters.split.model_copy(update={"refit": False})
    fitting = CalibratedFit(
        data,
        split,
        model.encoding,
        parameters.model_copy(update={"split": as_split}),
        lambda step, done, total: None,
    )
    text = model.booster_text
    return evaluated(fitting, text, fitting.calibrate_on(text, split.calibration), model)


def _learnt_by_trees(model: RiskModel) -> tuple[np.datetime64, np.datetime64]:
    """Return the first day whose labels the trees may have learnt from, and the first one after."""
    windows = model.manifest.training_window
    ends = windows.calibration if model.manifest.recalibrates else windows.evaluation
    return as_instant(windows.fit.begins), as_instant(ends.begins)


def evaluated(
    fitting: CalibratedFit,
    text: str,
    calibration: Calibration,
    recalibrated: RiskModel | None = None,
) -> Candidate:
    """Evaluate fitted trees and their calibration on the evaluation window.

    `recalibrated` is the model whose trees they are, if not fitted now.
    """
    data, split, encoding = fitting.data, fitting.split, fitting.encoding
    parameters, progress = fitting.parameters, fitting.progress
    progress("evaluate", 0, 1)
    margins = Margins.from_text(text, parameters.threads)
    scored = ScoredWindow.from_window(data, split.evaluation, encoding, margins, calibration)
    labelled = scored.subjects(labelled_only=True)
    leaks = leakage_findings(data, split, encoding, parameters, labelled.probability)
    more_sections = {"leakage": leaks, "influence": fitting.influence()}
    report = scored.report(parameters).model_copy(update=more_sections)
    fit_span = data.span(split.fit.begins, split.fit.ends)
    peers = PeerReference.from_rows(
        data.frame.iloc[fit_span], data.subjects.iloc[fit_span], data.inputs
    )
    files = {BOOSTER: text.encode(), REPORT: report.as_bytes, PEERS: peers.content}
    manifest = scored.manifest(split, files, parameters, report)
    if recalibrated is not None:
        manifest = manifest.model_copy(update={"recalibrates": recalibrated.digest})
    model = RiskModel.from_files(manifest, files, data.inputs)
    progress("evaluate", 1, 1)
    return Candidate(model, report, scored.explained, losses=fitting.losses)


def _hold_learner(parameters: TrainingParameters, growers: WorkerGroup | None) -> None:
    """Raise TrainingError unless the parameters name the learner that is used.

    Only then can the model be reproduced from parameters and data.
    """
    wanted = "data_parallel" if growers else "serial"
    if parameters.trees.learner != wanted:
        raise TrainingError(
            f"trees.learner is {parameters.trees.learner!r}, and what grows trees is {wanted!r}: "
            "`tidegate train --workers N` has several workers, and without it there are none"
        )
