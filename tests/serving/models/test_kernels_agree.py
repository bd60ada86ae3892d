"""Margins, contributions and interactions, checked against LightGBM and shap."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import combinations
from math import comb
from typing import Any

import lightgbm
import numpy as np
import pytest
import shap
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.models.forest import Forest
from serving.models.quadrature import passes_for, rules_up_to
from serving.models.scores import PreparedTrees
from serving.models.tree_text import read_forest
from tests.counts import count as count_of

ROWS = count_of(400, 50_000)
"""Usual ones, and as many strange ones, for each training."""

FEATURES = 9
CATEGORICAL = [6, 7]
TRAININGS: dict[str, dict[str, Any]] = {
    "leaf-wise": {"num_leaves": 31},
    "few leaves": {"num_leaves": 2},
    "shallow": {"max_depth": 3},
    "deep": {"num_leaves": 120, "min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 0.0},
    "monotone": {"monotone_constraints": [1, -1, 0, 0, 0, 0, 0, 0, 0]},
    "no categories": {},
    "many categories": {"min_data_per_group": 1, "cat_smooth": 0, "max_cat_threshold": 300},
    "zeros are missing": {"zero_as_missing": True},
    "nothing is missing": {"use_missing": False},
    "bagging": {"bagging_fraction": 0.5, "bagging_freq": 1, "feature_fraction": 0.5},
    "single leaves": {"min_data_in_leaf": 5000},
    "dart": {"boosting": "dart", "drop_rate": 0.5},
    "one-hot categories": {"max_cat_to_onehot": 100},
    "goss": {"data_sample_strategy": "goss"},
    "sigmoid": {"sigmoid": 0.7},
}


def rows(count: int, seed: int) -> np.ndarray:
    lots = np.random.default_rng(seed)
    values = lots.normal(size=(count, FEATURES))
    values[:, 5] = np.round(values[:, 5])
    values[:, 6] = lots.integers(0, 12, count)
    values[:, 7] = np.floor(lots.gamma(0.6, 60, count))
    values[lots.random(values.shape) < 0.1] = 0.0
    values[lots.random(values.shape) < 0.15] = np.nan
    return values


def strange(count: int, seed: int) -> np.ndarray:
    """Rows with values that no training has seen."""
    lots = np.random.default_rng(seed)
    values = rows(count, seed + 1)
    odd = np.array(
        [0.0, -0.0, 1e-36, -1e-36, 1e-35, 1e300, -1e300, np.inf, -np.inf, np.nan, 5e-324]
    )
    picked = lots.random(values.shape) < 0.3
    values[picked] = lots.choice(odd, picked.sum())
    categories = [-1.0, -0.5, 3.7, 1e6, 2.0**31, 2.0**40, 4000.0, np.inf, np.nan]
    picked = lots.random((count, 2)) < 0.3
    values[:, CATEGORICAL] = np.where(
        picked, lots.choice(categories, (count, 2)), values[:, CATEGORICAL]
    )
    return values


@cache
def booster(training: str) -> lightgbm.Booster:
    values = rows(3000, 1)
    known = np.nan_to_num(values)
    risk = known[:, 0] + known[:, 1] * known[:, 2] + np.sin(known[:, 7]) + (known[:, 6] % 3)
    labels = risk + np.random.default_rng(2).logistic(size=len(values)) > 2
    parameters = {
        **{"objective": "binary", "num_threads": 1, "verbosity": -1, "seed": 3},
        **TRAININGS[training],
    }
    categorical = [] if training == "no categories" else CATEGORICAL
    data = lightgbm.Dataset(values, labels, categorical_feature=categorical)
    return lightgbm.train(parameters, data, 25)


@cache
def trees(training: str) -> PreparedTrees:
    return PreparedTrees.from_text(booster(training).model_to_string())


def contributions(model: lightgbm.Booster, asked: np.ndarray) -> np.ndarray:
    return np.asarray(model.predict(asked, pred_contrib=True, num_threads=1))


@pytest.mark.faults
@pytest.mark.parametrize("training", TRAININGS)
@pytest.mark.parametrize("values", [rows, strange])
def test_margins_and_every_contribution_are_those_of_lightgbm_and_of_shap(
    training: str, values: Callable[[int, int], np.ndarray]
) -> None:
    asked = values(ROWS, 4)
    theirs = contributions(booster(training), asked)
    of_shap = shap.TreeExplainer(booster(training)).shap_values(asked)
    margins = np.asarray(booster(training).predict(asked, raw_score=True, num_threads=1))

    explained = trees(training).explain(asked)

    assert np.abs(explained.margins - margins).max() <= 1e-9
    assert np.abs(explained.parts - theirs[:, :-1]).max() <= 1e-9
    assert np.abs(explained.parts - of_shap).max() <= 1e-9
    assert abs(trees(training).expected - theirs[0, -1]) <= 1e-9
    assert np.array_equal(trees(training).margins(asked), explained.margins)


@pytest.mark.parametrize(("features", "passes"), [(20, 2), (40, 3)])
def test_paths_with_more_features_than_one_pass_sums_are_exact(features: int, passes: int) -> None:
    values = np.random.default_rng(13).normal(size=(3000, features))
    labels = (values > 1.5).any(axis=1).astype(float)
    parameters = {"objective": "binary", "num_threads": 1, "verbosity": -1, "num_leaves": 100}
    model = lightgbm.train(parameters, lightgbm.Dataset(values, labels), 3)
    theirs = contributions(model, values[:100])

    long = PreparedTrees.from_text(model.model_to_string())
    explained = long.explain(values[:100])

    wholes = explained.parts.sum(axis=1) + long.expected
    their_error = np.abs(theirs.sum(axis=1) - explained.margins).max()
    assert long.forest.trees.passes.max() == passes
    assert np.abs(wholes - explained.margins).max() <= 1e-12
    # On the longest paths LightGBM's own contributions don't add up to its margin within 1e-9.
    assert np.abs(explained.parts - theirs[:, :-1]).max() <= max(1e-10, their_error)


@pytest.mark.parametrize("passes", [1, 2, 5, 13])
def test_the_rule_of_every_pass_count_is_exact_as_far_as_it_says(passes: int) -> None:
    rules = rules_up_to(passes)
    last = slice(passes * (passes - 1) // 2, None)
    t, weight = rules.t[last].ravel(), rules.weight[last].ravel()

    longest = next(u for u in range(1, 999) if passes_for(np.array([u + 1])) > passes)
    means = [(weight * t**degree).sum() for degree in range(longest)]

    assert np.abs(means - 1 / np.arange(1, longest + 1)).max() <= 1e-14
    # Where all is known, the root is worth the leaf that the row comes to: the margins need it.
    assert t[-1] == 1.0
    assert (t[:-1] < 1.0).all()


def test_a_model_that_asks_nothing_but_categories_is_exact() -> None:
    lots = np.random.default_rng(14)
    values = lots.integers(0, 40, (2000, 3)).astype(float)
    labels = (values.sum(axis=1) + lots.normal(size=2000) * 9 > 70).astype(float)
    data = lightgbm.Dataset(values, labels, categorical_feature=[0, 1, 2])
    model = lightgbm.train({"objective": "binary", "num_threads": 1, "verbosity": -1}, data, 5)

    explained = PreparedTrees.from_text(model.model_to_string()).explain(values[:300])

    theirs = contributions(model, values[:300])
    assert np.abs(explained.parts - theirs[:, :-1]).max() <= 1e-12


def test_a_prepared_model_is_smaller_than_its_text() -> None:
    arrays = [array for part in trees("deep").forest for array in part]

    assert sum(array.nbytes for array in arrays) < len(booster("deep").model_to_string())


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_rows_have_the_same_bits_alone_in_blocks_and_on_threads(threads: int) -> None:
    asked = rows(2100, 10)

    together = trees("leaf-wise").explain(asked, threads)

    for i in (0, 1, 63, 64, 1023, 1024, 2099):
        alone = trees("leaf-wise").explain(asked[i : i + 1])
        assert np.array_equal(alone.parts[0], together.parts[i])
        assert alone.margins[0] == together.margins[i]


@pytest.mark.parametrize("training", ["leaf-wise", "deep"])
def test_what_was_computed_before_or_at_the_same_time_changes_no_bit(training: str) -> None:
    asked = rows(240, 15)
    first = [trees(training).explain(asked[i : i + 1]) for i in range(240)]

    with ThreadPoolExecutor(4) as pool:
        orders = [np.random.default_rng(seed).permutation(240) for seed in range(8)]
        again = list(pool.map(lambda order: trees(training).explain(asked[order]), orders))

    for order, explained in zip(orders, again, strict=True):
        assert all(
            np.array_equal(explained.parts[k], first[i].parts[0]) for k, i in enumerate(order)
        )
        assert all(explained.margins[k] == first[i].margins[0] for k, i in enumerate(order))


@pytest.mark.parametrize(("features", "passes"), [(9, 1), (40, 2)])
def test_interactions_are_those_of_shap(features: int, passes: int) -> None:
    lots = np.random.default_rng(16)
    values = lots.normal(size=(3000, features))
    values[lots.random(values.shape) < 0.1] = np.nan
    labels = (np.nan_to_num(values) > 1.5).any(axis=1).astype(float)
    parameters = {"objective": "binary", "num_threads": 1, "verbosity": -1}
    model = lightgbm.train(parameters, lightgbm.Dataset(values, labels), 3)
    ours = PreparedTrees.from_text(model.model_to_string())

    pairs = ours.interactions(values[:20])

    theirs = shap.TreeExplainer(model).shap_interaction_values(values[:20])
    assert ours.forest.trees.passes.max() == passes
    assert np.abs(pairs - theirs).max() <= 1e-9
    assert np.abs(pairs.sum(axis=2) - ours.explain(values[:20]).parts).max() <= 1e-12
    assert np.array_equal(ours.interactions(values[7:8])[0], pairs[7])


@pytest.mark.parametrize("training", ["many categories", "monotone", "zeros are missing"])
def test_interactions_are_the_shapley_index_over_all_sets_of_known_features(training: str) -> None:
    few = 3
    asked = rows(2, 17)
    is_known = np.arange(1 << FEATURES)[:, np.newaxis] >> np.arange(FEATURES) & 1 == 1
    worths = [
        sum(
            _worth(tree["tree_structure"], row, is_known)
            for tree in booster(training).dump_model(num_iteration=few)["tree_info"]
        )
        for row in asked
    ]
    text = booster(training).model_to_string(num_iteration=few)

    pairs = PreparedTrees.from_text(text).pairs(asked)

    for i, j in combinations(range(FEATURES), 2):
        others = np.flatnonzero(~is_known[:, i] & ~is_known[:, j])
        sizes = is_known[others].sum(axis=1)
        shares = np.array([1 / ((FEATURES - 1) * comb(FEATURES - 2, size)) for size in sizes])
        for of_row, worth in zip(pairs, worths, strict=True):
            both, one, other = (worth[others | bits] for bits in (1 << i | 1 << j, 1 << i, 1 << j))
            assert of_row[i, j] == pytest.approx(
                (shares * (both - one - other + worth[others])).sum(), abs=1e-9
            )
            assert of_row[j, i] == of_row[i, j]


def _worth(node: dict[str, Any], row: np.ndarray, is_known: np.ndarray) -> np.ndarray:
    """The expected leaf for every set of known features, as LightGBM's dump describes the tree."""
    if "leaf_value" in node:
        return np.full(len(is_known), node["leaf_value"])
    below = [node["left_child"], node["right_child"]]
    counts = [each.get("internal_count", each.get("leaf_count")) for each in below]
    left, right = (_worth(each, row, is_known) for each in below)
    unknown = (counts[0] * left + counts[1] * right) / sum(counts)
    known = left if _goes_left(node, row[node["split_feature"]]) else right
    return np.where(is_known[:, node["split_feature"]], known, unknown)


