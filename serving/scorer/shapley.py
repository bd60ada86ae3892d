"""One tree's part in a row's contributions, LANES quadrature nodes at once.

`serving.scorer.quadrature` says what is computed. From the root down, `reach` is shared out between
the two places below each node; from the leaves up, `worth` is their mean, and what knowing each
node's feature adds is summed for it. Nothing is divided while a row is explained.
"""

from typing import NamedTuple

import numpy as np
from numba import uint64

from serving.scorer import lanes
from serving.scorer.columns import is_in
from serving.scorer.compiled import inner
from serving.scorer.forest import Bytes, Floats, Ints, Words
from serving.scorer.lanes import LANES, Lanes, add, load, multiply, spread, store, subtract
from serving.scorer.program import Program

LOST, FRESH, REPEATS = 0, 1, 2
"""Rows of `Room.lift`: of a feature whose answer the way went against, of one not asked before, and
of the tree's repeats from there on."""


class Room(NamedTuple):
    """Where one tree is computed; per place and node as in `serving.scorer.program`.

    `side` is where the row goes, `lift_row` the row of `lift` that holds for it there, `is_lost`
    whether the way to a repeat went against the row's value. `leaf` is the leaf below a place that
    the row would come to.
    """

    reach: Floats
    worth: Floats
    lift: Floats
    leaf: Floats
    side: Bytes
    lift_row: Words
    is_lost: Bytes


@inner
def room_for(program: Program) -> Room:
    """Room for the largest tree."""
    nodes = 1
    for tree in range(len(program.trees.passes)):
        nodes = max(nodes, program.trees.node_start[tree + 1] - program.trees.node_start[tree])
    room = Room(
        lanes.empty(2 * nodes + 1),
        lanes.empty(2 * nodes + 1),
        lanes.empty(nodes + REPEATS),
        np.empty(2 * nodes + 1),
        np.empty(nodes, np.uint8),
        np.empty(nodes, np.uint32),
        np.zeros(nodes + REPEATS, np.uint8),
    )
    room.lift[LOST] = 0.0
    room.lift[FRESH] = 1.0
    return room


@inner
def enter_tree(program: Program, tree: int, rule: int, room: Room) -> None:
    """Write what is the same for all rows: at the root, at the leaves, and of the repeats."""
    trees, repeats, t = program.trees, program.repeats, program.rules.t
    first, stop = trees.node_start[tree], trees.node_start[tree + 1]
    store(room.reach, 2 * (stop - first), load(program.rules.weight, rule))
    for leaf in range(uint64(first + tree), uint64(stop + tree + 1)):
        place = trees.leaf_place[leaf]
        room.leaf[place] = trees.leaf_value[leaf]
        store(room.worth, place, spread(trees.leaf_value[leaf]))
    for k in range(repeats.start[tree], repeats.start[tree + 1]):
        own = REPEATS + k - repeats.start[tree]
        for q in range(LANES):
            room.lift[own, q] = 1.0 / (t[rule, q] + (1.0 - t[rule, q]) * repeats.kept[k])


@inner
def answer(program: Program, tree: int, codes: Ints, categories: Words, side: Bytes) -> None:
    """Where a row goes at every node; without branches, for these could not be foreseen."""
    numerical, categorical = program.numerical, program.categorical
    for k in range(uint64(numerical.start[tree]), uint64(numerical.start[tree + 1])):
        side[numerical.node[k]] = codes[numerical.column[k]] > numerical.rank[k]
    for k in range(uint64(categorical.start[tree]), uint64(categorical.start[tree + 1])):
        category = categories[categorical.feature[k]]
        is_left = is_in(categorical.words, categorical.first[k], categorical.length[k], category)
        side[categorical.node[k]] = is_left ^ 1


@inner
def find_lifts(program: Program, tree: int, room: Room) -> None:
    """Which lift holds at every node, for the row that was answered last."""
    repeats, nodes = program.repeats, program.trees.node_start
    for j in range(nodes[tree + 1] - nodes[tree]):
        room.lift_row[j] = FRESH
    first = uint64(repeats.start[tree])
    for k in range(first, uint64(repeats.start[tree + 1])):
        is_against = room.side[repeats.asked[k]] ^ repeats.side[k]
        is_lost = room.is_lost[repeats.asked_repeat[k]] | is_against
        own = REPEATS + k - first
        room.is_lost[own] = is_lost
        room.lift_row[repeats.node[k]] = LOST if is_lost else own


@inner
def explain_tree(
    program: Program, tree: int, rule: int, room: Room, sums: Floats, first_sum: int
) -> float:
    """Add to `sums`, a row per asked feature from `first_sum` on; returns the row's leaf."""
    _share_out(program, tree, rule, room)
    return _gather(program, tree, rule, room, sums, first_sum)


@inner
def _share_out(program: Program, tree: int, rule: int, room: Room) -> None:
    """Share the reach of each node, from the root down, between the two places below it."""
    trees, reach, known = program.trees, room.reach, load(program.rules.t, rule)
    first, stop = uint64(trees.node_start[tree]), uint64(trees.node_start[tree + 1])
    for j in range(stop - first):
        side = uint64(room.side[j])
        here = load(reach, trees.place[first + j])
        cold = _cold(known, load(room.lift, room.lift_row[j]), trees.left_share[first + j], side)
        against = multiply(here, cold)
        store(reach, 2 * j + 1 - side, against)
        store(reach, 2 * j + side, subtract(here, against))


@inner
def _gather(
    program: Program, tree: int, rule: int, room: Room, sums: Floats, first_sum: int
) -> float:
    """Gather what the leaves are worth, up to the root, and what each answer adds to that."""
    trees, worth, known = program.trees, room.worth, load(program.rules.t, rule)
    first = uint64(trees.node_start[tree])
    nodes = uint64(trees.node_start[tree + 1]) - first
    for up in range(nodes):
        j = nodes - uint64(1) - up
        side, place = uint64(room.side[j]), trees.place[first + j]
        lift, total = load(room.lift, room.lift_row[j]), first_sum + trees.feature[first + j]
        cold = _cold(known, lift, trees.left_share[first + j], side)
        own = load(worth, 2 * j + side)
        more = subtract(own, load(worth, 2 * j + 1 - side))
        store(worth, place, subtract(own, multiply(cold, more)))
        added = multiply(multiply(load(room.reach, 2 * j + 1 - side), lift), more)
        store(sums, total, add(load(sums, total), added))
        room.leaf[place] = room.leaf[2 * j + side]
    return float(room.leaf[2 * nodes])


@inner
def _cold(known: Lanes, lift: Lanes, left_share: float, side: int) -> Lanes:
    """The chance to go against the row's own side."""
    unknown = subtract(spread(1.0), multiply(known, lift))
    return multiply(unknown, spread(left_share if side else 1.0 - left_share))
