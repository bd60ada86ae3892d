"""Interactions of pairs of features: exact SHAP interaction values of one or many rows.

A contribution is the derivative of the expected leaf with respect to the probability that a feature
is known, averaged over t (`serving.models.quadrature`). An interaction is the same with respect to
two features: by how much knowing one changes what knowing the other adds. With `reach`, `fall` and
`step` of a node as there, a node n below a node a of another feature adds

    fall(n) step(n) times the derivative of reach(n) with respect to the feature of a.

Only the reach depends on features above, so each pair of nodes on a path is counted once. From the
root down, the derivatives of the reach with respect to every feature on the path ("slots") are
carried along: each is multiplied by the share that goes on to the next node, and gets a summand
from every node that tests its feature.
"""

from typing import NamedTuple

import numpy as np
from numba import uint64

from features.engine.numba_cache import compiled, inner
from serving.models import simd as lanes
from serving.models.forest import Floats, Ints, Words
from serving.models.margins_and_contributions import coded
from serving.models.packed_forest import Forks, Leaves, PackedForest, Stems, Trees
from serving.models.simd import add, load, multiply, spread, store, subtract, total
from serving.models.tree_shapley import (
    ShapWorkspace,
    enter_tree,
    find_doubts,
    gather_leaves,
    shap_values,
    workspace_for,
)


class Slots(NamedTuple):
    """The features on the path to each node, numbered as in `serving.models.packed_forest`.

    A row of `nodes` holds parent (0 for the root), side taken there, and own slot. The features of
    stem j, its own included, are `feature[start[j]:start[j + 1]]` in the order of their first test;
    those above it are all of these if `is_repeat[j]`, and otherwise all but the last.
    """

    nodes: Words
    start: Ints
    feature: Words
    is_repeat: Words


class PairWorkspace(NamedTuple):
    """Scratch memory for one tree, by node: reach, `gain` (fall times step), and slots of stems."""

    reach: Floats
    gain: Floats
    slots: Floats


def slots_of(forest: PackedForest) -> Slots:
    """Derive the slots of every stem from the layout of a forest."""
    trees, stems, repeats = forest.trees, forest.stems, forest.repeats
    of_nodes, is_repeat = np.zeros((len(trees.nodes), 3), np.uint32), []
    start, features = [0], list[int]()
    for tree in range(len(trees.passes)):
        first, stop = int(trees.node_start[tree]), int(trees.node_start[tree + 1])
        again = {
            int(node) for node in repeats.asks[repeats.start[tree] : repeats.start[tree + 1], 0]
        }
        count = int(stems.start[tree + 1] - stems.start[tree])
        above: list[list[int]] = []
        for j in range(stop - first):
            place, feature = map(int, trees.nodes[first + j])
            parent, side = (0, 0) if place == 2 * count else divmod(place, 2)
            path = [] if place == 2 * count else above[parent]
            own = path.index(feature) if j in again else len(path)
            of_nodes[first + j] = parent, side, own
            if j < count:
                above.append(path if j in again else [*path, feature])
                features += above[j]
                start.append(len(features))
                is_repeat.append(j in again)
    return Slots(
        of_nodes,
        np.array(start, np.int32),
        np.array([*features, 0], np.uint32),
        np.array([*is_repeat, False], np.uint32),
    )


@compiled(nogil=True)
def interact_rows(forest: PackedForest, slots: Slots, rows: Floats, pairs: Floats) -> None:
    """Write the interaction of every two features to `pairs` [rows, features, features].

    It is in one of the two places of a pair; the other one adds 0 or a part of it. The diagonal is
    meaningless.
    """
    columns, numerical, categorical, repeats, trees, stems, forks, leaves, _, rules = forest
    codes, categories = coded(columns, rows)
    workspace = workspace_for(trees.node_start, stems.start)
    most_nodes, most_slots = len(workspace.side), 1
    for tree in range(len(trees.passes)):
        first, stop = stems.start[tree], stems.start[tree + 1]
        most_slots = max(most_slots, slots.start[stop] - slots.start[first])
    of_pairs = PairWorkspace(
        lanes.empty(most_nodes), lanes.empty(most_nodes), lanes.empty(most_slots)
    )
    pairs[:] = 0.0
    for tree in range(len(trees.passes)):
        for turn in range(trees.passes[tree]):
            rule = trees.passes[tree] * (trees.passes[tree] - 1) // 2 + turn
            enter_tree(trees.node_start, repeats, rules.t, tree, rule, workspace)
            # All rows reach the root.
            store(of_pairs.reach, uint64(0), load(rules.weight, uint64(rule)))
            for i in range(len(rows)):
                shap_values(
                    trees.node_start,
                    numerical.asks,
                    categorical,
                    tree,
                    codes[i],
                    categories[i],
                    workspace.side,
                )
                find_doubts(repeats, tree, workspace)
                _gather_gains(trees, stems, forks, leaves, tree, workspace, of_pairs.gain)
                _share_out_pairs(trees, stems, slots, tree, workspace, of_pairs, pairs[i])


