"""A Spark to build on: Sail in a process of its own, or the one that the environment names.

`make spark` runs these tests, where Spark's client lies; they are not collected elsewhere. `make
cluster` names Spark itself, which needs Java.
"""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from synthetic.scenario import Scenario
from synthetic.world import invent
from tests.ports import free_port
from tests.processes import in_a_session

collect_ignore_glob = [] if find_spec("pyspark") else ["test_*.py"]
GIVEN = os.environ.get("TIDEGATE_SPARK_MASTER")
WITHIN_S = 30.0
ROOT = Path(__file__).parents[3]


@contextmanager
def sail() -> Iterator[str]:
    """The master of a server, which ends with the block."""
    port = free_port()
    paths = os.pathsep.join([os.environ["PYTHONPATH"], str(ROOT), str(ROOT / "data")])
    command = [sys.executable, "-m", "pysail", "spark", "server", "--port", str(port)]
    with in_a_session(command, {"PYTHONPATH": paths, "RUST_LOG": "error"}) as server:
        ends_at = time.monotonic() + WITHIN_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert server.poll() is None, "Sail ended"
                assert time.monotonic() < ends_at, "no server of Sail"
                time.sleep(0.02)
        yield f"sc://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def master() -> Iterator[str]:
    if GIVEN:
        yield GIVEN
        return
    with sail() as started:
        yield started


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record files of a small invented world."""
    folder = tmp_path_factory.mktemp("world") / "records"
    invent(folder, scenario=Scenario(), journeys=300, days=120, seed=12)
    return folder
