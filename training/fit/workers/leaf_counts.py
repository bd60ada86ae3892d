"""Exact row counts of leaves, which LightGBM only estimates when several workers grow trees.

Its estimates come from second derivatives. SHAP values depend on the counts, so each worker counts
its own rows.
"""

import re
from collections.abc import Iterable

import numpy as np

from training.lightgbm_alone import lightgbm
from training.ranking import Floats, Ints

_FIELD = r"(?m)^{}=(.*)$"
_SIZES = re.compile(r"(?m)^tree_sizes=(.*)$")


def rows_of_leaves(
    booster: lightgbm.Booster, batches: Iterable[Floats], leaves: int, threads: int
) -> Ints:
    """Return the number of rows in each leaf as an array [trees, leaves]."""
    trees = booster.num_trees()
    counts = np.zeros(trees * leaves, np.int64)
    for rows in batches:
        found = np.asarray(booster.predict(rows, pred_leaf=True, num_threads=threads))
        cells = found.reshape(len(rows), trees).astype(np.int64) + np.arange(trees) * leaves
        counts += np.bincount(cells.ravel(), minlength=len(counts))
    return counts.reshape(trees, leaves)


def with_leaf_counts(text: str, counts: Ints) -> str:
    """Return the model text with these counts of leaves, and their sums in inner nodes."""
    encoded = text.encode()
    sizes = _SIZES.search(text)
    if not sizes or not sizes[1]:
        return text
    at = encoded.index(b"Tree=0\n")
    head, trees = encoded[:at].decode(), []
    for tree, size in enumerate(int(each) for each in sizes[1].split()):
        trees.append(_counted(encoded[at : at + size].decode(), counts[tree]))
        at += size
    # The header lists the size of each tree in bytes, which the new counts change.
    new_sizes = " ".join(str(len(tree.encode())) for tree in trees)
    head = _SIZES.sub(f"tree_sizes={new_sizes}", head)
    return head + "".join(trees) + encoded[at:].decode()


def _counted(tree: str, rows: Ints) -> str:
    left, right = (_integers(tree, name) for name in ("left_child", "right_child"))
    if not left:
        return tree
    nodes = [0] * len(left)
    for node in reversed(range(len(left))):  # a child comes after its parent
        children = left[node], right[node]
        nodes[node] = sum(nodes[each] if each >= 0 else int(rows[~each]) for each in children)
    tree = _replaced(tree, "leaf_count", rows[: len(left) + 1])
    return _replaced(tree, "internal_count", nodes)


def _integers(tree: str, name: str) -> list[int]:
    found = re.search(_FIELD.format(name), tree)
    return [int(each) for each in found[1].split()] if found else []


def _replaced(tree: str, name: str, values: Iterable[int]) -> str:
    numbers = " ".join(str(int(each)) for each in values)
    return re.sub(_FIELD.format(name), f"{name}={numbers}", tree, count=1)
