"""A forest laid out for scoring: the flat arrays that the kernels read.

A fork is a node with a leaf on both sides; a stem is any other node. Below stem j of a tree are two
places, 2j on its left and 2j + 1 on its right, each taken by a node or a leaf; the root has the
place after all of these. Nodes are numbered stems first. Numbers of nodes, places and leaves
restart in every tree; the arrays of all trees are concatenated, each tree beginning at
`start[tree]`. The whole layout takes less memory than the model's text. Values that are read
together are adjacent, because a processor with cold caches handles only a few memory streams well.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.models.forest import Floats, Forest, Ints, Words
from serving.models.quadrature import Rules, passes_for, rules_up_to
from serving.models.threshold_bins import Columns, columns_of
from serving.models.tree_paths import TreePaths, tree_of_nodes, tree_paths

Numbers = npt.NDArray[np.int32] | npt.NDArray[np.int64]


class Numerical(NamedTuple):
    """The tests of numerical nodes: whether the code in a column is at most a rank.

    A row of `asks` holds column and rank; its contents are meaningless for a categorical node.
    """

    asks: Words


class Categorical(NamedTuple):
    """Nodes that test whether a category's bit is set in `words[first:first + length]`.

    A row of `asks` holds node, category feature, first and length. The word after a node's words is
    0 and stands for all larger categories.
    """

    start: Ints
    asks: Words
    words: Words


class Repeats(NamedTuple):
    """Nodes that test the same feature as an ancestor, whose last such test is the "other" node.

    A row of `asks` holds node, other node, the other node's number among the tree's repeats from 1
    on (0 if it is none), and the side taken there. `kept` is the share of the training rows that
    all earlier answers kept.
    """

    start: Ints
    asks: Words
    kept: Floats


class Trees(NamedTuple):
    """The trees; a row of `nodes` holds place and feature."""

    node_start: Ints
    passes: Ints
    nodes: Words
    leaf_value: Floats


class Stems(NamedTuple):
    """Stems; `against[j, side]` is the share of the training rows that went to the other side."""

    start: Ints
    against: Floats


class Forks(NamedTuple):
    """Forks; `below[k, side]` holds the leaf value on that side and its step.

    The step is the difference to the other leaf, times the share of the training rows that went to
    the other side.
    """

    start: Ints
    below: Floats


class Leaves(NamedTuple):
    """The leaves directly below stems."""

    start: Ints
    place: Words
    value: Floats


class Steps(NamedTuple):
    """The fields that one step down a tree reads, adjacent, for nodes numbered through all trees.

    A row of `steps` holds column, rank, first, length, left, right, and two fillers, which make
    half a cache line. A negative column is `~` a category feature, a negative child `~` a leaf.
    """

    root: Ints
    steps: Ints


class PackedForest(NamedTuple):
    """All arrays that the kernels read; input rows are in the order of the model's features."""

    columns: Columns
    numerical: Numerical
    categorical: Categorical
    repeats: Repeats
    trees: Trees
    stems: Stems
    forks: Forks
    leaves: Leaves
    steps: Steps
    rules: Rules


def pack_forest(forest: Forest) -> PackedForest:
    """Lay out the arrays of a forest for the kernels."""
    paths = tree_paths(forest)
    columns, column, rank = columns_of(forest)
    categorical = _categorical(forest, paths.order, column)
    trees = _trees(forest, paths)
    return PackedForest(
        columns=columns,
        numerical=_numerical(paths.order, column, rank),
        categorical=categorical,
        repeats=_repeats(forest, paths),
        trees=trees,
        stems=_stems(forest, paths),
        forks=_forks(forest, paths),
        leaves=_leaves(forest, paths),
        steps=_steps(forest, paths.order, column, rank, categorical),
        rules=rules_up_to(int(trees.passes.max(initial=1))),
    )


def _numerical(order: Ints, column: Ints, rank: Ints) -> Numerical:
    return Numerical(_rows(np.maximum(column[order], 0), rank[order]))


def _categorical(forest: Forest, order: Ints, column: Ints) -> Categorical:
    picked = np.flatnonzero(column[order] < 0)
    nodes = order[picked]
    # Each set is followed by an inserted 0, which shifts all later sets by one word.
    sets_before = np.argsort(np.argsort(forest.set_start[nodes]))
    return Categorical(
        start=_starts(forest, nodes),
        asks=_rows(
            _in_tree(forest, nodes, picked),
            ~column[nodes],
            forest.set_start[nodes] + sets_before,
            forest.set_stop[nodes] - forest.set_start[nodes],
        ),
        words=np.insert(forest.words, np.sort(forest.set_stop[nodes]), 0),
    )


def _repeats(forest: Forest, paths: TreePaths) -> Repeats:
    picked = np.flatnonzero(paths.again[paths.order] >= 0)
    nodes = paths.order[picked]
    start = _starts(forest, nodes)
    number = np.zeros(len(paths.order), np.int64)
    number[nodes] = np.arange(len(nodes)) - start[tree_of_nodes(forest)[nodes]] + 1
    other = paths.again[nodes]
    return Repeats(
        start=start,
        asks=_rows(
            _in_tree(forest, nodes, picked),
            _in_tree(forest, other, _inverse(paths.order)[other]),
            number[other],
            paths.again_side[nodes],
        ),
        kept=paths.kept[nodes],
    )


