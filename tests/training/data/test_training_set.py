from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from features.errors import CatalogueMismatch
from features.records import OF_DOCUMENTS, Result
from tests.training.planted import INPUTS, planted_world, write_training_set
from training.data.training_set import TrainingSet
from training.errors import TrainingSetError

WORLD = planted_world(200, seed=1)


def test_only_conclusive_outcomes_are_labels(tmp_path: Path) -> None:
    features, outcomes, subjects = WORLD
    data = TrainingSet.read(write_training_set(tmp_path, *WORLD), "shipment", INPUTS)

    results = outcomes.set_index("subject_id")["result"].reindex(features["subject_id"])
    expected = results.map({"confirmed": 1.0, "not_confirmed": 0.0}).to_numpy(dtype=float)

    assert (results == "inconclusive").any()
    assert np.array_equal(data.outcomes.label, expected, equal_nan=True)
    assert len(data) == len(subjects)


@pytest.mark.parametrize("result", get_args(Result))
def test_only_confirmed_and_not_confirmed_are_labels(result: Result, tmp_path: Path) -> None:
    features, outcomes, subjects = WORLD
    folder = write_training_set(tmp_path, features, outcomes.assign(result=result), subjects)

    labels = TrainingSet.read(folder, "shipment", INPUTS).outcomes.label

    assert np.isfinite(labels).any() == (result in ("confirmed", "not_confirmed"))


def test_a_label_is_known_from_its_instant_and_not_before(tmp_path: Path) -> None:
    data = TrainingSet.read(write_training_set(tmp_path, *WORLD), "shipment", INPUTS)
    row = int(np.flatnonzero(data.outcomes.is_labelled)[0])
    known_at = data.outcomes.known_at[row]

    assert not data.outcomes.is_labelled_by(known_at)[row]
    assert data.outcomes.is_labelled_by(known_at + np.timedelta64(1, "us"))[row]


def test_an_unrecorded_selection_probability_weighs_one_and_none_weighs_more_than_the_clip(
    tmp_path: Path,
) -> None:
    features, outcomes, subjects = WORLD
    outcomes = outcomes.assign(
        selection_probability=[0.001, 0.5, np.nan] + [1.0] * (len(outcomes) - 3)
    )
    data = TrainingSet.read(
        write_training_set(tmp_path, features, outcomes, subjects), "shipment", INPUTS
    )
    weights = pd.Series(data.outcomes.weights(clip=20), index=data.subject_ids)

    assert weights[outcomes["subject_id"].iloc[:3]].tolist() == [20.0, 2.0, 1.0]


def test_who_was_inspected_at_an_officers_discretion_weighs_nothing(tmp_path: Path) -> None:
    features, outcomes, subjects = WORLD
    ways = ["discretion", "intelligence"] + ["rule"] * (len(outcomes) - 2)
    outcomes = outcomes.assign(selected_by=ways, selection_probability=np.nan)
    data = TrainingSet.read(
        write_training_set(tmp_path, features, outcomes, subjects), "shipment", INPUTS
    )
    weights = pd.Series(data.outcomes.weights(clip=20), index=data.subject_ids)

    assert weights[outcomes["subject_id"].iloc[:3]].tolist() == [0.0, 1.0, 1.0]


@pytest.mark.parametrize("result", OF_DOCUMENTS)
def test_a_check_of_documents_is_no_label_and_no_inspection(tmp_path: Path, result: str) -> None:
    features, outcomes, subjects = WORLD
    results = outcomes["result"].tolist()
    outcomes = outcomes.assign(result=[result, *results[1:]], selection_probability=0.9)
    data = TrainingSet.read(
        write_training_set(tmp_path, features, outcomes, subjects), "shipment", INPUTS
    )

    row = data.subject_ids.get_loc(outcomes["subject_id"].iloc[0])
    assert np.isnan(data.outcomes.label[row])
    assert data.outcomes.selected_by[row] is None
    assert np.isnan(data.outcomes.selection_probability[row])
    selected = [way is not None for way in data.outcomes.selected_by]
    assert sum(selected) == len(outcomes) - 1


