"""A small catalogue, and training sets of an invented truth that its features share."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.definition import Feature, MonotoneConstraint, Peers, SuspiciousSide, Unit
from training.model.model_inputs import ModelInputs
from training.parameters import EvaluationParameters, LeakageParameters, SplitParameters

BEGINS = np.datetime64("2025-01-01T00:00:00", "us")
DAYS = 360
COUNTRIES = ["CN", "TR", "MA", "US"]


def made_feature(
    name: str, unit: Unit = Unit.RATIO, direction: MonotoneConstraint = MonotoneConstraint.EITHER
) -> Feature:
    return Feature(
        name=name,
        subjects=("shipment",),
        family="planted",
        meaning=f"What {name} means.",
        unit=unit,
        reads=(name,),
        when_missing="never",
        indicator="none",
        warns=SuspiciousSide.EITHER,
        source="none",
        direction=direction,
        sentence="{value}",
        sentence_of_one=None,
        sentence_below_zero=None,
        sentence_of_none=None,
        shows_from=None,
        among=Peers.GOODS if name == "value_per_kg_ratio" else Peers.ALL,
        known_by=None,
        defined_at="tests/training/planted.py#L1",
        columns=(name,),
        windows={},
        compute=lambda column: column,
    )


FEATURES = (
    made_feature("value_per_kg_ratio"),
    made_feature("late_payments_30d", Unit.COUNT, MonotoneConstraint.HIGHER_IS_RISKIER),
    made_feature("corridor", Unit.CATEGORY),
    made_feature("noise_ratio"),
)
INPUTS = ModelInputs(
    subject="shipment",
    features=FEATURES,
    computations=dict.fromkeys((feature.name for feature in FEATURES), "sha256:" + "d" * 64),
    fingerprint="sha256:" + "a" * 64,
)

# Parameters of a fit whose intervals, folds and leakage checks a test does not look at.
QUICK: dict[str, Any] = {
    "threads": 1,
    "split": SplitParameters(refit=False),
    "evaluation": EvaluationParameters(redraws=20),
    "leakage": LeakageParameters(is_checked=False),
}


def planted_world(rows: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Features, outcomes and subjects of `rows` shipments whose risk three features share."""
    lots = np.random.default_rng(seed)
    seconds = np.sort(lots.integers(0, DAYS * 86_400, rows))
    declared_at = pd.DatetimeIndex(BEGINS + seconds.astype("timedelta64[s]"), tz="UTC")
    ids = [f"S-{row:06d}" for row in range(rows)]
    ratio = lots.normal(size=rows)
    late = lots.poisson(1.0, rows).astype(float)
    corridor = lots.choice(
        ["CN-DE", "TR-DE", "MA-ES", "US-NL", "XX-YY"], rows, p=[0.3, 0.3, 0.2, 0.199, 0.001]
    )
    log_odds = -4.4 + 1.6 * np.abs(ratio) + 0.8 * late + 1.2 * (corridor == "TR-DE")
    probability = 1 / (1 + np.exp(-log_odds))
    confirmed = lots.random(rows) < probability
    features = pd.DataFrame(
        {
            "subject_id": ids,
            "declared_at": declared_at,
            "value_per_kg_ratio": np.where(lots.random(rows) < 0.1, np.nan, ratio),
            "late_payments_30d": late,
            "corridor": pd.array(np.where(lots.random(rows) < 0.05, None, corridor), dtype="str"),
            "noise_ratio": lots.normal(size=rows),
        }
    )
    inspected = lots.random(rows) < 0.6
    random_lane = lots.random(rows) < 0.4
    delay_days = lots.integers(1, 25, rows)
    outcomes = pd.DataFrame(
        {
            "subject_kind": "shipment",
            "subject_id": ids,
            "selected_by": np.where(random_lane, "random", "rule"),
            # Of what the rule, which has none, left: .24 of 1 - .36.
            "selection_probability": np.where(random_lane, 0.375, np.nan),
            "inspected_at": declared_at + pd.Timedelta(hours=6),
            "known_at": declared_at + pd.to_timedelta(delay_days, unit="D"),
            "result": np.where(
                lots.random(rows) < 0.03,
                "inconclusive",
                np.where(confirmed, "confirmed", "not_confirmed"),
            ),
            "typology": pd.array(np.where(confirmed, "undervaluation", None), dtype="str"),
        }
    )[inspected]
    # The corridor tells something of the origin, as it does everywhere, but not all of it.
    lots_of_origin = np.random.default_rng([seed, 1])
    came_from = np.char.partition(corridor.astype(str), "-")[:, 0]
    is_by_way = lots_of_origin.random(rows) < 0.5
    subjects = pd.DataFrame(
        {
            "subject_id": ids,
            "declared_at": declared_at,
            "mode": lots.choice(["sea", "road"], rows),
            "office_id": lots.choice(["office-a", "office-b", "office-c"], rows),
            "origin_country": np.where(
                is_by_way, came_from, lots_of_origin.choice(COUNTRIES, rows)
            ),
            "operator_id": [f"k{n}" for n in lots.integers(0, rows // 10 + 1, rows)],
            "operator_subjects_before": lots.integers(0, 5, rows),
            "declared_value_eur": lots.lognormal(8, 1, rows),
            "goods_code": np.where(np.arange(rows) % 3 == 0, "890310", "640399"),
            "corridor": pd.array(np.char.replace(corridor.astype(str), "-", " > "), dtype="str"),
        }
    )
    return features, outcomes, subjects


def write_training_set(
    folder: Path,
    features: pd.DataFrame,
    outcomes: pd.DataFrame,
    subjects: pd.DataFrame,
    *,
    catalogue: str = INPUTS.fingerprint,
    computations: Mapping[str, str] = INPUTS.computations,
    subject: str = "shipment",
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    face = {
        "subject": subject,
        "catalogue": catalogue,
        "computations": dict(computations),
        "records_digest": "sha256:" + "0" * 64,
    }
    about = {b"tidegate": json.dumps(face)}
    pq.write_table(as_table(features).replace_schema_metadata(about), folder / "features.parquet")
    pq.write_table(as_table(outcomes), folder / "outcomes.parquet")
    pq.write_table(as_table(subjects), folder / "subjects.parquet")
    (folder / "records.json").write_text('{"shipments": {"rows": 6000}}')
    return folder


def as_table(frame: pd.DataFrame) -> pa.Table:
    """The frame without its index; Arrow's own way would ask pandas what it soon refuses."""
    return pa.table({name: _as_array(frame[name]) for name in frame})


def _as_array(values: "pd.Series[object]") -> pa.Array:
    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        return pa.array(values, from_pandas=True)
    in_utc = values.dt.tz_convert(None).to_numpy()
    return pa.array(in_utc, pa.timestamp("us", "UTC"))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text + "T00:00:00+00:00")
