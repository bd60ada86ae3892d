"""What does one office gain that turns labels, and which gate stops it?

Usage: python experiments/2026-11-25-poisoning/study.py live FOLDER WORLD
       python experiments/2026-11-25-poisoning/study.py tell FOLDER

`live` invents one world, trains a champion on true labels, and then models on labels that one
office turned before the evaluation window; each is kept in FOLDER. `tell` prints one document.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np

from training.data.training_set import TrainingSet
from training.evaluation.labelled_window import LabelledWindow
from training.evaluation.oracle import Oracle
from training.evaluation.reevaluation import scored_window, unseen_window
from training.gates.canaries import Canaries
from training.gates.gates import (
    bounded_influence,
    holds_on_the_control_lane,
    no_worse_than_champion,
    steady_canaries,
)
from training.model.risk_model import RiskModel
from training.parameters import TrainingParameters
from training.ranking import ScoreRanking, roc_auc
from training.train import train

JOURNEYS, DAYS = 40_000, 500
SCENARIO = "random_inspections = 0.1\nbase_rate = 0.05\n"
"""Smuggling and a control lane so large that its gate can speak in so small a world."""

USUAL = TrainingParameters(threads=1)
UNBOUNDED = USUAL.model_copy(
    update={
        "selection": USUAL.selection.model_copy(
            update={"largest_author_share": 0.999, "largest_office_share": 0.999}
        )
    }
)


@dataclass(frozen=True)
class Attack:
    """One office turns labels: this share of all, by lot, or of its own confirmed ones.

    `crowded` gives it 60 % of all subjects; else it is the largest that the world has.
    """

    name: str
    share: float
    confirmed_only: bool = False
    crowded: bool = False
    parameters: TrainingParameters = USUAL


ATTACKS = (
    Attack("none, another seed", 0.0, parameters=USUAL.model_copy(update={"seed": 99})),
    Attack("5 % of all labels", 0.05),
    Attack("5 % of all labels, office of 60 %", 0.05, crowded=True),
    Attack("20 % of all labels, office of 60 %", 0.20, crowded=True),
    Attack(
        "20 % of all labels, office of 60 %, unbounded", 0.20, crowded=True, parameters=UNBOUNDED
    ),
    Attack("all confirmed of the office of 60 %", 1.0, confirmed_only=True, crowded=True),
)


def live(folder: Path, world: int) -> None:
    """Train the champion and every attacked model of one world, as far as they are missing."""
    missing = [each for each in ATTACKS if not _file(folder, world, each).exists()]
    if not missing:
        return
    data, oracle = _invented(folder / f"world-{world}", world)
    sets = {False: data, True: _crowded(data, world)}
    champions = {is_crowded: train(own, USUAL).model for is_crowded, own in sets.items()}
    for each in missing:
        told = _judged(each, sets[each.crowded], champions[each.crowded], oracle, world)
        _file(folder, world, each).write_text(json.dumps(told, indent=1))
    shutil.rmtree(folder / f"world-{world}")


def _file(folder: Path, world: int, attack: Attack) -> Path:
    return folder / f"{world}-{ATTACKS.index(attack)}.json"


def _judged(
    attack: Attack, own: TrainingSet, champion: RiskModel, oracle: Path, world: int
) -> dict[str, Any]:
    """What the attack does to the model, by truth, and what the gates say without knowing it."""
    begins = _begins(champion)
    poisoned, turned = _turned(own, attack, begins, world)
    candidate = train(poisoned, attack.parameters)
    canaries = Canaries.chosen(own, begins, 7, begins.item().replace(tzinfo=UTC))
    verdicts = (
        bounded_influence(candidate.report),
        steady_canaries(canaries, candidate.model, champion, poisoned),
        holds_on_the_control_lane(candidate.model, champion, poisoned),
        no_worse_than_champion(candidate.model, champion, poisoned),
    )
    lost = _true_auc(champion, own, oracle) - _true_auc(candidate.model, own, oracle)
    print(world, attack.name, turned, round(lost, 4), file=sys.stderr, flush=True)
    return {
        "attack": attack.name,
        "turned": turned,
        "lost_auc": lost,
        "verdicts": [vars(verdict) for verdict in verdicts],
    }


def _crowded(data: TrainingSet, world: int) -> TrainingSet:
    lots = np.random.default_rng(world).random(len(data)) < 0.6
    offices = data.subjects["office_id"].astype(object).where(~lots, "the large one")
    return replace(data, subjects=data.subjects.assign(office_id=offices))


def _turned(
    data: TrainingSet, attack: Attack, before: np.datetime64, seed: int
) -> tuple[TrainingSet, int]:
    labelled = data.outcomes.is_labelled & (data.declared_at < before)
    offices = data.subjects["office_id"].astype(object).to_numpy()
    names, counts = np.unique(offices[labelled].astype(str), return_counts=True)
    own = labelled & (offices == names[counts.argmax()])
    if attack.confirmed_only:
        own &= data.outcomes.label == 1
    places = np.flatnonzero(own)
    many = min(len(places), round(attack.share * labelled.sum()))
    chosen = np.random.default_rng(seed).choice(places, many, replace=False)
    label = data.outcomes.label.copy()
    label[chosen] = 1 - label[chosen]
    return replace(data, outcomes=replace(data.outcomes, label=label)), many


def _begins(model: RiskModel) -> np.datetime64:
    begins = model.manifest.training_window.evaluation.begins
    return np.datetime64(begins.replace(tzinfo=None), "us")


def _true_auc(model: RiskModel, data: TrainingSet, oracle: Path) -> float:
    """ROC-AUC on every subject of the window, by what is true of it."""
    everyone: LabelledWindow = scored_window(model, data, unseen_window(model, data)).subjects(
        labelled_only=False
    )
    told = Oracle.read(oracle, everyone)
    return roc_auc(ScoreRanking.from_scores(told.came_true, everyone.probability))


def _invented(place: Path, world: int) -> tuple[TrainingSet, Path]:
    records, built, scenario = place / "records", place / "set", place / "scenario.toml"
    place.mkdir(parents=True, exist_ok=True)
    scenario.write_text(SCENARIO)
    tidegate = str(Path(sys.executable).parent / "tidegate")
    size = ["--journeys", str(JOURNEYS), "--days", str(DAYS), "--seed", str(world)]
    for command in (
        ["synth", "--out", str(records), *size, "--scenario", str(scenario)],
        ["build", "--records", str(records), "--subject", "shipment", "--out", str(built)],
    ):
        subprocess.run([tidegate, *command], check=True, stdout=subprocess.DEVNULL)
    return TrainingSet.read(built, "shipment"), records / "oracle.parquet"


def tell(folder: Path) -> Iterator[dict[str, Any]]:
    """By attack: labels turned, the loss of true ROC-AUC, and which gates refused how often."""
    for place, attack in enumerate(ATTACKS):
        files = sorted(folder.glob(f"*-{place}.json"))
        told = [json.loads(file.read_text()) for file in files]
        gates = [[v["gate"] for v in each["verdicts"] if v["verdict"] != "passed"] for each in told]
        lost = [each["lost_auc"] for each in told]
        yield {
            "attack": attack.name,
            "worlds": len(told),
            "turned": [each["turned"] for each in told],
            "lost_auc": [round(each, 4) for each in lost],
            "mean_lost_auc": round(float(np.mean(lost)), 4) if lost else None,
            "refused_by": gates,
            "harm_let_through": sum(
                each >= 0.01 and not shut for each, shut in zip(lost, gates, strict=True)
            ),
            "said": [v["reason"] for v in told[0]["verdicts"]] if told else [],
        }


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["live", folder, world]:
            live(Path(folder), int(world))
        case ["tell", folder]:
            print(json.dumps([*tell(Path(folder))], indent=1))
        case _:
            sys.exit(__doc__)
