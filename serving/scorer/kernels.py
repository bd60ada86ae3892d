"""The compiled computations: margins, and margins with contributions, of one row or of many.

They hold no lock, take rows as float64 [rows, features] and sum in the order of the trees, so that
a row has the same bits alone and among others. Many rows go block by block, so that a block's state
stays in the cache while the trees pass by; one row visits each group's table once.
"""

import numpy as np
from numba import njit

from serving.scorer.columns import category_of, code_of
from serving.scorer.forest import Bytes, Counts, Floats, Ints, Words
from serving.scorer.program import Nodes, Program
from serving.scorer.quadrature import compute_leaf, compute_leaf_of_rows

BLOCK_ROWS = 1024
LANES = 32


@njit(cache=True, nogil=True)
def _is_in(words: Words, start: int, stop: int, category: int) -> int:
    word = start + (category >> 5)
    if category < 0 or word >= stop:
        return 0
    return int(words[word] >> (category & 31)) & 1


@njit(cache=True, nogil=True)
def _code_row(program: Program, row: Floats, codes: Ints, categories: Ints) -> None:
    columns = program.columns
    for c in range(len(columns.feature)):
        codes[c] = code_of(columns, c, row[columns.feature[c]])
    for c in range(len(columns.category_feature)):
        categories[c] = category_of(row[columns.category_feature[c]])


@njit(cache=True, nogil=True)
def margins(program: Program, rows: Floats, out: Floats) -> None:
    """Write the sum of the leaves that each row reaches."""
    for first in range(0, len(rows), BLOCK_ROWS):
        stop = min(first + BLOCK_ROWS, len(rows))
        _margins_of_block(program, rows[first:stop], out[first:stop])


@njit(cache=True, nogil=True)
def _margins_of_block(program: Program, rows: Floats, out: Floats) -> None:
    steps, words, trees = program.nodes.steps, program.nodes.words, program.trees
    codes = np.empty((len(rows), len(program.columns.feature)), np.int32)
    categories = np.empty((len(rows), len(program.columns.category_feature)), np.int32)
    for i in range(len(rows)):
        _code_row(program, rows[i], codes[i], categories[i])
    out[:] = 0.0
    for tree in range(len(trees.root)):
        for i in range(len(rows)):
            node = trees.root[tree]
            while node >= 0:
                column = steps[node, 0]
                if column >= 0:
                    is_right = codes[i, column] > steps[node, 1]
                else:
                    start, stop = steps[node, 2], steps[node, 3]
                    is_right = _is_in(words, start, stop, categories[i, ~column]) == 0
                node = steps[node, 5 if is_right else 4]
            out[i] += trees.leaf_value[~node]


@njit(cache=True, nogil=True)
def _decide(program: Program, codes: Ints, categories: Ints, is_left: Bytes) -> None:
    """The decision of every node; two loops, so that neither has to guess the kind of node."""
    nodes = program.nodes
    for node in nodes.numerical:
        is_left[node] = codes[nodes.column[node]] <= nodes.rank[node]
    for node in nodes.categorical:
        is_left[node] = _is_in(
            nodes.words,
            nodes.set_start[node],
            nodes.set_stop[node],
            categories[~nodes.column[node]],
        )


@njit(cache=True, nogil=True)
def _find_rows(program: Program, is_left: Bytes, found: Counts) -> None:
    """Per group, the place in the table that holds what this row gets."""
    trees, groups = program.trees, program.groups
    carried = np.zeros(trees.most_places + 1, np.int32)
    for tree in range(len(trees.walked_start) - 1):
        first, stop = trees.walked_start[tree], trees.walked_start[tree + 1]
        node = trees.node_start[tree]
        for w in range(first, stop):
            kept = carried[w - first] | trees.added[w]
            dropped = kept & ~trees.bit[w]
            left = is_left[node]
            carried[trees.to_left[w]] = kept if left else dropped
            carried[trees.to_right[w]] = dropped if left else kept
            node += 1
        place = stop - first
        for g in range(trees.group_start[tree], trees.group_start[tree + 1]):
            pattern = np.int64(carried[place])
            for j in range(groups.nodes[g]):
                pattern |= np.int64(is_left[node]) << (groups.above[g] + j)
                node += 1
            width = groups.feature_start[g + 1] - groups.feature_start[g] + 1
            found[g] = groups.table_start[g] + pattern * width
            place += 1
        carried[0] = 0


