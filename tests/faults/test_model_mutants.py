"""Damaged model files: refused with the place, never fatal.

The damage is done to the text alone, as if somebody had signed it; a manifest's digest refuses any
change of a byte before the text is read. `TIDEGATE_MODEL_MUTANTS` sets how many there are.
"""

import os
import random
import re
from functools import cache

import lightgbm
import numpy as np
import pytest

from serving.scorer.errors import TreesRefused
from serving.scorer.scores import PreparedTrees

MUTANTS = int(os.environ.get("TIDEGATE_MODEL_MUTANTS", "200"))
END = "end of trees\n"


@cache
def text() -> str:
    lots = np.random.default_rng(3)
    values = lots.normal(size=(1200, 8))
    values[:, 7] = lots.integers(0, 70, 1200)
    values[lots.random(values.shape) < 0.1] = np.nan
    labels = np.nan_to_num(values[:, 0] + values[:, 7] % 3) + lots.normal(size=1200) > 2
    data = lightgbm.Dataset(values, labels, categorical_feature=[7])
    settings = {"objective": "binary", "num_leaves": 9, "num_threads": 1, "verbosity": -1}
    return str(lightgbm.train(settings, data, 8).model_to_string())


def rows() -> np.ndarray:
    lots = np.random.default_rng(4)
    values = lots.normal(size=(60, 8))
    values[:, 7] = lots.integers(-2, 90, 60)
    values[lots.random(values.shape) < 0.1] = np.nan
    return values


def truncated(text: str, lots: random.Random) -> str:
    return text[: lots.randrange(text.index(END))]


def another_byte(text: str, lots: random.Random) -> str:
    at = lots.randrange(text.index(END))
    return text[:at] + chr(lots.randrange(1, 127)) + text[at + 1 :]


def another_bit(text: str, lots: random.Random) -> str:
    at = lots.randrange(text.index(END))
    return text[:at] + chr(ord(text[at]) ^ 1 << lots.randrange(7)) + text[at + 1 :]


def another_number(text: str, lots: random.Random) -> str:
    numbers = list(re.finditer(r"(?<=[= ])-?[0-9][0-9.e+-]*", text[: text.index(END)]))
    number = lots.choice(numbers)
    other = lots.choice(
        ["0", "-1", "99999", "-99999", "1e308", "nan", "inf", "2147483648", "", "1 1"]
    )
    return text[: number.start()] + other + text[number.end() :]


def another_index(text: str, lots: random.Random) -> str:
    key = lots.choice(["left_child", "right_child", "split_feature", "cat_boundaries"])
    line = lots.choice(list(re.finditer(f"\n{key}=(.+)\n", text)))
    numbers = line[1].split(" ")
    numbers[lots.randrange(len(numbers))] = str(lots.randrange(-12, 12))
    return text[: line.start(1)] + " ".join(numbers) + text[line.end(1) :]


def another_size(text: str, lots: random.Random) -> str:
    line = re.search("\ntree_sizes=(.+)\n", text)
    assert line
    sizes = line[1].split(" ")
    sizes[lots.randrange(len(sizes))] = str(lots.choice([0, 1, -5, 10**9, lots.randrange(3000)]))
    return text[: line.start(1)] + " ".join(sizes) + text[line.end(1) :]


def another_line(text: str, lots: random.Random) -> str:
    lines = text[: text.index(END)].split("\n")
    at = lots.randrange(len(lines))
    lines[at : at + 1] = lots.choice([[], [lines[at]] * 2, [lots.choice(lines)]])
    return "\n".join(lines) + text[text.index(END) :]


def swapped_trees(text: str, lots: random.Random) -> str:
    one, other = lots.sample(re.findall(r"Tree=\d+\n.*?\n\n\n", text, re.DOTALL), 2)
    return text.replace(one, "\0").replace(other, one).replace("\0", other)


def _names_its_place(refusal: TreesRefused) -> bool:
    assert re.match(r"booster\.txt, (tree \d+, )?line \d+: .+", str(refusal))
    return True


DAMAGES = (
    truncated, another_byte, another_bit, another_number,
    another_index, another_size, another_line, swapped_trees,
)  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_text_is_refused_with_its_place_or_scores_within_its_trees(
    damage: object,
) -> None:
    lots = random.Random(f"{damage}")
    refused = 0
    for _ in range(max(1, MUTANTS // len(DAMAGES))):
        mutant = damage(text(), lots)  # type: ignore[operator]
        if mutant == text():
            continue
        try:
            trees = PreparedTrees.of_text(mutant)
        except TreesRefused as refusal:
            refused += _names_its_place(refusal)
            continue
        explained = trees.explain(rows())
        assert np.isfinite(explained.margins).all()
        sums = explained.parts.sum(axis=1) + trees.expected
        bound = 1e-9 * np.maximum(1.0, np.abs(explained.parts).sum(axis=1))
        assert (np.abs(sums - explained.margins) <= bound).all()
    assert refused


@pytest.mark.parametrize("damage", [truncated, swapped_trees, another_size])
def test_damage_to_the_shape_of_the_text_is_always_refused(damage: object) -> None:
    lots = random.Random(5)
    for _ in range(20):
        mutant = damage(text(), lots)  # type: ignore[operator]
        if mutant != text():
            with pytest.raises(TreesRefused):
                PreparedTrees.of_text(mutant)


def test_what_follows_the_trees_is_not_read() -> None:
    whole = text()
    mutant = whole[: whole.index(END) + len(END)] + "\0\nfeature_importances:\nx=99999999999\n"

    assert np.array_equal(
        PreparedTrees.of_text(mutant).explain(rows()).parts,
        PreparedTrees.of_text(whole).explain(rows()).parts,
    )
