"""Compare ways of learning: `python -m experiments.uninspected_traffic --help`.

Each world is split at three quarters of its declarations. Models learn from results known by then
and rank all later traffic; precision is the mean true probability of the highest ranked.
"""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from scipy import stats

from experiments.uninspected_traffic.ways_to_learn import WAYS, Window
from features.build_training_set import build_training_set
from features.records import SUBJECT_KINDS, SubjectKind
from synthetic.scenario import Scenario
from synthetic.world import invent
from training.backtest.history import History
from training.data.training_set import TrainingSet
from training.ranking import Floats

LEARN_SHARE = 0.75
SHARES = (0.01, 0.05)
SEEDS = (1, 2, 3)
USUAL = "positive_unlabelled"
FEW_CONFIRMED = 150
# The usual world inspects between 5 and 6 %.
SITUATIONS = {"all_results": None, "confirmed_150": FEW_CONFIRMED}


def run(
    out: Annotated[Path, typer.Option(help="Folder for the worlds and figures.json.")],
    journeys: Annotated[int, typer.Option(min=1_000, help="Of each world; as many shipments.")] = (
        60_000
    ),
    seed: Annotated[list[int] | None, typer.Option(help="Of a world; repeat for several.")] = None,
) -> None:
    """Fit every way in every world, and print precision with paired differences."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in seed or (21, 22, 23, 24):
        for kind in SUBJECT_KINDS:
            history = history_of(out, kind, journeys=journeys, seed=number)
            for situation, most in SITUATIONS.items():
                rows += [
                    {"world": number, "kind": kind, "situation": situation} | row
                    for row in precision_of_ways(history, most)
                ]
    table = pd.DataFrame(rows)
    table.to_csv(out / "figures.csv", index=False)
    typer.echo(json.dumps(differences(table), indent=1))


def history_of(folder: Path, kind: SubjectKind, *, journeys: int, seed: int) -> History:
    """Return the subjects of a world with the truth; made in `folder` unless it is there."""
    records, built = folder / f"world_{seed}", folder / f"{kind}_{seed}"
    if not (records / "oracle.parquet").exists():
        invent(records, scenario=Scenario(), journeys=journeys, days=365, seed=seed)
    if not built.exists():
        build_training_set(records, kind, built)
    return History.invented(TrainingSet.read(built, kind), records / "oracle.parquet")


def precision_of_ways(history: History, most_confirmed: int | None) -> list[dict[str, object]]:
    """Return a row per way and share: the mean over seeds of the precision on later traffic."""
    data = history.data
    size = len(data)
    learn = np.arange(round(LEARN_SHARE * size))
    later = np.arange(len(learn), size)
    now = data.declared_at[later[0]]
    is_known = data.outcomes.is_labelled[learn] & (data.outcomes.known_at[learn] < now)
    labels = np.where(is_known, data.outcomes.label[learn], np.nan)
    if most_confirmed is not None:
        labels = _with_fewer(labels, most_confirmed)
    encoding = data.encoding(learn[~np.isnan(labels)], fewest=60)
    columns = encoding.encode_columns(data.frame)
    assert history.probability is not None
    truth = history.probability[later]
    found: dict[tuple[str, float], list[float]] = {}
    for seed in SEEDS:
        window = Window(data, learn, labels, encoding, columns, seed)
        for name, way in WAYS.items():
            scores = window.probability(window.fitted(way(window)), later)
            for share in SHARES:
                found.setdefault((name, share), []).append(_precision(scores, truth, share))
    return [
        {"way": name, "share": share, "precision": float(np.mean(values))}
        for (name, share), values in found.items()
    ]


def differences(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return the mean precision of each way, and its gain over the usual way.

    The interval is the 95 % t-interval of the gain over worlds.
    """
    rows = []
    for keys, some in table.groupby(["kind", "situation", "share"]):
        by_world = some.pivot(index="world", columns="way", values="precision")
        for way in WAYS:
            gain = (by_world[way] - by_world[USUAL]).to_numpy()
            half = 0.0
            if len(gain) > 1:
                half = stats.t.ppf(0.975, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain))
            named = dict(zip(("kind", "situation", "share"), keys, strict=True))
            figures = {"precision": by_world[way].mean(), "gain": gain.mean()}
            figures |= {"low": gain.mean() - half, "high": gain.mean() + half}
            rows.append(named | {"way": way} | {k: round(float(v), 4) for k, v in figures.items()})
    return rows


def _with_fewer(labels: Floats, most_confirmed: int) -> Floats:
    """Return labels of evenly spaced inspections, so that so many of them are confirmed."""
    known = np.flatnonzero(~np.isnan(labels))
    share = min(1.0, most_confirmed / max(np.nansum(labels), 1))
    kept = known[np.unique(np.linspace(0, len(known) - 1, round(share * len(known))).astype(int))]
    fewer = np.full(len(labels), np.nan)
    fewer[kept] = labels[kept]
    return fewer


def _precision(scores: Floats, truth: Floats, share: float) -> float:
    best = np.argsort(-scores, kind="stable")[: max(1, round(share * len(scores)))]
    return float(truth[best].mean())


if __name__ == "__main__":
    typer.run(run)
