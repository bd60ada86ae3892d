"""Derive the path from the root to each node: earlier tests, and the training rows they keep."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.models.forest import Floats, Forest, Ints

Flags = npt.NDArray[np.bool_]


class TreePaths(NamedTuple):
    """The paths by node, numbered through all trees; -1 means none.

    `again` is the last node above that tests the same feature, `again_side` the side taken there (0
    is left), and `kept` the share of the training rows that all such answers keep. `features`
    counts the distinct features on the path, including the node's own. `is_fork` is True if both
    children are leaves. `order` lists nodes tree by tree, each after its parent, forks last.
    """

    parent: Ints
    side: Ints
    left_share: Floats
    again: Ints
    again_side: Ints
    kept: Floats
    features: Ints
    is_fork: Flags
    order: Ints


def tree_paths(forest: Forest) -> TreePaths:
    """Derive the path of every node."""
    left, right = (_across_trees(forest, child) for child in (forest.left, forest.right))
    parent, side = _parents(left, right)
    again, again_side = _asked_again(forest.feature, parent, side)
    left_share = _left_share(forest)
    kept, features = np.ones(len(parent)), np.ones(len(parent), np.int32)
    levels = _levels(parent, left, right)
    # From the top down, since a node's values build on those of the nodes above it.
    for level in levels[1:]:
        features[level] = features[parent[level]] + (again[level] < 0)
        repeated = level[again[level] >= 0]
        before = again[repeated]
        share = np.where(again_side[repeated] == 0, left_share[before], 1.0 - left_share[before])
        kept[repeated] = kept[before] * share
    breadth_first = np.concatenate(levels)
    is_fork = (forest.left < 0) & (forest.right < 0)
    of_tree = tree_of_nodes(forest)[breadth_first]
    order = breadth_first[np.lexsort((is_fork[breadth_first], of_tree))]
    return TreePaths(parent, side, left_share, again, again_side, kept, features, is_fork, order)


def tree_of_nodes(forest: Forest) -> Ints:
    """Return the tree of every node."""
    trees = np.arange(len(forest.node_start) - 1, dtype=np.int32)
    return np.repeat(trees, np.diff(forest.node_start))


def _across_trees(forest: Forest, child: Ints) -> Ints:
    before = forest.node_start[tree_of_nodes(forest)]
    return np.where(child >= 0, child + before, -1).astype(np.int32)


def _parents(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    parent, side = np.full(len(left), -1, np.int32), np.zeros(len(left), np.int32)
    for which, child in enumerate((left, right)):
        nodes = np.flatnonzero(child >= 0)
        parent[child[nodes]], side[child[nodes]] = nodes, which
    return parent, side


def _left_share(forest: Forest) -> Floats:
    tree = tree_of_nodes(forest)
    of_leaf = forest.leaf_count[forest.leaf_start[tree] + np.maximum(~forest.left, 0)]
    of_node = forest.count[forest.node_start[tree] + np.maximum(forest.left, 0)]
    return np.where(forest.left < 0, of_leaf, of_node) / forest.count


def _asked_again(feature: Ints, parent: Ints, side: Ints) -> tuple[Ints, Ints]:
    again, again_side = np.full(len(parent), -1, np.int32), np.zeros(len(parent), np.int32)
    nodes = np.flatnonzero(parent >= 0)
    below = nodes
    # All nodes climb one level per step, so the number of steps is the depth of the deepest tree.
    while len(nodes):
        above = parent[below]
        is_same = feature[above] == feature[nodes]
        again[nodes[is_same]], again_side[nodes[is_same]] = above[is_same], side[below[is_same]]
        is_open = ~is_same & (parent[above] >= 0)
        nodes, below = nodes[is_open], above[is_open]
    return again, again_side


def _levels(parent: Ints, left: Ints, right: Ints) -> list[Ints]:
    levels = [np.flatnonzero(parent < 0).astype(np.int32)]
    while len(levels[-1]):
        children = np.stack([left[levels[-1]], right[levels[-1]]], axis=1).ravel()
        levels.append(children[children >= 0])
    return levels
