"""A command imports its own module, and no other command's."""

import subprocess
import sys

import pytest

LOADED = """
import sys
from serving.cli.main import COMMANDS, DEFINED_AS, main
try:
    main()
except SystemExit:
    modules = {DEFINED_AS.get(each, (each.replace("-", "_"),))[0] for each in COMMANDS}
    print("loaded", *sorted(each for each in modules if f"serving.cli.{each}" in sys.modules))
"""


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        pytest.param(("keys", "list", "--help"), ["keys"], id="a command of a group"),
        pytest.param(("replay", "--help"), ["score"], id="one of two commands of a module"),
        pytest.param(("of-nobody",), [], id="an unknown command"),
    ],
)
def test_a_command_imports_no_other_command(words: tuple[str, ...], loaded: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words], capture_output=True, text=True, check=False
    )

    assert done.stdout.splitlines()[-1].split() == ["loaded", *loaded], done.stderr
