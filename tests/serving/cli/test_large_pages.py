"""What runs long takes memory in large pages, unless somebody said otherwise or none can be had."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from serving.cli.large_pages import LARGE_PAGES, are_to_be_set

BEGIN = """
import os, sys
from serving.cli.large_pages import begin_in_large_pages
begin_in_large_pages(sys.argv[1:])
print(os.getpid(), *(os.environ.get(name) for name in ("PYTHONMALLOC", "GLIBC_TUNABLES")))
"""


@pytest.mark.parametrize(
    ("command", "told", "expected"),
    [
        ("serve", {}, [*LARGE_PAGES.values()]),
        ("features", {}, ["None", "None"]),
        ("serve", {"PYTHONMALLOC": "pymalloc"}, ["pymalloc", "None"]),
        ("serve", {"GLIBC_TUNABLES": ""}, ["None"]),
    ],
)
def test_a_command_that_runs_long_begins_in_large_pages_unless_somebody_said_otherwise(
    command: str, told: dict[str, str], expected: list[str]
) -> None:
    if not are_to_be_set({}):
        pytest.skip("this machine has no large pages to give")
    left = {name: value for name, value in os.environ.items() if name not in LARGE_PAGES}

    begun = subprocess.Popen(
        [sys.executable, "-c", BEGIN, command, "--port", "1"],
        env=left | told,
        stdout=subprocess.PIPE,
        text=True,
    )

    process_id, *said = begun.communicate()[0].split()
    assert int(process_id) == begun.pid
    assert said == expected


def test_where_the_kernel_gives_none_nothing_is_begun_anew(tmp_path: Path) -> None:
    kernel = tmp_path / "enabled"
    kernel.write_text("always madvise [never]\n")

    assert not are_to_be_set({}, kernel)
    assert not are_to_be_set({}, tmp_path / "not there")
