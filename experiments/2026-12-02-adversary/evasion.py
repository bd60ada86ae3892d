"""Weeks and cost of evading inspections, with and without the control lane.

    .venv/bin/python experiments/2026-12-02-adversary/evasion.py

Networks of ten worlds live with and without an adversary, and with several shares drawn at random.
"""

import numpy as np

from synthetic.corridors import corridors
from synthetic.inspection import RANDOM, RULE
from synthetic.networks.life import lived
from synthetic.scenario import Scenario

SEEDS, SUBJECTS, DAYS = tuple(range(1, 11)), 300_000, 365
CONTROL_LANES = (0.0, 0.01, 0.03)
WEEKS = 20


def lives(kind: str, adaptive: float, control: float) -> dict[str, np.ndarray]:
    """Return the movements of all seeds: week of the network's life, selection, truth and cost."""
    scenario = Scenario(adaptive=adaptive, random_inspections=control, returns=1.0)
    columns: dict[str, list[np.ndarray]] = {n: [] for n in ("week", "by", "truth", "cost", "found")}
    for seed in SEEDS:
        moves = lived(kind, corridors(), scenario=scenario, subjects=SUBJECTS, days=DAYS, seed=seed)
        first = np.full(moves.network.max() + 1, np.inf)
        np.minimum.at(first, moves.network, moves.at_day)
        columns["week"].append((moves.at_day - first[moves.network]) // 7)
        columns["by"].append(moves.selected_by)
        columns["truth"].append(moves.truth)
        columns["cost"].append(moves.given_up)
        columns["found"].append((moves.selected_by > 0) & (moves.found == 1))
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def main() -> None:
    """Print a table: a row for each kind, adversary and control lane."""
    print(
        "| kind | adversary | control lane | by rule, first 4 weeks | by rule, weeks 16-20 ", end=""
    )
    print("| weeks until half | cost then | found of loaded, weeks 16-20 | of it drawn |")
    print("|---|---|---|---|---|---|---|---|---|")
    for kind in ("route", "shipment"):
        for adaptive in (0.0, 1.0):
            for control in CONTROL_LANES:
                print(row(kind, adaptive, lives(kind, adaptive, control), control))


def row(kind: str, adaptive: float, of: dict[str, np.ndarray], control: float) -> str:
    """Return a row of the table."""
    loaded, week = of["truth"], of["week"]
    by_rule = of["by"] == RULE
    early = by_rule[loaded & (week < 4)].mean()
    late_weeks = loaded & (week >= WEEKS - 4) & (week < WEEKS)
    # Three weeks together, because few networks move in a single one.
    rates = [by_rule[loaded & (abs(week - at) <= 1)].mean() for at in range(1, WEEKS)]
    half = next((at for at, rate in enumerate(rates, start=1) if rate < early / 2), None)
    cost = of["cost"][week == (half or WEEKS - 1)].mean()
    found = of["found"][late_weeks].mean()
    drawn = (of["by"][late_weeks & of["found"]] == RANDOM).mean()
    return (
        f"| {kind} | {'yes' if adaptive else 'no'} | {control:.0%} | {early:.3f} "
        f"| {by_rule[late_weeks].mean():.3f} | {half or f'> {WEEKS}'} | {cost:.1f} | {found:.3f} "
        f"| {drawn:.0%} |"
    )


if __name__ == "__main__":
    main()
