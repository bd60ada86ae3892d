"""Score rows: calibrated log-odds, and the exact contribution of every feature."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Self

import numpy as np
import numpy.typing as npt

from features.errors import TidegateError
from serving.errors import Unavailable
from serving.models.margins_and_contributions import explain_rows, margins
from serving.models.packed_forest import PackedForest, pack_forest
from serving.models.tree_interactions import Slots, interact_rows, slots_of
from serving.models.tree_text import read_forest
from training.model.risk_model import BOOSTER, MANIFEST, RiskModel

Floats = npt.NDArray[np.float64]

# The largest accepted difference between base + contributions and the log-odds they explain.
ADDITIVITY = 1e-9


@dataclass(frozen=True)
class Scores:
    """Scores of n subjects; for each, `base_log_odds` + its contributions = its log-odds."""

    log_odds: Floats
    probability: Floats
    contributions: Floats
    base_log_odds: float


@dataclass(frozen=True)
class RawExplanation:
    """Margins of n rows and the contribution of each feature to them, before calibration."""

    margins: Floats
    parts: Floats


@dataclass(frozen=True)
class PreparedTrees:
    """A model's trees, prepared for scoring from any number of threads."""

    forest: PackedForest
    expected: float
    feature_names: tuple[str, ...]

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Parse a model's text and compile missing kernels; raises TidegateError."""
        parsed = read_forest(text)
        trees = cls(pack_forest(parsed), parsed.expected, parsed.feature_names)
        # The first call of a compiled function compiles or loads it. Do that now, so that no
        # request has to wait for it.
        trees.explain(np.zeros((1, len(parsed.feature_names))))
        trees.margins(np.zeros((1, len(parsed.feature_names))))
        return trees

    def margins(self, rows: Floats) -> Floats:
        """Return one margin per row."""
        out, forest = np.empty(len(rows)), self.forest
        words, leaf_value = forest.categorical.words, forest.trees.leaf_value
        margins(forest.columns, forest.steps, words, leaf_value, self._checked(rows), out)
        return out

    def explain(self, rows: Floats, threads: int = 1) -> RawExplanation:
        """Return margins and contributions, equal to the bit for any number of rows and threads."""
        rows = self._checked(rows)
        out, parts = np.empty(len(rows)), np.empty(rows.shape)
        if threads == 1:
            explain_rows(self.forest, rows, parts, out)
        else:
            shares = np.array_split(np.arange(len(rows)), threads)
            spans = [slice(s[0], s[-1] + 1) for s in shares if len(s)]
            with ThreadPoolExecutor(threads) as pool:
                list(
                    pool.map(lambda s: explain_rows(self.forest, rows[s], parts[s], out[s]), spans)
                )
        return RawExplanation(out, parts)

    def pairs(self, rows: Floats) -> Floats:
        """Return what every two features add together [rows, features, features].

        Beyond what each adds alone, before calibration; both places of a pair hold all of it, and
        the diagonal is 0. The first call compiles or loads the kernel.
        """
        rows = self._checked(rows)
        pairs = np.empty((*rows.shape, rows.shape[1]))
        interact_rows(self.forest, self._slots, rows, pairs)
        pairs += pairs.swapaxes(1, 2).copy()
        pairs[:, np.arange(rows.shape[1]), np.arange(rows.shape[1])] = 0.0
        return pairs

    def interactions(self, rows: Floats) -> Floats:
        """Return SHAP interaction values [rows, features, features], before calibration.

        Each matrix is symmetric, with one half of a pair in each of its places. Every row of it
        adds up to the contribution of its feature.
        """
        halves = self.pairs(rows) / 2
        diagonal = np.arange(halves.shape[1])
        halves[:, diagonal, diagonal] = self.explain(rows).parts - halves.sum(axis=2)
        return halves

    @cached_property
    def _slots(self) -> Slots:
        return slots_of(self.forest)

    def _checked(self, rows: Floats) -> Floats:
        # The kernels check no bounds; nothing of another shape or type may reach them.
        rows = np.ascontiguousarray(rows, dtype=np.float64)
        width = len(self.feature_names)
        if rows.ndim != 2 or rows.shape[1] != width:
            raise ValueError(f"want rows of {width} features, not shape {rows.shape}")
        return rows


@dataclass(frozen=True)
class Scorer:
    """A model, ready to score rows that it encoded."""

    model: RiskModel
    trees: PreparedTrees

    @classmethod
    def for_model(cls, model: RiskModel) -> Self:
        """Prepare a model that was verified on reading; raises TidegateError."""
        trees = PreparedTrees.from_text(model.booster_text)
        _refuse_other_names(trees.feature_names, model.encoding.names)
        return cls(model, trees)

    def score(self, rows: Floats, threads: int = 1) -> Scores:
        """Score rows [n, features]; a row has the same bits alone and among others.

        Raises Unavailable if contributions don't add up to the score they explain.
        """
        calibration = self.model.manifest.calibration
        explained = self.trees.explain(rows, threads)
        log_odds = calibration.slope * explained.margins + calibration.intercept
        scores = Scores(
            log_odds=log_odds,
            probability=logistic(log_odds),
            contributions=calibration.slope * explained.parts,
            base_log_odds=calibration.slope * self.trees.expected + calibration.intercept,
        )
        _refuse_unexplained(scores)
        return scores

    def pairs(self, rows: Floats) -> Floats:
        """Return what every two features add together, as `PreparedTrees.pairs`, calibrated."""
        return self.model.manifest.calibration.slope * self.trees.pairs(rows)

    def interactions(self, rows: Floats) -> Floats:
        """Return SHAP interaction values in calibrated log-odds, as `PreparedTrees.interactions`.

        The rows of a matrix add up to the contributions in `score`.
        """
        return self.model.manifest.calibration.slope * self.trees.interactions(rows)

    def probabilities(self, rows: Floats) -> Floats:
        """Return only the probabilities of rows [n, features], with the same bits as `score`."""
        calibration = self.model.manifest.calibration
        return logistic(calibration.slope * self.trees.margins(rows) + calibration.intercept)


def _refuse_other_names(of_trees: Sequence[str], of_manifest: Sequence[str]) -> None:
    for place, (theirs, ours) in enumerate(zip_longest(of_trees, of_manifest), 1):
        # Trees address features by number. With names in another order every score would be wrong
        # without an error.
        if theirs != ours:
            raise TidegateError(
                f"{BOOSTER}: feature {place} is {theirs!r}, but {ours!r} in {MANIFEST}"
            )


def logistic(log_odds: Floats) -> Floats:
    """Return the probability of log-odds; every reported one is computed here, equal to the bit."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-log_odds))


def _refuse_unexplained(scores: Scores) -> None:
    explained = scores.base_log_odds + scores.contributions.sum(axis=1)
    apart = np.abs(explained - scores.log_odds)
    if not np.all(apart <= ADDITIVITY * np.maximum(1.0, np.abs(scores.log_odds))):
        raise Unavailable("contributions do not add up to the score", code="unexplained")
