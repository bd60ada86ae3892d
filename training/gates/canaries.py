"""Subjects whose truth is known and whose scores must stay where they are, from model to model.

They are chosen once, from inspections that nobody steered, and named by their ids in
HOME/canaries/<subject>.json. A model fitted on wrong labels scores confirmed ones lower or
cleared ones higher than the champion does, whatever its own evaluation says.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from features.atomic_dir import write_durably
from features.records import SubjectKind
from training.data.training_set import TrainingSet
from training.errors import TrainingSetError
from training.evaluation.reevaluation import parameters_of
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.model.calibration import log_odds_of
from training.model.risk_model import RiskModel
from training.ranking import Floats, Ints

MOST_OF_EACH = 100


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    chosen_at: datetime
    confirmed: tuple[str, ...]
    cleared: tuple[str, ...]


@dataclass(frozen=True)
class CanaryShift:
    """How far the mean log-odds of canaries lie from the champion's; None where none is left."""

    confirmed: float | None
    cleared: float | None
    subjects: int
    absent: int


@dataclass(frozen=True)
class Canaries:
    """Ids of subjects that were confirmed, and of such that were cleared."""

    confirmed: tuple[str, ...]
    cleared: tuple[str, ...]

    @classmethod
    def chosen(cls, data: TrainingSet, before: np.datetime64, seed: int) -> Self:
        """A random choice of subjects known before an instant, randomly inspected ones first."""
        rng = np.random.default_rng(seed)
        is_known = data.outcomes.is_labelled_by(before)

        def ids(label: float) -> tuple[str, ...]:
            rows = rng.permutation(np.flatnonzero(is_known & (data.outcomes.label == label)))
            by_lot = data.outcomes.in_random_lane[rows]
            first = np.concatenate([rows[by_lot], rows[~by_lot]])[:MOST_OF_EACH]
            return tuple(str(name) for name in sorted(data.subject_ids[first]))

        return cls(ids(1.0), ids(0.0))

    @classmethod
    def read(cls, home: Path, subject: SubjectKind) -> Self | None:
        """Those of a home; None where none were chosen. Raises TrainingSetError."""
        file = file_of(home, subject)
        if not file.exists():
            return None
        try:
            content = _File.model_validate_json(file.read_bytes())
        except ValidationError as error:
            raise TrainingSetError(f"{file}: {error.errors()[0]['msg']}") from None
        return cls(content.confirmed, content.cleared)

    def write(self, home: Path, subject: SubjectKind, at: datetime) -> Path:
        """Keep them; whoever wants others deletes the file on purpose."""
        file = file_of(home, subject)
        file.parent.mkdir(parents=True, exist_ok=True)
        content = {"chosen_at": at.isoformat(), **vars(self)}
        write_durably(file, f"{json.dumps(content, indent=1)}\n".encode())
        return file

    def shift(self, model: RiskModel, champion: RiskModel, data: TrainingSet) -> CanaryShift:
        """How far the model's mean log-odds lie from the champion's, for each of both sorts."""
        sorts = [_rows(data, names) for names in (self.confirmed, self.cleared)]
        found = sum(map(len, sorts))
        confirmed, cleared = (
            float((_log_odds(model, data, rows) - _log_odds(champion, data, rows)).mean())
            if len(rows)
            else None
            for rows in sorts
        )
        return CanaryShift(
            confirmed, cleared, found, len(self.confirmed) + len(self.cleared) - found
        )


def file_of(home: Path, subject: SubjectKind) -> Path:
    """Where a home keeps the canaries of a kind of subject."""
    return home / "canaries" / f"{subject}.json"


def _rows(data: TrainingSet, names: tuple[str, ...]) -> Ints:
    places = data.subject_ids.get_indexer(pd.Index(names, dtype=data.subject_ids.dtype))
    return np.asarray(places[places >= 0], dtype=np.int64)


def _log_odds(model: RiskModel, data: TrainingSet, rows: Ints) -> Floats:
    columns = model.encoding.encode_columns(data.frame.iloc[rows])
    margins = Margins.from_text(model.booster_text, parameters_of(model).threads)
    scored = margins.predict_all(EncodedRows(columns, np.arange(len(rows))))
    return log_odds_of(scored, model.manifest.calibration)
