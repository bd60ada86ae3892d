"""Canaries: subjects of known truth whose scores must not move from model to model.

They are chosen once, from inspections that nobody could steer. A model that learnt wrong labels
scores confirmed canaries lower or cleared ones higher than the champion does, whatever its own
evaluation shows.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from features.records import SubjectKind
from training.data.training_set import TrainingSet
from training.evaluation.reevaluation import parameters_of
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.gates.canary_file import CanaryFile
from training.model.calibration import log_odds_of
from training.model.risk_model import RiskModel
from training.ranking import Floats, Ints

MAX_OF_EACH = 100


@dataclass(frozen=True)
class CanaryShift:
    """The distance of the mean log-odds of confirmed or cleared canaries from the champion's.

    `log_odds` is None if none are left; `found` of the `chosen` are in the training set.
    """

    log_odds: float | None
    found: int
    chosen: int

    @property
    def has_most(self) -> bool:
        """True if most of the chosen canaries are in the training set, or none was chosen."""
        return not self.chosen or 2 * self.found > self.chosen


@dataclass(frozen=True)
class Canaries:
    """Ids of confirmed and of cleared subjects, and the time of their choice."""

    confirmed: tuple[str, ...]
    cleared: tuple[str, ...]
    chosen_at: datetime

    @classmethod
    def chosen(cls, data: TrainingSet, before: np.datetime64, seed: int, at: datetime) -> Self:
        """Choose subjects known before an instant at random, randomly inspected ones first.

        `at` is the time of the choice.
        """
        rng = np.random.default_rng(seed)
        is_known = data.outcomes.is_labelled_by(before)

        def ids(label: float) -> tuple[str, ...]:
            rows = rng.permutation(np.flatnonzero(is_known & (data.outcomes.label == label)))
            # Nobody can steer a random inspection, so these labels are hardest to falsify.
            by_lot = data.outcomes.in_random_lane[rows]
            first = np.concatenate([rows[by_lot], rows[~by_lot]])[:MAX_OF_EACH]
            return tuple(str(name) for name in sorted(data.subject_ids[first]))

        return cls(ids(1.0), ids(0.0), at)

    @classmethod
    def read(cls, home: Path, subject: SubjectKind, public_key: bytes) -> Self | None:
        """Return the canaries of a home, or None if none were chosen.

        Raises Tampered unless one of the home's keys signed the file as it is.
        """
        stored = CanaryFile.of_home(home, subject, public_key)
        if stored is None:
            return None
        return cls(stored.confirmed, stored.cleared, stored.chosen_at)

    def write(self, home: Path, subject: SubjectKind, key: Ed25519PrivateKey) -> Path:
        """Sign and store the canaries; delete the file to have others chosen."""
        return CanaryFile(subject=subject, **vars(self)).write(home, key)

    def shifts(
        self, model: RiskModel, champion: RiskModel, data: TrainingSet
    ) -> tuple[CanaryShift, CanaryShift]:
        """Return the shift of mean log-odds from the champion's: of confirmed, and of cleared."""
        return (
            _shift(model, champion, data, self.confirmed),
            _shift(model, champion, data, self.cleared),
        )


def _shift(
    model: RiskModel, champion: RiskModel, data: TrainingSet, names: tuple[str, ...]
) -> CanaryShift:
    rows = _rows(data, names)
    moved = _log_odds(model, data, rows) - _log_odds(champion, data, rows) if len(rows) else None
    return CanaryShift(None if moved is None else float(moved.mean()), len(rows), len(names))


def _rows(data: TrainingSet, names: tuple[str, ...]) -> Ints:
    places = data.subject_ids.get_indexer(pd.Index(names, dtype=data.subject_ids.dtype))
    return np.asarray(places[places >= 0], dtype=np.int64)


def _log_odds(model: RiskModel, data: TrainingSet, rows: Ints) -> Floats:
    columns = model.encoding.encode_columns(data.frame.iloc[rows])
    margins = Margins.from_text(model.booster_text, parameters_of(model).threads)
    scored = margins.predict_all(EncodedRows(columns, np.arange(len(rows))))
    return log_odds_of(scored, model.manifest.calibration)
