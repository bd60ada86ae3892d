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
            unkept = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / room, machine / "sources" / room, ignore=unkept)
        for each in (*(machine / "sources").rglob("*"), machine / "sources"):
            each.chmod(0o555 if each.is_dir() else 0o444)
        machine.chmod(0o755)
        for each in (machine / "work", machine / "work" / "home"):
            each.mkdir()
            if os.getuid() == 0:
                os.chown(each, NOBODY, NOBODY)
        yield machine


def begun(
    machine: Path, dropped: tuple[str, ...], line: str, **variables: str
) -> "subprocess.Popen[str]":
    """A command that somebody with nothing of their own has begun."""
    sources = machine / "sources"
    return subprocess.Popen(
        [*dropped, sys.executable, "-m", "serving.cli.main", *line.split()],
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


def run(machine: Path, dropped: tuple[str, ...], line: str) -> tuple[int, str]:
    """How a command ends, and all that it prints."""
    with begun(machine, dropped, line) as process:
        printed, _ = process.communicate()
    return process.returncode, printed


def kept_in(machine: Path) -> Path:
    """Where the code is kept that somebody compiles who has a home of Tidegate and no other."""
    return machine / "work" / "home" / "cache" / "compiled"


def test_compiled_code_will_be_kept_in_the_home(machine: Path, dropped: tuple[str, ...]) -> None:
    code, told = run(machine, dropped, "doctor --json --home home")

    findings = {each["what"]: each for each in json.loads(told)}
    assert code == 1, "there is no champion"
    assert findings["compiled code"] == {
        "what": "compiled code",
        "grade": "good",
        "says": f"is kept in {kept_in(machine)}",
    }


@in_full_alone
@pytest.mark.faults
def test_compiled_code_is_kept_in_the_home(machine: Path, dropped: tuple[str, ...]) -> None:
    kept = kept_in(machine)

    synthesised = run(machine, dropped, "synth --out world --journeys 100 --days 30")
    assert synthesised[0] == 0, synthesised[1]
    line = "build --records world --subject shipment --out set"
    with begun(machine, dropped, line, TIDEGATE_HOME="home") as building:
        while building.poll() is None and not list(kept.rglob("*.nbc")):
            time.sleep(0.1)
        building.kill()  # what is left to compile takes long, and shows no more
    assert list(kept.rglob("*.nbc"))
    assert not list((machine / "sources").rglob("__pycache__"))


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("features", 0, "goods_size_confirmed_rate"),
        ("doctor --home /", 1, "cannot read and write /"),
        ("doctor --home none", 1, "is not there"),
        ("serve --live --home home", 1, "tidegate impact init"),
        ("score s.parquet --subject shipment --out o.csv --home home", 1, "has no champion here"),
        ("train --subject shipment --home home", 1, "`tidegate build` makes"),
    ],
)
def test_every_room_can_be_loaded_and_none_warns(
    machine: Path, dropped: tuple[str, ...], line: str, code: int, says: str
) -> None:
    ended, told = run(machine, dropped, line)

    assert ended == code, told
    assert says in told
    words = ("Traceback", "Matplotlib", "Fontconfig", "Warning")
    assert not any(word in told for word in words), told
