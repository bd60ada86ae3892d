"""What only one model would have chosen is weighed by its own probability of being drawn."""

import numpy as np
import pandas as pd
import pytest

from serving.monitor.challenger_comparison import compared
from serving.monitor.stored_rollups import ScorePair

DISPUTED, USUAL = 2_000, 10_000
RISK = {0.1: 0.10, 0.01: 0.02}
"""By the probability of being drawn."""


def one_time(rng: np.random.Generator) -> tuple[list[ScorePair], pd.DataFrame, float]:
    """Decisions of which champion and challenger choose half each; the gain in truth is last.

    The champion's were inspected. Of the challenger's, some were drawn at a tenth and are risky.
    """
    subjects = DISPUTED + USUAL
    theirs = np.arange(2 * subjects) < subjects
    drawn_at = np.where(np.arange(2 * subjects) < DISPUTED, 0.1, 0.01)
    risk = np.where(theirs, np.where(drawn_at == 0.1, RISK[0.1], RISK[0.01]), 0.05)
    is_smuggled = rng.random(2 * subjects) < risk
    is_visit = ~theirs | (rng.random(2 * subjects) < drawn_at)
    pairs = [
        ScorePair(f"d{n}", "2", "release" if chosen else "inspect", 1.0 - chosen, float(chosen))
        for n, chosen in enumerate(theirs)
    ]
    strata = np.where(
        theirs, [f"not inspected, drawn at {p:g}" for p in drawn_at], "inspected by score"
    )
    visits = pd.DataFrame(
        {
            "decision_id": [f"d{n}" for n in np.flatnonzero(is_visit)],
            "confirmed": is_smuggled[is_visit].astype(float),
            "stratum": strata[is_visit],
        }
    )
    truth = (is_smuggled[theirs].sum() - is_smuggled[~theirs].sum()) / subjects
    return pairs, visits, float(truth)


def test_the_gain_is_right_on_average_where_some_are_drawn_more_often_than_others() -> None:
    rng = np.random.default_rng(20261127)
    errors, held = [], 0
    for _ in range(12):
        pairs, visits, truth = one_time(rng)
        (line,) = compared("challenger", pairs, visits)
        assert line.gain.value is not None
        assert line.gain.low is not None
        assert line.gain.high is not None
        errors.append(line.gain.value - truth)
        held += line.gain.low <= truth <= line.gain.high

    # Two of three visits are disputed: without weights the gain would be too high by .04.
    assert abs(float(np.mean(errors))) < 0.01
    assert held >= 10


def test_too_few_outcomes_of_what_differs_are_refused_with_what_would_be_enough() -> None:
    pairs, visits, _ = one_time(np.random.default_rng(1))
    few = visits[~visits["stratum"].str.startswith("not") | (np.arange(len(visits)) < 12)]

    (line,) = compared("challenger", pairs, few)

    assert line.gain.value is None
    assert line.gain_needs is not None
    assert "want 30" in line.gain_needs
    (unseen,) = compared("challenger", pairs, visits[~visits["stratum"].str.startswith("not")])
    assert unseen.gain.value is None
    assert unseen.gain_needs == "not inspected: want 30 known outcomes"


def test_where_both_choose_alike_nothing_is_gained() -> None:
    pairs = [ScorePair(f"d{n}", "2", "inspect", 0.5, 0.5) for n in range(5)]
    visits = pd.DataFrame({"decision_id": [], "confirmed": [], "stratum": []})

    (line,) = compared("shadow", pairs, visits)

    assert (line.agreement, line.only_challenger, line.gain_needs) == (1, 0, None)
    assert line.gain.value == pytest.approx(0)