@njit(cache=True, nogil=True)
def explain_row(program: Program, row: Floats, parts: Floats) -> float:
    """Add to `parts` [features] what each has in the margin; returns the margin."""
    groups = program.groups
    codes = np.empty(len(program.columns.feature), np.int32)
    categories = np.empty(len(program.columns.category_feature), np.int32)
    is_left = np.empty(len(program.nodes.column), np.uint8)
    found = np.empty(len(groups.nodes), np.int64)
    leaf, room = np.empty(len(parts)), np.empty((3, len(parts)))
    _code_row(program, row, codes, categories)
    _decide(program, codes, categories, is_left)
    _find_rows(program, is_left, found)
    margin = 0.0
    for g in range(len(found)):
        at = found[g]
        first, stop = groups.feature_start[g], groups.feature_start[g + 1]
        if groups.table_start[g] >= 0:
            for k in range(first, stop):
                parts[groups.feature[k]] += groups.table[at + k - first]
            margin += groups.table[at + stop - first]
        else:
            margin += _compute_leaf(program, g, is_left, room, leaf)
            for k in range(first, stop):
                parts[groups.feature[k]] += leaf[k - first]
    return margin


@njit(cache=True, nogil=True)
def _compute_leaf(program: Program, g: int, is_left: Bytes, room: Floats, parts: Floats) -> float:
    """What the leaf of group g adds to its features, written into `parts`, and to the margin."""
    groups = program.groups
    first, stop = groups.feature_start[g], groups.feature_start[g + 1]
    kept = room[2]
    kept[: stop - first] = 1.0
    for i in range(groups.path_start[g], groups.path_start[g + 1]):
        if is_left[groups.path_node[i]] != groups.path_is_left[i]:
            kept[groups.path_place[i]] = 0.0
    begin, end = groups.rules.start[stop - first], groups.rules.start[stop - first + 1]
    compute_leaf(
        groups.value[g],
        groups.ratio[first:stop],
        kept,
        groups.rules.t[begin:end],
        groups.rules.weight[begin:end],
        room,
        parts,
    )
    return float(groups.value[g] if kept[: stop - first].all() else 0.0)


@njit(cache=True, nogil=True)
def explain_rows(program: Program, rows: Floats, parts: Floats, out: Floats) -> None:
    """As `explain_row`, for many rows: `parts` [rows, features] and margins `out` [rows]."""
    for first in range(0, len(rows), BLOCK_ROWS):
        stop = min(first + BLOCK_ROWS, len(rows))
        _explain_block(program, rows[first:stop], parts[first:stop], out[first:stop])


@njit(cache=True, nogil=True)
def _explain_block(program: Program, rows: Floats, parts: Floats, out: Floats) -> None:
    trees, groups, n = program.trees, program.groups, len(rows)
    codes = np.empty((len(program.columns.feature), n), np.int32)
    categories = np.empty((len(program.columns.category_feature), n), np.int32)
    for i in range(n):
        _code_row(program, rows[i], codes[:, i], categories[:, i])
    sums = np.zeros((rows.shape[1] + 1, n))
    carried = np.zeros((trees.most_places + 1, n), np.int32)
    most_walked = 1
    for tree in range(len(trees.walked_start) - 1):
        most_walked = max(most_walked, trees.walked_start[tree + 1] - trees.walked_start[tree])
    is_left = np.empty((most_walked + 1, n), np.uint8)
    room, own = np.empty((3, len(sums), LANES)), np.empty((len(sums), LANES))
    for tree in range(len(trees.walked_start) - 1):
        carried[0] = 0
        _walk_block(program, tree, codes, categories, carried, is_left)
        place = trees.walked_start[tree + 1] - trees.walked_start[tree]
        for g in range(trees.group_start[tree], trees.group_start[tree + 1]):
            if groups.table_start[g] >= 0:
                for j in range(groups.nodes[g]):
                    _decide_block(
                        program.nodes, groups.node_start[g] + j, codes, categories, is_left[-1]
                    )
                    shift = groups.above[g] + j
                    for i in range(n):
                        carried[place, i] |= np.int32(is_left[-1, i]) << shift
                _look_up_block(program, g, carried[place], sums)
            else:
                _compute_block(program, g, trees.node_start[tree], is_left, room, own, sums)
            place += 1
    parts[:] += sums[:-1].T
    out[:] = sums[-1]


