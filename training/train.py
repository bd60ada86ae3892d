"""Training of a model with its evaluation: split, encode, fit, calibrate, evaluate."""

from dataclasses import dataclass, field

from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.errors import TrainingError
from training.evaluation.evaluation_report import EvaluationReport
from training.evaluation.explained import ExplainedSample
from training.evaluation.scored_window import ScoredWindow
from training.fit.booster_predict import Margins
from training.fit.fit_calibrated import CalibratedFit, Progress
from training.fit.workers.worker_group import WorkerGroup
from training.leakage.leakage_checks import leakage_findings, refuse_leaking_features
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
    model = RiskModel.from_files(
        scored.manifest(split, files, parameters, report), files, data.inputs
    )
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
