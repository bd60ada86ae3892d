"""Parse and check the fields of one tree of a model's text."""

import re
from collections.abc import Mapping

import numpy as np

from features.errors import TidegateError
from serving.models.forest import (
    IS_CATEGORICAL,
    MISSING_NAN,
    MISSING_SHIFT,
    Bytes,
    Counts,
    Floats,
    Ints,
    Tree,
    Words,
)

# Possessive quantifiers: a hostile file cannot cause catastrophic backtracking.
_WHOLE = "-?+[0-9]++"
_FINITE = r"[-+]?+[0-9]++(?:\.[0-9]*+)?+(?:e[-+]?+[0-9]++)?+"
_WHOLES, _FINITES, _ANY = (
    re.compile(f"(?:{number} )*+{number}") for number in (_WHOLE, _FINITE, f"(?:{_FINITE}|-?+inf)")
)
_INTEGER_END = 1 << 31
_PER_NODE = ("split_gain", "internal_value", "internal_weight")


class WrongField(Exception):
    """The value of a key is wrong; the caller adds the position of the key in the file."""

    def __init__(self, key: str, what: str, kind: type[TidegateError] = TidegateError):
        super().__init__(f"{key}: {what}")
        self.key = key
        self.kind = kind


def tree_of(fields: Mapping[str, str], features: int) -> Tree:
    """Return the checked tree; raises WrongField."""
    leaves, sets = _one(fields, "num_leaves"), _one(fields, "num_cat")
    if leaves < 1:
        raise WrongField("num_leaves", "a tree has at least one leaf")
    nodes = leaves - 1
    _check_unused(fields, nodes)
    tree = Tree(
        feature=_integers(fields, "split_feature", nodes).astype(np.int32),
        threshold=_numbers(fields, "threshold", nodes, may_be_infinite=True),
        decision=_decisions(fields, nodes),
        left=_integers(fields, "left_child", nodes).astype(np.int32),
        right=_integers(fields, "right_child", nodes).astype(np.int32),
        count=_integers(fields, "internal_count", nodes),
        leaf_value=_numbers(fields, "leaf_value", leaves),
        leaf_count=_integers(fields, "leaf_count", leaves if nodes or fields["leaf_count"] else 0),
        set_start=_integers(fields, "cat_boundaries", sets + 1 if sets else 0).astype(np.int32),
        words=_words(fields, sets),
    )
    if nodes and not 0 <= tree.feature.min() <= tree.feature.max() < features:
        raise WrongField("split_feature", f"the model has {features} features")
    _check_children(tree)
    _check_counts(tree)
    _check_sets(tree)
    return tree


def _check_unused(fields: Mapping[str, str], nodes: int) -> None:
    for key in _PER_NODE:
        _written(fields, key, nodes, _ANY, "a number is needed")
    if nodes or fields["leaf_weight"]:
        _numbers(fields, "leaf_weight", nodes + 1)
    _numbers(fields, "shrinkage", 1)
    if fields["is_linear"] != "0":
        raise WrongField("is_linear", "want 0", TidegateError)


def _decisions(fields: Mapping[str, str], nodes: int) -> Bytes:
    decisions = _integers(fields, "decision_type", nodes)
    if ((decisions < 0) | (decisions >> MISSING_SHIFT > MISSING_NAN)).any():
        raise WrongField("decision_type", "a node's kind of decision is unknown")
    return decisions.astype(np.uint8)


def _check_children(tree: Tree) -> None:
    nodes = len(tree.feature)
    for key, children in (("left_child", tree.left), ("right_child", tree.right)):
        backward = (children >= 0) & (children <= np.arange(nodes))
        if (backward | (children >= nodes) | (children < ~nodes)).any():
            raise WrongField(key, "a child must be a later node or a leaf of this tree")
    children = np.sort(np.concatenate([tree.left, tree.right]))
    # Each leaf, from ~nodes to ~0, and each node but the root must occur exactly once: otherwise
    # the arrays are not a tree, and scoring could loop or skip leaves.
    if nodes and not np.array_equal(children, np.r_[~nodes:0, 1:nodes]):
        raise WrongField("right_child", "a node or leaf has no parent, or two")


def _check_counts(tree: Tree) -> None:
    if not len(tree.count):
        return
    if tree.leaf_count.min() < 0 or tree.count.min() < 1:
        raise WrongField("internal_count", "a node or leaf with rows below zero, or an empty node")
    below = _count_of(tree, tree.left) + _count_of(tree, tree.right)
    if not np.array_equal(below, tree.count):
        node = int(np.flatnonzero(below != tree.count)[0])
        raise WrongField("internal_count", f"node {node} has not the rows of its two children")


def _count_of(tree: Tree, children: Ints) -> Counts:
    of_leaves = tree.leaf_count[~np.minimum(children, -1)]
    return np.where(children < 0, of_leaves, tree.count[np.maximum(children, 0)])


def _check_sets(tree: Tree) -> None:
    categorical = (tree.decision & IS_CATEGORICAL).astype(bool)
    if np.isinf(tree.threshold[categorical]).any():
        raise WrongField("threshold", "a categorical node names no set of categories")
    numbers = np.sort(tree.threshold[categorical])
    if not np.array_equal(numbers, np.arange(max(len(tree.set_start) - 1, 0))):
        raise WrongField("threshold", "each set of categories belongs to one categorical node")
    starts = tree.set_start
    if len(starts) and (starts[0] != 0 or (np.diff(starts) < 1).any()):
        raise WrongField("cat_boundaries", "sets of categories must follow one another from 0")


def _words(fields: Mapping[str, str], sets: int) -> Words:
    if not sets:
        return np.zeros(0, np.uint32)
    last = fields["cat_boundaries"].rpartition(" ")[2]
    words = _integers(fields, "cat_threshold", int(last) if last.isdecimal() else -1, 1 << 32)
    if words.min(initial=0) < 0:
        raise WrongField("cat_threshold", "a set of categories is below zero")
    return words.astype(np.uint32)


def _one(fields: Mapping[str, str], key: str) -> int:
    return int(_integers(fields, key, 1)[0])


def _integers(
    fields: Mapping[str, str], key: str, length: int, below: int = _INTEGER_END
) -> Counts:
    value = _written(fields, key, length, _WHOLES, "a whole number is needed")
    array = np.fromstring(value, dtype=np.int64, sep=" ")
    # np.fromstring clamps numbers beyond 64 bits, so they fail the range check below.
    if len(array) and not -_INTEGER_END <= array.min() <= array.max() < below:
        raise WrongField(key, "a number is out of range")
    return array


def _numbers(
    fields: Mapping[str, str], key: str, length: int, *, may_be_infinite: bool = False
) -> Floats:
    grammar = _ANY if may_be_infinite else _FINITES
    array = np.fromstring(_written(fields, key, length, grammar, "a number is needed"), sep=" ")
    if not may_be_infinite and not np.isfinite(array).all():
        raise WrongField(key, "a number is not finite")
    return array


def _written(
    fields: Mapping[str, str], key: str, length: int, grammar: re.Pattern[str], otherwise: str
) -> str:
    value = fields.get(key, "")
    if value and not grammar.fullmatch(value):
        raise WrongField(key, otherwise, TidegateError)
    found = value.count(" ") + 1 if value else 0
    if found != length:
        raise WrongField(key, f"want {max(length, 0)} numbers, not {found}", TidegateError)
    return value
