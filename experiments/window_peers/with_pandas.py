"""Windows by pandas: `groupby.rolling` over bounded spans, `merge_asof` for all of time."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from experiments.window_peers.tasks import DAY_US, HOUR_US, Task, tasks_of


def compute(folder: Path, out: Path, threads: int) -> None:
    """Read the tables in `folder`, write every window to `out`; pandas has one thread."""
    subjects = pd.read_parquet(folder / "subjects.parquet")
    columns = {}
    grouped = defaultdict(list)
    for task in tasks_of(folder):
        grouped[task.events, task.by, task.matching, task.where].append(task)
    for tasks in grouped.values():
        columns |= _computed(folder, subjects, tasks)
    names = [task.name for task in tasks_of(folder)]
    table = pd.DataFrame({"subject_id": subjects["subject_id"]} | {n: columns[n] for n in names})
    table.to_parquet(out)


def _computed(folder: Path, subjects: pd.DataFrame, tasks: list[Task]) -> dict[str, np.ndarray]:
    task = tasks[0]
    keys = [f"k{at}" for at in range(len(task.by))] or ["k0"]
    values = sorted({t.value for t in tasks if t.value is not None})
    read = sorted({*task.matching, *values, "known_at", "place", *filter(None, [task.where])})
    events = pq.read_table(folder / f"{task.events}.parquet", columns=read).to_pandas()
    if task.where:
        events = events[events[task.where] == 1]
    asked = pd.DataFrame({"at": subjects["declared_at"], "n": np.arange(len(subjects))})
    for at, key in enumerate(keys):
        events[key] = events[task.matching[at]] if task.by else 0
        asked[key] = subjects[task.by[at]] if task.by else 0
    key = _numbered(events, asked, keys)
    events, asked = events.assign(key=key[0]), asked.assign(key=key[1])
    events, known = events[events["key"] >= 0], asked[asked["key"] >= 0].sort_values("at")
    events = events.sort_values(["known_at", "place"])
    results = {}
    ever = [t for t in tasks if t.span_us is None and t.reducer != "distinct"]
    ever += [t for t in tasks if t.reducer in ("hours_since_latest", "days_since_first")]
    found = _as_of(events, known, sorted({t.value for t in ever if t.value}))
    for t in tasks:
        column = np.full(len(subjects), np.nan)
        if t in ever:
            column[known["n"]] = _of_ever(t, found)
        elif t.reducer == "distinct":
            column[known["n"]] = _distinct(t, events, known)
        else:
            n, numbers = _rolled(t, events, known)
            column[n] = numbers
        results[t.name] = column
    return results


def _numbered(events: pd.DataFrame, asked: pd.DataFrame, keys: list[str]) -> list[np.ndarray]:
    """One number per key of either side, negative where a part of it is missing."""
    both = pd.concat([events[keys], asked[keys]], ignore_index=True)
    numbers = both.groupby(keys, sort=False, dropna=True).ngroup().to_numpy()
    numbers = np.where(both.isna().any(axis=1), -1, np.nan_to_num(numbers, nan=-1)).astype(np.int64)
    return [numbers[: len(events)], numbers[len(events) :]]


def _as_of(events: pd.DataFrame, known: pd.DataFrame, values: list[str]) -> pd.DataFrame:
    groups = events.groupby("key", sort=False)
    running = events[["key", "known_at"]].assign(
        many=groups.cumcount() + 1, oldest=groups["known_at"].transform("first")
    )
    for v in values:
        if pd.api.types.is_numeric_dtype(events[v]):
            filled = events[v].fillna(0).groupby(events["key"], sort=False)
            present = events[v].notna().groupby(events["key"], sort=False)
            running[f"sum_{v}"], running[f"count_{v}"] = filled.cumsum(), present.cumsum()
            running[f"max_{v}"] = groups[v].cummax().groupby(events["key"], sort=False).ffill()
            running[f"min_{v}"] = groups[v].cummin().groupby(events["key"], sort=False).ffill()
            running[f"last_{v}"] = events[v]
    running = running.drop_duplicates(["key", "known_at"], keep="last")
    return pd.merge_asof(
        known, running, left_on="at", right_on="known_at", by="key", allow_exact_matches=False
    )


def _of_ever(task: Task, found: pd.DataFrame) -> pd.Series:
    v = task.value
    number: dict[str, Callable[[], pd.Series]] = {
        "count": lambda: found["many"].fillna(0),
        "total": lambda: found[f"sum_{v}"].fillna(0),
        "mean": lambda: found[f"sum_{v}"] / found[f"count_{v}"].replace(0, np.nan),
        "hours_since_latest": lambda: (found["at"] - found["known_at"]) / HOUR_US,
        "days_since_first": lambda: (found["at"] - found["oldest"]) / DAY_US,
        "latest": lambda: found[f"last_{v}"],
        "largest": lambda: found[f"max_{v}"],
        "smallest": lambda: found[f"min_{v}"],
    }
    return number[task.reducer]()


def _rolled(task: Task, events: pd.DataFrame, known: pd.DataFrame) -> tuple[pd.Series, np.ndarray]:
    """Events and questions in one frame; a question is a row without a value."""
    value = events[task.value] if task.value else 1.0
    rows = pd.concat(
        [
            pd.DataFrame(
                {"key": events["key"], "time": events["known_at"], "value": value, "n": -1}
            ),
            pd.DataFrame(
                {"key": known["key"], "time": known["at"], "value": np.nan, "n": known["n"]}
            ),
        ]
    ).sort_values(["key", "time"], kind="stable")
    rows["time"] = pd.to_datetime(rows["time"], unit="us")
    rolling = rows.groupby("key", sort=False).rolling(
        pd.Timedelta(microseconds=task.span_us or 0), on="time", closed="left", min_periods=0
    )["value"]
    match task.reducer:
        case "count":
            numbers = rolling.count()
        case "total":
            numbers = rolling.sum()
        case "mean":
            numbers = rolling.sum() / rolling.count().replace(0, np.nan)
        case "largest":
            numbers = rolling.max()
        case _:
            numbers = rolling.min()
    is_asked = (rows["n"] >= 0).to_numpy()
    return rows["n"][is_asked], numbers.to_numpy()[is_asked]


def _distinct(task: Task, events: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """+1 where a value begins to stand in the window and -1 where it ceases to, summed."""
    held = events.dropna(subset=[task.value])
    groups = held.groupby(["key", task.value], sort=False)["known_at"]
    before, after = groups.shift(1), groups.shift(-1)
    if task.span_us is None:
        deltas = held.loc[before.isna(), ["key", "known_at"]].assign(delta=1)
    else:
        begins = held.loc[before.isna() | (before + task.span_us < held["known_at"])]
        ends = held.loc[after.isna() | (after > held["known_at"] + task.span_us)]
        deltas = pd.concat(
            [
                begins[["key", "known_at"]].assign(delta=1),
                ends[["key", "known_at"]].assign(
                    known_at=ends["known_at"] + task.span_us, delta=-1
                ),
            ]
        )
    summed = deltas.groupby(["key", "known_at"], as_index=False)["delta"].sum()
    summed["different"] = summed.groupby("key")["delta"].cumsum()
    found = pd.merge_asof(
        known,
        summed.sort_values("known_at"),
        left_on="at",
        right_on="known_at",
        by="key",
        allow_exact_matches=False,
    )
    return found["different"].fillna(0)
