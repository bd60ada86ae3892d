"""Does a tenth of inspections drawn by lot pay, with and without an abrupt change of trades?

Usage: python experiments/2026-11-24-exploration/study.py live FOLDER KIND WORLD
       python experiments/2026-11-24-exploration/study.py tell FOLDER

`live` invents one world (`usual` or `abrupt`, with a seed), lives every policy through it and keeps
what each did in FOLDER/lives, so that worlds can be lived one at a time; lives that are there are
not lived again. `tell` prints one JSON document over all lives there are, and draws FOLDER/*.png.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import telling

from features.atomic_dir import written_whole
from training.backtest.history import History
from training.backtest.policy import Policy
from training.backtest.policy_figures import figures
from training.backtest.replay_policy import replay
from training.data.training_set import TrainingSet

HERE = Path(__file__).parent
JOURNEYS, DAYS = 100_000, 700
Life = tuple[str, Policy]


def live(folder: Path, kind: str, world: int) -> None:
    """Live what was not lived yet, and let the world go."""
    missing = [life for life in _lives(world) if not _file(folder, kind, world, life[0]).exists()]
    if not missing:
        return
    place = folder / f"{kind}-{world}"
    history = _invented(place, kind, world)
    for name, policy in missing:
        told = figures(replay(name, policy, history))
        with written_whole(_file(folder, kind, world, name).parent) as partial:
            (partial / "figures.json").write_text(told.model_dump_json())
        print(kind, world, name, told.hits.value, file=sys.stderr, flush=True)
    shutil.rmtree(place)


def _lives(world: int) -> Iterator[Life]:
    for capacity_of in ("all", "office"):
        for file in ("no_lot", "tenth_by_lot", "tenth_by_doubt"):
            policy = Policy.read(HERE / f"{file}.toml")
            changed = {"capacity_of": capacity_of, "seed": world}
            yield f"{capacity_of}-{file}", policy.model_copy(update=changed)


def _file(folder: Path, kind: str, world: int, name: str) -> Path:
    return folder / "lives" / f"{kind}-{world}-{name}" / "figures.json"


def _invented(place: Path, kind: str, world: int) -> History:
    scenario = str(HERE / "abrupt.toml") if kind == "abrupt" else "usual"
    records, built = place / "records", place / "set"
    size = ["--journeys", str(JOURNEYS), "--days", str(DAYS), "--seed", str(world)]
    tidegate = str(Path(sys.executable).parent / "tidegate")
    for command in (
        ["synth", "--out", str(records), *size, "--scenario", scenario],
        ["build", "--records", str(records), "--subject", "shipment", "--out", str(built)],
    ):
        subprocess.run([tidegate, *command], check=True, stdout=subprocess.DEVNULL)
    return History.invented(TrainingSet.read(built, "shipment"), records / "oracle.parquet")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["live", folder, kind, world]:
            live(Path(folder), kind, int(world))
        case ["tell", folder]:
            print(json.dumps(telling.told(Path(folder)), indent=1))
        case _:
            sys.exit(__doc__)
