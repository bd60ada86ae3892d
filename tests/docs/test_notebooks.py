"""Notebooks run from top to bottom, with the figures that they speak of."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.notebook_runner import ORDER, CellFailed, run_notebook
from tests.docs.named_places import ROOT

NOTEBOOKS = ROOT / "docs" / "notebooks"
FIGURES = {"first_model": 4, "own_data": 1, "new_feature": 1, "reading_honestly": 3}
MAX_FIGURE_BYTES = 150_000


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every notebook with its outputs."""
    out = tmp_path_factory.mktemp("notebooks")
    subprocess.run(
        [sys.executable, "-m", "deploy.notebook_runner", NOTEBOOKS, out],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'data'}"},
        check=True,
    )
    return {name: json.loads((out / f"{name}.ipynb").read_text()) for name in ORDER}


def outputs(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for cell in notebook["cells"] for each in cell.get("outputs", ())]


def printed(notebook: dict[str, Any]) -> str:
    return "".join(line for each in outputs(notebook) for line in each.get("text", ()))


def test_every_notebook_runs_and_draws_its_figures(ran: dict[str, dict[str, Any]]) -> None:
    for name, notebook in ran.items():
        shown = [each["data"] for each in outputs(notebook) if "data" in each]
        figures = [data["image/png"] for data in shown if "image/png" in data]
        assert len(figures) == FIGURES[name], name
        assert all(5_000 < len(figure) < MAX_FIGURE_BYTES for figure in figures), name


def test_notebooks_say_what_their_text_speaks_of(ran: dict[str, dict[str, Any]]) -> None:
    assert re.search(r"learnt from \d\d finds, judged on \d\d", printed(ran["first_model"]))
    own = printed(ran["own_data"])
    assert "would be confirmed if everyone were looked at" in own
    assert "an unknown share" not in own
    assert "   - Its price per kg" in own
    feature = printed(ran["new_feature"])
    assert "is 1.0, expected 2: Its consignee declared one shipment in 60 days" in feature
    assert "its name does not say its window" in feature


def test_every_notebook_is_stored_without_outputs_and_named_by_the_index() -> None:
    index = (NOTEBOOKS / "index.md").read_text()
    stored = {path.stem: json.loads(path.read_text()) for path in NOTEBOOKS.glob("*.ipynb")}

    assert re.findall(r"\((\w+)\.ipynb\)", index) == [*ORDER]
    assert {*stored} == {*ORDER}
    for name, notebook in stored.items():
        assert outputs(notebook) == [], name
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert all(cell["execution_count"] is None for cell in code), name


def test_every_link_of_a_notebook_leads_to_a_file() -> None:
    for path in NOTEBOOKS.glob("*.ipynb"):
        text = "".join(
            line
            for cell in json.loads(path.read_text())["cells"]
            if cell["cell_type"] == "markdown"
            for line in cell["source"]
        )
        links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
        assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("1 / 0", "own.ipynb, cell 1: ZeroDivisionError"),
        ("if True:\n    !exit 3", r"own.ipynb, cell 1: .*\$ exit 3"),
    ],
)
def test_a_cell_that_fails_is_named(tmp_path: Path, source: str, says: str) -> None:
    cell = {"cell_type": "code", "source": source.splitlines(keepends=True)}
    (tmp_path / "own.ipynb").write_text(json.dumps({"cells": [cell]}))

    with pytest.raises(CellFailed, match=says):
        run_notebook(tmp_path / "own.ipynb", tmp_path)


def test_a_last_expression_is_shown_unless_it_ends_in_a_semicolon(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": [source]} for source in ("1 + 1", "1 + 1;")]
    (tmp_path / "own.ipynb").write_text(json.dumps({"cells": cells}))

    shown, hidden = run_notebook(tmp_path / "own.ipynb", tmp_path)["cells"]
    assert [each["data"]["text/plain"] for each in shown["outputs"]] == ["2"]
    assert hidden["outputs"] == []