def _trees(forest: Forest, paths: TreePaths) -> Trees:
    tree, number = tree_of_nodes(forest), _numbers(forest, paths)
    trees = len(forest.node_start) - 1
    stems = np.bincount(tree[~paths.is_fork], minlength=trees)
    place = np.where(paths.parent >= 0, 2 * number[paths.parent] + paths.side, 2 * stems[tree])
    most = np.zeros(trees, np.int32)
    # The path with the most features determines how many passes are exact for its tree.
    np.maximum.at(most, tree, paths.features)
    return Trees(
        node_start=forest.node_start,
        passes=passes_for(most),
        nodes=_rows(place[paths.order], forest.feature[paths.order]),
        leaf_value=forest.leaf_value,
    )


def _stems(forest: Forest, paths: TreePaths) -> Stems:
    stems = paths.order[~paths.is_fork[paths.order]]
    return Stems(_starts(forest, stems), _against(paths.left_share[stems]))


def _forks(forest: Forest, paths: TreePaths) -> Forks:
    forks = paths.order[paths.is_fork[paths.order]]
    # Both children of a fork are leaves, so their complements are leaf numbers.
    below = ~np.stack([forest.left[forks], forest.right[forks]], axis=1)
    leaf = forest.leaf_value[forest.leaf_start[tree_of_nodes(forest)[forks], np.newaxis] + below]
    step = _against(paths.left_share[forks]) * (leaf - leaf[:, ::-1])
    return Forks(_starts(forest, forks), np.stack([leaf, step], axis=2))


def _leaves(forest: Forest, paths: TreePaths) -> Leaves:
    tree, number = tree_of_nodes(forest), _numbers(forest, paths)
    # The only leaf of a tree without nodes takes place 0, where other trees have the root.
    place = np.zeros(len(forest.leaf_value), np.int64)
    is_picked = np.ones(len(place), bool)
    for side, child in enumerate((forest.left, forest.right)):
        above = np.flatnonzero(child < 0)
        leaf = forest.leaf_start[tree[above]] + ~child[above]
        place[leaf] = 2 * number[above] + side
        is_picked[leaf] = ~paths.is_fork[above]
    before = np.concatenate([[0], np.cumsum(is_picked)])
    return Leaves(
        start=before[forest.leaf_start].astype(np.int32),
        place=place[is_picked].astype(np.uint32),
        value=forest.leaf_value[is_picked],
    )


def _numbers(forest: Forest, paths: TreePaths) -> Ints:
    """Return the number of every node within its tree."""
    return _inverse(paths.order) - forest.node_start[tree_of_nodes(forest)]


def _against(left_share: Floats) -> Floats:
    return np.stack([1.0 - left_share, left_share], axis=1)


def _steps(forest: Forest, order: Ints, column: Ints, rank: Ints, sets: Categorical) -> Steps:
    steps = np.zeros((len(order), 8), np.int32)
    steps[:, 0], steps[:, 1] = column[order], rank[order]
    is_category = steps[:, 0] < 0
    steps[is_category, 2:4] = sets.asks[:, 2:]
    for side, child in enumerate((forest.left, forest.right)):
        steps[:, 4 + side] = _children(forest, child, _inverse(order))[order]
    is_grown = np.diff(forest.node_start) > 0
    root = np.where(is_grown, forest.node_start[:-1], ~forest.leaf_start[:-1])
    return Steps(root.astype(np.int32), steps)


def _children(forest: Forest, child: Ints, new: Ints) -> Ints:
    tree = tree_of_nodes(forest)
    node = new[forest.node_start[tree] + np.maximum(child, 0)]
    leaf = forest.leaf_start[tree] + np.maximum(~child, 0)
    return np.where(child >= 0, node, ~leaf).astype(np.int32)


def _inverse(order: Ints) -> Ints:
    new = np.empty(len(order), np.int32)
    new[order] = np.arange(len(order))
    return new


def _starts(forest: Forest, nodes: Ints) -> Ints:
    """Return where each tree's share of `nodes` begins; these are sorted by tree."""
    in_tree = np.bincount(tree_of_nodes(forest)[nodes], minlength=len(forest.node_start) - 1)
    return np.concatenate([[0], np.cumsum(in_tree)]).astype(np.int32)


def _in_tree(forest: Forest, nodes: Ints, numbers: Numbers) -> Numbers:
    """Convert node numbers through all trees to numbers within each node's tree."""
    return numbers - forest.node_start[tree_of_nodes(forest)[nodes]]


def _rows(*columns: Numbers) -> Words:
    # Compiled code skips the check for negative indices if an index is unsigned.
    return np.stack(columns, axis=1).astype(np.uint32)
