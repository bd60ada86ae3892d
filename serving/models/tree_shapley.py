"""One tree's part in a row's contributions, LANES quadrature nodes at once.

`serving.models.quadrature` says what is computed. From the root down, `reach` is shared out between
the two places below each stem; from the leaves up, `worth` is their mean, and what knowing each
node's feature adds is summed for it. Forks, a third of all nodes, need no more than their own two
leaves. Nothing is divided while a row is explained, and a row's part is summed over the lanes of a
node at once, which leaves it small enough to stay in the nearest cache.
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

# Rows of `ShapWorkspace.unknown` and `fall`: for a feature whose value the way went against, for
# one not asked before, and for the tree's repeats from there on.
LOST, FRESH, REPEATS = 0, 1, 2


class ShapWorkspace(NamedTuple):
    """Where one tree is computed; per place and node as in `serving.models.packed_forest`.

    `lanes` of a place hold its `reach` from the way down until its `worth` is known on the way up.
    `side` is where the row goes at a node, `doubt` the row of `unknown` and `fall` that holds for
    it there, `is_lost` whether the way to a repeat went against the row's value.
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
    workspace.is_lost[0] = False  # of none: that of each repeat is written before it is read
    workspace.unknown[LOST], workspace.fall[LOST] = 1.0, 0.0
    workspace.fall[FRESH] = 1.0
    return workspace


@inner
def enter_tree(
    node_start: Ints, repeats: Repeats, t: Floats, tree: int, rule: int, workspace: ShapWorkspace
) -> None:
    """Write what is the same for all rows: what is unknown of features, asked before or not."""
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
def answer(
    node_start: Ints,
    asks: Words,
    categorical: Categorical,
    tree: int,
    codes: Ints,
    categories: Words,
    side: Bytes,
) -> None:
    """Where a row goes at every node; without branches, for these could not be foreseen."""
    first = uint64(node_start[tree])
    for j in range(uint64(node_start[tree + 1]) - first):
        side[j] = codes[asks[first + j, 0]] > asks[first + j, 1]
    for k in range(uint64(categorical.start[tree]), uint64(categorical.start[tree + 1])):
        first_word, words = categorical.asks[k, 2], categorical.asks[k, 3]
        category = categories[categorical.asks[k, 1]]
        side[categorical.asks[k, 0]] = is_in(categorical.words, first_word, words, category) ^ 1


@inner
def find_doubts(repeats: Repeats, tree: int, workspace: ShapWorkspace) -> None:
    """Which doubt holds at every repeat, for the row that was answered last."""
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
    """Share the reach of each stem, from the root down, between the two places below it."""
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
    """Write what the leaves below stems are worth, where their reach was."""
    for k in range(uint64(leaves.start[tree]), uint64(leaves.start[tree + 1])):
        store(workspace.lanes, leaves.place[k], spread(leaves.value[k]))


@inner
def gather_forks(
    trees: Trees, forks: Forks, stem_start: Ints, tree: int, workspace: ShapWorkspace, parts: Floats
) -> None:
    """Gather what forks are worth, and what each answer adds to that."""
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
    """Gather what stems are worth, up to the root, and what each answer adds to that.

    Returns what the root is worth where most is known; on the last pass it is the row's leaf.
    """
    nodes, against, worth = trees.nodes, stems.against, workspace.lanes
    first, first_stem = uint64(trees.node_start[tree]), uint64(stems.start[tree])
    count = _count(stems.start, tree)
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
    """Let a node's worth take the place of its reach; returns what knowing its feature adds.

    `own` is the worth on the row's side, `step` what that is above the other side, times the share
    of the training rows that went there.
    """
    reach = load(workspace.lanes, place)
    store(workspace.lanes, place, subtract(own, multiply(load(workspace.unknown, doubt), step)))
    return float(total(multiply(multiply(reach, load(workspace.fall, doubt)), step)))
