"""Comparison with the best possible ranking, which a synthetic world knows."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa

from training.confidence_intervals import Estimate, with_intervals
from training.errors import TrainingSetError
from training.evaluation.evaluation_report import OracleFigures
from training.evaluation.labelled_window import LabelledWindow
from training.outcomes import Bools, Texts
from training.parameters import GATE_SHARE, EvaluationParameters
from training.ranking import Floats, ScoreRanking, at_capacity

# Shares always reported; experiments may add others.
SHARES = (0.01, 0.02, GATE_SHARE)

COLUMNS = ("subject_kind", "subject_id", "true_probability", "typology")


@dataclass(frozen=True)
class Oracle:
    """The truth of a synthetic world about the subjects of a window, in their order.

    `typology` is None for subjects without smuggling.
    """

    window: LabelledWindow
    probability: Floats
    typology: Texts

    @classmethod
    def read(cls, file: Path, window: LabelledWindow) -> Self:
        """Read the oracle file of a world; raises TrainingSetError if a subject is missing."""
        try:
            oracle = pd.read_parquet(file, columns=list(COLUMNS))
        except (OSError, pa.ArrowInvalid, KeyError, ValueError) as error:
            raise TrainingSetError(f"{file}: not an oracle file ({error})") from None
        of_kind = oracle[oracle["subject_kind"] == window.data.inputs.subject]
        ids = window.data.subject_ids[window.rows]
        rows = of_kind.drop_duplicates("subject_id").set_index("subject_id").reindex(ids)
        probability = rows["true_probability"].to_numpy(dtype=np.float64)
        if np.isnan(probability).any():
            raise TrainingSetError(
                f"{file}: the subject {ids[np.isnan(probability)][0]!r} is missing"
            )
        typology = rows["typology"].astype(object)
        return cls(window, probability, typology.where(typology.notna(), None).to_numpy())

    def only(self, mask: Bools) -> Self:
        """Return the subjects selected by a mask."""
        return replace(
            self,
            window=self.window.only(mask),
            probability=self.probability[mask],
            typology=self.typology[mask],
        )

    @property
    def came_true(self) -> Floats:
        """1 for subjects that smuggled, 0 for others."""
        return np.array([float(name is not None) for name in self.typology])


def compare_with_oracle(
    oracle: Oracle, labels: Floats, parameters: EvaluationParameters, seed: int
) -> tuple[OracleFigures, ...]:
    """Return the model's precision and the best possible one, per share inspected.

    With true probabilities as `labels` the precision is an expectation; with actual events it is
    what happened.
    """
    by_model = ScoreRanking.from_scores(labels, oracle.window.probability)
    best = ScoreRanking.from_scores(labels, oracle.probability)
    return tuple(
        _figures(share, _at(by_model, best, share, parameters, seed))
        for share in sorted({*SHARES, *parameters.capacity_shares})
    )


def _at(
    by_model: ScoreRanking,
    best: ScoreRanking,
    share: float,
    parameters: EvaluationParameters,
    seed: int,
) -> dict[str, Estimate]:
    subjects = len(by_model.labels)

    def compared(drawn: ScoreRanking) -> dict[str, float]:
        # The same redrawn subjects for both rankings: the interval of their ratio is then narrow.
        # Weights in the original order, which both rankings share.
        counts = np.empty(subjects)
        counts[drawn.order] = drawn.weights
        precision = at_capacity(drawn, share)["precision"]
        oracle = at_capacity(best.redrawn(counts), share)["precision"]
        share_of_oracle = precision / oracle if oracle > 0 else float("nan")
        return {"precision": precision, "oracle": oracle, "share": share_of_oracle}

    return with_intervals(by_model, compared, rounds=parameters.redraws, seed=seed)


def _figures(share: float, estimates: dict[str, Estimate]) -> OracleFigures:
    return OracleFigures(
        share=share,
        precision=estimates["precision"],
        oracle_precision=estimates["oracle"],
        share_of_oracle=estimates["share"],
    )
