"""The model as a share of the best possible: an invented world knows every true probability."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from training.errors import TrainingSetError
from training.estimators import Estimate, with_intervals
from training.evaluation.judged import Judged
from training.evaluation.report import OracleFigures
from training.parameters import EvaluationParameters
from training.ranking import Floats, Ranking, at_capacity

COLUMNS = ("subject_kind", "subject_id", "true_probability")


def true_probabilities(file: Path, judged: Judged) -> Floats:
    """The true probability of every judged subject. Raises TrainingSetError where one is absent."""
    try:
        oracle = pd.read_parquet(file, columns=list(COLUMNS))
    except (OSError, pa.ArrowInvalid, KeyError, ValueError) as error:
        raise TrainingSetError(f"{file}: not an oracle file ({error})") from None
    of_kind = oracle[oracle["subject_kind"] == judged.data.inputs.subject]
    truth = of_kind.drop_duplicates("subject_id").set_index("subject_id")["true_probability"]
    beside = truth.reindex(judged.data.subject_ids[judged.rows]).to_numpy(dtype=np.float64)
    if np.isnan(beside).any():
        absent = judged.data.subject_ids[judged.rows][np.isnan(beside)][0]
        raise TrainingSetError(f"{file}: the subject {absent!r} is missing")
    return beside


def beside_the_oracle(
    judged: Judged, truth: Floats, parameters: EvaluationParameters, seed: int
) -> tuple[OracleFigures, ...]:
    """Per capacity share, the model's expected precision and the best that is possible.

    `judged` holds all subjects of a window, labelled or not.
    """
    ours, best = Ranking.of(truth, judged.probability), Ranking.of(truth, truth)
    return tuple(
        _figures(share, _at(ours, best, share, parameters, seed))
        for share in parameters.capacity_shares
    )


def _at(
    ours: Ranking, best: Ranking, share: float, parameters: EvaluationParameters, seed: int
) -> dict[str, Estimate]:
    subjects = len(ours.labels)

    def compared(drawn: Ranking) -> dict[str, float]:
        counts = np.empty(subjects)
        counts[drawn.order] = drawn.weights
        precision = at_capacity(drawn, share)["precision"]
        oracle = at_capacity(best.redrawn(counts), share)["precision"]
        return {"precision": precision, "oracle": oracle, "share": precision / oracle}

    return with_intervals(ours, compared, rounds=parameters.redraws, seed=seed)


def _figures(share: float, estimates: dict[str, Estimate]) -> OracleFigures:
    return OracleFigures(
        share=share,
        precision=estimates["precision"],
        oracle_precision=estimates["oracle"],
        share_of_oracle=estimates["share"],
    )
