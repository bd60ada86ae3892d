"""What each direction costs or brings, and what is lost without some features.

    python -m experiments.2026-11-27-directions-and-features.study HOME [JOURNEYS [FEATURE...]]

Two invented worlds of different seeds. In each, models of both kinds are fitted with one thing
changed: no directions, one direction less, or a group of features left out; where features are
named, only these are left out, one after the other. Their precision among the highest 1 and 5 % of
all traffic of the last months is that of the world's own probabilities, so that no outcome is
drawn. Two fits that differ in nothing but their seed differ too, so that each model is fitted
`FITS` times and its precisions averaged: the 95 % interval of the difference from the usual model
redraws subjects, the same ones for both, and fits. The first row of a table compares the usual
model with itself under other seeds. `notes.md` tells what came of it.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from features.build_training_set import build_training_set
from features.catalogue import catalogue, feature_named
from features.definition import Direction, Feature
from features.records import SUBJECT_KINDS, SubjectKind
from synthetic.scenario import Scenario
from synthetic.world import invent
from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.evaluation.labelled_window import LabelledWindow
from training.evaluation.oracle import Oracle
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_calibrated import CalibratedFit
from training.parameters import TrainingParameters
from training.ranking import Floats

SEEDS = (20261127, 20261128)
DAYS = 365
SHARES = (0.01, 0.05)
FITS = 3
REDRAWS = 200
PARAMETERS = TrainingParameters(threads=1)

COUNTRY_ENCODINGS = (
    "goods_way_confirmed_rate",
    "kind_confirmed_rate",
    "lane_confirmed_rate",
    "destination_confirmed_rate",
    "corridor_confirmed_rate",
)
"""Rates by country or place: past enforcement by where goods or people come from."""

PRICE_ARTEFACTS = (
    "same_price_shipments_365d",
    "same_price_confirmed_rate",
    "goods_size_confirmed_rate",
    "like_consignment_confirmed_rate",
)
"""Features that live on a price repeated to the cent, as public customs data have it."""


@dataclass(frozen=True)
class Variant:
    """A model with one thing changed: other features, or other directions of the same ones."""

    name: str
    features: tuple[Feature, ...]


@dataclass(frozen=True)
class World:
    """One kind of subject of an invented world: its training set, its split, what is true of it."""

    kind: SubjectKind
    data: TrainingSet
    oracle_file: Path

    @cached_property
    def split(self) -> TimeSplit:
        """The usual windows."""
        return TimeSplit.from_training_set(self.data, PARAMETERS.split)

    @cached_property
    def rows(self) -> np.ndarray:
        """All traffic of the evaluation window."""
        window = self.split.evaluation
        return np.sort(np.concatenate([window.rows, window.unlabelled]))

    @cached_property
    def truth(self) -> Floats:
        """The probability that each of those rows is smuggling."""
        window = LabelledWindow(self.data, self.rows, np.zeros(len(self.rows)))
        return Oracle.read(self.oracle_file, window).probability

    def margins(self, variant: Variant, seeds: Sequence[int]) -> list[Floats]:
        """What the variant says of the rows, fitted with each of the seeds."""
        names = [feature.name for feature in variant.features]
        data = replace(
            self.data,
            inputs=replace(self.data.inputs, features=variant.features),
            frame=self.data.frame[names],
        )
        fewest = PARAMETERS.trees.fewest_per_category
        encoding = data.encoding(self.split.fit.rows, fewest=fewest)
        values = EncodedRows(encoding.encode_columns(data.frame), self.rows)
        fits = []
        for seed in seeds:
            parameters = PARAMETERS.model_copy(update={"seed": seed})
            fitting = CalibratedFit(data, self.split, encoding, parameters, lambda *step: None)
            text, _ = fitting.fit()
            fits.append(Margins.from_text(text, 1).predict_all(values))
        return fits


def variants(features: tuple[Feature, ...], named: Sequence[str]) -> Iterator[Variant]:
    """One change after the other; those of the named features alone, where any are named."""
    for name in named:
        if any(feature.name == name for feature in features):
            yield _without(name, features, (name,))
    if named:
        return
    free = tuple(replace(feature, direction=Direction.EITHER) for feature in features)
    yield Variant("no directions", free)
    for directed in features:
        if directed.direction is not Direction.EITHER:
            changed = replace(directed, direction=Direction.EITHER)
            others = tuple(changed if f is directed else f for f in features)
            yield Variant(f"{directed.name} undirected", others)
    yield _without("country encodings", features, COUNTRY_ENCODINGS)
    yield _without("price artefacts", features, PRICE_ARTEFACTS)


def _without(what: str, features: tuple[Feature, ...], names: tuple[str, ...]) -> Variant:
    for name in names:
        feature_named(name)  # raises UnknownFeature, where nothing would be left out
    return Variant(f"without {what}", tuple(f for f in features if f.name not in names))


def precision(truth: Floats, margins: Floats, weights: Floats, share: float) -> float:
    """The mean truth of the highest share of the redrawn subjects."""
    order = np.argsort(-margins, kind="stable")
    drawn = np.cumsum(weights[order])
    chosen = order[drawn <= share * drawn[-1]]
    return float(np.average(truth[chosen], weights=weights[chosen] + 1e-12))


def precisions(truth: Floats, fits: Sequence[Floats], seed: int) -> np.ndarray:
    """Of each fit at each share: of all subjects first, then of each redraw of them.

    The shape is (1 + REDRAWS, shares, fits); the same seed redraws the same subjects.
    """
    rng = np.random.default_rng(seed)
    count = len(truth)
    redrawn = (
        np.bincount(rng.integers(0, count, count), minlength=count).astype(float)
        for _ in range(REDRAWS)
    )
    return np.array(
        [
            [[precision(truth, fit, weights, share) for fit in fits] for share in SHARES]
            for weights in chain([np.ones(count)], redrawn)
        ]
    )


def compare(changed: np.ndarray, usual: np.ndarray, seed: int) -> Iterator[str]:
    """A cell for each share: the mean difference in points, with its interval."""
    rng = np.random.default_rng(seed)
    for share in range(len(SHARES)):
        apart = [
            100 * (_mean_of_redrawn(c, rng) - _mean_of_redrawn(u, rng))
            for c, u in zip(changed[1:, share], usual[1:, share], strict=True)
        ]
        mean = 100 * (changed[0, share].mean() - usual[0, share].mean())
        low, high = np.percentile(apart, [2.5, 97.5])
        yield f"{mean:+.2f} ({low:+.2f} to {high:+.2f})"


def _mean_of_redrawn(fits: np.ndarray, rng: np.random.Generator) -> float:
    return float(fits[rng.integers(0, len(fits), len(fits))].mean())


def worlds(home: Path, journeys: int) -> Iterator[tuple[int, World]]:
    """Both kinds of both worlds, made where they are not there yet."""
    for seed in SEEDS:
        folder = home / str(seed)
        if not (folder / "oracle.parquet").exists():
            invent(folder, scenario=Scenario(), journeys=journeys, days=DAYS, seed=seed, cores=1)
        for kind in SUBJECT_KINDS:
            built = folder / f"training_set_{kind}"
            if not built.exists():
                build_training_set(folder, kind, built)
            yield seed, World(kind, TrainingSet.read(built, kind), folder / "oracle.parquet")


def main() -> None:
    """Print a table for each kind of each world."""
    home, journeys = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40_000
    for seed, world in worlds(home, journeys):
        features = catalogue(world.kind)
        as_it_is = Variant("as it is", features)

        def measured(variant: Variant, first: int, world: World = world, seed: int = seed) -> Any:
            fits = world.margins(variant, range(first, first + FITS))
            return precisions(world.truth, fits, seed)

        usual = measured(as_it_is, 0)
        at = ", ".join(
            f"{mean:.3f} at {share:.0%}"
            for mean, share in zip(usual[0].mean(axis=1), SHARES, strict=True)
        )
        print(f"\n{world.kind}s of world {seed}: {len(world.truth):,} subjects, precision {at}\n")
        print("| change | points at 1 % | points at 5 % |\n|---|---|---|")
        cells = compare(measured(as_it_is, FITS), usual, seed)
        print(f"| none, other seeds | {' | '.join(cells)} |", flush=True)
        for variant in variants(features, sys.argv[3:]):
            cells = compare(measured(variant, 0), usual, seed)
            print(f"| {variant.name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
