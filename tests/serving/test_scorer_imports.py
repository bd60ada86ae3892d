"""What a process that scores and explains has in memory.

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
app = served()
from fastapi.testclient import TestClient
from serving.access.api_keys import new_key
from serving.api.examples import ROUTE, SHIPMENT
from serving.app import utc_now
kept, shown = new_key(sys.argv[1], ("score", "explain"), (), utc_now())
app.state.house.keys.add(kept)
with TestClient(app, headers={"Authorization": f"Bearer {shown}"}) as client:
    for body in (ROUTE, SHIPMENT):
        key = {"Idempotency-Key": sys.argv[1] + body["subject_kind"]}
        decision = client.post("/v1/scores", json=body, headers=key).json()["decision_id"]
        assert client.get(f"/v1/decisions/{decision}/explanation").is_success
import pyarrow
collects_seldom = gc.isenabled() and gc.get_threshold()[0] > 5_000
print(json.dumps([collects_seldom, pyarrow.default_memory_pool().backend_name, *sys.modules]))
"""
READS_MODELS = {"lightgbm", "mlflow", "shap", "joblib", "dill", "skops", "sklearn"}
ONLY_COSTS = {"duckdb", "pandas", "scipy.linalg", "scipy.sparse", "scipy.stats"}


def test_a_process_that_scores_and_explains_loads_what_it_needs_alone(home: Path) -> None:
    _started(home, "first")  # makes the state of files of records
    collects_seldom, allocator, *loaded = _started(home, "second")

    assert collects_seldom
    assert allocator == "system"
    assert ONLY_COSTS.isdisjoint(loaded)


def _started(home: Path, name: str) -> list[object]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name],
        env={**os.environ, "TIDEGATE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: list[object] = json.loads(done.stdout.splitlines()[-1])
    assert READS_MODELS.isdisjoint(said)
    return said
