"""Units of systemd: they are valid, hardened, and start commands that exist."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from serving.cli.main import app

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
MAX_EXPOSURE = 3.0


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert shutil.which("systemd-analyze"), "install the Debian package systemd"
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_is_exposed_little(unit: Path) -> None:
    answer = analyze("security", "--offline=true", str(unit))

    level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", answer.stdout)
    assert level is not None, answer.stderr
    assert float(level[1]) <= MAX_EXPOSURE


def test_every_unit_is_understood_by_systemd(tmp_path: Path) -> None:
    for unit in UNITS.iterdir():
        # The program is not installed where tests run.
        text = unit.read_text().replace("/opt/tidegate/bin/tidegate", "/bin/true")
        (tmp_path / unit.name).write_text(text)

    answer = analyze("verify", *map(str, sorted(tmp_path.iterdir())))

    about_units = [line for line in answer.stderr.splitlines() if "tidegate" in line]
    assert about_units == []


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_the_command_of_a_service_has_the_options_it_uses(unit: Path) -> None:
    text = unit.read_text()
    command = re.search(r"/opt/tidegate/bin/(tidegate [^'\n]*)", text)
    assert command is not None
    given = shlex.split(command[1])
    shown = re.search(r"Environment=SERVE_OPTIONS=(.*)", text)
    options = {each for each in [*given, *(shown[1].split() if shown else ())] if each[0] == "-"}

    answer = CliRunner().invoke(app, [given[1], "--help"], env={"COLUMNS": "200"})

    assert answer.exit_code == 0
    assert options <= set(re.findall(r"--[a-z-]+", answer.output))
