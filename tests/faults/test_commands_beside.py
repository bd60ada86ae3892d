"""Commands run beside a service that works: neither harms the other.

One file of SQLite has one service and any number of commands, which read it or write in turns.
"""

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.counts import count, in_full_alone
from tests.faults.conftest import Serve
from tests.faults.served import Served
from tests.serving.bodies import shipment

ROUNDS = count(1, 10)
COMMANDS = count(2, 7)


def commands(served: Served, number: int) -> list[list[str]]:
    """Every command that reads or writes what the service has open."""
    subjects = served.home / "subjects.ndjson"
    subjects.write_text(json.dumps(shipment()) + "\n")
    decision_id = json.loads(next(iter(served.acknowledged.values())))["decision_id"]
    return [
        ["accounts", "create", f"a-{number}", "--role", "reviewer"],
        ["state", "rebuild"],
        ["verify-log"],
        ["keys", "create", f"k-{number}", "--scope", "score"],
        ["keys", "revoke", f"k-{number}"],
        ["replay", decision_id],
        ["score", str(subjects), "--subject", "shipment", "--out", str(served.home / "out.csv")],
    ]


def run(served: Served, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "serving.cli.main", *arguments, "--home", str(served.home)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@in_full_alone
@pytest.mark.faults
def test_commands_and_a_service_share_a_home(serve: Serve) -> None:
    served = serve()
    served.start()
    served.load(1, "first", lambda: len(served.acknowledged) > 0)
    is_over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(served.load, 4, "S", is_over.is_set)
        try:
            for number in range(ROUNDS):
                for arguments in commands(served, number)[:COMMANDS]:
                    done = run(served, arguments)
                    assert done.returncode == 0, (arguments, done.stderr)
        finally:
            is_over.set()
    assert {each.status for each in loading.result()} == {200}

    served.settle()
