"""Fit, calibration and evaluation beside a bare `lightgbm.train`, in time and in memory.

    python -m experiments.benchmarks.training 1000000

The rows are those of a small invented world, drawn with replacement and blurred; every one of them
has a label, which is more than any border has. The peer grows as many trees with the same
parameters on the same rows as the final model. One thread each, processor time.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import process_time

import lightgbm
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.benchmarks.memory import peak_mib
from features.build_training_set import build_training_set
from features.catalogue import features_of
from features.definition import Unit
from features.engine.batch.feature_frame import BLOCK_ROWS
from features.records import SubjectKind
from synthetic.scenario import Scenario
from synthetic.world import invent
from training.data.time_split import TimeSplit
from training.data.training_set import FILES, TrainingSet
from training.fit.fit_trees import lightgbm_parameters, tree_count
from training.parameters import TrainingParameters
from training.train import train_model

ROWS, JOURNEYS, DAYS, SEED = 100_000, 5_000, 365, 5
KIND: SubjectKind = "shipment"
CONFIRMED = 0.04


def main(rows: int = ROWS) -> None:
    """Make the rows, ask ours and the peer in processes of their own, and print one table."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_large(folder, rows)
        ours = _asked("ours", folder / "large", 0)
        peer = _asked("peer", folder / "large", int(ours["trees"]))
    matrix = rows * len(features_of(KIND)) * 8 / 1e6
    print(f"{rows:,} rows x {len(features_of(KIND))} features, {ours['trees']:.0f} trees")
    print(f"{'fit, calibrate, evaluate [s]':<32}{ours['seconds']:>10.1f}")
    print(f"{'lightgbm.train [s]':<32}{peer['seconds']:>10.1f}")
    print(f"{'ratio':<32}{ours['seconds'] / peer['seconds']:>10.2f}")
    for name, asked in (("peak memory [MB]", ours), ("peak memory of the peer [MB]", peer)):
        print(f"{name:<32}{asked['peak_mb']:>10.0f}{asked['peak_mb'] / matrix:>8.2f} x the matrix")


def _asked(whom: str, folder: Path, trees: int) -> dict[str, float]:
    answer = subprocess.run(
        [sys.executable, "-m", __spec__.name, whom, str(folder), str(trees)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, float] = json.loads(answer.stdout)
    return found


def _ours(folder: Path, _: int) -> dict[str, float]:
    data = TrainingSet.read(folder, KIND)
    began = process_time()
    candidate = train_model(data, TrainingParameters())
    return {"seconds": process_time() - began, "trees": tree_count(candidate.model.booster_text)}


def _peer(folder: Path, trees: int) -> dict[str, float]:
    data = TrainingSet.read(folder, KIND)
    parameters = TrainingParameters()
    split = TimeSplit.from_training_set(data, parameters.split)
    window = split.before_evaluation(data, parameters.split)
    encoding = data.encoding(split.fit.rows, fewest=parameters.trees.fewest_per_category)
    values = encoding.encode_frame(data.frame.iloc[window.rows])
    began = process_time()
    rows = lightgbm.Dataset(values, window.labels, categorical_feature=encoding.categorical_places)
    lightgbm.train(lightgbm_parameters(data.inputs, parameters), rows, trees)
    return {"seconds": process_time() - began}


def make_large(folder: Path, rows: int) -> None:
    """A training set of so many rows, as the folder `large` below this one."""
    world = folder / "world"
    invent(world, scenario=Scenario(), journeys=JOURNEYS, days=DAYS, seed=SEED, cores=1)
    build_training_set(world, KIND, folder / "small")
    write_large(folder / "small", folder / "large", rows)


def write_large(small: Path, large: Path, rows: int) -> None:
    """Rows drawn from `small` with blurred numbers, and labels that some columns lead to."""
    lots = np.random.default_rng(SEED)
    tables = [pq.read_table(small / name) for name in FILES]
    frame, _, subjects = (table.to_pandas() for table in tables)
    drawn = np.sort(lots.integers(0, len(frame), rows))
    ids = [f"L-{row:07d}" for row in range(rows)]
    columns: dict[str, object] = {
        "subject_id": ids,
        "declared_at": frame["declared_at"].to_numpy()[drawn],
    }
    risk = np.zeros(rows)
    for feature in features_of(KIND):
        values = frame[feature.name].to_numpy()[drawn]
        if not feature.is_categorical:
            spread = np.nanstd(values) if np.isfinite(values).any() else 0.0
            if feature.unit is not Unit.YES_NO:
                values = values + lots.normal(scale=0.02 * (spread or 1.0), size=rows)
            usual = (values - np.nanmean(values)) / (spread or 1.0) if spread else np.zeros(rows)
            risk += lots.normal() * np.nan_to_num(np.clip(usual, -3, 3))
        columns[feature.name] = values
    features = pd.DataFrame(columns)
    risk = risk / risk.std()
    is_confirmed = risk + lots.logistic(size=rows) / 2 > np.quantile(risk, 1 - CONFIRMED)
    large.mkdir()
    face = tables[0].schema.metadata
    pq.write_table(
        pa.Table.from_pandas(features, preserve_index=False).replace_schema_metadata(face),
        large / FILES[0],
        row_group_size=BLOCK_ROWS,
    )
    _outcomes(features, is_confirmed, lots).to_parquet(large / FILES[1], index=False)
    subjects.iloc[drawn].assign(subject_id=ids).to_parquet(large / FILES[2], index=False)


def _outcomes(
    features: pd.DataFrame, is_confirmed: np.ndarray, lots: np.random.Generator
) -> pd.DataFrame:
    by_lot = lots.random(len(features)) < 0.3
    typologies = ["planted" if each else None for each in is_confirmed]
    return pd.DataFrame(
        {
            "subject_kind": KIND,
            "subject_id": features["subject_id"],
            "selected_by": np.where(by_lot, "random", "rule"),
            "selection_probability": np.where(by_lot, 0.3, 0.6),
            "inspected_at": features["declared_at"] + pd.Timedelta(hours=6),
            "known_at": features["declared_at"] + pd.Timedelta(days=5),
            "result": np.where(is_confirmed, "confirmed", "not_confirmed"),
            "typology": pd.array(typologies, dtype="str"),
        }
    )


if __name__ == "__main__":
    if sys.argv[1:2] in (["ours"], ["peer"]):
        found = {"ours": _ours, "peer": _peer}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
        found["peak_mb"] = peak_mib() * 1024 * 1024 / 1e6
        print(json.dumps(found))
    else:
        main(*(int(rows) for rows in sys.argv[1:2]))
