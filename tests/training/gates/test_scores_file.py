"""Files of scores: read in the order of the window whoever wrote them, or refused by name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.errors import TrainingError
from training.gates.scores_file import read_scores

KNOWN = pd.Index([f"S-{number}" for number in range(10)])
WINDOW = slice(6, 10)
Change = Callable[[pd.DataFrame], pd.DataFrame]


def table() -> pd.DataFrame:
    return pd.DataFrame({"subject_id": KNOWN[WINDOW], "log_odds": [-1.5, 0.0, 2.0, -7.25]})


def written(folder: Path, scores: pd.DataFrame, name: str = "scores.csv") -> Path:
    file = folder / name
    if file.suffix == ".parquet":
        scores.to_parquet(file, index=False)
    else:
        scores.to_csv(file, index=False)
    return file


@pytest.mark.parametrize("name", ["scores.csv", "scores.parquet"])
def test_scores_come_in_the_order_of_the_window(tmp_path: Path, name: str) -> None:
    file = written(tmp_path, table().iloc[::-1], name)

    assert read_scores(file, KNOWN, WINDOW).tolist() == [-1.5, 0.0, 2.0, -7.25]


@pytest.mark.parametrize("names", [("007", "NA"), ("007", "010"), ("1e3", "nan")])
def test_an_id_that_reads_like_a_number_or_like_nothing_is_an_id(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    known = pd.Index(names)
    scores = pd.DataFrame({"subject_id": known, "log_odds": [1.0, 2.0]})

    assert read_scores(written(tmp_path, scores), known, slice(0, 2)).tolist() == [1.0, 2.0]


def with_row(name: str, score: float = 0.0) -> Change:
    row = pd.DataFrame({"subject_id": [name], "log_odds": [score]})
    return lambda scores: pd.concat([scores, row])


def with_score(score: object) -> Change:
    return lambda scores: scores.assign(
        log_odds=scores["log_odds"].astype(object).replace(0.0, score)
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (with_row("S-77"), "'S-77' is not in the training set$"),
        (with_row("S-2"), "'S-2' was not declared in the evaluation window, but before or after"),
        (with_row("S-8"), "'S-8' appears twice$"),
        (with_row("S-7", 0.0), "'S-7' appears twice$"),
        (with_score(np.nan), "'S-7' has no finite number as log_odds$"),
        (with_score(np.inf), "'S-7' has no finite number"),
        (with_score("high"), "'S-7' has no finite number"),
        (lambda scores: scores.iloc[1:], "'S-6' of the evaluation window is missing"),
        (lambda scores: scores.iloc[:0], r"subject_id: the subject 'S-6' .* \(4 such subjects\)$"),
        (lambda scores: scores.assign(subject_id=""), "subject_id: a row names no subject"),
        (lambda scores: scores.drop(columns="log_odds"), "the column 'log_odds' is missing"),
        (lambda scores: scores.drop(columns="subject_id"), "the column 'subject_id' is missing"),
        (lambda scores: scores.add_prefix("my_"), "the column 'subject_id' is missing"),
    ],
)
def test_what_cannot_be_judged_is_named(tmp_path: Path, change: Change, says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        read_scores(written(tmp_path, change(table())), KNOWN, WINDOW)


@pytest.mark.parametrize(("name", "says"), [("a.csv", "no such file"), ("a.parquet", "no such")])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(TrainingError, match=says):
        read_scores(tmp_path / name, KNOWN, WINDOW)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", b"subject_id,log_odds\n"),
        ("a.parquet", b""),
        ("a.csv", b""),
        ("a.csv", b"subject_id,log_odds\nS-6,\xff\n"),
        ("a.csv", b"subject_id,log_odds\nS-6,1,2,3\nS-7,1\nS-8,1,2,3,4,5\n"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)

    with pytest.raises(TrainingError, match="neither CSV nor Parquet"):
        read_scores(file, KNOWN, WINDOW)


def test_a_folder_is_no_file_of_scores(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="neither CSV nor Parquet"):
        read_scores(tmp_path, KNOWN, WINDOW)
