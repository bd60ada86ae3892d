"""Where to cut each tree: above the cut nodes are walked, below it answers are looked up.

What a leaf adds to a row's contributions depends only on which features keep the row on the leaf's
path: with u features, on u bits. The leaves under one node can share a table, indexed by the bits
of the features on the way to the node and the decisions of the nodes under it, that holds the
contributions of all of them. High cuts mean few, large tables. `cheapest_cut` weighs the time that
a look-up takes against the bytes of the table.
"""

import numpy as np
from numba import njit

from serving.scorer.forest import Bytes, Ints

MOST_BITS = 14
"""A table has at most 2 ** 14 rows; a leaf with more features than bits is computed instead."""

LOOK_UP_NS = 16.0
PER_FEATURE_NS = 1.3
COMPUTED_NS = 30.0
COMPUTED_PER_PAIR_NS = 0.9


@njit(cache=True)
def paths(feature: Ints, left: Ints, right: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """For one tree: per node its parent, the features above it, its own feature's place on the path
    and, per leaf, its parent.

    A feature that is asked again keeps its place, so `place < above` marks a feature asked before.
    """
    n = len(feature)
    parent = np.full(n, -1, np.int32)
    leaf_parent = np.full(n + 1, -1, np.int32)
    above = np.zeros(n, np.int32)
    place = np.zeros(n, np.int32)
    for node in range(n):
        place[node] = above[node]
        ancestor = parent[node]
        while ancestor >= 0:
            if feature[ancestor] == feature[node]:
                place[node] = place[ancestor]
                break
            ancestor = parent[ancestor]
        below = above[node] + (place[node] == above[node])
        for child in (left[node], right[node]):
            if child >= 0:
                parent[child] = node
                above[child] = below
            else:
                leaf_parent[~child] = node
    return parent, above, place, leaf_parent


@njit(cache=True)
def nodes_under(root: int, left: Ints, right: Ints, found: Ints) -> int:
    """Write the nodes from `root` down into `found`, each before its children; returns how many."""
    found[0] = root
    count = 1
    at = 0
    while at < count:
        for child in (left[found[at]], right[found[at]]):
            if child >= 0:
                found[count] = child
                count += 1
        at += 1
    return count


@njit(cache=True)
def features_under(nodes: Ints, count: int, above: int, feature: Ints, place: Ints) -> int:
    """How many features stand on the path to these nodes and in them."""
    different = above
    for i in range(count):
        if place[nodes[i]] < above:
            continue
        is_new = True
        for j in range(i):
            if feature[nodes[j]] == feature[nodes[i]]:
                is_new = False
                break
        different += is_new
    return different


@njit(cache=True)
def _look_up(bits: int, features: int, byte_price: float) -> float:
    return LOOK_UP_NS + PER_FEATURE_NS * features + byte_price * 8.0 * (features + 1) * 2.0**bits


@njit(cache=True)
def leaf_cost(features: int, byte_price: float) -> float:
    """What a leaf alone costs, looked up or computed, whichever is less."""
    computed = COMPUTED_NS + COMPUTED_PER_PAIR_NS * features * features
    if features > MOST_BITS:
        return computed
    return min(computed, _look_up(features, features, byte_price))


@njit(cache=True)
def is_leaf_looked_up(features: int, byte_price: float) -> bool:
    """Whether a table for a leaf alone is worth its bytes."""
    return features <= MOST_BITS and leaf_cost(features, byte_price) == _look_up(
        features, features, byte_price
    )


@njit(cache=True)
def cheapest_cut(
    feature: Ints, left: Ints, right: Ints, above: Ints, place: Ints, byte_price: float
) -> Bytes:
    """For one tree: 1 for a node that is walked, 0 for one that is looked up."""
    n = len(feature)
    cost = np.zeros(n)
    under = np.zeros(n, np.int32)
    is_cut = np.zeros(n, np.uint8)
    nodes = np.empty(MOST_BITS + 1, np.int32)
    for node in range(n - 1, -1, -1):
        under[node] = 1
        leaf_features = above[node] + (place[node] == above[node])
        for child in (left[node], right[node]):
            if child >= 0:
                cost[node] += cost[child]
                under[node] += under[child]
            else:
                cost[node] += leaf_cost(leaf_features, byte_price)
        bits = above[node] + under[node]
        if bits > MOST_BITS:
            continue
        count = nodes_under(node, left, right, nodes)
        features = features_under(nodes, count, above[node], feature, place)
        together = _look_up(bits, features, byte_price)
        if together <= cost[node]:
            cost[node] = together
            is_cut[node] = 1
    return _walked(left, right, is_cut)


@njit(cache=True)
def _walked(left: Ints, right: Ints, is_cut: Bytes) -> Bytes:
    """A node is walked unless it or one above it was cut."""
    is_walked = np.ones(len(left), np.uint8)
    for node in range(len(left)):
        if is_cut[node]:
            is_walked[node] = 0
        if not is_walked[node]:
            for child in (left[node], right[node]):
                if child >= 0:
                    is_walked[child] = 0
    return is_walked
