"""From a training set to a model with its evaluation: split, encode, grow, calibrate, judge."""

from dataclasses import dataclass, field

from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.evaluation.explained import Explained
from training.evaluation.report import Report
from training.evaluation.scored_window import ScoredWindow
from training.fit.booster_predict import Margins
from training.fit.fit_calibrated import Growth, Progress
from training.leakage.checks import findings, refuse_telling_features
from training.model.peer_reference import PeerReference
from training.model.risk_model import BOOSTER, REPORT, USUAL, RiskModel
from training.parameters import TrainingParameters
from training.search_trial import Trial


@dataclass(frozen=True)
class Candidate:
    """A model that nobody has promoted yet, and what its evaluation says."""

    model: RiskModel
    report: Report
    explained: Explained
    trials: tuple[Trial, ...] = ()
    """Of the search that led to its parameters, if there was one."""
    losses: dict[int, float] = field(default_factory=dict)
    """The ranking loss on the calibration window by number of trees."""


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
    encoding = data.encoding(split.fit.rows, fewest=parameters.trees.fewest_per_category)
    growth = Growth(data, split, encoding, parameters, progress)
    text, calibration = growth.trees_and_line()
    progress("evaluate", 0, 1)
    margins = Margins.from_text(text, parameters.threads)
    scored = ScoredWindow.of(data, split.evaluation, encoding, margins, calibration)
    labelled = scored.judged(labelled_only=True)
    leaks = findings(data, split, encoding, parameters, labelled.probability)
    found = {"leakage": leaks, "influence": growth.influence()}
    report = scored.report(parameters).model_copy(update=found)
    usual = data.span(split.fit.begins, split.fit.ends)
    peers = PeerReference.of(data.frame.iloc[usual], data.subjects.iloc[usual], data.inputs)
    files = {BOOSTER: text.encode(), REPORT: report.as_bytes, USUAL: peers.content}
    model = RiskModel.of(scored.manifest(split, files, parameters, report), files, data.inputs)
    progress("evaluate", 1, 1)
    return Candidate(model, report, scored.explained, losses=growth.losses)
