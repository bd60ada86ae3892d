"""A policy lived through a history: each week is selected, inspected, and learnt from later."""

from collections.abc import Callable

import numpy as np

from training.backtest.history import WEEK, History
from training.backtest.learning import Found, Model, Retrained, Standing, ruled
from training.backtest.ledger import Ledger, Week
from training.backtest.policy import Policy
from training.backtest.selection import Selection, select
from training.model.risk_model import RiskModel

Progress = Callable[[int, int], None]


def replay(
    name: str,
    policy: Policy,
    history: History,
    model: RiskModel | None = None,
    progress: Progress = lambda done, total: None,
) -> Ledger:
    """Let the policy decide week after week; with a `model`, its scores and no other's.

    In a logged history an inspection that was never made finds nothing out, and teaches nothing.
    Raises PolicyRefused or NotEnoughLabels.
    """
    spans = history.weeks(policy)
    scorer: Model = Standing(model, history) if model else Retrained(history, policy)
    found = Found.before(history, spans[0].start)
    is_ruled, offices = ruled(history, policy), history.offices(policy)
    lots = np.random.default_rng(policy.seed)
    weeks = []
    for at, rows in enumerate(spans):
        scores = scorer.scores(rows, policy.first_instant + at * WEEK, found)
        selection = select(policy, scores, is_ruled[rows], offices[rows], lots)
        _learn(found, history, policy, rows, selection)
        weeks.append(Week(rows, scores, selection))
        progress(at + 1, len(spans))
    return Ledger(name, policy, history, tuple(weeks), getattr(scorer, "fits", 0))


def _learn(
    found: Found, history: History, policy: Policy, rows: slice, selection: Selection
) -> None:
    """What the week's inspections will tell, once the policy may know it."""
    inspected = rows.start + selection.places
    delay = np.timedelta64(round(policy.label_delay_days * 86_400e6), "us")
    found.add(
        inspected,
        history.truth[inspected],
        history.data.declared_at[inspected] + delay,
        selection.probability * history.logged_probability[inspected],
    )
