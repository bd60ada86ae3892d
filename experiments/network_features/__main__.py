"""Models with and without network features: `python -m experiments.network_features --help`.

Each world is split at three quarters of its declarations, as in `experiments.uninspected_traffic`.
Models learn as training does and rank all later traffic. Precision is the mean true probability of
the highest ranked, so chance in what came true is left out.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import lightgbm
import numpy as np
import pandas as pd
import typer
from scipy import stats

from experiments.uninspected_traffic.__main__ import LEARN_SHARE, history_of
from experiments.uninspected_traffic.ways_to_learn import Window, positive_unlabelled
from features.records import SUBJECT_KINDS, SubjectKind
from training.backtest.history import History
from training.fit.booster_predict import Margins
from training.ranking import Floats

FAMILIES = ("pair_history", "network")
SHARE = 0.01
SEEDS = (1, 2, 3)
EXPLAINED = 2_000
# Of parties by number of subjects: an honest one above it is a hub.
HUB_QUANTILE = 0.99
ALARM_SHARE = 0.05
MAX_TIME_CORRELATION = 0.2
MIN_VALUES = 1_000  # fewer correlate by chance


def run(
    out: Annotated[Path, typer.Option(help="Folder for the worlds and figures.json.")],
    journeys: Annotated[int, typer.Option(min=1_000, help="Of each world; as many shipments.")] = (
        100_000
    ),
    seed: Annotated[list[int] | None, typer.Option(help="Of a world; repeat for several.")] = None,
) -> None:
    """Fit with and without network features in every world; print the gain with its interval."""
    out.mkdir(parents=True, exist_ok=True)
    rows = [
        {"world": number, "kind": kind}
        | figures_of_world(history_of(out, kind, journeys=journeys, seed=number))
        for number in seed or (21, 22, 23, 24)
        for kind in SUBJECT_KINDS
    ]
    figures = {"worlds": rows, "gain": [gain_of(kind, rows) for kind in SUBJECT_KINDS]}
    (out / "figures.json").write_text(json.dumps(figures, indent=1))
    typer.echo(json.dumps(figures, indent=1))


def figures_of_world(history: History) -> dict[str, Any]:
    """Return precision with and without network features, and checks of the model with them."""
    data = history.data
    learn = np.arange(round(LEARN_SHARE * len(data)))
    later = np.arange(len(learn), len(data))
    now = data.declared_at[later[0]]
    is_known = data.outcomes.is_labelled[learn] & (data.outcomes.known_at[learn] < now)
    labels = np.where(is_known, data.outcomes.label[learn], np.nan)
    encoding = data.encoding(learn[is_known], fewest=60)
    columns = encoding.encode_columns(data.frame)
    of_network = [f.name for f in data.inputs.features if f.family in FAMILIES]
    without = encoding.encode_columns(data.frame.assign(**dict.fromkeys(of_network, np.nan)))
    assert history.probability is not None
    truth = history.probability[later]
    precision: dict[str, list[float]] = {"with": [], "without": []}
    scores, text = np.zeros(len(later)), ""
    for seed in SEEDS:
        for name, given in (("without", without), ("with", columns)):
            window = Window(data, learn, labels, encoding, given, seed)
            text = window.fitted_text(positive_unlabelled(window))
            scores = window.probability(Margins.from_text(text, threads=1), later)
            precision[name].append(float(truth[_highest(scores, SHARE)].mean()))
    found = _highest(scores, SHARE)
    return {
        "confirmed": int(np.nansum(labels)),
        "precision": {name: round(float(np.mean(each)), 4) for name, each in precision.items()},
        "recall_of_networks": _recall(history, later, found, is_network=True),
        "recall_of_others": _recall(history, later, found, is_network=False),
        "false_alarms_on_hubs_ratio": _hub_ratio(history, later, _highest(scores, ALARM_SHARE)),
        "largest_shares_of_shap": _shap_shares(text, columns, encoding.names, later),
        "follow_time": {
            f"after_{days}_days": _following_time(data.frame, data.declared_at, days)
            for days in (0, 365)
        },
    }


def gain_of(kind: SubjectKind, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean gain in precision, with the 95 % t-interval over worlds."""
    gains = np.array(
        [
            row["precision"]["with"] - row["precision"]["without"]
            for row in rows
            if row["kind"] == kind
        ]
    )
    half = 0.0
    if len(gains) > 1:
        half = stats.t.ppf(0.975, len(gains) - 1) * gains.std(ddof=1) / np.sqrt(len(gains))
    mean = float(gains.mean())
    return {"kind": kind, "gain": round(mean, 4), "low": mean - half, "high": mean + half}


def _highest(scores: Floats, share: float) -> np.ndarray:
    return np.argsort(-scores, kind="stable")[: max(1, round(share * len(scores)))]


def _recall(history: History, later: np.ndarray, found: np.ndarray, *, is_network: bool) -> float:
    """Return the share of later smuggling found: of networks, or of those on their own account."""
    names = history.typology[later]
    is_case = np.array(
        [name is not None and (name != "unorganised") == is_network for name in names]
    )
    return round(float(is_case[found].sum() / max(is_case.sum(), 1)), 3)


def _hub_ratio(history: History, later: np.ndarray, alarmed: np.ndarray) -> float:
    """Return how often honest subjects of the busiest operators are referred, next to others."""
    operators = history.data.subjects["operator_id"].iloc[later]
    size = operators.map(operators.value_counts())
    is_hub = (size >= size.drop_duplicates().quantile(HUB_QUANTILE)).to_numpy()
    is_honest = history.truth[later] == 0
    is_alarm = np.isin(np.arange(len(later)), alarmed)
    of_hubs, of_others = (is_alarm[is_honest & mask].mean() for mask in (is_hub, ~is_hub))
    return round(float(of_hubs / of_others), 2)


def _shap_shares(
    text: str, columns: list[Floats], names: list[str], later: np.ndarray
) -> dict[str, float]:
    """Return the three features with the largest shares of the summed absolute contributions."""
    rows = later[:: max(1, len(later) // EXPLAINED)]
    values = np.column_stack([column[rows] for column in columns])
    parts = np.asarray(lightgbm.Booster(model_str=text).predict(values, pred_contrib=True))
    sums = np.abs(parts[:, :-1]).sum(axis=0)
    best = np.argsort(-sums)[:3]
    return {names[at]: round(float(sums[at] / sums.sum()), 3) for at in best}


def _following_time(
    frame: pd.DataFrame, declared_at: np.ndarray, after_days: int
) -> dict[str, float]:
    """Return the numeric features whose rank correlation with the date is large.

    Only of subjects declared so many days after the first.
    """
    frame = frame[declared_at >= declared_at[0] + np.timedelta64(after_days, "D")]
    numbers = frame.select_dtypes("number")
    numbers = numbers.loc[:, numbers.notna().sum() >= MIN_VALUES]
    correlations = numbers.rank().corrwith(pd.Series(np.arange(len(frame)), index=frame.index))
    large = correlations[correlations.abs() > MAX_TIME_CORRELATION]
    return {str(name): round(float(value), 2) for name, value in large.items()}


if __name__ == "__main__":
    typer.run(run)
