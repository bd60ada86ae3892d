"""What all features together and the score tell of the region of origin."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from training.evaluation.evaluation_report import JointProxyFigures
from training.evaluation.joint_proxy import MIN_ROWS, joint_proxy
from training.fit.encoded_rows import EncodedRows

ORIGINS = ("DE", "CN", "MA", "US")
ROWS = 4_000


def world(rows: int = ROWS, seed: int = 5) -> tuple[np.ndarray, "pd.Series[str]", np.ndarray]:
    """Codes of the origins, the origins, and noise."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, len(ORIGINS), rows)
    return codes, pd.Series(np.array(ORIGINS)[codes]), rng.normal(size=rows)


def figures(columns: list[Any], score: Any, rows: int = ROWS) -> JointProxyFigures:
    _, origins, _ = world(rows)
    values = EncodedRows.from_matrix(np.column_stack(columns))
    found = joint_proxy(values, score, np.zeros(rows), origins)
    assert found is not None
    return found


def test_features_of_which_none_names_the_region_name_it_together() -> None:
    codes, _, noise = world()
    high, low = codes // 2 + 0.1 * noise, codes % 2 + 0.1 * noise

    alone, together = figures([high], noise), figures([high, low], noise)

    assert alone.accuracy == pytest.approx(0.5, abs=0.05)
    assert together.accuracy > 0.95
    assert together.largest_share == pytest.approx(0.25, abs=0.04)
    assert together.regions == 4


def test_noise_names_no_region() -> None:
    _, _, noise = world()

    found = figures([noise], noise)

    assert found.accuracy == pytest.approx(found.largest_share, abs=0.05)
    assert found.score_share < 0.02


def test_a_score_is_asked_by_itself_and_among_those_that_turned_out_to_be_nothing() -> None:
    codes, origins, noise = world()
    labels = np.where(codes == 3, 1.0, 0.0)
    labels[codes == 2] = np.nan  # nobody looked
    score = np.where(codes >= 2, codes + 0.01 * noise, noise)
    found = joint_proxy(EncodedRows.from_matrix(noise[:, None]), score, labels, origins)

    assert found is not None
    assert found.score_share > 0.4
    assert found.unconfirmed == np.sum(codes < 2)
    assert found.score_share_of_unconfirmed == pytest.approx(0, abs=0.03)


def test_too_few_rows_say_nothing() -> None:
    codes, origins, noise = world(MIN_ROWS - 1)
    values = EncodedRows.from_matrix(noise[:, None])

    assert joint_proxy(values, noise, np.zeros(len(codes)), origins) is None
    few = joint_proxy(
        EncodedRows.from_matrix(world()[2][:, None]), world()[2], np.full(ROWS, np.nan), world()[1]
    )
    assert few is not None
    assert few.score_share_of_unconfirmed is None
    _, origins, noise = world(MIN_ROWS)
    enough = joint_proxy(
        EncodedRows.from_matrix(noise[:, None]), noise, np.zeros(MIN_ROWS), origins
    )
    assert enough is not None
    assert enough.score_share_of_unconfirmed is not None


def test_the_same_rows_give_the_same_figures() -> None:
    codes, _, noise = world()

    assert figures([codes + noise], noise) == figures([codes + noise], noise)
