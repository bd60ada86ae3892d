"""Shuffled labels: a model fitted on them that beats chance has access to the answers."""

import numpy as np

from training.confidence_intervals import with_intervals
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_trees import LabelledRows, fit_trees
from training.leakage.finding import LeakageFinding
from training.leakage.target_lookup import Sample
from training.model.encoding import Encoding
from training.model.model_inputs import ModelInputs
from training.parameters import TrainingParameters
from training.ranking import ScoreRanking, roc_auc

MAX_TREES = 50


def shuffled_labels_finding(
    sample: Sample, encoding: Encoding, inputs: ModelInputs, parameters: TrainingParameters
) -> LeakageFinding:
    """Fit trees to shuffled labels, and evaluate them on shuffled labels, where chance is right."""
    rng = np.random.default_rng(parameters.seed)
    labels = np.r_[
        rng.permutation(sample.labels[: sample.fit_count]),
        rng.permutation(sample.evaluation_labels),
    ]
    rows = EncodedRows(encoding.encode_columns(sample.frame), np.arange(len(labels)))
    fit_rows, evaluated = rows.only(rows.places[: sample.fit_count]), rows[sample.fit_count :]
    text = fit_trees(
        LabelledRows(fit_rows, labels[: sample.fit_count], None),
        None,
        encoding,
        inputs,
        parameters.with_trees(min(MAX_TREES, parameters.trees.trees)),
    )
    margins = Margins.from_text(text, parameters.threads).predict(evaluated)
    auc = with_intervals(
        ScoreRanking.from_scores(labels[sample.fit_count :], margins),
        lambda ranking: {"roc_auc": roc_auc(ranking)},
        rounds=parameters.evaluation.redraws,
        seed=parameters.seed,
    )["roc_auc"]
    value, low, high = auc.value or 0.5, auc.low or 0.0, auc.high or 1.0
    # Three half-widths, since the 95 % interval alone misses by chance once in forty trainings.
    return LeakageFinding(
        check="shuffled labels",
        is_refusal=value - 3 * (value - low) / 2 > 0.5 + 0.05,
        features=(),
        evidence=f"trained on shuffled labels, the ROC-AUC is {value:.3f} ({low:.3f} to "
        f"{high:.3f}); by chance it is 0.5",
    )