def test_the_digest_follows_every_file(tmp_path: Path) -> None:
    features, outcomes, subjects = WORLD

    def read(folder: str, *world: pd.DataFrame) -> str:
        made = write_training_set(tmp_path / folder, *world)
        return TrainingSet.read(made, "shipment", INPUTS).digest

    same = {read("a", *WORLD), read("b", *WORLD)}
    others = {
        read("c", features.assign(noise_ratio=0.0), outcomes, subjects),
        read("d", features, outcomes.iloc[1:], subjects),
        read("e", features, outcomes, subjects.assign(mode="air")),
    }

    assert len(same) == 1
    assert len(others | same) == 4


@pytest.mark.parametrize("name", ["features", "outcomes", "subjects"])
def test_a_missing_or_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    folder = write_training_set(tmp_path, *WORLD)
    file = folder / f"{name}.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(TrainingSetError, match=f"{name}.parquet: not a readable"):
        TrainingSet.read(folder, "shipment", INPUTS)

    file.unlink()
    with pytest.raises(TrainingSetError, match=f"{name}.parquet is missing"):
        TrainingSet.read(folder, "shipment", INPUTS)


def test_a_set_of_another_catalogue_is_read_by_name_as_far_as_it_has_what_is_wanted(
    tmp_path: Path,
) -> None:
    features, outcomes, subjects = WORLD
    of_old = features[["subject_id", "declared_at", *reversed(INPUTS.names)]]
    older = of_old.drop(columns=["noise_ratio", "corridor"])
    own = INPUTS.only({"late_payments_30d", "value_per_kg_ratio"})
    plain = TrainingSet.read(write_training_set(tmp_path / "a", *WORLD), "shipment", INPUTS)
    b, c = (
        write_training_set(tmp_path / name, table, outcomes, subjects, catalogue="another")
        for name, table in (("b", of_old), ("c", older))
    )

    assert_frame_equal(TrainingSet.read(b, "shipment", INPUTS).frame, plain.frame)
    assert_frame_equal(TrainingSet.read(c, "shipment", own).frame, plain.only(own.names).frame)
    assert plain.only(INPUTS.names) is plain
    with pytest.raises(
        CatalogueMismatch, match="built without features corridor, noise_ratio; build anew with"
    ):
        TrainingSet.read(c, "shipment", INPUTS)


def test_a_set_of_another_subject_is_refused(tmp_path: Path) -> None:
    routes = write_training_set(tmp_path / "b", *WORLD, subject="route")
    with pytest.raises(TrainingSetError, match="holds routes, want shipments"):
        TrainingSet.read(routes, "shipment", INPUTS)


def test_a_set_built_by_another_formula_is_refused_and_names_the_features(tmp_path: Path) -> None:
    then = {**INPUTS.computations} | {"noise_ratio": "sha256:" + "b" * 64}
    other = write_training_set(tmp_path / "a", *WORLD, computations=then)
    with pytest.raises(CatalogueMismatch, match=r"feature noise_ratio \(.* is computed different"):
        TrainingSet.read(other, "shipment", INPUTS)

    older = write_training_set(tmp_path / "b", *WORLD, computations={})
    with pytest.raises(CatalogueMismatch, match=r"was built before .* `tidegate build --subject s"):
        TrainingSet.read(older, "shipment", INPUTS)


def test_rows_out_of_order_or_repeated_are_refused(tmp_path: Path) -> None:
    features, outcomes, subjects = WORLD
    for broken, message in (
        (features.iloc[::-1], "not in order"),
        (features.assign(subject_id="S-1"), "appears twice"),
    ):
        with pytest.raises(TrainingSetError, match=message):
            TrainingSet.read(
                write_training_set(tmp_path / message, broken, outcomes, subjects),
                "shipment",
                INPUTS,
            )


