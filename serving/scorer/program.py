"""A forest prepared for scoring: columns, trees in the order they are walked, and their tables."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from serving.scorer.columns import Columns, columns_of
from serving.scorer.forest import Bytes, Counts, Floats, Forest, Ints, Words
from serving.scorer.layout import TreeLayout, TreeShape, lay_out
from serving.scorer.quadrature import Rules, rules_up_to
from serving.scorer.tables import fill_tables

MOST_TABLE_BYTES = 224 << 20
"""Above this, cuts move down and rare long leaves are computed instead of looked up."""


class Nodes(NamedTuple):
    """Nodes of all trees in program order; children are nodes or `~` leaves of the forest.

    A numerical node asks `code <= rank` of its column; a categorical one, whose column is below 0,
    asks whether the category's bit is set in `words[set_start:set_stop]`. `steps` holds what one
    step down a tree reads side by side: column, rank, set_start, set_stop, left, right.
    """

    column: Ints
    rank: Ints
    set_start: Ints
    set_stop: Ints
    words: Words
    numerical: Ints
    categorical: Ints
    steps: Ints


class Trees(NamedTuple):
    """The walk: per tree where its nodes and groups start; per walked node its bits and places."""

    root: Ints
    node_start: Ints
    walked_start: Ints
    group_start: Ints
    most_places: int
    bit: Ints
    added: Ints
    to_left: Ints
    to_right: Ints
    leaf_value: Floats


class Groups(NamedTuple):
    """What is looked up or, where `table_start` is below 0, computed at the places below the cut.

    `path_*` hold the ways to computed leaves; `value` is such a leaf's value.
    """

    node_start: Ints
    nodes: Ints
    above: Ints
    feature_start: Ints
    feature: Ints
    ratio: Floats
    table_start: Counts
    table: Floats
    value: Floats
    path_start: Ints
    path_node: Ints
    path_is_left: Bytes
    path_place: Ints
    rules: Rules


class Program(NamedTuple):
    """All that the kernels read; rows are numbers in the order of the model's features."""

    columns: Columns
    nodes: Nodes
    trees: Trees
    groups: Groups


def prepare(forest: Forest, most_table_bytes: int = MOST_TABLE_BYTES) -> Program:
    """The program of a forest; its tables take at most `most_table_bytes`."""
    shapes = [_shape(forest, tree) for tree in range(len(forest.node_start) - 1)]
    layouts = _layouts(shapes, most_table_bytes)
    columns, column, rank = columns_of(forest)
    return Program(
        columns, _nodes(forest, layouts, column, rank), _trees(forest, layouts),
        _groups(forest, shapes, layouts),
    )  # fmt: skip


def table_numbers(layout: TreeLayout) -> Counts:
    """How many numbers the table of each group holds; 0 where a leaf is computed."""
    rows = np.where(layout.group_bits < 0, 0, np.left_shift(1, layout.group_bits.clip(0)))
    return np.asarray(rows * (layout.group_features + 1), np.int64)


def _shape(forest: Forest, tree: int) -> TreeShape:
    nodes = slice(forest.node_start[tree], forest.node_start[tree + 1])
    leaves = slice(forest.leaf_start[tree], forest.leaf_start[tree + 1])
    return TreeShape(
        forest.feature[nodes], forest.left[nodes], forest.right[nodes], forest.count[nodes],
        forest.leaf_value[leaves], forest.leaf_count[leaves],
    )  # fmt: skip


def _layouts(shapes: Sequence[TreeShape], most_table_bytes: int) -> list[TreeLayout]:
    byte_price_ns = 1e-3
    while True:
        layouts = [lay_out(shape, byte_price_ns) for shape in shapes if len(shape.feature)]
        if 8 * sum(table_numbers(layout).sum() for layout in layouts) <= most_table_bytes:
            return layouts
        byte_price_ns *= 1.4


def _starts(lengths: "Sequence[int] | Ints | Bytes") -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)


def _joined(layouts: list[TreeLayout], name: str, kind: type = np.int32) -> npt.NDArray[Any]:
    return np.concatenate([np.zeros(0, kind), *(getattr(each, name) for each in layouts)])


def _grown(forest: Forest) -> Ints:
    """The trees that have nodes; a tree of one leaf adds the same to every margin."""
    return np.flatnonzero(np.diff(forest.node_start)).astype(np.int32)


def _order(forest: Forest, layouts: list[TreeLayout]) -> Ints:
    starts = forest.node_start[_grown(forest)]
    orders = [layout.order + start for layout, start in zip(layouts, starts, strict=True)]
    return np.concatenate([np.zeros(0, np.int32), *orders])


