"""A worker reads from the file what the machine that trains has in memory."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.training.planted import INPUTS, planted_world, write_training_set
from training.data.training_set import FILES, TrainingSet
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_trees import LabelledRows
from training.fit.workers.growth_task import FileRows
from training.fit.workers.row_groups import row_groups


def asked_again(features: pd.DataFrame) -> pd.DataFrame:
    """Every third subject has a second scoring instant, with other numbers."""
    again = features.iloc[::3].copy()
    again["as_of"] = again["declared_at"] + pd.Timedelta(hours=1)
    again["noise_ratio"] += 100
    both = pd.concat([features.assign(as_of=features["declared_at"]), again])
    both = both.sort_values(["declared_at", "subject_id", "as_of"], kind="stable")
    both.insert(2, "as_of", both.pop("as_of"))
    return both.reset_index(drop=True)


@pytest.mark.parametrize("group_rows", [1, 7, 64, 10_000])
@pytest.mark.parametrize("is_asked_again", [False, True])
def test_rows_are_those_of_the_frame_however_the_file_is_cut(
    group_rows: int, is_asked_again: bool, tmp_path: Path
) -> None:
    features, outcomes, subjects = planted_world(150, seed=5)
    if is_asked_again:
        features = asked_again(features)
        subjects = features[["subject_id"]].merge(subjects, on="subject_id")
    write_training_set(tmp_path, features, outcomes, subjects)
    file = tmp_path / FILES[0]
    pq.write_table(pq.read_table(file), file, row_group_size=group_rows)
    data = TrainingSet.read(tmp_path, "shipment", INPUTS)
    encoding = data.encoding(np.arange(len(data)), fewest=5)
    places = np.flatnonzero(np.random.default_rng(1).random(len(data)) < 0.4)
    values = EncodedRows(encoding.encode_columns(data.frame), places)
    rows = LabelledRows(values, np.zeros(len(places)), None)

    parts = list(FileRows.of(rows, data).parts(3))
    read = [group[:] for part in parts for group in row_groups(tmp_path, part.places, encoding)]

    np.testing.assert_array_equal(np.concatenate(read), values[:])
    assert max(len(part.places) for part in parts) - min(len(part.places) for part in parts) <= 1
