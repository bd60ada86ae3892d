"""Distribution drift: whether trees can separate later subjects from those of the fit."""

import numpy as np

from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.leakage.finding import LeakageFinding
from training.lightgbm_alone import lightgbm
from training.model.encoding import Encoding
from training.parameters import TrainingParameters
from training.ranking import ScoreRanking, roc_auc

# Subjects per window, evenly spaced over its time.
MAX_ROWS = 10_000

NOTABLE_AUC = 0.75
NAMED = 5


def distribution_drift(
    data: TrainingSet, split: TimeSplit, encoding: Encoding, parameters: TrainingParameters
) -> LeakageFinding | None:
    """Return a warning with the separating features if fit and evaluation window differ.

    All subjects count, labelled or not; trees are fitted on every second one and tested on the
    rest. None if the ROC-AUC is unremarkable.
    """
    windows = [
        data.declared_between(window.begins, window.ends)
        for window in (split.fit, split.evaluation)
    ]
    parts = [
        rows[np.linspace(0, len(rows) - 1, min(len(rows), MAX_ROWS)).astype(int)]
        for rows in windows
    ]
    values = encoding.encode_frame(data.frame.iloc[np.concatenate(parts)])
    is_later = np.repeat([0.0, 1.0], [len(part) for part in parts])
    booster = lightgbm.train(
        {
            "objective": "binary",
            "num_leaves": 15,
            "seed": parameters.seed,
            "num_threads": parameters.threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        },
        lightgbm.Dataset(
            values[::2],
            is_later[::2],
            feature_name=encoding.names,
            categorical_feature=encoding.categorical_places,
        ),
        num_boost_round=50,
    )
    predicted = np.asarray(booster.predict(values[1::2], num_threads=parameters.threads))
    auc = roc_auc(ScoreRanking.from_scores(is_later[1::2], predicted))
    if auc <= NOTABLE_AUC:
        return None
    gains = booster.feature_importance("gain")
    most = [encoding.names[place] for place in np.argsort(-gains, kind="stable")[:NAMED]]
    return LeakageFinding(
        check="drift",
        is_refusal=False,
        features=tuple(most),
        evidence=f"later subjects are told from earlier ones with a ROC-AUC of {auc:.3f}, most "
        f"of all by {', '.join(most)}",
    )
