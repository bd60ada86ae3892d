"""Figures of practice beside other ways count what each way found, for the same subjects."""

import numpy as np
import pandas as pd

from experiments.current_practice.__main__ import (
    by_office_size,
    figures_of_ways,
    lives_at_risk,
    ratio_to_practice,
)
from experiments.current_practice.replayed_year import BEST, PRACTICE, WAYS


def subjects(size: int = 2_000, seed: int = 3) -> pd.DataFrame:
    """Subjects of two worlds: practice finds a tenth of the smuggling, the best all of it."""
    rng = np.random.default_rng(seed)
    is_smuggling = rng.random(size) < 0.1
    made = {f"by_{way}": rng.random(size) < 0.1 for way in WAYS}
    made[f"by_{BEST}"] = is_smuggling
    return pd.DataFrame(
        {
            "world": np.arange(size) % 2,
            "week": rng.integers(0, 52, size),
            "office": rng.choice(["a", "b", "c", "d"], size, p=[0.05, 0.15, 0.3, 0.5]),
            "is_smuggling": is_smuggling,
            "is_in_danger": rng.random(size) < 0.02,
            "is_signalled": rng.random(size) < 0.01,
            **made,
        }
    )


def test_each_way_is_counted_and_compared_with_practice() -> None:
    table = subjects()
    figures = figures_of_ways(table)

    for way in WAYS:
        inspected = table[table[f"by_{way}"]]
        counts = figures[way]
        assert counts["inspected"] == len(inspected)
        assert counts["found"] == inspected["is_smuggling"].sum()
        assert counts["honest_disturbed"] == (~inspected["is_smuggling"]).sum()
    assert figures[BEST]["recall"] == 1
    assert figures[PRACTICE]["ratio_to_practice"] == [1, 1, 1]
    ratio, low, high = ratio_to_practice(table, BEST)
    assert low < ratio < high
    assert abs(ratio - figures[BEST]["found"] / figures[PRACTICE]["found"]) < 0.001


def test_offices_are_compared_in_thirds_by_their_traffic() -> None:
    table = subjects()
    parts = dict(by_office_size(table))

    assert list(parts) == ["small", "medium", "large"]
    assert sum(map(len, parts.values())) == len(table)
    assert set(parts["small"]["office"]) == {"a", "b"}
    assert dict(by_office_size(table.assign(office="a"))) == {}


def test_the_rescue_lane_reaches_whom_a_signal_shows() -> None:
    table = subjects()
    lives = lives_at_risk(table)

    both = table["is_in_danger"] & (table[f"by_{PRACTICE}"] | table["is_signalled"])
    assert lives["reached_with_rescue_lane"][PRACTICE] == both.sum()
    assert lives["signals_without_danger"] == (table["is_signalled"] & ~table["is_in_danger"]).sum()
