"""Scores of records without a service."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pandas as pd

from features.records import SubjectKind
from features.subject_types import SUBJECT_TYPES
from serving.cli.score import first_draws_in
from serving.models.model_pool import LoadedModel
from serving.models.scores import Scorer
from serving.scoring.files import read_subjects, score_file
from serving.settings import Settings
from serving.triage.lanes import Lanes
from tidegate.frames import as_pandas, is_tabular
from tidegate.home import DEFAULT, AnyModel
from training.model.model_home import ModelHome
from training.model.risk_model import RiskModel


def score_offline(
    rows: Any,
    subject: SubjectKind,
    model: AnyModel | None = None,
    *,
    records: str | Path | None = None,
    home: str | Path = DEFAULT,
) -> pd.DataFrame:
    """Return a row for each subject, as `tidegate score` writes it, in the order of `rows`.

    `rows` are records of journeys or shipments, or submissions: a file, a frame, or a list of
    dicts. `model` is the champion of the `home` without; `records` is the folder of what else is
    known, those of the home without. Columns: `subject_id`, `probability` (0 to 1), `log_odds`,
    `lane` with its reason and probability, and the contribution of each feature in log-odds. Raises
    RecordsError with row and column.
    """
    settings = Settings(home=Path(home))
    if isinstance(model, RiskModel):
        loaded = LoadedModel("unregistered", model, Scorer.for_model(model))
    else:
        reference = model or f"{SUBJECT_TYPES[subject].model_name}@champion"
        models = ModelHome(settings.home)
        loaded = LoadedModel.read(models.find(str(reference)), models.public_key)
    lanes = Lanes.from_settings(settings, first_drawn=first_draws_in(settings.home))
    with _record_file(rows, subject) as file:
        subjects = read_subjects(file, subject, Path(records or settings.records))
        return score_file(subjects, loaded, lanes).to_pandas()


@contextmanager
def _record_file(rows: Any, subject: SubjectKind) -> Iterator[Path]:
    """Yield the file of rows; of a table a temporary one, which lasts for the block."""
    if isinstance(rows, str | Path):
        yield Path(rows)
        return
    with TemporaryDirectory() as folder:
        name = SUBJECT_TYPES[subject].record_file
        if isinstance(rows, list) and is_tabular(rows):
            file = Path(folder) / f"{name}.ndjson"
            file.write_bytes(b"\n".join(map(orjson.dumps, rows)) + b"\n")
        else:
            file = Path(folder) / f"{name}.parquet"
            as_pandas(rows).to_parquet(file, index=False)
        yield file
