"""Do the figures of `tidegate monitor` hold the truth? `python study.py HOME`.

HOME is what `tidegate demo --once` left: the newer half of its shipments, scored by the champion,
with what the invented world's oracle says of each. Inspections take the highest scores and are the
same in every redraw; the control lane is drawn anew. Prints one JSON document.
"""

import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd

from serving.monitor.population import PopulationEstimate, Stratum, recall, share
from training.fit.booster_predict import Margins
from training.model.model_home import ModelHome
from training.model.risk_model import RiskModel

Bools = np.ndarray


def world(home: Path, inspected_share: float, seed: int) -> tuple[Bools, Bools]:
    """Of each subject, whether it would be confirmed, and whether its score has it inspected."""
    rows = pd.read_parquet(home / "training_sets/shipment/features.parquet")
    rows = rows.iloc[len(rows) // 2 :]
    oracle = pd.read_parquet(home / "world/oracle.parquet")
    oracle = oracle[oracle["subject_kind"] == "shipment"].set_index("subject_id")
    truth = oracle["true_probability"].reindex(rows["subject_id"]).to_numpy()
    is_smuggled = np.random.default_rng(seed).random(len(rows)) < truth
    models = ModelHome(home)
    model = RiskModel.read(models.find("tidegate-shipment@champion"), models.public_key)
    names = [each.name for each in model.manifest.features]
    scores = Margins.from_text(model.booster_text, threads=1).predict(
        model.encode_frame(rows[names])
    )
    is_inspected = np.zeros(len(rows), dtype=bool)
    is_inspected[np.argsort(-scores)[: int(inspected_share * len(rows))]] = True
    return is_smuggled, is_inspected


def main(home: Path) -> None:
    """Every figure at every probability of the control draw."""
    settings = tomllib.loads((Path(__file__).parent / "parameters.toml").read_text())
    is_smuggled, is_inspected = world(home, settings["inspected_share"], settings["seed"])
    lots = np.random.default_rng(settings["seed"])
    lines = [
        _line(is_smuggled, is_inspected, control, settings["redraws"], lots)
        for control in settings["control_probability"]
    ]
    json.dump(lines, sys.stdout, indent=1)


def _line(
    is_smuggled: Bools, is_inspected: Bools, control: float, redraws: int, lots: np.random.Generator
) -> dict[str, object]:
    truth = is_smuggled.mean(), is_smuggled[is_inspected].sum() / is_smuggled.sum()
    told: list[tuple[PopulationEstimate, PopulationEstimate, float, float]] = []
    for _ in range(redraws):
        is_drawn = ~is_inspected & (lots.random(len(is_smuggled)) < control)
        looked_at = is_inspected | is_drawn
        inspected = _stratum("inspected", is_smuggled, is_inspected, is_inspected)
        rest = _stratum("rest", is_smuggled, ~is_inspected, is_drawn)
        naive = is_smuggled[looked_at].mean()
        caught = is_smuggled[is_inspected].sum() / is_smuggled[looked_at].sum()
        told.append((share([inspected, rest]), recall([inspected], [rest]), naive, caught))
    return {
        "control_probability": control,
        "subjects": len(is_smuggled),
        "prevalence": _judged([each[0] for each in told], [each[2] for each in told], truth[0]),
        "recall": _judged([each[1] for each in told], [each[3] for each in told], truth[1]),
    }


def _stratum(name: str, is_smuggled: Bools, is_in: Bools, is_looked_at: Bools) -> Stratum:
    found = int(is_smuggled[is_in & is_looked_at].sum())
    return Stratum(name, int(is_in.sum()), int((is_in & is_looked_at).sum()), found)


def _judged(told: list[PopulationEstimate], naive: list[float], truth: float) -> dict[str, float]:
    known = [each.estimate for each in told if each.estimate.value is not None]
    held = [each.low <= truth <= each.high for each in known]  # type: ignore[operator]  # has a value, as filtered
    return {
        "truth": float(truth),
        "bias": float(np.mean([each.value for each in known]) - truth),  # type: ignore[misc]  # has a value, as filtered
        "coverage": float(np.mean(held)),
        "refused": len(told) - len(known),
        "naive_bias": float(np.mean(naive) - truth),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
