"""How often is drift seen where there is some, and where there is none? `python study.py`.

Weeks are those of `tests/serving/monitor/test_drift.py`: twelve measures of which nothing moves but
the mood of each day. Prints how far it is, line by line, so that it can be ended early.
"""

import tomllib
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np

from serving.monitor.day_summary import cells
from serving.monitor.drift import REFERENCE_WEEKS, drift
from tests.serving.monitor.test_drift import MONDAY, history

Values = list[float | str | None]
Shift = tuple[str, Callable[[np.random.Generator, int], Values]]


def _categories(lots: np.random.Generator, size: int) -> Values:
    return [f"c{n}" for n in lots.integers(0, 6, size)]


SHIFTS: dict[str, Shift] = {
    "numbers 1.6 times as large": ("number 3", lambda lots, n: lots.lognormal(0.5, 1, n).tolist()),
    "numbers 1.3 times as large": ("number 3", lambda lots, n: lots.lognormal(0.25, 1, n).tolist()),
    "30 % missing instead of 7 %": (
        "number 5",
        lambda lots, n: [None] * round(0.3 * n) + lots.lognormal(0, 1, n - round(0.3 * n)).tolist(),
    ),
    "a new category, 10 %": ("name 2", lambda lots, n: ["new"] * 4 + _categories(lots, n - 4)),
    "a new category, 5 %": ("name 2", lambda lots, n: ["new"] * 2 + _categories(lots, n - 2)),
}


def without(weeks: int, seed: int) -> None:
    """Weeks in which nothing moves, and how many of them alarm."""
    alarmed = 0
    for number in range(weeks):
        found = drift(history(np.random.default_rng(seed + number)), MONDAY)
        alarmed += any(moved.is_drift for moved in found)
        print(f"without a shift: {alarmed} of {number + 1} weeks alarm")


def within_two_weeks(redraws: int, seed: int, size: int) -> None:
    """How often what moved is named at the end of its first, and by the end of its second week."""
    first, second = Counter[str](), Counter[str]()
    for number in range(redraws):
        for shift in SHIFTS:
            one, two = _named(shift, np.random.default_rng(seed + number), size)
            first[shift] += one
            second[shift] += one or two
        print(f"of {number + 1} shifts: {dict(first)} in the first week, {dict(second)} in two")


def _named(shift: str, lots: np.random.Generator, size: int) -> tuple[bool, bool]:
    measure, values = SHIFTS[shift]
    measures, begins = history(lots, weeks=REFERENCE_WEEKS + 2), MONDAY - timedelta(weeks=1)
    for day in range(14):
        measures[measure][(begins + timedelta(days=day)).isoformat()] = cells(values(lots, size))
    one, two = (
        measure in [moved.measure for moved in drift(measures, monday) if moved.is_drift]
        for monday in (begins, MONDAY)
    )
    return one, two


def main() -> None:
    """Ask both questions."""
    told = tomllib.loads((Path(__file__).parent / "parameters.toml").read_text())
    without(told["weeks_without"], told["seed_without"])
    within_two_weeks(told["redraws_of_shifts"], told["seed_of_shifts"], told["subjects_a_day"])


if __name__ == "__main__":
    main()
