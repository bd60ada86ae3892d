"""Each way to learn fits the subjects that it says, and no way reads what was not known."""

import numpy as np
import pytest

from experiments.uninspected_traffic.ways_to_learn import WAYS, Window
from tests.training.planted import INPUTS, planted_world, write_training_set
from training.data.training_set import TrainingSet


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Window:
    folder = tmp_path_factory.mktemp("planted")
    write_training_set(folder, *planted_world(1_500, seed=5))
    data = TrainingSet.read(folder, "shipment", INPUTS)
    rows = np.arange(1_200)
    labels = np.where(data.outcomes.is_labelled[rows], data.outcomes.label[rows], np.nan)
    encoding = data.encoding(rows[~np.isnan(labels)], fewest=20)
    return Window(data, rows, labels, encoding, encoding.encode_columns(data.frame), seed=1)


@pytest.mark.parametrize("name", WAYS)
def test_a_way_learns_from_its_window_alone(window: Window, name: str) -> None:
    fitted = WAYS[name](window)

    assert np.isin(fitted.rows, window.rows).all()
    assert set(np.unique(fitted.targets)) == {0.0, 1.0}
    if fitted.weights is not None:
        assert (fitted.weights > 0).all()
    confirmed = window.rows[window.labels == 1]
    if name != "doubly_robust":  # there every subject is a case and a non-case, with weights
        assert fitted.rows[fitted.targets == 1].tolist() == confirmed.tolist()
    is_of_results_alone = name in ("inspected_only", "inverse_probability")
    assert np.isin(window.traffic, fitted.rows).any() != is_of_results_alone
