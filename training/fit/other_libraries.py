"""Trees grown by scikit-learn or XGBoost, as text in LightGBM's format.

A model has one form at rest, whichever library grew it, so calibration, gates, MLflow, scoring and
explanations need to know only one (`docs/adr/0028-one-form-of-trees.md`). The translation changes
no answer: thresholds, missing values and categories lead to the same leaf for every row that
`Encoding` can make.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from training.errors import TrainingError
from training.lightgbm_alone import lightgbm
from training.model.encoding import Encoding
from training.parameters import TrainingParameters
from training.ranking import Floats, Ints, ScoreRanking, roc_auc

# scikit-learn's bins are bytes, and one value is reserved for missing values.
MAX_BINS = 255
_XGBOOST_VERSIONS = ("3",)
_BITS = 32  # in a word of a set of categories

# LightGBM's `decision_type`; all nodes know missing values as NaN.
_IS_CATEGORICAL, _IS_DEFAULT_LEFT, _MISSING_NAN = 1, 2, 8


@dataclass(frozen=True)
class GrownTree:
    """One tree by nodes, leaves included; children have higher numbers than their node.

    A numerical node sends left what is at most its `threshold`, and missing values if
    `is_missing_left`. A node in `sets` sends left the categories of its set, and right everything
    else. `left` is 0 for a leaf, and `value` 0 for any other node. `count` are rows of the fit.
    """

    feature: Ints
    threshold: Floats
    is_missing_left: npt.NDArray[np.bool_]
    sets: dict[int, list[int]]
    left: Ints
    right: Ints
    value: Floats
    count: Ints


def grow_trees(
    library: str,
    values: Floats,
    labels: Floats,
    weights: Floats | None,
    encoding: Encoding,
    constraints: Sequence[int],
    parameters: TrainingParameters,
) -> list[GrownTree]:
    """Return the trees that a library grows on encoded rows; raises TrainingError.

    The value that all rows begin with is in the leaves of the first tree.
    """
    return _GROW[library](values, labels, weights, encoding, constraints, parameters)


def model_text(trees: Sequence[GrownTree], encoding: Encoding) -> str:
    """Return trees in LightGBM's text format."""
    blocks = [_tree_text(number, tree) for number, tree in enumerate(trees)]
    head = {
        "version": "v4",
        "num_class": 1,
        "num_tree_per_iteration": 1,
        "label_index": 0,
        "max_feature_idx": len(encoding.names) - 1,
        "objective": "binary sigmoid:1",
        "feature_names": " ".join(encoding.names),
        # Ranges of values, which nothing reads: LightGBM checks only their number.
        "feature_infos": " ".join("none" for _ in encoding.names),
        "tree_sizes": _joined([len(block) for block in blocks]),
    }
    lines = "".join(f"{key}={value}\n" for key, value in head.items())
    return f"tree\n{lines}\n{''.join(blocks)}end of trees\n\nparameters:\nend of parameters\n"


def library_version(library: str) -> dict[str, str]:
    """Return the version of a library that grows trees, by its name; nothing for LightGBM."""
    if library == "lightgbm":
        return {}
    name = {"scikit-learn": "sklearn"}.get(library, library)
    return {library: str(import_module(name).__version__)}


def ranking_losses(
    trees: Sequence[GrownTree], text: str, values: Floats, labels: Floats, weights: Floats | None
) -> Iterator[float]:
    """Yield 1 - ROC-AUC of the first tree, of the first two, and so on."""
    booster = lightgbm.Booster(model_str=text)
    leaves = np.asarray(booster.predict(values, pred_leaf=True), np.int64)
    margins = np.zeros(len(values))
    for tree, reached in zip(trees, leaves.reshape(len(values), -1).T, strict=True):
        margins += tree.value[tree.left == 0][reached]
        yield 1 - roc_auc(ScoreRanking.from_scores(labels, margins, weights=weights))


def _tree_text(number: int, tree: GrownTree) -> str:
    is_leaf = tree.left == 0
    nodes = np.flatnonzero(~is_leaf)
    # A node's number among the nodes, or `~` its number among the leaves.
    place = np.where(is_leaf, -np.cumsum(is_leaf), np.cumsum(~is_leaf) - 1)
    sets = [_words(tree.sets[node]) for node in nodes.tolist() if node in tree.sets]
    is_set = np.isin(nodes, [*tree.sets])
    decision = np.where(tree.is_missing_left[nodes], _IS_DEFAULT_LEFT, 0) | _MISSING_NAN
    fields: dict[str, Any] = {
        "num_leaves": is_leaf.sum(),
        "num_cat": len(sets),
        "split_feature": tree.feature[nodes],
        "split_gain": np.zeros(len(nodes), int),
        "threshold": np.where(is_set, np.cumsum(is_set) - 1, tree.threshold[nodes]),
        "decision_type": np.where(is_set, _IS_CATEGORICAL | _MISSING_NAN, decision),
        "left_child": place[tree.left[nodes]],
        "right_child": place[tree.right[nodes]],
        "leaf_value": tree.value[is_leaf],
        "leaf_weight": tree.count[is_leaf],
        "leaf_count": tree.count[is_leaf],
        "internal_value": np.zeros(len(nodes), int),
        "internal_weight": tree.count[nodes],
        "internal_count": tree.count[nodes],
    }
    if sets:
        fields["cat_boundaries"] = np.cumsum([0, *map(len, sets)])
        fields["cat_threshold"] = np.concatenate(sets)
    fields |= {"is_linear": 0, "shrinkage": 1}
    lines = "".join(f"{key}={_joined(value)}\n" for key, value in fields.items())
    return f"Tree={number}\n{lines}\n\n"


