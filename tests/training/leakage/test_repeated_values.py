"""Which subjects repeat an earlier declaration, beside a loop over every pair of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.planted import INPUTS
from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.leakage.repeated_values import repeats_earlier
from training.leakage.target_lookup import Sample
from training.parameters import SplitParameters
from training.ranking import Ints


@pytest.fixture(scope="module")
def repeating(planted: Path) -> TrainingSet:
    """600 subjects, four declared at a time, whose values come back; some are missing."""
    whole = TrainingSet.read(planted, "shipment", INPUTS)
    lots = np.random.default_rng(11)
    first = slice(0, 600)
    frame = whole.frame.iloc[first].assign(
        value_per_kg_ratio=lots.choice([np.nan, 0.0, 10.001, 10.002, 7.0, -7.0], 600),
        noise_ratio=lots.lognormal(size=60).round(2)[lots.integers(0, 60, 600)],
    )
    declared_at = whole.declared_at[first][np.arange(600) // 4 * 4]
    return replace(
        whole, frame=frame, subject_ids=whole.subject_ids[first], declared_at=declared_at
    )


def by_a_loop(data: TrainingSet, rows: Ints, columns: list[str]) -> list[bool]:
    """Equal to four digits in every column, and declared before."""
    written = [
        tuple(f"{value + 0:.3e}" for value in row) for row in data.frame[columns].to_numpy(float)
    ]
    return [
        any(
            written[other] == written[row]
            for other in np.flatnonzero(data.declared_at < data.declared_at[row])
        )
        for row in rows
    ]


@pytest.mark.parametrize(
    "columns", [["noise_ratio"], ["value_per_kg_ratio", "noise_ratio"]], ids=["one", "two"]
)
def test_a_subject_repeats_what_any_earlier_declaration_held(
    repeating: TrainingSet, columns: list[str]
) -> None:
    rows = np.arange(20, 600, 3)

    found = repeats_earlier(repeating.frame[columns], repeating.declared_at, rows)

    assert found.tolist() == by_a_loop(repeating, rows, columns)
    assert 0 < found.sum() < len(rows)


def test_what_is_declared_at_the_same_instant_is_not_earlier(repeating: TrainingSet) -> None:
    twins = pd.DataFrame({"noise_ratio": np.arange(600) // 4})

    assert not repeats_earlier(twins, repeating.declared_at, np.arange(600)).any()


@pytest.mark.parametrize("refit", [True, False])
def test_a_table_is_filled_with_what_the_final_trees_are_fitted_on(
    planted: Path, *, refit: bool
) -> None:
    data = TrainingSet.read(planted, "shipment", INPUTS)
    parameters = SplitParameters(refit=refit)
    split = TimeSplit.from_training_set(data, parameters)

    sample = Sample.from_split(data, split, parameters)

    holds_calibration = np.isin(split.calibration.rows, sample.rows[: sample.fit_count])
    assert holds_calibration.all() == holds_calibration.any() == refit
    assert np.isin(split.fit.rows, sample.rows[: sample.fit_count]).all()
    assert sample.evaluated.tolist() == split.evaluation.rows.tolist()
