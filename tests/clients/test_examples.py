"""The examples of `docs/clients.md` and of the page of calls, run as they are printed."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from serving.console import call_examples
from tests.clients.conftest import Site
from tidegate_client import ProblemError, Tidegate

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def environment(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "tests/conformance/samples/ubl/waybill.xml", tmp_path)
    key = site.key("score", "explain", "ingest")
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
    said = [json.loads(printed(["bash", "-c", each], environment)) for each in blocks("bash")]
    scored, listed, sent = said

    ids: list[Any] = [each["decision_id"] for each in listed["decisions"]]
    assert scored["decision_id"] in ids
    assert sent["records"] == {"documents": 1, "goods_items": 2, "shipments": 1}


def test_the_page_of_calls_shows_every_method_of_the_client() -> None:
    methods = {name for name in vars(Tidegate) if not name.startswith("_")} - {
        *("close", "post", "event_page")  # to pass bytes on
    }

    shown = "\n".join(call_examples.PYTHON.values())

    assert {name for name in methods if f"tidegate.{name}(" not in shown} == set()


@pytest.mark.parametrize("name", call_examples.PYTHON)
def test_the_examples_of_the_page_of_calls_run(
    name: str,
    site: Site,
    document: Any,
    decided: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "tests/conformance/samples/ubl/waybill.xml", tmp_path)
    operation = next(
        each
        for path in document["paths"].values()
        for each in path.values()
        if each["operationId"] == name
    )
    key = site.key("score", "explain", "ingest", "review", "events")
    told = {"TIDEGATE_ADDRESS": site.address, "TIDEGATE_KEY": key}
    told |= {"DECISION_ID": decided["decision_id"], "CASE_ID": "none-of-this-id"}
    told |= {"MESSAGE_ID": "none-of-this-id"}
    for variable, value in told.items():
        monkeypatch.setenv(variable, value)
    body = call_examples.body_of(operation, document["components"]["schemas"])
    text = call_examples.python(operation, body) or ""

    refused = (
        pytest.raises(ProblemError, match="404")
        if name in ("read_case", "read_message")
        else nullcontext()
    )
    with refused:
        exec(compile(text, name, "exec"), {})


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl here")
def test_the_commands_of_the_page_of_calls_can_be_typed(
    site: Site, document: Any, environment: dict[str, str]
) -> None:
    operation = document["paths"]["/v1/scores"]["post"]
    body = call_examples.body_of(operation, document["components"]["schemas"])

    typed = call_examples.curl("/v1/scores", "post", operation, body)

    assert json.loads(printed(["bash", "-c", typed], environment))["decision_id"]
