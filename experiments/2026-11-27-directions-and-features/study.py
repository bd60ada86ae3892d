"""What each direction costs or brings, and what is lost without some features.

    python -m experiments.2026-11-27-directions-and-features.study HOME [JOURNEYS]

Two invented worlds of different seeds. In each, models of both kinds are fitted with one thing
changed: no directions, one direction less, or one group of features left out. Their precision among
the highest 1 and 5 % of all traffic of the last months is that of the world's own probabilities, so
that only the choice of subjects is uncertain: its difference from the usual model has a 95 %
interval from redrawing subjects, the same ones for both. What is written goes into `notes.md`.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

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

    def margins(self, variant: Variant) -> Floats:
        """What the variant says of the rows."""
        names = [feature.name for feature in variant.features]
        data = replace(
            self.data,
            inputs=replace(self.data.inputs, features=variant.features),
            frame=self.data.frame[names],
        )
        fewest = PARAMETERS.trees.fewest_per_category
        encoding = data.encoding(self.split.fit.rows, fewest=fewest)
        fitting = CalibratedFit(data, self.split, encoding, PARAMETERS, lambda *step: None)
        text, _ = fitting.fit()
        values = EncodedRows(encoding.encode_columns(data.frame), self.rows)
        return Margins.from_text(text, 1).predict_all(values)


def variants(features: tuple[Feature, ...]) -> Iterator[Variant]:
    """The usual model first, and then one change after the other."""
    yield Variant("as it is", features)
    free = tuple(replace(feature, direction=Direction.EITHER) for feature in features)
    yield Variant("no directions", free)
    for directed in features:
        if directed.direction is not Direction.EITHER:
            changed = replace(directed, direction=Direction.EITHER)
            others = tuple(changed if f is directed else f for f in features)
            yield Variant(f"{directed.name} undirected", others)
    yield _without("country encodings", features, COUNTRY_ENCODINGS)
    yield _without("price artefacts", features, PRICE_ARTEFACTS)
    for name in sys.argv[3:]:
        if any(feature.name == name for feature in features):
            yield _without(name, features, (name,))


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


def compare(world: World, margins: Floats, usual: Floats, seed: int) -> Iterator[str]:
    """A cell for each share: the difference in points, with its interval."""
    rng = np.random.default_rng(seed)
    count = len(world.truth)
    weights = [np.ones(count)] + [
        np.bincount(rng.integers(0, count, count), minlength=count).astype(float)
        for _ in range(REDRAWS)
    ]
    for share in SHARES:
        apart = [
            100
            * (
                precision(world.truth, margins, drawn, share)
                - precision(world.truth, usual, drawn, share)
            )
            for drawn in weights
        ]
        low, high = np.percentile(apart[1:], [2.5, 97.5])
        yield f"{apart[0]:+.2f} ({low:+.2f} to {high:+.2f})"


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
        usual, *changed = variants(catalogue(world.kind))
        base = world.margins(usual)
        even = np.ones(len(base))
        at = ", ".join(f"{precision(world.truth, base, even, s):.3f} at {s:.0%}" for s in SHARES)
        print(f"\n{world.kind}s of world {seed}: {len(base):,} subjects, precision {at}\n")
        print("| change | points at 1 % | points at 5 % |\n|---|---|---|", flush=True)
        for variant in changed:
            cells = compare(world, world.margins(variant), base, seed)
            print(f"| {variant.name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
