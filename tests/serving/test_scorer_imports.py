"""What the scoring process has in memory.

pyarrow loads cloudpickle where it is installed; nothing gives it a model's file.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import gc, json, sys
from serving.starting import served
champions = served().state.house.desk.assessor.champions
assert {*champions.answering()} == {"route", "shipment"}
import pyarrow
print(json.dumps([gc.isenabled(), pyarrow.default_memory_pool().backend_name, *sys.modules]))
"""
READS_MODELS = {"lightgbm", "mlflow", "shap", "joblib", "dill", "skops", "sklearn"}
ONLY_COSTS = {"duckdb", "pandas", "scipy.linalg", "scipy.sparse", "scipy.stats"}


def test_a_process_that_scores_loads_what_it_needs_alone(home: Path) -> None:
    _started(home)  # the first start makes the state of files of records
    is_collecting, allocator, *loaded = _started(home)

    assert is_collecting
    assert allocator == "system"
    assert ONLY_COSTS.isdisjoint(loaded)


def _started(home: Path) -> list[object]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "TIDEGATE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: list[object] = json.loads(done.stdout.splitlines()[-1])
    assert READS_MODELS.isdisjoint(said)
    return said
