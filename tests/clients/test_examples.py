"""The examples of `docs/clients.md`, run as they are printed."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Site

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def environment(site: Site) -> dict[str, str]:
    key = site.key("score", "explain")
    told = {"TIDEGATE_ADDRESS": site.address, "TIDEGATE_KEY": key}
    return {**os.environ, **told, "PYTHONPATH": str(ROOT / "serving" / "client")}


def printed(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_python_examples_run(environment: dict[str, str]) -> None:
    first, second = blocks("python")

    said = printed([sys.executable, "-c", first], environment).splitlines()
    listed = printed([sys.executable, "-c", second], environment)

    assert said[1].startswith("200 ")
    assert "/shipment/hs_code" in said[-1]
    assert "S-2026-004712" in listed


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl here")
def test_curl_examples_run(environment: dict[str, str]) -> None:
    scored, listed = (json.loads(printed(["bash", "-c", b], environment)) for b in blocks("bash"))

    ids: list[Any] = [each["decision_id"] for each in listed["decisions"]]
    assert scored["decision_id"] in ids
