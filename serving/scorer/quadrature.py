"""Shapley values as a mean over how much is known of a row.

Let every feature be known with the same chance t, each by itself. Where a node asks a known
feature, the row goes where its value sends it; where it asks an unknown one, it goes left or right
with the shares of the training rows that did. A feature's Shapley value is what knowing it adds to
the expected leaf, averaged over t from 0 to 1. For a path with u features that is a polynomial in t
of degree u - 1, for which a Gauss-Legendre sum of u / 2 nodes is exact.

At a node, after the answers on the way to it,

    lift = the chance that its feature is known, divided by t
    cold = (1 - t lift) share     the chance to go against the row's own value

where `share` is the share of the training rows that goes that way. `lift` is 1 for a feature not
yet asked, 0 once the row went against its value, and 1 / (t + (1 - t) kept) where earlier answers
about it kept the share `kept` of the training rows. With `reach` the chance to come to the node and
`worth` the expected leaf below, knowing the node's feature adds

    reach cold lift (worth on the row's own side - worth on the other) / (1 - t).
"""

from typing import NamedTuple

import numpy as np

from serving.scorer.forest import Floats
from serving.scorer.lanes import LANES

FEATURES_PER_PASS = 2 * LANES
"""One pass over a tree sums LANES nodes, which is exact for this many features on a path."""


class Rules(NamedTuple):
    """For trees of p passes, pass i reads row p (p - 1) / 2 + i of both arrays [.., LANES].

    `weight` is that of the sum, divided by 1 - t.
    """

    t: Floats
    weight: Floats


def rules_up_to(passes: int) -> Rules:
    """The rules for trees of 1, 2 … `passes` passes."""
    pairs = [np.polynomial.legendre.leggauss(LANES * p) for p in range(1, passes + 1)]
    t = (np.concatenate([node for node, _ in pairs]) + 1) / 2
    weight = np.concatenate([weight for _, weight in pairs]) / 2
    return Rules(t.reshape(-1, LANES), (weight / (1 - t)).reshape(-1, LANES))
