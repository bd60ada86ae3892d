"""A forest prepared for scoring: the flat arrays that the kernels read.

Below node j of a tree are two places, 2j on its left and 2j + 1 on its right, each taken by a node
or a leaf; the root has the place after all of these. Numbers of nodes, places and leaves begin
again in every tree; the arrays of all trees stand one after another, from `..._start[tree]` on. All
of it together takes less memory than the text that it was read from.
"""

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from serving.scorer.columns import Columns, columns_of
from serving.scorer.forest import Floats, Forest, Ints, Words
from serving.scorer.quadrature import FEATURES_PER_PASS, Rules, rules_up_to
from serving.scorer.ways import Ways, tree_of_nodes, ways_of

T = TypeVar("T", bound=np.generic)


class Numerical(NamedTuple):
    """Nodes that ask whether the code in `column` is at most `rank`."""

    start: Ints
    node: Words
    column: Words
    rank: Ints


class Categorical(NamedTuple):
    """Nodes that ask whether a category's bit is set in `words[first:first + length]`.

    The word after these is 0, for all categories beyond them.
    """

    start: Ints
    node: Words
    feature: Words
    first: Words
    length: Words
    words: Words


class Repeats(NamedTuple):
    """Nodes that ask a feature again that `asked` asked last, on whose side `side` they are.

    `asked_repeat` is the number of `asked` among the tree's repeats from 2 on, 0 if it is none.
    """

    start: Ints
    node: Words
    asked: Words
    asked_repeat: Words
    side: Words
    kept: Floats


class Trees(NamedTuple):
    """The shape of the trees; `feature` is a place in `asked`, the features that any node asks."""

    node_start: Ints
    passes: Ints
    place: Words
    left_share: Floats
    feature: Words
    leaf_place: Words
    leaf_value: Floats
    asked: Ints


class Steps(NamedTuple):
    """What one step down a tree reads, side by side, for nodes numbered through all trees.

    A row of `steps` holds column, rank, first, length, left, right, and two more to fill half a
    cache line; a column below 0 is `~` a category feature, a child below 0 `~` a leaf.
    """

    root: Ints
    steps: Ints


class Program(NamedTuple):
    """All that the kernels read; rows are numbers in the order of the model's features."""

    columns: Columns
    numerical: Numerical
    categorical: Categorical
    repeats: Repeats
    trees: Trees
    steps: Steps
    rules: Rules


def prepare(forest: Forest) -> Program:
    """The program of a forest."""
    ways = ways_of(forest)
    columns, column, rank = columns_of(forest)
    categorical = _categorical(forest, ways.order, column)
    trees = _trees(forest, ways)
    return Program(
        columns=columns,
        numerical=_numerical(forest, ways.order, column, rank),
        categorical=categorical,
        repeats=_repeats(forest, ways),
        trees=trees,
        steps=_steps(forest, ways.order, column, rank, categorical),
        rules=rules_up_to(int(trees.passes.max(initial=1))),
    )


def _numerical(forest: Forest, order: Ints, column: Ints, rank: Ints) -> Numerical:
    picked = np.flatnonzero(column[order] >= 0)
    nodes = order[picked]
    start = _starts(forest, nodes)
    return Numerical(start, _in_tree(forest, nodes, picked), _unsigned(column[nodes]), rank[nodes])


def _categorical(forest: Forest, order: Ints, column: Ints) -> Categorical:
    picked = np.flatnonzero(column[order] < 0)
    nodes = order[picked]
    # A 0 after each set moves the sets that follow it by one.
    sets_before = np.argsort(np.argsort(forest.set_start[nodes]))
    return Categorical(
        start=_starts(forest, nodes),
        node=_in_tree(forest, nodes, picked),
        feature=_unsigned(~column[nodes]),
        first=_unsigned(forest.set_start[nodes] + sets_before),
        length=_unsigned(forest.set_stop[nodes] - forest.set_start[nodes]),
        words=np.insert(forest.words, np.sort(forest.set_stop[nodes]), 0),
    )


def _repeats(forest: Forest, ways: Ways) -> Repeats:
    picked = np.flatnonzero(ways.again[ways.order] >= 0)
    nodes = ways.order[picked]
    start = _starts(forest, nodes)
    number = np.zeros(len(ways.order), np.int64)
    number[nodes] = np.arange(len(nodes)) - start[tree_of_nodes(forest)[nodes]] + 2
    asked = ways.again[nodes]
    return Repeats(
        start=start,
        node=_in_tree(forest, nodes, picked),
        asked=_in_tree(forest, asked, _inverse(ways.order)[asked]),
        asked_repeat=_unsigned(number[asked]),
        side=_unsigned(ways.again_side[nodes]),
        kept=ways.kept[nodes],
    )


def _trees(forest: Forest, ways: Ways) -> Trees:
    tree, new = tree_of_nodes(forest), _inverse(ways.order)
    first, nodes = forest.node_start[tree], np.diff(forest.node_start)
    number = new - first
    place = np.where(ways.parent >= 0, 2 * number[ways.parent] + ways.side, 2 * nodes[tree])
    # A tree of one leaf has it where others have the root: at place 0, after no nodes.
    leaf_place = np.zeros(len(forest.leaf_value), np.int64)
    for side, child in enumerate((forest.left, forest.right)):
        above = np.flatnonzero(child < 0)
        leaf_place[forest.leaf_start[tree[above]] + ~child[above]] = 2 * number[above] + side
    most = np.ones(len(nodes), np.int64)
    np.maximum.at(most, tree, ways.features)
    asked, feature = np.unique(forest.feature, return_inverse=True)
    return Trees(
        node_start=forest.node_start,
        passes=(-(-most // FEATURES_PER_PASS)).astype(np.int32),
        place=_unsigned(place[ways.order]),
        left_share=ways.left_share[ways.order],
        feature=_unsigned(feature[ways.order]),
        leaf_place=_unsigned(leaf_place),
        leaf_value=forest.leaf_value,
        asked=asked,
    )


def _steps(forest: Forest, order: Ints, column: Ints, rank: Ints, sets: Categorical) -> Steps:
    steps = np.zeros((len(order), 8), np.int32)
    steps[:, 0], steps[:, 1] = column[order], rank[order]
    is_category = steps[:, 0] < 0
    steps[is_category, 2], steps[is_category, 3] = sets.first, sets.length
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
    """Where each tree's share of `nodes` begins; these are sorted by tree."""
    in_tree = np.bincount(tree_of_nodes(forest)[nodes], minlength=len(forest.node_start) - 1)
    return np.concatenate([[0], np.cumsum(in_tree)]).astype(np.int32)


def _in_tree(forest: Forest, nodes: Ints, numbers: "npt.NDArray[np.int32 | np.int64]") -> Words:
    """Numbers of nodes through all trees as numbers in the tree that each is in."""
    return _unsigned(numbers - forest.node_start[tree_of_nodes(forest)[nodes]])


def _unsigned(numbers: "npt.NDArray[T]") -> Words:
    # An unsigned index is not looked at for being below 0 in a compiled function.
    return numbers.astype(np.uint32)