def _children(forest: Forest, children: Ints, new: Ints) -> Ints:
    of_tree = np.repeat(np.arange(len(forest.node_start) - 1), np.diff(forest.node_start))
    node = np.maximum(children, 0) + forest.node_start[of_tree]
    leaf = np.maximum(~children, 0) + forest.leaf_start[of_tree]
    return np.where(children >= 0, new[np.minimum(node, len(new) - 1)], ~leaf).astype(np.int32)


def _nodes(forest: Forest, layouts: list[TreeLayout], column: Ints, rank: Ints) -> Nodes:
    order = _order(forest, layouts)
    new = np.empty(len(order), np.int32)
    new[order] = np.arange(len(order))
    left, right = (_children(forest, side, new) for side in (forest.left, forest.right))
    steps = [column, rank, forest.set_start, forest.set_stop, left, right, left, right]
    return Nodes(
        column=column[order],
        rank=rank[order],
        set_start=forest.set_start[order],
        set_stop=forest.set_stop[order],
        words=forest.words,
        numerical=np.flatnonzero(column[order] >= 0).astype(np.int32),
        categorical=np.flatnonzero(column[order] < 0).astype(np.int32),
        # Eight numbers are half a cache line, so that no node straddles two.
        steps=np.stack(steps, axis=1)[order],
    )


def _roots(forest: Forest, layouts: list[TreeLayout]) -> Ints:
    roots = ~forest.leaf_start[:-1]
    starts = forest.node_start[_grown(forest)]
    roots[_grown(forest)] = [
        start + int(np.argmin(layout.order)) for start, layout in zip(starts, layouts, strict=True)
    ]
    return roots


def _trees(forest: Forest, layouts: list[TreeLayout]) -> Trees:
    walked = [len(layout.bit) for layout in layouts]
    groups = [len(layout.group_root) for layout in layouts]
    return Trees(
        root=_roots(forest, layouts),
        node_start=_starts([len(layout.order) for layout in layouts]),
        walked_start=_starts(walked),
        group_start=_starts(groups),
        most_places=max((w + g for w, g in zip(walked, groups, strict=True)), default=0),
        bit=_joined(layouts, "bit"),
        added=_joined(layouts, "added"),
        to_left=_joined(layouts, "to_left"),
        to_right=_joined(layouts, "to_right"),
        leaf_value=forest.leaf_value,
    )


def _groups(forest: Forest, shapes: list[TreeShape], layouts: list[TreeLayout]) -> Groups:
    numbers = np.concatenate([np.zeros(0, np.int64), *map(table_numbers, layouts)])
    before = np.concatenate([[0], np.cumsum(numbers)]).astype(np.int64)
    rules = rules_up_to(max((int(each.group_features.max()) for each in layouts), default=0))
    roots = _joined(layouts, "group_root")
    first_leaf = np.repeat(
        forest.leaf_start[_grown(forest)], [len(each.group_root) for each in layouts]
    )
    node_start = forest.node_start[_grown(forest)]
    ways = [layout.path_node + start for layout, start in zip(layouts, node_start, strict=True)]
    return Groups(
        node_start=_group_nodes(layouts),
        nodes=_joined(layouts, "group_nodes"),
        above=_joined(layouts, "group_above"),
        feature_start=_starts(_joined(layouts, "group_features")),
        feature=_joined(layouts, "features"),
        ratio=_joined(layouts, "ratios", np.float64),
        table_start=np.where(_joined(layouts, "group_bits") < 0, -1, before[:-1]),
        table=_table(forest, shapes, layouts, before, rules),
        value=forest.leaf_value[np.where(roots < 0, ~roots + first_leaf, 0)],
        path_start=_starts(_joined(layouts, "group_path")),
        path_node=np.concatenate([np.zeros(0, np.int32), *ways]).astype(np.int32),
        path_is_left=_joined(layouts, "path_is_left", np.uint8),
        path_place=_joined(layouts, "path_place"),
        rules=rules,
    )


def _group_nodes(layouts: list[TreeLayout]) -> Ints:
    starts, before = [np.zeros(0, np.int32)], 0
    for layout in layouts:
        sizes = layout.group_nodes
        starts.append(before + len(layout.bit) + np.cumsum(sizes) - sizes)
        before += len(layout.order)
    return np.concatenate(starts).astype(np.int32)


def _table(
    forest: Forest,
    shapes: list[TreeShape],
    layouts: list[TreeLayout],
    before: Counts,
    rules: Rules,
) -> Floats:
    table = np.empty(before[-1])
    group = 0
    for tree, layout in zip(_grown(forest), layouts, strict=True):
        starts = before[group : group + len(layout.group_root)]
        fill_tables(shapes[tree], layout, starts, table, rules)
        group += len(layout.group_root)
    return table
