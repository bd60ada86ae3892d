"""Shapley values as a mean over how much is known of a row.

Let every feature be known with the same chance t, each by itself. Where a node asks a known
feature, the row goes where its value sends it; where it asks an unknown one, it goes left or right
with the shares of the training rows that did. A feature's Shapley value is how fast the expected
leaf changes with the chance to know that feature, averaged over t from 0 to 1. For a path with u
features that is a polynomial in t of degree u - 1, for which a Gauss-Radau sum of n nodes is exact
up to u = 2 n - 1. The last of its nodes is 1: there the row is known, and what the root is worth is
the leaf that the row comes to.

At a node, `unknown` is the chance that its feature is, after the answers on the way to it, and
`fall` how fast that falls while t grows:

                                        unknown                         fall
    its feature was not asked yet       1 - t                           1
    the way went against the row        1                               0
    the way went with it                (1 - t) kept / known            kept / known ** 2

where earlier answers about the feature kept the share `kept` of the training rows, and `known` is
t + (1 - t) kept. The row goes against its own value with the chance `unknown share`, where `share`
is the share of the training rows that goes that way. With `reach` the chance to come to the node,
and `worth` the expected leaf below, knowing the node's feature adds

    reach fall share (worth on the row's own side - worth on the other).
"""

from typing import NamedTuple

import numpy as np

from serving.models.forest import Floats, Ints
from serving.models.simd import LANES


class Rules(NamedTuple):
    """For trees of p passes, pass i reads row p (p - 1) / 2 + i of both arrays [.., LANES]."""

    t: Floats
    weight: Floats


def passes_for(features: Ints) -> Ints:
    """Return how many passes of LANES nodes are exact for paths of so many features."""
    return (-(-(features + 1) // (2 * LANES))).astype(np.int32)


def rules_up_to(passes: int) -> Rules:
    """The rules for trees of 1, 2 … `passes` passes."""
    pairs = [_radau(LANES * p) for p in range(1, passes + 1)]
    t, weight = (np.concatenate(each).reshape(-1, LANES) for each in zip(*pairs, strict=True))
    return Rules(t, weight)


def _radau(count: int) -> tuple[Floats, Floats]:
    """Nodes from 0 to 1, which is the last, and their weights, after Golub (1973)."""
    k = np.arange(1, count)
    off_diagonal = k / np.sqrt(4.0 * k**2 - 1)
    matrix = np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1)
    matrix[-1, -1] = count / (2 * count - 1)
    node, vectors = np.linalg.eigh(matrix)
    node[-1] = 1.0
    return (node + 1) / 2, vectors[0] ** 2
