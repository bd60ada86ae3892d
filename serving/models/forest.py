"""Trees as plain arrays, after the model's text has passed every check.

Nodes of all trees are stored one after another, and so are their leaves. A child is a node's number
within its tree or, if negative, `~` a leaf's number within its tree. Children have higher numbers
than their node, so one forward pass goes from the root to the leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]

# LightGBM's `decision_type`: two flags, and from bit 2 on the kind of missing value.
IS_CATEGORICAL = 1
IS_DEFAULT_LEFT = 2
MISSING_SHIFT = 2
MISSING_NONE, MISSING_ZERO, MISSING_NAN = 0, 1, 2


@dataclass(frozen=True)
class Tree:
    """One tree; a tree of one leaf has no nodes."""

    feature: Ints
    threshold: Floats
    decision: Bytes
    left: Ints
    right: Ints
    count: Counts
    leaf_value: Floats
    leaf_count: Counts
    set_start: Ints
    words: Words

    @property
    def expected(self) -> float:
        """The mean of the leaf values, weighted by training rows."""
        if not len(self.count):
            return float(self.leaf_value[0])
        return float((self.leaf_count / self.count[0] * self.leaf_value).sum())


@dataclass(frozen=True)
class Forest:
    """All trees of a model; the margin of a row is the sum of the leaves it reaches.

    Categorical node i sends left the categories whose bits are set in
    `words[set_start[i]:set_stop[i]]`; both are 0 for a numerical node.
    """

    feature_names: tuple[str, ...]
    node_start: Ints
    leaf_start: Ints
    feature: Ints
    threshold: Floats
    decision: Bytes
    left: Ints
    right: Ints
    count: Counts
    leaf_value: Floats
    leaf_count: Counts
    set_start: Ints
    set_stop: Ints
    words: Words
    expected: float

    @classmethod
    def from_trees(cls, feature_names: tuple[str, ...], trees: Sequence[Tree]) -> Self:
        """Concatenate checked trees into read-only arrays."""
        words_before = _starts([len(tree.words) for tree in trees])[:-1]
        sets = [_sets(tree, before) for tree, before in zip(trees, words_before, strict=True)]
        forest = cls(
            feature_names=feature_names,
            node_start=_starts([len(tree.feature) for tree in trees]),
            leaf_start=_starts([len(tree.leaf_value) for tree in trees]),
            **{
                name: np.concatenate([getattr(tree, name) for tree in trees])
                for name in (
                    *("feature", "threshold", "decision", "left", "right", "count"),
                    *("leaf_value", "leaf_count", "words"),
                )
            },
            set_start=np.concatenate([start for start, _ in sets]),
            set_stop=np.concatenate([stop for _, stop in sets]),
            expected=sum(tree.expected for tree in trees),
        )
        for field in fields(forest):
            if isinstance(array := getattr(forest, field.name), np.ndarray):
                # Threads share these arrays without a lock.
                array.flags.writeable = False
        return forest


def _starts(lengths: Sequence[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)


def _sets(tree: Tree, words_before: int) -> tuple[Ints, Ints]:
    start = np.zeros(len(tree.feature), np.int32)
    stop = np.zeros(len(tree.feature), np.int32)
    categorical = np.flatnonzero(tree.decision & IS_CATEGORICAL)
    numbers = tree.threshold[categorical].astype(np.int32)
    start[categorical] = tree.set_start[numbers] + words_before
    stop[categorical] = tree.set_start[numbers + 1] + words_before
    return start, stop
