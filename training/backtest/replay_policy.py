"""Replay of a policy over a history: weekly selection, with labels that arrive later."""

from collections.abc import Callable

import numpy as np

from training.backtest.history import WEEK, History
from training.backtest.learning import (
    FixedModel,
    KnownLabels,
    RetrainedModel,
    selected_by_rule,
    tipped,
)
from training.backtest.ledger import PolicyReplay, ReplayedWeek
from training.backtest.policy import Policy
from training.backtest.selection import BY_LOT, BY_TIP, WeekSelection, plans_of_offices, select
from training.model.risk_model import RiskModel
from training.outcomes import Texts
from training.ranking import Ints

Progress = Callable[[int, int], None]


def replay_policy(
    name: str,
    policy: Policy,
    history: History,
    model: RiskModel | None = None,
    progress: Progress = lambda done, total: None,
) -> PolicyReplay:
    """Replay a policy week by week; with a `model`, by its scores alone.

    In a logged history, inspections that were not made give no label. Raises TrainingError or
    WindowUnusable.
    """
    spans = history.weeks(policy)
    scorer: FixedModel | RetrainedModel = (
        FixedModel(model, history) if model else RetrainedModel(history, policy)
    )
    known_labels = KnownLabels.before(history, spans[0].start)
    is_ruled, offices = selected_by_rule(history, policy), history.offices(policy)
    is_tipped = tipped(history, policy)
    rng = np.random.default_rng(policy.seed)
    plans = plans_of_offices(policy, [offices[rows] for rows in spans], rng)
    weeks = []
    for at, rows in enumerate(spans):
        scores = scorer.scores(rows, policy.first_instant + at * WEEK, known_labels)
        selection = select(
            policy, scores, is_ruled[rows], offices[rows], rng, plans, is_tipped[rows]
        )
        # After the scores: a week's own labels must not influence its selection.
        _record_labels(known_labels, history, policy, rows, selection)
        weeks.append(ReplayedWeek(rows, scores, selection))
        progress(at + 1, len(spans))
    periods = {office: plan.period for office, plan in plans.items()}
    return PolicyReplay(name, policy, history, tuple(weeks), getattr(scorer, "fits", 0), periods)


def _record_labels(
    known_labels: KnownLabels,
    history: History,
    policy: Policy,
    rows: slice,
    selection: WeekSelection,
) -> None:
    """Add the labels of the week's inspections, known after the policy's delay."""
    inspected = rows.start + selection.places
    delay = np.timedelta64(round(policy.label_delay_days * 86_400e6), "us")
    known_labels.add(
        inspected,
        history.truth[inspected],
        history.data.declared_at[inspected] + delay,
        _ways(history, inspected, selection),
        # Two independent chances: of the policy's selection, and of the inspection in the log.
        selection.probability * history.logged_probability[inspected],
    )


def _ways(history: History, inspected: Ints, selection: WeekSelection) -> Texts:
    """Return the way in which each result was selected; the actual one in a logged history."""
    if not history.is_invented:
        return history.data.outcomes.selected_by[inspected]
    ways = {BY_LOT: "random", BY_TIP: "intelligence"}
    return np.array([ways.get(way, "rule") for way in selection.selected_by], dtype=object)
