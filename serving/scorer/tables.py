"""The tables of a tree's groups: the contributions of all their leaves, for every bit pattern.

A table has a row per pattern. A row holds a number per feature of the group and then the value of
the leaf that a row with this pattern reaches, or 0 where it reaches none of the group's leaves.
"""

import numpy as np
from numba import njit

from serving.scorer.cut import paths
from serving.scorer.forest import Counts, Floats, Ints
from serving.scorer.layout import LeafPath, TreeLayout, TreeShape, leaf_path
from serving.scorer.quadrature import Rules, leaf_table


@njit(cache=True)
def fill_tables(  # noqa: C901 (numba compiles the loop as one)
    tree: TreeShape, layout: TreeLayout, starts: Counts, table: Floats, rules: Rules
) -> None:
    """Fill the tables of one tree's groups, which begin at `starts` in `table`."""
    parent, _, place, leaf_parent = paths(tree.feature, tree.left, tree.right)
    inside = np.full(len(tree.feature), -1, np.int32)
    node_at, feature_at = len(layout.bit), 0
    for g in range(len(layout.group_root)):
        nodes = layout.order[node_at : node_at + layout.group_nodes[g]]
        width = layout.group_features[g]
        features = layout.features[feature_at : feature_at + width]
        node_at += len(nodes)
        feature_at += width
        if layout.group_bits[g] < 0:
            continue
        size = (1 << layout.group_bits[g]) * (width + 1)
        rows = table[starts[g] : starts[g] + size].reshape((-1, width + 1))
        rows[:] = 0.0
        for j in range(len(nodes)):
            inside[nodes[j]] = j
        if layout.group_root[g] < 0:
            leaf = ~layout.group_root[g]
            path = leaf_path(tree, parent, place, ~leaf, leaf_parent[leaf])
            _add_leaf(rows, tree.leaf_value[leaf], path, features, inside, layout.group_above[g], rules)  # fmt: skip  # noqa: E501
        for node in nodes:
            for child in (tree.left[node], tree.right[node]):
                if child < 0:
                    path = leaf_path(tree, parent, place, child, node)
                    _add_leaf(rows, tree.leaf_value[~child], path, features, inside, layout.group_above[g], rules)  # fmt: skip  # noqa: E501
        for node in nodes:
            inside[node] = -1


@njit(cache=True)
def _add_leaf(  # noqa: C901 (numba compiles the loop as one)
    rows: Floats,
    value: float,
    path: LeafPath,
    features: Ints,
    inside: Ints,
    above: int,
    rules: Rules,
) -> None:
    u = len(path.feature)
    begin, end = rules.start[u], rules.start[u + 1]
    parts = leaf_table(value, path.ratio, rules.t[begin:end], rules.weight[begin:end])
    column = np.empty(u, np.int32)
    for k in range(u):
        column[k] = np.argmax(features == path.feature[k])
    first = len(path.node)
    while first > 0 and inside[path.node[first - 1]] >= 0:
        first -= 1
    full = (1 << u) - 1
    for pattern in range(len(rows)):
        kept = pattern & ((1 << above) - 1)
        seen = above
        for i in range(first, len(path.node)):
            bit = 1 << path.place[i]
            if path.place[i] == seen:
                kept |= bit
                seen += 1
            if (pattern >> (above + inside[path.node[i]]) & 1) != path.is_left[i]:
                kept &= ~bit
        for k in range(u):
            rows[pattern, column[k]] += parts[kept, k]
        if kept == full:
            rows[pattern, len(features)] += value
