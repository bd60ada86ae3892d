"""From a training set to a model with its evaluation: split, encode, grow, calibrate, judge."""

from collections.abc import Callable
from dataclasses import dataclass

from training.calibration import calibrate
from training.encoding import Encoding
from training.evaluation.report import Report
from training.fit import Rows, grow, tree_count
from training.leakage.checks import findings, refuse_telling_features
from training.manifest import Calibration
from training.margins import Margins
from training.parameters import TrainingParameters
from training.risk_model import RiskModel
from training.scored_window import ScoredWindow
from training.time_split import TimeSplit, Window
from training.training_set import TrainingSet

Progress = Callable[[str, int, int], None]
"""Told a step in words, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Candidate:
    """A model that nobody has promoted yet, and what its evaluation says."""

    model: RiskModel
    report: Report


def train(
    data: TrainingSet,
    parameters: TrainingParameters,
    progress: Progress = lambda step, done, total: None,
) -> Candidate:
    """Fit, calibrate and evaluate; the same data and parameters give the same model digest.

    Raises NotEnoughLabels, LeakageFound or CalibrationError.
    """
    split = TimeSplit.of(data, parameters.split)
    refuse_telling_features(data, split, parameters)
    encoding = Encoding.learnt(
        data.frame.iloc[split.fit.rows], data.inputs, fewest=parameters.trees.fewest_per_category
    )
    text, calibration = _grown(data, split, encoding, parameters, progress)
    progress("evaluate", 0, 1)
    margins = Margins.from_text(text, parameters.threads)
    scored = ScoredWindow.of(data, split.evaluation, encoding, margins, calibration)
    labelled = scored.judged(labelled_only=True)
    leaks = findings(data, split, encoding, parameters, labelled.probability)
    report = scored.report(parameters).model_copy(update={"leakage": leaks})
    manifest = scored.manifest(split, text, parameters, report)
    model = RiskModel.of(manifest, text, report.as_bytes)
    progress("evaluate", 1, 1)
    return Candidate(model, report)


def _grown(
    data: TrainingSet,
    split: TimeSplit,
    encoding: Encoding,
    parameters: TrainingParameters,
    progress: Progress,
) -> tuple[str, Calibration]:
    """The trees and the line that calibrates them, which is always fitted on a later window."""

    def rows(window: Window, weighting: str) -> Rows:
        values = encoding.encode_frame(data.frame.iloc[window.rows])
        equal = weighting == "equal"
        clip = parameters.selection.clip
        weights = None if equal else data.outcomes.weights(clip=clip)[window.rows]
        return Rows(values, window.labels, weights)

    selection = parameters.selection
    held_back = rows(split.calibration, selection.calibration)
    text = grow(
        rows(split.fit, selection.fit),
        held_back,
        encoding,
        data.inputs,
        parameters,
        lambda done, total: progress("fit", done, total),
    )
    margins = Margins.from_text(text, parameters.threads).of(held_back.values)
    calibration = calibrate(margins, held_back.labels, held_back.weights)
    if parameters.split.refit:
        text = grow(
            rows(split.before_evaluation(data, parameters.split), selection.fit),
            None,
            encoding,
            data.inputs,
            _with_trees(parameters, tree_count(text)),
            lambda done, total: progress("refit", done, total),
        )
    return text, calibration


def _with_trees(parameters: TrainingParameters, trees: int) -> TrainingParameters:
    changed = parameters.trees.model_copy(update={"trees": trees})
    return parameters.model_copy(update={"trees": changed})
