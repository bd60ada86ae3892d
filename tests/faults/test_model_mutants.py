"""Damaged model files: refused with the place, never fatal.

The damage is done to the text alone, as if somebody had signed it; a manifest's digest refuses any
change of a byte before the text is read.
"""

import random
import re
from functools import cache

import lightgbm
import numpy as np
import pytest

from features.errors import TidegateError
from serving.models.scores import PreparedTrees
from tests.counts import count
from tests.faults.damages import END, TO_TREES, Damage, another_size, swapped_trees, truncated
from training.fit.other_libraries import grow_trees, model_text
from training.model.encoding import Encoding, ModelInput
from training.parameters import TrainingParameters, TreeParameters

MUTANTS = count(10, 250)
"""Of each damage."""


LIBRARIES = ("lightgbm", "scikit-learn", "xgboost")


@cache
def text(library: str = "lightgbm") -> str:
    lots = np.random.default_rng(3)
    values = lots.normal(size=(1200, 8))
    values[:, 7] = lots.integers(0, 70, 1200)
    values[lots.random(values.shape) < 0.1] = np.nan
    labels = np.nan_to_num(values[:, 0] + values[:, 7] % 3) + lots.normal(size=1200) > 2
    if library != "lightgbm":
        inputs = [ModelInput(name=f"x{number}") for number in range(7)]
        kinds = ModelInput(name="kind", categories=tuple(map(str, range(70))))
        encoding = Encoding((*inputs, kinds))
        grown = TreeParameters.model_validate(
            {"library": library, "thresholds": "best", "monotone": "basic"}
            | {"trees": 8, "leaves": 9}
        )
        asked = TrainingParameters(threads=1, trees=grown)
        found = grow_trees(library, values, labels * 1.0, None, encoding, [0] * 8, asked)
        return model_text(found, encoding)
    data = lightgbm.Dataset(values, labels, categorical_feature=[7])
    settings = {"objective": "binary", "num_leaves": 9, "num_threads": 1, "verbosity": -1}
    return str(lightgbm.train(settings, data, 8).model_to_string())


def rows() -> np.ndarray:
    lots = np.random.default_rng(4)
    values = lots.normal(size=(60, 8))
    values[:, 7] = lots.integers(-2, 90, 60)
    values[lots.random(values.shape) < 0.1] = np.nan
    return values


def _names_its_place(refusal: TidegateError) -> bool:
    assert re.match(r"booster\.txt, (tree \d+, )?line \d+: .+", str(refusal))
    return True


@pytest.mark.faults
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("damage", TO_TREES, ids=lambda damage: damage.__name__)
def test_a_damaged_text_is_refused_with_its_place_or_scores_within_its_trees(
    damage: Damage, library: str
) -> None:
    lots = random.Random(damage.__name__)
    refused = 0
    for _ in range(MUTANTS):
        mutant = damage(text(library), lots)
        if mutant == text(library):
            continue
        try:
            trees = PreparedTrees.from_text(mutant)
        except TidegateError as refusal:
            refused += _names_its_place(refusal)
            continue
        explained = trees.explain(rows())
        assert np.isfinite(explained.margins).all()
        sums = explained.parts.sum(axis=1) + trees.expected
        bound = 1e-9 * np.maximum(1.0, np.abs(explained.parts).sum(axis=1))
        assert (np.abs(sums - explained.margins) <= bound).all()
    assert refused


@pytest.mark.parametrize("damage", [truncated, swapped_trees, another_size])
def test_damage_to_the_shape_of_the_text_is_always_refused(damage: Damage) -> None:
    lots = random.Random(5)
    for _ in range(20):
        mutant = damage(text(), lots)
        if mutant != text():
            with pytest.raises(TidegateError):
                PreparedTrees.from_text(mutant)


def test_what_follows_the_trees_is_not_read() -> None:
    whole = text()
    mutant = whole[: whole.index(END) + len(END)] + "\0\nfeature_importances:\nx=99999999999\n"

    assert np.array_equal(
        PreparedTrees.from_text(mutant).explain(rows()).parts,
        PreparedTrees.from_text(whole).explain(rows()).parts,
    )
