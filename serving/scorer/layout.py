"""One tree laid out for scoring: which nodes are walked, and the groups of leaves below the cut.

A place is where a row may stand while the tree is walked: a walked node, in order, or after those a
group. A row carries to its place one bit per feature on the way, set while every answer about that
feature keeps to the way; the decisions of a group's own nodes are appended above these bits.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from serving.scorer.cut import (
    cheapest_cut,
    is_leaf_looked_up,
    nodes_under,
    paths,
)
from serving.scorer.forest import Bytes, Counts, Floats, Ints

MOST_WALKED_BITS = 30
"""Only tables read the bits, and they have fewer; a longer path carries none for later features."""


class TreeShape(NamedTuple):
    """The arrays of one tree, as in `serving.scorer.forest.Forest`."""

    feature: Ints
    left: Ints
    right: Ints
    rows: Counts
    leaf_value: Floats
    leaf_rows: Counts


class TreeLayout(NamedTuple):
    """One tree laid out; `order` lists its nodes, the walked ones first, then group by group.

    `group_root` is a node or `~` a leaf; `group_bits` is -1 where the leaf is computed and not
    looked up. `path_node`, `path_is_left` and `path_place` hold the ways to computed leaves.
    """

    order: Ints
    bit: Ints
    added: Ints
    to_left: Ints
    to_right: Ints
    group_root: Ints
    group_above: Ints
    group_nodes: Ints
    group_bits: Ints
    group_features: Ints
    features: Ints
    ratios: Floats
    group_path: Ints
    path_node: Ints
    path_is_left: Bytes
    path_place: Ints


class LeafPath(NamedTuple):
    """The way to one leaf from the root: nodes, sides, places; per place its feature and ratio.

    A place's ratio is the share of training rows that its feature's answers keep on the way.
    """

    node: Ints
    is_left: Bytes
    place: Ints
    feature: Ints
    ratio: Floats


@njit(cache=True)
def rows_of(tree: TreeShape, child: int) -> float:
    """The training rows that reached a child."""
    return float(tree.rows[child] if child >= 0 else tree.leaf_rows[~child])


@njit(cache=True)
def leaf_path(tree: TreeShape, parent: Ints, place: Ints, leaf: int, under: int) -> LeafPath:
    """The way to a leaf, or to any place, that hangs as child `leaf` under the node `under`."""
    depth = 0
    node = under
    while node >= 0:
        depth += 1
        node = parent[node]
    nodes = np.empty(depth, np.int32)
    is_left = np.empty(depth, np.uint8)
    places = np.empty(depth, np.int32)
    feature = np.empty(depth, np.int32)
    ratio = np.ones(depth)
    node, child, width = under, leaf, 0
    for i in range(depth - 1, -1, -1):
        nodes[i] = node
        is_left[i] = tree.left[node] == child
        places[i] = place[node]
        child, node = node, parent[node]
    for i in range(depth):
        child = tree.left[nodes[i]] if is_left[i] else tree.right[nodes[i]]
        ratio[places[i]] *= rows_of(tree, child) / rows_of(tree, nodes[i])
        feature[places[i]] = tree.feature[nodes[i]]
        width = max(width, places[i] + 1)
    return LeafPath(nodes, is_left, places, feature[:width], ratio[:width])


@njit(cache=True)
def group_features(tree: TreeShape, path: LeafPath, nodes: Ints) -> Ints:
    """The features on the way to a group and then those that its nodes add, each once."""
    found = np.empty(len(path.feature) + len(nodes), np.int32)
    width = len(path.feature)
    found[:width] = path.feature
    for node in nodes:
        is_new = True
        for k in range(width):
            if found[k] == tree.feature[node]:
                is_new = False
                break
        if is_new:
            found[width] = tree.feature[node]
            width += 1
    return found[:width]


@njit(cache=True)
def _group_roots(tree: TreeShape, is_walked: Bytes) -> tuple[Ints, Ints, Ints, Ints]:
    """Children of walked nodes that are not walked, with their parents; places of children."""
    n = len(tree.feature)
    number = np.cumsum(is_walked.astype(np.int64)) - 1
    walked = int(is_walked.sum())
    to_left, to_right = np.empty(walked, np.int32), np.empty(walked, np.int32)
    roots, parents = np.empty(n + 1, np.int32), np.empty(n + 1, np.int32)
    groups = 0
    if not walked:
        roots[0], parents[0], groups = 0, -1, 1
    for node in range(n):
        if not is_walked[node]:
            continue
        for side in range(2):
            child = tree.left[node] if side == 0 else tree.right[node]
            place = 0
            if child >= 0 and is_walked[child]:
                place = number[child]
            else:
                place = walked + groups
                roots[groups], parents[groups] = child, node
                groups += 1
            if side == 0:
                to_left[number[node]] = place
            else:
                to_right[number[node]] = place
    return roots[:groups], parents[:groups], to_left, to_right


@njit(cache=True)
def lay_out(tree: TreeShape, byte_price: float) -> TreeLayout:
    """The layout of one tree with at least one node."""
    n = len(tree.feature)
    parent, above, place, _ = paths(tree.feature, tree.left, tree.right)
    is_walked = cheapest_cut(tree.feature, tree.left, tree.right, above, place, byte_price)
    roots, parents, to_left, to_right = _group_roots(tree, is_walked)
    groups, walked = len(roots), len(to_left)
    order, new = np.empty(n, np.int32), np.empty(n, np.int32)
    bit, added = np.zeros(walked, np.int32), np.zeros(walked, np.int32)
    at = 0
    for node in range(n):
        if is_walked[node]:
            if place[node] < MOST_WALKED_BITS:
                bit[at] = 1 << place[node]
                added[at] = bit[at] if place[node] == above[node] else 0
            order[at], new[node] = node, at
            at += 1
    group_above, group_nodes = np.zeros(groups, np.int32), np.zeros(groups, np.int32)
    group_bits, widths = np.zeros(groups, np.int32), np.zeros(groups, np.int32)
    group_path = np.zeros(groups, np.int32)
    features, ratios = [np.empty(0, np.int32)], [np.empty(0)]
    path_node, path_is_left = [np.empty(0, np.int32)], [np.empty(0, np.uint8)]
    path_place = [np.empty(0, np.int32)]
    for g in range(groups):
        path = leaf_path(tree, parent, place, roots[g], parents[g])
        count = 0
        if roots[g] >= 0:
            count = nodes_under(roots[g], tree.left, tree.right, order[at:])
        own = group_features(tree, path, order[at : at + count])
        at += count
        group_above[g], group_nodes[g], widths[g] = len(path.feature), count, len(own)
        group_bits[g] = len(path.feature) + count
        ratio = np.zeros(len(own))
        if roots[g] < 0 and not is_leaf_looked_up(len(own), byte_price):
            group_bits[g] = -1
            ratio[:] = path.ratio
            path_node.append(new[path.node])
            path_is_left.append(path.is_left)
            path_place.append(path.place)
            group_path[g] = len(path.node)
        features.append(own)
        ratios.append(ratio)
    return TreeLayout(
        order, bit, added, to_left, to_right, roots, group_above, group_nodes, group_bits,
        widths, _joined(features), _joined(ratios), group_path, _joined(path_node),
        _joined(path_is_left), _joined(path_place),
    )  # fmt: skip


@njit(cache=True)
def _joined(parts):  # type: ignore[no-untyped-def]
    total = 0
    for part in parts:
        total += len(part)
    whole = np.empty(total, parts[0].dtype)
    at = 0
    for part in parts:
        whole[at : at + len(part)] = part
        at += len(part)
    return whole
