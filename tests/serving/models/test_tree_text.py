"""The strict reader: what LightGBM writes is read, all else is refused by name and place."""

import re
from functools import cache
from typing import Any

import lightgbm
import numpy as np
import pytest

from features.errors import TidegateError
from serving.models.tree_text import read_forest
from tests.faults.damages import resized


@cache
def trained(**settings: Any) -> str:
    lots = np.random.default_rng(1)
    values = lots.normal(size=(600, 4))
    values[:, 3] = lots.integers(0, 40, 600)
    labels = (values[:, 0] + values[:, 3] % 3 > 1).astype(float)
    if settings.get("objective") == "multiclass":
        labels = values[:, 3] % 3
    data = lightgbm.Dataset(
        values, labels, categorical_feature=[3], params={"linear_tree": "linear_tree" in settings}
    )
    quiet = {"objective": "binary", "num_leaves": 6, "num_threads": 1, "verbosity": -1}
    quiet |= {"min_data_per_group": 5, "cat_smooth": 1}
    return str(lightgbm.train({**quiet, **settings}, data, 3).model_to_string())


def with_first(key: str, value: str) -> str:
    return re.sub(rf"\n{key}=.*\n", f"\n{key}={value}\n", trained(), count=1)


def test_the_arrays_are_those_that_lightgbm_wrote() -> None:
    text = trained()

    forest = read_forest(text)

    first = re.search(r"\nleaf_value=(.+)\n", text)
    assert first
    assert forest.leaf_value[:6].tolist() == [float(value) for value in first[1].split(" ")]
    assert forest.feature_names == ("Column_0", "Column_1", "Column_2", "Column_3")
    assert len(forest.node_start) == 4
    with pytest.raises(ValueError, match="read-only"):
        forest.threshold[0] = 1.0


def test_an_infinite_threshold_is_read() -> None:
    text = re.sub(r"\nthreshold=\S+", "\nthreshold=inf", with_first("decision_type", "10 10 10 10 10"))  # fmt: skip  # noqa: E501  one pattern a line
    text = re.sub(r"\nnum_cat=\d+\n(.*?)\ncat_boundaries=.*?\ncat_threshold=.*?\n", r"\nnum_cat=0\n\1\n", text, count=1, flags=re.DOTALL)  # fmt: skip  # noqa: E501  one pattern a line

    assert np.isinf(read_forest(resized(text)).threshold[0])


@pytest.mark.parametrize(
    ("settings", "sort"),
    [
        ({"linear_tree": True}, "linear trees"),
        ({"objective": "multiclass", "num_class": 3}, "num_class is '3'"),
        ({"objective": "regression"}, "objective is 'regression'"),
        ({"objective": "cross_entropy"}, "objective is 'cross_entropy'"),
        ({"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1}, "random forests"),
    ],
)
def test_other_sorts_of_model_are_refused_by_name(settings: dict[str, Any], sort: str) -> None:
    with pytest.raises(TidegateError, match=re.escape(sort)):
        read_forest(trained(**settings))


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("left_child", "0 2 -1 -2 -3", TidegateError),
        ("left_child", "1 1 1 1 1", TidegateError),
        ("right_child", "99 -1 -2 -3 -4", TidegateError),
        ("split_feature", "4 0 0 0 0", TidegateError),
        ("split_feature", "-1 0 0 0 0", TidegateError),
        ("split_feature", "0 0 0 0", TidegateError),
        ("decision_type", "16 2 2 2 2", TidegateError),
        ("decision_type", "12 2 2 2 2", TidegateError),
        ("threshold", "nan 0 0 0 0", TidegateError),
        ("leaf_value", "inf 0 0 0 0 0", TidegateError),
        ("leaf_value", "1e999 0 0 0 0 0", TidegateError),
        ("leaf_value", "1_0 0 0 0 0 0", TidegateError),
        ("internal_count", "600 1 1 1 1", TidegateError),
        ("leaf_count", "-1 1 1 1 1 1", TidegateError),
        ("cat_boundaries", "0 99999999", TidegateError),
        ("cat_threshold", "4294967296 1", TidegateError),
        ("num_leaves", "1000000000", TidegateError),
        ("num_leaves", "0", TidegateError),
        ("num_cat", "-1", TidegateError),
        ("num_cat", "7", TidegateError),
    ],
)
def test_numbers_that_are_no_tree_are_refused(
    key: str, value: str, kind: type[TidegateError]
) -> None:
    with pytest.raises(kind, match=r"booster\.txt, tree 0, line \d+: "):
        read_forest(resized(with_first(key, value)))


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("version=v4", "version=v3"),
        lambda text: text.replace("tree\n", "forest\n", 1),
        lambda text: text.replace("tree_sizes=", "tree_sizes=1 "),
        lambda text: text.replace("end of trees\n", "end of tree\n"),
        lambda text: text.replace("max_feature_idx=3", "max_feature_idx=4"),
        lambda text: text.replace("label_index=0\n", "label_index=0\nlabel_index=0\n"),
        lambda text: text.replace("Column_1 Column_2", "Column_1 Column_1", 1),
        lambda text: resized(text.replace("shrinkage=1\n", "shrinkage=1\nshrinkage=1\n", 1)),
        lambda _: "",
    ],
)
def test_keys_and_sizes_out_of_place_are_refused(damage: Any) -> None:
    with pytest.raises(TidegateError, match=r"booster\.txt, (tree \d, )?line \d+: "):
        read_forest(damage(trained()))
