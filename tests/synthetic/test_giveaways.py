"""No single value of a feature gives smuggling away; the search finds one that would."""

import json
import sys

import numpy as np
import pyarrow as pa
import pytest

from features.build_training_set import build_training_set
from synthetic import check
from synthetic.giveaways import MAX_LIFT, MIN_RECALL, rules, strongest_values

SUBJECTS = 10_000
RISKY = np.arange(SUBJECTS) < 200  # two in a hundred, of which some columns know


def best_of(values):
    truth = np.where(RISKY, 0.5, 0.005)
    return max(rules("column", pa.chunked_array([values]), truth), key=lambda rule: rule.lift)


def noise():
    return np.random.default_rng(4).random(SUBJECTS)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        (pa.array(np.where(RISKY, 9.0, noise())), ">= 9"),
        (pa.array(np.where(RISKY, -9.0, noise())), "<= -9"),
        (pa.array(noise(), mask=RISKY), "missing"),
        (pa.array(np.where(RISKY, "odd", "usual")), "= odd"),
        (pa.array(np.where(RISKY, None, "usual").tolist()), "missing"),
    ],
    ids=["high", "low", "missing number", "category", "missing category"],
)
def test_a_value_that_names_smugglers_is_found_by_its_rule(values, rule):
    best = best_of(values)
    assert best.rule == rule
    assert best.lift > MAX_LIFT


def test_noise_gives_nothing_away():
    assert best_of(pa.array(noise())).lift < 2


def test_a_value_of_very_few_smugglers_is_none():
    assert best_of(pa.array(np.where(np.arange(SUBJECTS) < 10, 9.0, noise()))).lift < 3


@pytest.mark.parametrize("kind", ["route", "shipment"])
def test_no_value_of_a_feature_gives_the_worlds_smuggling_away(
    folder, tmp_path, kind, monkeypatch, capsys
):
    build_training_set(folder, kind, tmp_path / kind)
    best = strongest_values(tmp_path / kind, folder)
    assert len(best) > 50
    assert best[0].lift < MAX_LIFT
    assert min(each.recall for each in best) >= MIN_RECALL

    command = ["check", str(folder), "--training-set", str(tmp_path / kind)]
    monkeypatch.setattr(sys, "argv", command)
    check.main()
    claims = json.loads(capsys.readouterr().out)["claims"]
    (claim,) = (each for name, each in claims.items() if name.startswith(f"{kind}: precision"))
    assert claim["value"] == best[0].lift
    assert claim["holds"]
