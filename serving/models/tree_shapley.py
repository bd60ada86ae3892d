"""Compute one tree's share of a row's contributions, LANES quadrature nodes at once.

`serving.models.quadrature` defines the quantities. From the root down, `reach` is split between the
two places below each stem. From the leaves up, `worth` is their mean, and the value of knowing each
node's feature is added to that feature. Forks, a third of all nodes, need only their own two
leaves. No division happens per row, and a row's contribution is summed over the lanes of a node at
once, so the working set stays small enough for the first-level cache.
"""

from typing import NamedTuple

import numpy as np
from numba import uint64

from features.engine.numba_cache import inner
from serving.models import simd as lanes
from serving.models.forest import Bytes, Floats, Ints, Words
from serving.models.packed_forest import Categorical, Forks, Leaves, Repeats, Stems, Trees
from serving.models.simd import (
    LANES,
    Lanes,
    add,
    divide,
    load,
    multiply,
    spread,
    store,
    subtract,
    total,
)
from serving.models.threshold_bins import is_in

# Rows of `ShapWorkspace.unknown` and `fall`: for a feature whose value the path went against, for
# one not tested before, and then one for each of the tree's repeats.
LOST, FRESH, REPEATS = 0, 1, 2


class ShapWorkspace(NamedTuple):
    """Scratch memory for one tree; places and nodes as in `serving.models.packed_forest`.

    `lanes` of a place hold its `reach` on the way down, until its `worth` replaces it on the way
    up. `side` is the row's side at a node, `doubt` the applicable row of `unknown` and `fall`, and
    `is_lost` is set for a repeat whose path went against the row's value.
    """

    lanes: Floats
    unknown: Floats
    fall: Floats
    side: Bytes
    doubt: Words
    is_lost: Bytes


@inner
def workspace_for(node_start: Ints, stem_start: Ints) -> ShapWorkspace:
    """Return a workspace for the largest tree."""
    nodes, stems = 1, 0
    for tree in range(len(node_start) - 1):
        nodes = max(nodes, node_start[tree + 1] - node_start[tree])
        stems = max(stems, stem_start[tree + 1] - stem_start[tree])
    workspace = ShapWorkspace(
        lanes.empty(2 * stems + 1),
        lanes.empty(nodes + REPEATS),
        lanes.empty(nodes + REPEATS),
        np.empty(nodes, np.uint8),
        np.empty(nodes, np.uint32),
        np.empty(nodes + 1, np.uint8),
    )
    # Index 0 means "no earlier repeat"; the others are written before they are read.
    workspace.is_lost[0] = False
    workspace.unknown[LOST], workspace.fall[LOST] = 1.0, 0.0
    workspace.fall[FRESH] = 1.0
    return workspace


@inner
def enter_tree(
    node_start: Ints, repeats: Repeats, t: Floats, tree: int, rule: int, workspace: ShapWorkspace
) -> None:
    """Fill in the workspace values that are the same for all rows of a tree and pass."""
    for j in range(node_start[tree + 1] - node_start[tree]):
        workspace.doubt[j] = FRESH
    known = load(t, rule)
    unknown = subtract(spread(1.0), known)
    store(workspace.unknown, FRESH, unknown)
    first = uint64(repeats.start[tree])
    for k in range(first, uint64(repeats.start[tree + 1])):
        kept = spread(repeats.kept[k])
        over = divide(spread(1.0), add(known, multiply(unknown, kept)))
        still = multiply(kept, over)
        store(workspace.unknown, REPEATS + k - first, multiply(unknown, still))
        store(workspace.fall, REPEATS + k - first, multiply(still, over))


@inner
def shap_values(
    node_start: Ints,
    asks: Words,
    categorical: Categorical,
    tree: int,
    codes: Ints,
    categories: Words,
    side: Bytes,
) -> None:
    """Write the row's side at every node, without branches, since these would be unpredictable."""
    first = uint64(node_start[tree])
    for j in range(uint64(node_start[tree + 1]) - first):
        side[j] = codes[asks[first + j, 0]] > asks[first + j, 1]
    for k in range(uint64(categorical.start[tree]), uint64(categorical.start[tree + 1])):
        first_word, words = categorical.asks[k, 2], categorical.asks[k, 3]
        category = categories[categorical.asks[k, 1]]
        side[categorical.asks[k, 0]] = is_in(categorical.words, first_word, words, category) ^ 1


