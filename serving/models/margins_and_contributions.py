"""Compiled functions for the margins, and contributions, of one or many rows.

They take rows as float64 [rows, features], use no lock, and perform the same sums in the same order
for every row, so a row has the same bits alone and among others. Rows pass through the trees block
by block, so that data of a tree is loaded once for all rows of a block.
"""

import numpy as np

from features.engine.numba_cache import compiled, inlined, inner
from serving.models.forest import Floats, Ints, Words
from serving.models.packed_forest import PackedForest, Steps
from serving.models.threshold_bins import Columns, category_of, code_of, is_in
from serving.models.tree_shapley import (
    enter_tree,
    find_doubts,
    gather_forks,
    gather_leaves,
    gather_stems,
    shap_values,
    share_out,
    workspace_for,
)

MARGIN_BLOCK_ROWS = 1024
# Rows whose sums fit in the second-level cache.
BLOCK_ROWS = 64


@compiled(nogil=True)
def margins(
    columns: Columns, steps: Steps, words: Words, leaf_value: Floats, rows: Floats, out: Floats
) -> None:
    """Write the sum of the leaves that each row reaches; `words` hold the category bit sets."""
    for first in range(0, len(rows), MARGIN_BLOCK_ROWS):
        stop = min(first + MARGIN_BLOCK_ROWS, len(rows))
        codes, categories = coded(columns, rows[first:stop])
        _margins_of_block(steps, words, leaf_value, codes, categories, out[first:stop])


@inner
def coded(columns: Columns, rows: Floats) -> tuple[Ints, Words]:
    """Return the code of every row in every column, and its categories."""
    # The kernels read a code for categorical nodes too and ignore it, so allocate at least one
    # column even if no feature is numerical.
    codes = np.empty((len(rows), max(len(columns.feature), 1)), np.int32)
    categories = np.empty((len(rows), len(columns.category_feature)), np.uint32)
    for i in range(len(rows)):
        for c in range(len(columns.feature)):
            codes[i, c] = code_of(columns, c, rows[i, columns.feature[c]])
        for c in range(len(columns.category_feature)):
            categories[i, c] = category_of(rows[i, columns.category_feature[c]])
    return codes, categories


@inlined
def _margins_of_block(
    of_trees: Steps,
    words: Words,
    leaf_value: Floats,
    codes: Ints,
    categories: Words,
    out: Floats,
) -> None:
    root, steps = of_trees
    out[:] = 0.0
    for tree in range(len(root)):
        for i in range(len(out)):
            node = root[tree]
            while node >= 0:
                column = steps[node, 0]
                if column >= 0:
                    is_right = codes[i, column] > steps[node, 1]
                else:
                    category = categories[i, ~column]
                    is_right = is_in(words, steps[node, 2], steps[node, 3], category) == 0
                # Node numbers run through all trees here, and a negative one is the complement of a
                # leaf.
                node = steps[node, 5 if is_right else 4]
            out[i] += leaf_value[~node]


@compiled(nogil=True)
def explain_rows(forest: PackedForest, rows: Floats, parts: Floats, out: Floats) -> None:
    """Write contributions to `parts` [rows, features] and margins to `out`, before calibration."""
    for first in range(0, len(rows), BLOCK_ROWS):
        stop = min(first + BLOCK_ROWS, len(rows))
        codes, categories = coded(forest.columns, rows[first:stop])
        _explain_block(forest, codes, categories, parts[first:stop], out[first:stop])


@inlined
def _explain_block(
    forest: PackedForest, codes: Ints, categories: Words, parts: Floats, out: Floats
) -> None:
    # Unpack once: passing the whole forest to every call would dominate compilation.
    _, numerical, categorical, repeats, trees, stems, forks, leaves, _, rules = forest
    passes, node_start, asks = trees.passes, trees.node_start, numerical.asks
    workspace = workspace_for(node_start, stems.start)
    parts[:] = 0.0
    out[:] = 0.0
    for tree in range(len(passes)):
        for turn in range(passes[tree]):
            rule = passes[tree] * (passes[tree] - 1) // 2 + turn
            enter_tree(node_start, repeats, rules.t, tree, rule, workspace)
            for i in range(len(out)):
                shap_values(
                    node_start, asks, categorical, tree, codes[i], categories[i], workspace.side
                )
                find_doubts(repeats, tree, workspace)
                share_out(trees, stems, rules.weight, tree, rule, workspace)
                gather_leaves(leaves, tree, workspace)
                gather_forks(trees, forks, stems.start, tree, workspace, parts[i])
                leaf = gather_stems(trees, stems, tree, workspace, parts[i])
                # The last quadrature node is t = 1, where all features are known and the root's
                # worth is the leaf itself; it belongs to the last pass.
                out[i] += leaf if turn == passes[tree] - 1 else 0.0