def _goes_left(node: dict[str, Any], value: float) -> bool:
    if node["decision_type"] == "==":
        return not np.isnan(value) and str(int(value)) in node["threshold"].split("||")
    is_missing = np.isnan(value) or (node["missing_type"] == "Zero" and abs(value) <= 1e-35)
    if is_missing and node["missing_type"] != "None":
        return bool(node["default_left"])
    return float(np.nan_to_num(value)) <= node["threshold"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(width=64) | st.integers(-5, 400).map(float), min_size=9, max_size=9))
def test_contributions_sum_to_the_margin(values: list[float]) -> None:
    explained = trees("deep").explain(np.array([values]))

    whole = explained.parts[0].sum() + trees("deep").expected
    assert whole == pytest.approx(explained.margins[0], abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_trees_and_of_rows_changes_nothing(lots: Any) -> None:
    asked = rows(50, 11)
    shuffled = list(range(50))
    lots.shuffle(shuffled)
    text = booster("leaf-wise").model_to_string()
    expected = trees("leaf-wise").explain(asked)

    other_rows = trees("leaf-wise").explain(asked[shuffled])
    other_trees = PreparedTrees.from_text(_with_trees_shuffled(text, lots)).explain(asked)

    assert np.array_equal(other_rows.parts, expected.parts[shuffled])
    assert np.array_equal(other_rows.margins, expected.margins[shuffled])
    # Sums in another order differ in their last bits.
    assert np.abs(other_trees.parts - expected.parts).max() <= 1e-12
    assert np.abs(other_trees.margins - expected.margins).max() <= 1e-12


def test_a_feature_that_no_tree_asks_adds_exactly_nothing() -> None:
    forest: Forest = read_forest(booster("few leaves").model_to_string())
    unasked = sorted(set(range(FEATURES)) - set(forest.feature.tolist()))

    parts = trees("few leaves").explain(rows(200, 12)).parts

    assert unasked
    assert (parts[:, unasked] == 0.0).all()


@pytest.mark.parametrize("shape", [(3,), (2, FEATURES - 1), (2, FEATURES + 1), (1, 1, FEATURES)])
def test_rows_of_another_shape_never_reach_the_kernels(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="9 features"):
        trees("few leaves").explain(np.zeros(shape))


def _with_trees_shuffled(text: str, lots: Any) -> str:
    head, _, rest = text.partition("\n\n")
    body, _, tail = rest.partition("end of trees\n")
    blocks = [block.partition("\n")[2] for block in body.split("\n\n\n") if block]
    lots.shuffle(blocks)
    numbered = [f"Tree={i}\n{block}\n\n\n" for i, block in enumerate(blocks)]
    lines = [line for line in head.split("\n") if not line.startswith("tree_sizes=")]
    lines.append("tree_sizes=" + " ".join(str(len(block)) for block in numbered))
    return "\n".join(lines) + "\n\n" + "".join(numbered) + "end of trees\n" + tail
