"""Shapley values by exact quadrature over the probability t that a feature is known.

Let every feature be known independently with the same probability t. At a node that tests a known
feature, the row follows its value; at an unknown one it goes left or right in the proportions of
the training rows. A feature's Shapley value is the derivative of the expected leaf with respect to
the probability that this feature is known, averaged over t from 0 to 1. For a path with u features
that is a polynomial in t of degree u - 1, for which a Gauss-Radau rule with n nodes is exact up to
u = 2 n - 1. The last node is t = 1: there all features are known, and the worth of the root is the
leaf that the row reaches.

At a node, `unknown` is the probability that its feature is unknown, given the answers on the path
to it, and `fall` is the rate at which that probability falls as t grows:

                                        unknown                         fall
    feature not tested yet              1 - t                           1
    path went against the row's value   1                               0
    path went with the row's value      (1 - t) kept / known            kept / known ** 2

where earlier answers about the feature kept the share `kept` of the training rows, and `known` is
t + (1 - t) kept. The row goes against its own value with probability `unknown share`, where `share`
is the share of the training rows that goes that way. With `reach`, the probability of reaching the
node, and `worth`, the expected leaf below it, knowing the node's feature adds

    reach fall share (worth on the row's own side - worth on the other).
"""

from typing import NamedTuple

import numpy as np

from serving.models.forest import Floats, Ints
from serving.models.simd import LANES


class Rules(NamedTuple):
    """The quadrature rules, each a row [.., LANES].

    Pass i of a tree with p passes reads row p (p - 1) / 2 + i.
    """

    t: Floats
    weight: Floats


def passes_for(features: Ints) -> Ints:
    """Return how many passes of LANES nodes are exact for paths with so many features."""
    return (-(-(features + 1) // (2 * LANES))).astype(np.int32)


def rules_up_to(passes: int) -> Rules:
    """Compute the rules for trees of 1, 2 … `passes` passes."""
    pairs = [_radau(LANES * p) for p in range(1, passes + 1)]
    t, weight = (np.concatenate(each).reshape(-1, LANES) for each in zip(*pairs, strict=True))
    return Rules(t, weight)


def _radau(count: int) -> tuple[Floats, Floats]:
    """Return the nodes in [0, 1], the last of which is 1, and their weights (Golub, 1973)."""
    k = np.arange(1, count)
    off_diagonal = k / np.sqrt(4.0 * k**2 - 1)
    matrix = np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1)
    matrix[-1, -1] = count / (2 * count - 1)
    node, vectors = np.linalg.eigh(matrix)
    # The eigenvalue solver returns the fixed node only up to rounding; the leaf is read at exactly
    # t = 1.
    node[-1] = 1.0
    return (node + 1) / 2, vectors[0] ** 2
