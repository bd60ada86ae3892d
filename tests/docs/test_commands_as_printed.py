"""Commands work as README and docs print them; those of the tutorial run in a home of their own.

Each block of the tutorial is typed into one shell after the other, `tidegate serve` in the
background as a reader would leave it running. The two lines of the README cannot be typed here and
are looked up instead: `make test` is this very run, and `make demo ARGS=--once` is what
`tests/test_demo.py` runs. What the tutorial types is typed under `make faults` alone: every run
types what follows its `synth` for a table of one's own (`test_own_data_page`).
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serving.storage.engine import open_database
from serving.storage.repositories.decision_repository import DecisionRepository
from tests.counts import in_full_alone
from tests.docs.recipes import recipes
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md")))

Command = str


def blocks(page: str) -> list[list[Command]]:
    """The commands of each console block; an indented line continues the one before it."""
    printed = re.findall(
        r"^```console\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL
    )
    return [re.findall(r"^\$ (.*(?:\n +.*)*)", block, re.MULTILINE) for block in printed]


# A block that is added to either page fails here, until a test below types it.
(MAKE,) = blocks("README.md")
TRAIN_AND_SERVE, SCORE = blocks("docs/tutorial.md")


def named_commands() -> set[str]:
    """What follows `tidegate` in the code of any page, up to the first option or argument."""
    text = "\n".join(page.read_text() for page in PAGES)
    # A recipe of CONTRIBUTING.md adds a command that exists only in the copy where it is followed.
    of_recipes = {Path(edit.file).stem for recipe in recipes() for edit in recipe.edits}
    named = re.findall(r"(?:[`$/] ?|  )tidegate ((?:[a-z][a-z-]* ?)+)", text)
    return {name.strip() for name in named} - of_recipes


@contextmanager
def typed(command: Command, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A command as typed into a shell of someone who works in the folder and has Tidegate."""
    own = {"HOME": str(folder), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    with subprocess.Popen(
        ["bash", "-c", f"exec {command}" if command.startswith("tidegate") else command],
        cwd=folder,
        env={**kept, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def run(command: Command, folder: Path) -> str:
    """What a command that ends well prints on stdout."""
    with typed(command, folder) as process:
        printed, said = process.communicate()
    assert process.returncode == 0, f"$ {command}\n{printed}{said}"
    return printed


@contextmanager
def served(command: Command, folder: Path) -> Iterator[None]:
    """A service that answers while the block runs, and ends well when it is told to."""
    with typed(command, folder) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert "answers at" in said, said + process.stderr.read()
        yield
        process.terminate()
        assert process.wait(30) == 0


def elsewhere(command: Command, port: int) -> Command:
    """The same on a port of this test's own: 8000 may be taken on a machine that runs tests."""
    at = command.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    return f"{at} --port {port}" if at == "tidegate serve" else at


@in_full_alone
@pytest.mark.faults
def test_what_is_done_by_hand_ends_in_a_score_that_knows_what_was_before(tmp_path: Path) -> None:
    port = free_port()
    *preparing, serving = (elsewhere(command, port) for command in TRAIN_AND_SERVE)
    for command in preparing:
        run(command, tmp_path)
    with served(serving, tmp_path):
        (answer,) = [json.loads(run(elsewhere(c, port), tmp_path)) for c in SCORE]
        ready = json.loads(run(f"curl -s http://127.0.0.1:{port}/health/ready", tmp_path))

    assert answer["model"]["name"] == "tidegate-shipment"
    assert 0 < answer["probability"] < 1
    assert answer["lane"] != "manual"
    assert answer["is_history_missing"] is False
    assert ready["degraded"] == ["model_missing"], "of routes, as the tutorial says"
    log = DecisionRepository(
        open_database(tmp_path / ".tidegate" / "tidegate.db", is_service=False)
    )
    (record,) = log.records()
    assert json.loads(record or "")["vector"]["consignee_shipments_365d"] > 100


@pytest.mark.parametrize("command", MAKE)
def test_what_make_is_asked_for_is_there_and_does_what_is_said(command: Command) -> None:
    line, _, what = command.partition("#")
    asked = line.split()
    dry = subprocess.run(
        [*asked, "--dry-run"], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert what.strip(), "a line that takes minutes says what for"
    runs = {"demo": "bin/tidegate demo --once", "test": "bin/python -m pytest -n auto"}
    assert runs[asked[1]] in dry.stdout


@pytest.mark.parametrize("named", sorted(named_commands()))
def test_every_command_that_is_named_exists(named: str) -> None:
    from typer.main import get_command

    from serving.cli.main import app

    command = get_command(app)
    for word in named.split():
        if not (known := getattr(command, "commands", None)):
            break  # an argument
        assert word in known
        command = known[word]
