"""The prevalence that a policy would estimate from its own inspections alone.

Three ways of counting, side by side, since two of them mislead: `naive` takes what was inspected
for everything; `weighted` lets each inspection stand for 1 / probability subjects and divides by
what they stand for; `stratified` counts what was selected as it is and lets the random draw,
weighted, speak for the rest, whose size is known.
"""

from typing import Literal

import numpy as np

from training.backtest.ledger import PolicyReplay, ReplayedWeek
from training.backtest.selection import BY_LOT
from training.parameters import Parameters

BLOCK = 13
"""Weeks that an estimate is made of: a quarter, long enough for the lot to tell something."""

Counting = Literal["naive", "weighted", "stratified"]


class PrevalenceEstimate(Parameters):
    """One way of counting: its mean error over blocks of weeks and the spread of it.

    `bias` is None where the truth is unknown, `blocks` counts those that could be estimated:
    without a random draw, only the naive way has an answer.
    """

    way: Counting
    blocks: int
    mean: float | None
    bias: float | None
    deviation: float | None


def prevalence_estimates(ledger: PolicyReplay) -> tuple[PrevalenceEstimate, ...]:
    """Every way of counting over the policy's weeks; in an invented world, beside the truth."""
    blocks = [ledger.weeks[at : at + BLOCK] for at in range(0, len(ledger.weeks), BLOCK)]
    countings: tuple[Counting, ...] = ("naive", "weighted", "stratified")
    return tuple(_over(counting, blocks, ledger) for counting in countings)


def _over(
    counting: Counting, blocks: list[tuple[ReplayedWeek, ...]], ledger: PolicyReplay
) -> PrevalenceEstimate:
    pairs = [(_estimate(counting, block, ledger), _truth(block, ledger)) for block in blocks]
    known = np.array([(value, truth) for value, truth in pairs if value is not None])
    if not len(known):
        return PrevalenceEstimate(way=counting, blocks=0, mean=None, bias=None, deviation=None)
    errors = known[:, 0] - known[:, 1]
    is_true = ledger.history.is_invented
    return PrevalenceEstimate(
        way=counting,
        blocks=len(known),
        mean=float(known[:, 0].mean()),
        bias=float(errors.mean()) if is_true else None,
        deviation=float(errors.std(ddof=1)) if is_true and len(known) > 1 else None,
    )


def _truth(block: tuple[ReplayedWeek, ...], ledger: PolicyReplay) -> float:
    rows = np.concatenate([np.arange(week.rows.start, week.rows.stop) for week in block])
    return float(ledger.history.truth[rows].mean())


def _estimate(
    counting: Counting, block: tuple[ReplayedWeek, ...], ledger: PolicyReplay
) -> float | None:
    labels = np.concatenate([ledger.history.truth[ledger.rows_of(week)] for week in block])
    chances = np.concatenate([week.selection.probability for week in block])
    by_lot = np.concatenate([week.selection.selected_by for week in block]) == BY_LOT
    is_known = ~np.isnan(labels)
    labels, chances, by_lot = labels[is_known], chances[is_known], by_lot[is_known]
    if counting == "naive":
        return float(labels.mean()) if len(labels) else None
    pool = sum(int(week.selection.pool.sum()) for week in block)
    if not by_lot.any():
        return None if pool else float(labels.mean())
    if counting == "weighted":
        return float((labels / chances).sum() / (1.0 / chances).sum())
    selected = labels[~by_lot]
    rest = pool * float(np.average(labels[by_lot], weights=1.0 / chances[by_lot]))
    return (float(selected.sum()) + rest) / (len(selected) + pool)
