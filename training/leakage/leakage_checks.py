"""All leakage checks on one training."""

from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.errors import TrainingError
from training.leakage.distribution_shift import distribution_drift
from training.leakage.finding import LeakageFinding
from training.leakage.pair_lookup import identifying_pairs
from training.leakage.selection_leak import features_that_predict_selection
from training.leakage.shuffled_labels import shuffled_labels_finding
from training.leakage.single_features import features_that_predict_labels
from training.leakage.target_lookup import Sample
from training.model.encoding import Encoding
from training.parameters import TrainingParameters
from training.ranking import Floats


def refuse_leaking_features(
    data: TrainingSet, split: TimeSplit, parameters: TrainingParameters
) -> None:
    """Raise TrainingError for features that predict the label or random selection.

    Features accepted by name in the experiment are ignored.
    """
    telling = _leaking_features(data, split, parameters)
    if evidence := [finding.evidence for finding in telling if finding.is_refusal]:
        raise TrainingError(
            "; ".join(evidence)
            + ". A feature that was known is named in leakage.accept of the experiment"
        )


def leakage_findings(
    data: TrainingSet,
    split: TimeSplit,
    encoding: Encoding,
    parameters: TrainingParameters,
    evaluation_scores: Floats,
) -> tuple[LeakageFinding, ...]:
    """Return the findings of all checks; scores are of the labelled evaluation rows."""
    if not parameters.leakage.is_checked:
        return ()
    sample = Sample.from_split(data, split, parameters.split)
    # The sample holds the first evaluation rows, so the scores match.
    scores = evaluation_scores[: len(sample.evaluation_labels)]
    drifted = distribution_drift(data, split, encoding, parameters)
    return (
        *_leaking_features(data, split, parameters),
        *identifying_pairs(data, sample, scores, parameters),
        shuffled_labels_finding(sample, encoding, data.inputs, parameters),
        *([] if drifted is None else [drifted]),
    )


def _leaking_features(
    data: TrainingSet, split: TimeSplit, parameters: TrainingParameters
) -> list[LeakageFinding]:
    leakage, sample = parameters.leakage, Sample.from_split(data, split, parameters.split)
    return [
        *features_that_predict_labels(
            sample, largest_auc=leakage.largest_auc, accept=leakage.accept
        ),
        *features_that_predict_selection(data, split, accept=leakage.accept),
    ]
