from datetime import UTC, datetime
from pathlib import Path

import pytest

from training.errors import TrainingError
from training.parameters import TrainingParameters


def read(folder: Path, text: str) -> TrainingParameters:
    file = folder / "parameters.toml"
    file.write_text(text)
    return TrainingParameters.read(file)


def test_what_is_left_out_keeps_its_default(tmp_path: Path) -> None:
    parameters = read(tmp_path, "seed = 11\n[trees]\nleaves = 15\n")

    assert parameters.seed == 11
    assert parameters.trees.leaves == 15
    assert parameters.trees.learning_rate == TrainingParameters().trees.learning_rate


def test_a_day_means_its_first_instant_in_utc(tmp_path: Path) -> None:
    split = read(
        tmp_path,
        "[split]\ncalibration_from = 2026-03-01\nevaluation_from = 2026-04-01T02:00:00+02:00\n",
    ).split

    assert split.calibration_from == datetime(2026, 3, 1, tzinfo=UTC)
    assert split.evaluation_from == datetime(2026, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[trees]\nleafs = 3\n",
            r"trees\.leafs is no parameter; did you mean 'leaves'\? allowed are ",
        ),
        ("speed = 3\n", r"speed is no parameter; did you mean 'seed'"),
        ("[trees]\nleaves = 1\n", r"trees\.leaves: .*greater than or equal to 2"),
        ("[trees]\nmonotone = 'strict'\n", r"trees\.monotone: .*'intermediate'"),
        ("[split]\nfit_share = 0.8\ncalibration_share = 0.3\n", "leave nothing to evaluate"),
        ("[split]\ncalibration_from = 2026-03-01\n", "together, or neither"),
        (
            "[split]\ncalibration_from = 2026-03-01\nevaluation_from = 2026-02-01\n",
            "want fit_from <",
        ),
        ("[split]\nfit_from = 2026-03-01T00:00:00\n", r"split\.fit_from: .*timezone"),
        ("[evaluation]\ncapacity_shares = [0.1]\n", "must hold 0.05"),
        ("[trees\n", "not TOML"),
        ("[trees]\nlearning_rate = nan\n", r"trees\.learning_rate"),
        ("[trees]\nlibrary = 'catboost'\n", r"trees\.library: .*'scikit-learn' or 'xgboost'"),
        (
            "[trees]\nlibrary = 'xgboost'\n",
            r"xgboost cannot do thresholds = 'random'; want thresholds = \"best\"",
        ),
        (
            "[trees]\nlibrary = 'scikit-learn'\nthresholds = 'best'\nmonotone = 'off'\nl1 = 2\n",
            r"scikit-learn cannot do l1 = 2\.0; want l1 = 0",
        ),
    ],
)
def test_a_wrong_parameter_is_named_with_what_is_allowed(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(TrainingError, match=message):
        read(tmp_path, text)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no such file"):
        TrainingParameters.read(tmp_path / "parameters.toml")
