"""All leakage checks on one training."""

from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.errors import LeakageFound
from training.leakage.drift import drift
from training.leakage.finding import Finding
from training.leakage.pair_lookup import identifying_pairs
from training.leakage.selection_leak import features_that_know_the_lot
from training.leakage.shuffled_labels import learns_from_nothing
from training.leakage.single_features import telling_features
from training.leakage.target_lookup import Sample
from training.model.encoding import Encoding
from training.parameters import TrainingParameters
from training.ranking import Floats


def refuse_telling_features(
    data: TrainingSet, split: TimeSplit, parameters: TrainingParameters
) -> None:
    """Raise LeakageFound for a feature that knows the label, or the lot that led to it.

    Those that an experiment accepts by name stop nothing.
    """
    telling = _telling(data, split, parameters)
    if told := [finding.evidence for finding in telling if finding.is_refusal]:
        raise LeakageFound(
            "; ".join(told)
            + ". A feature that was known is named in leakage.accept of the experiment"
        )


def findings(
    data: TrainingSet,
    split: TimeSplit,
    encoding: Encoding,
    parameters: TrainingParameters,
    evaluation_scores: Floats,
) -> tuple[Finding, ...]:
    """What every check says of a finished model; scores are of the labelled evaluation rows."""
    if not parameters.leakage.is_checked:
        return ()
    sample = Sample.of(data, split)
    drifted = drift(data, split, encoding, parameters)
    return (
        *_telling(data, split, parameters),
        *identifying_pairs(sample, evaluation_scores[: len(sample.judged_labels)]),
        learns_from_nothing(sample, encoding, data.inputs, parameters),
        *([] if drifted is None else [drifted]),
    )


def _telling(data: TrainingSet, split: TimeSplit, parameters: TrainingParameters) -> list[Finding]:
    leakage, sample = parameters.leakage, Sample.of(data, split)
    return [
        *telling_features(sample, largest_auc=leakage.largest_auc, accept=leakage.accept),
        *features_that_know_the_lot(data, split, accept=leakage.accept),
    ]