def _joined(numbers: Any) -> str:
    # The shortest text that reads as the same number: 17 digits would make most files longer.
    return " ".join(
        repr(number.item() if isinstance(number, np.generic) else number)
        for number in np.atleast_1d(numbers)
    )


def _words(codes: list[int]) -> npt.NDArray[np.uint32]:
    words = np.zeros(max(codes, default=0) // _BITS + 1, np.uint32)
    for code in codes:
        words[code // _BITS] |= np.uint32(1 << code % _BITS)
    return words


def _histogram_trees(
    values: Floats,
    labels: Floats,
    weights: Floats | None,
    encoding: Encoding,
    constraints: Sequence[int],
    parameters: TrainingParameters,
) -> list[GrownTree]:
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - takes a second
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - comes with scikit-learn

    places, chosen = encoding.categorical_places, parameters.trees
    for place in places:
        if len(encoding.inputs[place].categories or ()) > MAX_BINS:
            raise TrainingError(
                f"{encoding.names[place]} has more than {MAX_BINS} categories, which scikit-learn "
                "cannot split; want a higher trees.fewest_per_category"
            )
    classifier = HistGradientBoostingClassifier(
        max_iter=chosen.trees,
        max_leaf_nodes=chosen.leaves,
        learning_rate=chosen.learning_rate,
        min_samples_leaf=chosen.min_data_in_leaf,
        l2_regularization=chosen.l2,
        max_features=chosen.feature_share,
        categorical_features=places or None,
        monotonic_cst=constraints,
        early_stopping=False,
        random_state=parameters.seed,
    )
    # It cannot make bins of a column without values; one of a single value is never split.
    is_empty = np.isnan(values).all(axis=0)
    with threadpool_limits(parameters.threads):
        grown = classifier.fit(np.where(is_empty, 0.0, values), labels, weights)
    # It puts categories first, and numbers those it has seen anew.
    features = np.r_[places, np.setdiff1d(np.arange(values.shape[1]), places)].astype(int)
    codes: list[list[int]] = []
    if places:
        encoder = grown._preprocessor.named_transformers_["encoder"]
        codes = [each[~np.isnan(each)].astype(int).tolist() for each in encoder.categories_]
    trees = [_of_histogram(tree, features, codes, encoding) for (tree,) in grown._predictors]
    return _with_base(trees, float(grown._baseline_prediction.item()))


def _of_histogram(
    tree: Any, features: Ints, codes: Sequence[Sequence[int]], encoding: Encoding
) -> GrownTree:
    nodes = tree.nodes
    left, right = (nodes[side].astype(np.int64) for side in ("left", "right"))
    is_leaf = nodes["is_leaf"].astype(bool)
    left[is_leaf] = right[is_leaf] = 0
    sets = {}
    for node in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~is_leaf):
        own, feature = nodes[node], int(nodes[node]["feature_idx"])
        bits = tree.raw_left_cat_bitsets[own["bitset_idx"]]
        seen = codes[feature]
        goes_left = {
            code
            for number, code in enumerate(seen)
            if bits[number // _BITS] >> np.uint32(number % _BITS) & np.uint32(1)
        }
        every = range(len(encoding.inputs[features[feature]].categories or ()))
        if own["missing_go_to_left"]:
            # What is missing or was not seen must be outside the set: so sides are exchanged.
            sets[int(node)] = [code for code in seen if code not in goes_left]
            left[node], right[node] = right[node], left[node]
        else:
            sets[int(node)] = [code for code in every if code in goes_left]
    return GrownTree(
        feature=features[nodes["feature_idx"]],
        threshold=nodes["num_threshold"].astype(np.float64),
        is_missing_left=nodes["missing_go_to_left"].astype(bool),
        sets=sets,
        left=left,
        right=right,
        value=np.where(is_leaf, nodes["value"], 0.0),
        count=nodes["count"].astype(np.int64),
    )


def _with_base(trees: list[GrownTree], base: float) -> list[GrownTree]:
    first = trees[0]
    is_leaf = first.left == 0
    return [replace(first, value=np.where(is_leaf, first.value + base, 0.0)), *trees[1:]]


def _xgboost_trees(
    values: Floats,
    labels: Floats,
    weights: Floats | None,
    encoding: Encoding,
    constraints: Sequence[int],
    parameters: TrainingParameters,
) -> list[GrownTree]:
    try:
        import xgboost  # noqa: PLC0415 - an extra
    except ImportError:
        raise TrainingError(
            "trees.library = 'xgboost' needs the extra: pip install 'tidegate[train,xgboost]'"
        ) from None
    if (found := xgboost.__version__).partition(".")[0] not in _XGBOOST_VERSIONS:
        raise TrainingError(
            f"XGBoost {found} is not supported; want a version {' or '.join(_XGBOOST_VERSIONS)}"
        )
    chosen = parameters.trees
    mean = float(np.average(labels, weights=weights))
    places = set(encoding.categorical_places)
    kinds = ["c" if place in places else "q" for place in range(values.shape[1])]
    rows = xgboost.DMatrix(
        values, labels, weight=weights, feature_types=kinds, enable_categorical=True, nthread=1
    )
    booster = xgboost.train(
        {
            "objective": "binary:logistic",
            "tree_method": "hist",
            "grow_policy": "lossguide",
            "max_depth": 0,
            "max_leaves": chosen.leaves,
            "learning_rate": chosen.learning_rate,
            # It bounds the sum of p(1 - p) in a leaf, which at the mean is this many rows.
            "min_child_weight": chosen.min_data_in_leaf * mean * (1 - mean),
            "alpha": chosen.l1,
            "lambda": chosen.l2,
            "colsample_bytree": chosen.feature_share,
            "subsample": chosen.row_share,
            "monotone_constraints": tuple(constraints),
            "base_score": mean,
            "seed": parameters.seed,
            "nthread": parameters.threads,
            "verbosity": 0,
        },
        rows,
        chosen.trees,
    )
    learner = json.loads(booster.save_raw("json"))["learner"]
    trees = [_of_xgboost(tree, encoding) for tree in learner["gradient_booster"]["model"]["trees"]]
    begin = np.float32(learner["learner_model_param"]["base_score"].strip("[]"))
    based = _with_base(trees, float(-np.log(np.float32(1) / begin - np.float32(1))))
    return _counted(based, values, encoding)


def _of_xgboost(tree: dict[str, Any], encoding: Encoding) -> GrownTree:
    left, right = (np.array(tree[f"{side}_children"], np.int64) for side in ("left", "right"))
    is_leaf = left < 0
    left[is_leaf] = right[is_leaf] = 0
    conditions = np.array(tree["split_conditions"], np.float32)
    feature = np.array(tree["split_indices"], np.int64)
    is_missing_left = np.array(tree["default_left"], bool)
    sets = {}
    for node, begin, size in zip(
        tree["categories_nodes"],
        tree["categories_segments"],
        tree["categories_sizes"],
        strict=True,
    ):
        goes_right = tree["categories"][begin : begin + size]
        if is_missing_left[node]:
            # What is missing must be outside the set: so sides are exchanged.
            sets[node] = sorted(goes_right)
            left[node], right[node] = right[node], left[node]
        else:
            every = range(len(encoding.inputs[feature[node]].categories or ()))
            sets[node] = [code for code in every if code not in set(goes_right)]
    return GrownTree(
        feature=feature,
        threshold=largest_below(conditions),
        is_missing_left=is_missing_left,
        sets=sets,
        left=left,
        right=right,
        value=np.where(is_leaf, conditions, 0).astype(np.float64),
        count=np.ones(len(left), np.int64),
    )


def largest_below(below: npt.NDArray[np.float32]) -> Floats:
    """Return the largest double that is below a threshold once it is rounded to 32 bits.

    XGBoost rounds a value to the nearest 32 bits, and to the even one of two, before it asks
    whether it is below; the scorer compares the value itself.
    """
    before = np.nextafter(below, np.float32(-np.inf))
    middle = (before.astype(np.float64) + below.astype(np.float64)) / 2
    is_even = before.view(np.uint32) % 2 == 0
    return np.where(is_even, middle, np.nextafter(middle, -np.inf))


def _counted(trees: Sequence[GrownTree], values: Floats, encoding: Encoding) -> list[GrownTree]:
    """Count the rows that reach each node: XGBoost records only sums of second derivatives."""
    booster = lightgbm.Booster(model_str=model_text(trees, encoding))
    leaves = np.asarray(booster.predict(values, pred_leaf=True), np.int64)
    counted = []
    for tree, reached in zip(trees, leaves.reshape(len(values), -1).T, strict=True):
        count = np.zeros(len(tree.left), np.int64)
        is_leaf = tree.left == 0
        count[is_leaf] = np.bincount(reached, minlength=is_leaf.sum())
        for node in np.flatnonzero(~is_leaf)[::-1]:  # children before their node
            count[node] = count[tree.left[node]] + count[tree.right[node]]
        counted.append(replace(tree, count=count))
    return counted


_GROW: dict[str, Callable[..., list[GrownTree]]] = {
    "scikit-learn": _histogram_trees,
    "xgboost": _xgboost_trees,
}