@inner
def _gather_gains(
    trees: Trees,
    stems: Stems,
    forks: Forks,
    leaves: Leaves,
    tree: int,
    workspace: ShapWorkspace,
    gain: Floats,
) -> None:
    """Compute the gain of every node, from the leaves up; the worth of places is in `lanes`."""
    nodes, against, worth = trees.nodes, stems.against, workspace.lanes
    first, first_stem = uint64(trees.node_start[tree]), uint64(stems.start[tree])
    first_fork = uint64(forks.start[tree])
    stem_count = uint64(stems.start[tree + 1]) - first_stem
    gather_leaves(leaves, tree, workspace)
    for k in range(uint64(forks.start[tree + 1]) - first_fork):
        j = stem_count + k
        side, doubt = uint64(workspace.side[j]), workspace.doubt[j]
        own = spread(forks.below[first_fork + k, side, 0])
        step = spread(forks.below[first_fork + k, side, 1])
        store(gain, j, multiply(load(workspace.fall, doubt), step))
        of_fork = subtract(own, multiply(load(workspace.unknown, doubt), step))
        store(worth, nodes[first + j, 0], of_fork)
    # Children have higher numbers than their parents, so go backwards.
    for up in range(stem_count):
        j = stem_count - uint64(1) - up
        side, doubt = uint64(workspace.side[j]), workspace.doubt[j]
        own = load(worth, 2 * j + side)
        more = subtract(own, load(worth, 2 * j + 1 - side))
        step = multiply(spread(against[first_stem + j, side]), more)
        store(gain, j, multiply(load(workspace.fall, doubt), step))
        of_stem = subtract(own, multiply(load(workspace.unknown, doubt), step))
        store(worth, nodes[first + j, 0], of_stem)


@inner
def _share_out_pairs(
    trees: Trees,
    stems: Stems,
    slots: Slots,
    tree: int,
    workspace: ShapWorkspace,
    of_pairs: PairWorkspace,
    pairs: Floats,
) -> None:
    """Carry reach and its derivatives from the root down, and add to the pairs of nodes."""
    reach, gain, path = of_pairs
    nodes, feature = trees.nodes, slots.feature
    first, first_stem = uint64(trees.node_start[tree]), uint64(stems.start[tree])
    count = uint64(trees.node_start[tree + 1]) - first
    stem_count = uint64(stems.start[tree + 1]) - first_stem
    first_slot = uint64(slots.start[first_stem])
    for c in range(uint64(1), count):
        j, own_slot = uint64(slots.nodes[first + c, 0]), uint64(0)
        side = uint64(workspace.side[j])
        doubt = workspace.doubt[j]
        share = spread(stems.against[first_stem + j, side])
        branch = multiply(load(workspace.unknown, doubt), share)
        change = multiply(load(workspace.fall, doubt), share)
        if uint64(slots.nodes[first + c, 1]) == side:
            branch = subtract(spread(1.0), branch)
        else:
            change = subtract(spread(0.0), change)
        here = load(reach, j)
        change = multiply(here, change)
        of_node = load(gain, c)
        asked = uint64(nodes[first + c, 1])
        start = uint64(slots.start[first_stem + j])
        above = uint64(slots.start[first_stem + j + 1]) - start
        above -= uint64(1) - uint64(slots.is_repeat[first_stem + j])
        own_slot = uint64(slots.nodes[first + j, 2])
        into = pairs[asked]
        further = multiply(branch, of_node)
        into[uint64(nodes[first + j, 1])] += total(multiply(change, of_node))
        if c >= stem_count:
            for k in range(above):
                so_far = load(path, start - first_slot + k)
                into[uint64(feature[start + k])] += total(multiply(so_far, further))
            continue
        store(reach, c, multiply(here, branch))
        target = uint64(slots.start[first_stem + c]) - first_slot
        for k in range(above):
            so_far = load(path, start - first_slot + k)
            into[uint64(feature[start + k])] += total(multiply(so_far, further))
            store(path, target + k, multiply(so_far, branch))
        if slots.is_repeat[first_stem + j]:
            change = add(change, load(path, target + own_slot))
        store(path, target + own_slot, change)