@pytest.mark.parametrize("keeps_in_files", [False, True])
def test_an_infinite_number_is_refused_by_its_place(tmp_path: Path, keeps_in_files: bool) -> None:
    features, outcomes, subjects = WORLD
    broken = features.assign(noise_ratio=features["noise_ratio"].mask(features.index == 4, -np.inf))
    folder = write_training_set(tmp_path / "set", broken, outcomes, subjects)

    with pytest.raises(TrainingSetError, match="noise_ratio: row 5 holds an infinite number"):
        TrainingSet.read(
            folder, "shipment", INPUTS, numbers_in=tmp_path if keeps_in_files else None
        )


def test_an_outcome_of_an_unknown_subject_is_refused(tmp_path: Path) -> None:
    features, outcomes, subjects = WORLD
    strange = outcomes.replace({"subject_id": {outcomes["subject_id"].iloc[0]: "S-elsewhere"}})

    with pytest.raises(TrainingSetError, match="'S-elsewhere' has no features"):
        TrainingSet.read(
            write_training_set(tmp_path, features, strange, subjects), "shipment", INPUTS
        )


def at_two_instants(rows: pd.DataFrame, second: "pd.Series[pd.Timestamp]") -> pd.DataFrame:
    """Each row as of its declaration, and once more as of a second instant."""
    first, again = rows.assign(as_of=rows["declared_at"]), rows.assign(as_of=second)
    both = pd.concat([first, again]).reset_index(names="place")
    both = both.sort_values(["place", "as_of"]).drop(columns="place")
    both.insert(2, "as_of", both.pop("as_of"))
    return both.reset_index(drop=True)


def test_of_several_instants_each_subject_counts_once_by_its_last_before_the_inspection(
    tmp_path: Path,
) -> None:
    features, outcomes, subjects = WORLD
    inspected_at = features["subject_id"].map(outcomes.set_index("subject_id")["inspected_at"])
    hours = pd.to_timedelta(np.where(np.arange(len(features)) % 2, 1, 10_000), unit="h")
    second = features["declared_at"] + hours
    name = INPUTS.names[0]
    again = at_two_instants(features, second)
    again.loc[again["as_of"] > again["declared_at"], name] = 77.0
    in_both = at_two_instants(subjects, second)

    data = TrainingSet.read(
        write_training_set(tmp_path, again, outcomes, in_both), "shipment", INPUTS
    )

    operators = subjects.set_index("subject_id")["operator_id"].loc[features["subject_id"]]
    is_second = (inspected_at.isna() | (second < inspected_at)).to_numpy()
    assert 0 < is_second.sum() < len(features)
    assert data.subject_ids.tolist() == features["subject_id"].tolist()
    expected = np.where(is_second, 77.0, features[name])
    assert np.array_equal(data.frame[name], expected, equal_nan=True)
    assert data.subjects["operator_id"].tolist() == operators.tolist()
    plain = TrainingSet.read(write_training_set(tmp_path / "plain", *WORLD), "shipment", INPUTS)
    assert np.array_equal(data.outcomes.label, plain.outcomes.label, equal_nan=True)


def test_numbers_kept_in_files_are_the_same_numbers(planted: Path, tmp_path: Path) -> None:
    whole = TrainingSet.read(planted, "shipment", INPUTS)

    mapped = TrainingSet.read(planted, "shipment", INPUTS, numbers_in=tmp_path)

    pd.testing.assert_frame_equal(mapped.frame, whole.frame)
    numbers = whole.frame.select_dtypes("float64")
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) > numbers.size * 8
    assert not any(
        np.may_share_memory(mapped.frame[name], whole.frame[name]) for name in numbers.columns
    )
    assert all(mapped.frame[name].to_numpy().base is not None for name in numbers.columns)
