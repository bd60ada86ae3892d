"""What a process that scores and explains has in memory.

pyarrow loads cloudpickle where it is installed; nothing gives it a model's file.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

PROGRAM = """
import gc, json, sys
def resident_mib(library):
    told = open("/proc/self/smaps").read().split("VmFlags:")
    of = [each for each in told if library in each]
    return sum(int(each.split("Rss:")[1].split()[0]) for each in of) / 1024
def compiled():
    from numba.core.dispatcher import Dispatcher
    gc.unfreeze()  # what is frozen is not named
    return sum(len(each.overloads) for each in gc.get_objects() if isinstance(each, Dispatcher))
from serving.process.bootstrap import start_app
app = start_app()
ready = [*sys.modules]
llvm = resident_mib("libllvmlite.so")
before = compiled()
from fastapi.testclient import TestClient
from serving.access.api_keys import new_key
from serving.api.examples import ROUTE, SHIPMENT
from serving.app import utc_now
kept, shown = new_key(sys.argv[1], ("score", "explain"), (), utc_now())
app.state.services.api_keys.add_key(kept)
with TestClient(app, headers={"Authorization": f"Bearer {shown}"}) as client:
    decisions = []
    for example in (ROUTE, SHIPMENT):
        body = json.loads(json.dumps(example).replace("-2026-", f"-{sys.argv[1]}-"))  # a new one
        key = {"Idempotency-Key": sys.argv[1] + body["subject_kind"]}
        decisions.append(client.post("/v1/scores", json=body, headers=key).json()["decision_id"])
    late = compiled() - before
    body = json.loads(json.dumps(ROUTE).replace("-2026-", f"-boat-{sys.argv[1]}-"))
    body["journey"] |= {"conveyance_kind": "small_craft", "certified_capacity": None}
    key = {"Idempotency-Key": sys.argv[1] + "boat"}  # how far it is from land is looked at
    assert client.post("/v1/scores", json=body, headers=key).status_code == 200
    for decision in decisions:
        assert client.get(f"/v1/decisions/{decision}/explanation").is_success
import pyarrow
collects_seldom = gc.isenabled() and gc.get_threshold()[0] > 5_000
allocator = pyarrow.default_memory_pool().backend_name
print(json.dumps([collects_seldom, allocator, llvm, late, ready, *sys.modules]))
"""
READS_MODELS = {"lightgbm", "mlflow", "shap", "joblib", "dill", "skops", "sklearn"}
ONLY_COSTS = {"duckdb", "pandas", "scipy.linalg", "scipy.sparse", "scipy.stats"}
LOADED_WHEN_ASKED = ("serving.console.", "fpdf", "numba.typed.")
"""Modules, by how their names begin, that the first page or a new kernel loads; no start waits."""


def test_a_process_that_scores_and_explains_loads_what_it_needs_alone_and_at_its_start(
    home: Path,
) -> None:
    _started(home, "first")  # makes the state of files of records
    collects_seldom, allocator, llvm_mib, late, ready, *loaded = _started(home, "second")

    assert collects_seldom
    assert allocator == "system"
    assert cast("float", llvm_mib) < 10  # of 70 that loading compiled functions takes
    assert late == 0  # compiled functions that are loaded while a subject waits
    assert ONLY_COSTS.isdisjoint(map(str, loaded))
    assert [name for name in cast("list[str]", ready) if name.startswith(LOADED_WHEN_ASKED)] == []


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
    assert READS_MODELS.isdisjoint(map(str, said))
    return said
