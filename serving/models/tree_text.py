"""Parse LightGBM's text format (version 4) strictly, for binary classifiers.

LightGBM's own reader trusts the file: a damaged one crashes the process or scores differently. Here
every key must stand exactly where LightGBM writes it, every length and size must match, and the
numbers must form trees. Text after `end of trees` describes the training and is not read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from features.errors import TidegateError
from serving.models.forest import Forest, Tree
from serving.models.tree_fields import WrongField, tree_of

_END = "end of trees\n"
# Bounds what a damaged or hostile file can make the reader allocate.
_MAX_FEATURES = 1 << 20
_HEADER = tuple(
    "version num_class num_tree_per_iteration label_index max_feature_idx objective "
    "feature_names monotone_constraints feature_infos tree_sizes".split()
)
_OPTIONAL = {"monotone_constraints"}
_TREE = tuple(
    "num_leaves num_cat split_feature split_gain threshold decision_type left_child right_child "
    "leaf_value leaf_weight leaf_count internal_value internal_weight internal_count "
    "cat_boundaries cat_threshold is_linear shrinkage".split()
)


@dataclass(frozen=True)
class _Place:
    """A position in the file, for error messages."""

    file: str
    text: str
    tree: int | None = None

    def refusal(self, kind: type[TidegateError], offset: int, what: str) -> TidegateError:
        line = self.text.count("\n", 0, offset) + 1
        where = f"line {line}" if self.tree is None else f"tree {self.tree}, line {line}"
        return kind(f"{self.file}, {where}: {what}")


class _Field(NamedTuple):
    value: str
    offset: int


def read_forest(text: str, file: str = "booster.txt") -> Forest:
    """Return the trees in `text`; raises TidegateError, naming `file`, line and tree."""
    place = _Place(file, text)
    header, offset = _header(place)
    names = _feature_names(place, header)
    trees = []
    for number, size in enumerate(_sizes(place, header["tree_sizes"])):
        inside = _Place(file, text, number)
        trees.append(_tree(inside, offset, size, len(names)))
        offset += size
    if not trees:
        raise place.refusal(TidegateError, header["tree_sizes"].offset, "there are no trees")
    if not text.startswith(_END, offset):
        raise place.refusal(TidegateError, offset, "'end of trees' must follow the last tree")
    return Forest.from_trees(names, trees)


def _header(place: _Place) -> tuple[dict[str, _Field], int]:
    stop = place.text.find("\n\n")
    if not place.text.startswith("tree\n") or stop < 0:
        raise place.refusal(TidegateError, 0, "a model starts with 'tree' and a block of settings")
    # Random forests average their trees, while the scorer sums them.
    if (averaged := place.text.find("\naverage_output\n", 0, stop)) >= 0:
        raise place.refusal(TidegateError, averaged + 1, "random forests (average_output)")
    block = place.text[5:stop]
    keys = [key for key in _HEADER if key not in _OPTIONAL or f"\n{key}=" in block]
    header = _fields(place, block, 5, keys)
    for key, expected in (("version", "v4"), ("num_class", "1"), ("num_tree_per_iteration", "1")):
        if header[key].value != expected:
            what = f"{key} is {_shown(header[key].value)}; want {expected}"
            raise place.refusal(TidegateError, header[key].offset, what)
    objective = header["objective"]
    if not re.fullmatch(r"binary sigmoid:[0-9.e+-]{1,30}", objective.value):
        what = f"objective is {_shown(objective.value)}; want binary"
        raise place.refusal(TidegateError, objective.offset, what)
    return header, stop + 2


def _feature_names(place: _Place, header: dict[str, _Field]) -> tuple[str, ...]:
    highest = header["max_feature_idx"]
    if not re.fullmatch("[0-9]{1,7}", highest.value) or int(highest.value) >= _MAX_FEATURES:
        what = f"max_feature_idx is {_shown(highest.value)}"
        raise place.refusal(TidegateError, highest.offset, what)
    columns = int(highest.value) + 1
    for key in ("feature_names", "feature_infos", "monotone_constraints"):
        field = header.get(key)
        if field is not None and len(field.value.split(" ")) != columns:
            raise place.refusal(TidegateError, field.offset, f"want {columns} {key}")
    names = tuple(header["feature_names"].value.split(" "))
    if len(set(names)) != columns:
        raise place.refusal(TidegateError, header["feature_names"].offset, "a name appears twice")
    return names


def _sizes(place: _Place, field: _Field) -> list[int]:
    sizes = field.value.split(" ") if field.value else []
    if not all(re.fullmatch("[1-9][0-9]{0,9}", size) for size in sizes):
        raise place.refusal(TidegateError, field.offset, "a tree size is not a positive number")
    return [int(size) for size in sizes]


def _tree(place: _Place, offset: int, size: int, features: int) -> Tree:
    title = f"Tree={place.tree}\n"
    block = place.text[offset : offset + size]
    if not (block.startswith(title) and block.endswith("\n\n\n") and len(block) == size):
        what = f"the {size} characters that tree_sizes names are not one tree"
        raise place.refusal(TidegateError, offset, what)
    begin = offset + len(title)
    fields = _fields(place, block[len(title) : -3], begin, _tree_keys(block))
    try:
        return tree_of({key: field.value for key, field in fields.items()}, features)
    except WrongField as wrong:
        raise place.refusal(wrong.kind, fields[wrong.key].offset, str(wrong)) from None


def _tree_keys(block: str) -> Sequence[str]:
    if "\nnum_cat=0\n" not in block:
        return _TREE
    return [key for key in _TREE if not key.startswith("cat_")]


def _fields(place: _Place, block: str, offset: int, keys: Sequence[str]) -> dict[str, _Field]:
    """Return the values in `block`, which must have exactly these keys in this order."""
    found: dict[str, _Field] = {}
    lines = block.split("\n")
    for line, expected in zip(lines, keys, strict=False):
        key, equals, value = line.partition("=")
        # The leaves of linear trees are linear models, which the scorer does not evaluate.
        if key == "is_linear" and value == "1":
            raise place.refusal(TidegateError, offset, "linear trees")
        if key != expected or not equals:
            what = f"{expected} must stand here, not {_shown(key)}"
            raise place.refusal(TidegateError, offset, what)
        found[key] = _Field(value, offset)
        offset += len(line) + 1
    if len(lines) != len(keys):
        raise place.refusal(TidegateError, offset, f"want {len(keys)} lines, not {len(lines)}")
    return found


def _shown(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:40] + "…")