@inner
def find_doubts(repeats: Repeats, tree: int, workspace: ShapWorkspace) -> None:
    """Set the applicable row of `unknown` and `fall` at every repeat, for the current row."""
    first = uint64(repeats.start[tree])
    for k in range(first, uint64(repeats.start[tree + 1])):
        is_against = workspace.side[repeats.asks[k, 1]] ^ repeats.asks[k, 3]
        is_lost = workspace.is_lost[repeats.asks[k, 2]] | is_against
        workspace.is_lost[k - first + 1] = is_lost
        workspace.doubt[repeats.asks[k, 0]] = LOST if is_lost else REPEATS + k - first


@inner
def _count(start: Ints, tree: int) -> int:
    return uint64(start[tree + 1] - start[tree])


@inner
def share_out(
    trees: Trees, stems: Stems, weight: Floats, tree: int, rule: int, workspace: ShapWorkspace
) -> None:
    """Split the reach of each stem, from the root down, between the two places below it."""
    nodes, against, reach = trees.nodes, stems.against, workspace.lanes
    first, first_stem = uint64(trees.node_start[tree]), uint64(stems.start[tree])
    count = _count(stems.start, tree)
    store(reach, 2 * count, load(weight, rule))
    for j in range(count):
        side = uint64(workspace.side[j])
        here = load(reach, nodes[first + j, 0])
        cold = multiply(
            load(workspace.unknown, workspace.doubt[j]), spread(against[first_stem + j, side])
        )
        astray = multiply(here, cold)
        store(reach, 2 * j + 1 - side, astray)
        store(reach, 2 * j + side, subtract(here, astray))


@inner
def gather_leaves(leaves: Leaves, tree: int, workspace: ShapWorkspace) -> None:
    """Replace the reach of leaves below stems by their worth."""
    for k in range(uint64(leaves.start[tree]), uint64(leaves.start[tree + 1])):
        store(workspace.lanes, leaves.place[k], spread(leaves.value[k]))


@inner
def gather_forks(
    trees: Trees, forks: Forks, stem_start: Ints, tree: int, workspace: ShapWorkspace, parts: Floats
) -> None:
    """Compute the worth of forks, and add the value of their tests to `parts`."""
    nodes, stems = trees.nodes, _count(stem_start, tree)
    first, first_fork = uint64(trees.node_start[tree]), uint64(forks.start[tree])
    for k in range(_count(forks.start, tree)):
        j = stems + k
        side, fork = uint64(workspace.side[j]), first_fork + k
        own, step = spread(forks.below[fork, side, 0]), spread(forks.below[fork, side, 1])
        place, feature = nodes[first + j, 0], nodes[first + j, 1]
        parts[feature] += _settle(workspace, place, workspace.doubt[j], own, step)


@inner
def gather_stems(
    trees: Trees, stems: Stems, tree: int, workspace: ShapWorkspace, parts: Floats
) -> float:
    """Compute the worth of stems up to the root, and add the value of their tests to `parts`.

    Returns the root's worth at the last quadrature node; on the last pass this is the row's leaf.
    """
    nodes, against, worth = trees.nodes, stems.against, workspace.lanes
    first, first_stem = uint64(trees.node_start[tree]), uint64(stems.start[tree])
    count = _count(stems.start, tree)
    # Children have higher numbers than their parents, so go backwards.
    for up in range(count):
        j = count - uint64(1) - up
        side = uint64(workspace.side[j])
        own = load(worth, 2 * j + side)
        more = subtract(own, load(worth, 2 * j + 1 - side))
        step = multiply(spread(against[first_stem + j, side]), more)
        place, feature = nodes[first + j, 0], nodes[first + j, 1]
        parts[feature] += _settle(workspace, place, workspace.doubt[j], own, step)
    return float(worth[count * 2, LANES - 1])


@inner
def _settle(workspace: ShapWorkspace, place: int, doubt: int, own: Lanes, step: Lanes) -> float:
    """Replace a node's reach by its worth, and return the value of knowing its feature.

    `own` is the worth on the row's side; `step` is its excess over the other side, times the share
    of the training rows that went there.
    """
    reach = load(workspace.lanes, place)
    store(workspace.lanes, place, subtract(own, multiply(load(workspace.unknown, doubt), step)))
    return float(total(multiply(multiply(reach, load(workspace.fall, doubt)), step)))
