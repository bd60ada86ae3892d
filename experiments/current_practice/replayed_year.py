"""One invented world, and what its last year of inspections found in three ways.

*Practice* is what was really inspected: tips, a legacy rule, a random draw and discretion. The
others make as many inspections in the same year, each office the same share of its own subjects:
*scores* follow no tips, *scores and tips* inspect what practice inspected on tips and choose the
rest by score. Both draw a tenth of their capacity at random, and learn from their own results. Only
features of earlier results are those of practice.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from features.build_training_set import build_training_set
from features.records import SUBJECT_KINDS, Journey, Position
from features.submission import Submission
from serving.triage.life_at_risk import danger_signals
from synthetic.scenario import Scenario
from synthetic.world import invent
from training.backtest.history import WEEK, History
from training.backtest.policy import Policy
from training.backtest.replay_policy import replay_policy
from training.data.training_set import TrainingSet
from training.parameters import TreeParameters

WEEKS, DAYS = 52, 365  # a year of history comes before these days
TREES = 400  # about as many as training grows by cross-fitting
PRACTICE, BY_SCORES, BY_SCORES_AND_TIPS, BEST = "practice", "scores", "scores_and_tips", "best"
WAYS = (PRACTICE, BY_SCORES, BY_SCORES_AND_TIPS, BEST)


def replayed_world(folder: Path, scenario: Scenario, *, journeys: int, seed: int) -> pd.DataFrame:
    """Return a row for each subject of the last year of a world made in `folder`.

    Columns: `world`, `kind`, `subject_id`, `week` (from 0), `office`, `is_smuggling`,
    `is_in_danger`, `is_signalled` (the rescue lane), and for each of WAYS whether it inspects
    (`by_…`). `best` inspects the highest true probabilities of all offices.
    """
    records = folder / f"world_{seed}"
    if not (records / "oracle.parquet").exists():
        invent(records, scenario=scenario, journeys=journeys, days=DAYS, seed=seed)
    parts = []
    for kind in SUBJECT_KINDS:
        built = folder / f"{kind}_{seed}"
        if not built.exists():
            build_training_set(records, kind, built)
        history = History.invented(TrainingSet.read(built, kind), records / "oracle.parquet")
        parts.append(_last_year(history, seed).assign(kind=kind))
    return _with_danger(pd.concat(parts, ignore_index=True), records).assign(world=seed)


def _last_year(history: History, seed: int) -> pd.DataFrame:
    data = history.data
    begins = (data.declared_at[-1] - WEEKS * WEEK).astype("datetime64[D]").astype("datetime64[us]")
    rows = data.span(begins, begins + WEEKS * WEEK)
    made = data.outcomes.is_inspected[rows]
    subjects = pd.DataFrame(
        {
            "subject_id": data.subject_ids[rows],
            "week": (data.declared_at[rows] - begins) // WEEK,
            "office": data.subjects["office_id"].astype(object).fillna("(none)")[rows],
            "is_smuggling": history.truth[rows] == 1,
            _column(PRACTICE): made,
        }
    ).reset_index(drop=True)
    for way in (BY_SCORES, BY_SCORES_AND_TIPS):
        policy = Policy(
            begins=_utc(begins),
            weeks=WEEKS,
            capacity_share=float(made.mean()),
            follows_tips=way == BY_SCORES_AND_TIPS,
            reads_outcomes=True,
            trees=TreeParameters(trees=TREES, early_stopping_rounds=0),
            seed=seed,
        )
        replay = replay_policy(way, policy, history)
        inspected = np.concatenate([replay.rows_of(week) for week in replay.weeks]) - rows.start
        subjects[_column(way)] = np.isin(np.arange(len(subjects)), inspected)
    assert history.probability is not None
    order = np.argsort(-history.probability[rows], kind="stable")
    subjects[_column(BEST)] = np.isin(np.arange(len(subjects)), order[: int(made.sum())])
    return subjects


def _with_danger(subjects: pd.DataFrame, records: Path) -> pd.DataFrame:
    """Add which journeys were in danger, and which of them show a sign of it when declared."""
    oracle = pd.read_parquet(
        records / "oracle.parquet", columns=["subject_kind", "subject_id", "is_in_danger"]
    )
    routes = oracle[oracle["subject_kind"] == "route"]
    in_danger = set(routes.loc[routes["is_in_danger"].fillna(False), "subject_id"])
    is_route = subjects["kind"] == "route"
    signalled = _signalled(records, set(subjects.loc[is_route, "subject_id"]))
    return subjects.assign(
        is_in_danger=is_route & subjects["subject_id"].isin(in_danger),
        is_signalled=is_route & subjects["subject_id"].isin(signalled),
    )


def _signalled(records: Path, journey_ids: set[str]) -> set[str]:
    heard: dict[str, list[Position]] = {}
    for row in pq.read_table(records / "positions.parquet").to_pylist():
        if row["journey_id"] in journey_ids:
            heard.setdefault(row["journey_id"], []).append(Position.model_construct(**row))
    found = set()
    for batch in pq.ParquetFile(records / "journeys.parquet").iter_batches():
        rows: list[dict[str, Any]] = batch.to_pylist()
        for row in (row for row in rows if row["journey_id"] in journey_ids):
            journey = Journey.model_construct(**row)
            at = journey.declared_at
            before = (one for one in heard.get(journey.journey_id, ()) if one.observed_at < at)
            subject = Submission.model_construct(
                subject_kind="route", journey=journey, legs=(), positions=tuple(before)
            )
            if danger_signals(subject, at):
                found.add(journey.journey_id)
    return found


def _column(way: str) -> str:
    return f"by_{way}"


def _utc(instant: np.datetime64) -> datetime:
    moment: datetime = instant.astype("datetime64[us]").item()
    return moment.replace(tzinfo=UTC)
