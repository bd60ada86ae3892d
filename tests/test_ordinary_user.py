"""As a service user, who can write neither the installation nor a folder of their own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.counts import in_full_alone

ROOT = Path(__file__).resolve().parents[1]
NOBODY = 65_534
DROP = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
# Where root's own Python runs the tests, others may not even read it.
READ_ALL = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")


@pytest.fixture(scope="module")
def dropped() -> tuple[str, ...]:
    """What begins a command as somebody who owns nothing; as oneself, where one is not root."""
    if os.getuid() != 0:
        return ()
    for each in (DROP, (*DROP, *READ_ALL)):
        if subprocess.run([*each, sys.executable, "-c", ""], check=False).returncode == 0:
            return each
    pytest.fail("setpriv of util-linux can start no Python as another user")


@pytest.fixture(scope="module")
def machine() -> Iterator[Path]:
    """The sources, that nobody can write, and a folder to work in."""
    with tempfile.TemporaryDirectory() as folder:
        machine = Path(folder)
        for room in ("features", "training", "serving", "data/synthetic"):
            shutil.copytree(ROOT / room, machine / "sources" / room)  # with compiled modules
        for each in (*(machine / "sources").rglob("*"), machine / "sources"):
            each.chmod(0o555 if each.is_dir() else 0o444)
        machine.chmod(0o755)
        for each in (machine / "work", machine / "work" / "home"):
            each.mkdir()
            if os.getuid() == 0:
                os.chown(each, NOBODY, NOBODY)
        yield machine


RUN = """
import contextlib, io, json, os, sys
from serving.cli.main import main

def run(line):
    sys.argv = ["tidegate", *line.split()]
    with io.StringIO() as said, contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as end:
            return [end.code, said.getvalue()]

print(json.dumps({line: run(line) for line in sys.argv[1:]}))
"""


def begun(
    machine: Path, dropped: tuple[str, ...], *words: str, **variables: str
) -> "subprocess.Popen[str]":
    """A Python that somebody with nothing of their own has begun."""
    sources = machine / "sources"
    return subprocess.Popen(
        [*dropped, sys.executable, *words],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, (sources, sources / "data"))),
            "HOME": "/nonexistent",
            "TMPDIR": str(machine / "work"),
            **variables,
        },
        cwd=machine / "work",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def kept_in(machine: Path) -> Path:
    """Where the code is kept that somebody compiles who has a home of Tidegate and no other."""
    return machine / "work" / "home" / "cache" / "compiled"


EXPECTED = {
    "features": (0, "goods_size_confirmed_rate"),
    "doctor --home /": (1, "cannot read and write /"),
    "doctor --home none": (1, "is not there"),
    "serve --live --home home": (1, "tidegate init impact"),
    "score s.parquet --subject shipment --out o.csv --home home": (1, "has no champion here"),
    "train --subject shipment --home home": (1, "`tidegate build` makes"),
}
DOCTOR = "doctor --json --home home"


def test_every_room_can_be_loaded_and_none_warns(machine: Path, dropped: tuple[str, ...]) -> None:
    with begun(machine, dropped, "-c", RUN, DOCTOR, *EXPECTED) as process:
        printed, _ = process.communicate()
    *warnings, last = printed.splitlines()
    ends = json.loads(last)

    code, report = ends.pop(DOCTOR)
    assert code == 1, "there is no champion"
    compiled = next(each for each in json.loads(report) if each["what"] == "compiled code")
    assert (compiled["grade"], compiled["says"]) == ("good", f"is kept in {kept_in(machine)}")
    assert {line: code for line, (code, _) in ends.items()} == {
        line: code for line, (code, _) in EXPECTED.items()
    }
    assert [line for line, (_, says) in EXPECTED.items() if says not in ends[line][1]] == []
    assert warnings == []
    words = ("Traceback", "Matplotlib", "Fontconfig", "Warning")
    assert not any(word in printed for word in words), printed


@in_full_alone
@pytest.mark.faults
def test_compiled_code_is_kept_in_the_home(machine: Path, dropped: tuple[str, ...]) -> None:
    kept, tidegate = kept_in(machine), ("-m", "serving.cli.main")
    sources = {*(machine / "sources").rglob("*")}
    synth = ("synth", "--out", "world", "--journeys", "100", "--days", "30")
    build = ("build", "--records", "world", "--subject", "shipment", "--out", "set")

    with begun(machine, dropped, *tidegate, *synth) as process:
        printed, _ = process.communicate()
    assert process.returncode == 0, printed
    with begun(machine, dropped, *tidegate, *build, TIDEGATE_HOME="home") as building:
        while building.poll() is None and not list(kept.rglob("*.nbc")):
            time.sleep(0.1)
        building.kill()  # the rest takes long to compile, and shows no more
    assert list(kept.rglob("*.nbc"))
    assert {*(machine / "sources").rglob("*")} == sources