@njit(cache=True, nogil=True)
def _decide_block(nodes: Nodes, node: int, codes: Ints, categories: Ints, is_left: Bytes) -> None:
    column, n = nodes.column[node], len(is_left)
    if column >= 0:
        rank, values = nodes.rank[node], codes[column]
        for i in range(n):
            is_left[i] = values[i] <= rank
    else:
        values = categories[~column]
        start, stop = nodes.set_start[node], nodes.set_stop[node]
        for i in range(n):
            is_left[i] = _is_in(nodes.words, start, stop, values[i])


@njit(cache=True, nogil=True)
def _walk_block(
    program: Program, tree: int, codes: Ints, categories: Ints, carried: Ints, is_left: Bytes
) -> None:
    trees = program.trees
    first, stop = trees.walked_start[tree], trees.walked_start[tree + 1]
    for w in range(first, stop):
        side = is_left[w - first]
        _decide_block(program.nodes, trees.node_start[tree] + w - first, codes, categories, side)
        here, left, right = (
            carried[w - first],
            carried[trees.to_left[w]],
            carried[trees.to_right[w]],
        )
        added, keep = np.int32(trees.added[w]), np.int32(~trees.bit[w])
        for i in range(len(side)):
            kept = here[i] | added
            dropped = kept & keep
            left[i] = kept if side[i] else dropped
            right[i] = dropped if side[i] else kept


@njit(cache=True, nogil=True)
def _look_up_block(program: Program, g: int, pattern: Ints, sums: Floats) -> None:
    groups = program.groups
    first, stop = groups.feature_start[g], groups.feature_start[g + 1]
    width = np.int32(stop - first + 1)
    table = groups.table[groups.table_start[g] :]
    for i in range(len(pattern)):
        pattern[i] *= width
    for k in range(first, stop):
        of_feature, at = sums[groups.feature[k]], np.int32(k - first)
        for i in range(len(pattern)):
            of_feature[i] += table[np.uint32(pattern[i] + at)]
    margin, at = sums[-1], np.int32(stop - first)
    for i in range(len(pattern)):
        margin[i] += table[np.uint32(pattern[i] + at)]


@njit(cache=True, nogil=True)
def _compute_block(
    program: Program,
    g: int,
    first_node: int,
    is_left: Bytes,
    room: Floats,
    own: Floats,
    sums: Floats,
) -> None:
    groups = program.groups
    first, stop = groups.feature_start[g], groups.feature_start[g + 1]
    begin, end = groups.rules.start[stop - first], groups.rules.start[stop - first + 1]
    t, weight, value = groups.rules.t[begin:end], groups.rules.weight[begin:end], groups.value[g]
    kept = room[2]
    for row in range(0, is_left.shape[1], LANES):
        lanes = min(LANES, is_left.shape[1] - row)
        kept[: stop - first + 1] = 1.0
        for step in range(groups.path_start[g], groups.path_start[g + 1]):
            side = is_left[groups.path_node[step] - first_node, row : row + lanes]
            of_place, want = kept[groups.path_place[step]], groups.path_is_left[step]
            for i in range(lanes):
                of_place[i] = of_place[i] if side[i] == want else 0.0
        compute_leaf_of_rows(value, groups.ratio[first:stop], kept, t, weight, room, own)
        all_kept = kept[stop - first]
        for k in range(first, stop):
            total = sums[groups.feature[k], row : row + lanes]
            for i in range(lanes):
                total[i] += own[k - first, i]
                all_kept[i] *= kept[k - first, i]
        margin = sums[-1, row : row + lanes]
        for i in range(lanes):
            margin[i] += value * all_kept[i]
