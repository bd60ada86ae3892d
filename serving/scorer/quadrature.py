"""The Shapley weights as an integral, and the integral as a short exact sum.

A leaf with value v and u features on its way, of which feature j keeps a share r of the training
rows on the way (its ratio) and the row itself (kept = 1) or not (kept = 0), adds to feature i

    v (kept_i - r_i) ∫ Π over j ≠ i of (t kept_j + (1 - t) r_j) dt    for t from 0 to 1,

because ∫ t^s (1 - t)^(u-1-s) dt is the Shapley weight of s among u - 1. Gauss-Legendre sums with at
least u / 2 nodes are exact for it; every factor is positive, so that nothing cancels.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from serving.scorer.forest import Floats, Ints


class Rules(NamedTuple):
    """Per number of features u, nodes in (0, 1) and weights at `start[u]` to `start[u + 1]`."""

    start: Ints
    t: Floats
    weight: Floats


def rules_up_to(features: int) -> Rules:
    """For every number of features the shortest rule that is exact."""
    sizes = [(u + 1) // 2 for u in range(1, features + 1)]
    pairs = [np.polynomial.legendre.leggauss(size) for size in sizes]
    nodes = np.concatenate([np.zeros(0), *(node for node, _ in pairs)])
    weights = np.concatenate([np.zeros(0), *(weight for _, weight in pairs)])
    return Rules(np.cumsum([0, 0, *sizes]).astype(np.int32), (nodes + 1) / 2, weights / 2)


@njit(cache=True, nogil=True)
def compute_leaf(
    value: float,
    ratio: Floats,
    kept: Floats,
    t: Floats,
    weight: Floats,
    room: Floats,
    parts: Floats,
) -> None:
    """Write into `parts` what one leaf adds to each of its features; `room` is [2, features]."""
    before, factor = room[0], room[1]
    parts[: len(ratio)] = 0.0
    for q in range(len(t)):
        product = value * weight[q]
        for j in range(len(ratio)):
            before[j] = product
            factor[j] = (1.0 - t[q]) * ratio[j] + t[q] * kept[j]
            product *= factor[j]
        after = 1.0
        for j in range(len(ratio) - 1, -1, -1):
            parts[j] += (kept[j] - ratio[j]) * (before[j] * after)
            after *= factor[j]


@njit(cache=True, nogil=True)
def compute_leaf_of_rows(
    value: float,
    ratio: Floats,
    kept: Floats,
    t: Floats,
    weight: Floats,
    room: Floats,
    parts: Floats,
) -> None:
    """As `compute_leaf`, bit for bit, with rows on a last axis; `room` is [2, features + 1, ..]."""
    before, factor = room[0], room[1]
    u, rows = len(ratio), kept.shape[1]
    parts[:u] = 0.0
    product = room[0, u]
    for q in range(len(t)):
        product[:] = value * weight[q]
        for j in range(u):
            rest = (1.0 - t[q]) * ratio[j]
            for i in range(rows):
                before[j, i] = product[i]
                factor[j, i] = rest + t[q] * kept[j, i]
                product[i] *= factor[j, i]
        product[:] = 1.0
        for j in range(u - 1, -1, -1):
            for i in range(rows):
                parts[j, i] += (kept[j, i] - ratio[j]) * (before[j, i] * product[i])
                product[i] *= factor[j, i]


@njit(cache=True, nogil=True)
def leaf_table(  # noqa: C901 (numba compiles the loop as one)
    value: float, ratio: Floats, t: Floats, weight: Floats
) -> Floats:
    """What one leaf adds to its features, for every pattern of kept features [2 ** u, u]."""
    u, n = len(ratio), len(t)
    products = np.empty((1 << u, n))
    products[0] = value * weight
    kept = np.empty((u, n))
    for j in range(u):
        for q in range(n):
            rest = (1.0 - t[q]) * ratio[j]
            kept[j, q] = t[q] + rest
            for pattern in range(1 << j):
                products[pattern | 1 << j, q] = products[pattern, q] * kept[j, q]
                products[pattern, q] *= rest
    parts = np.empty((1 << u, u))
    for pattern in range(1 << u):
        lost = 0.0
        for q in range(n):
            lost -= products[pattern, q] / (1.0 - t[q])
        for j in range(u):
            parts[pattern, j] = lost
            if pattern >> j & 1:
                gained = 0.0
                for q in range(n):
                    gained += products[pattern, q] / kept[j, q]
                parts[pattern, j] = gained * (1.0 - ratio[j])
    return parts
