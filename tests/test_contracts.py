"""Every import contract is proven by breaking it in a copy of the rooms."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]

# Contract -> the module that breaks it and what it imports.
BREACHES = {
    "serving sits on training sits on features": (
        "features/units.py",
        "import training.fit.fit_trees",
    ),
    "inside serving, every arrow points inwards": ("serving/errors.py", "import serving.settings"),
    "api, console and cli are independent": ("serving/api/breach.py", "import serving.console"),
    "the domain states what it stores, and never imports db": (
        "serving/models/scores.py",
        "import serving.db.tables",
    ),
    "inside features, every arrow points downwards": (
        "features/linked_records.py",
        "import features.digests.code",
    ),
    "the engine imports no family, no catalogue and no rule of a record type": (
        "features/engine/windows/window.py",
        "import features.families.payments",
    ),
    "inside the engine, every arrow points downwards": (
        "features/engine/columns.py",
        "import features.engine.store.layout",
    ),
    "no cycles inside the engine": (
        "features/engine/string_table.py",
        "import features.engine.columns",
    ),
    "streams know the service by HTTP alone": (
        "serving/streams/breach.py",
        "import serving.db.engine",
    ),
    "only streams know brokers": ("serving/scoring/breach.py", "import nats"),
    "inside training, every arrow points downwards": (
        "training/errors.py",
        "import training.parameters",
    ),
    "of training, serving may know only the model handed over and estimates": (
        "serving/breach.py",
        "import training.fit.fit_trees",
    ),
    "the model handed over stands at the bottom of training": (
        "training/model/encoding.py",
        "import lightgbm",
    ),
    "what answers scores with kernels of its own": ("serving/models/scores.py", "import lightgbm"),
    "features knows no model, no server and no registry": ("features/breach.py", "import fastapi"),
    "only the registry imports MLflow": ("training/breach.py", "import mlflow"),
    "only the application, the API and the console speak HTTP": (
        "training/breach.py",
        "import starlette",
    ),
    "only the store knows SQL": ("serving/breach.py", "import sqlalchemy"),
    "the invented world knows records and geography only": (
        "data/synthetic/breach.py",
        "import features.catalogue",
    ),
    "nobody but commands meets the invented world": ("serving/breach.py", "import synthetic"),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for room in ("features", "training", "serving", "data/synthetic"):
        shutil.copytree(
            ROOT / room,
            tmp_path / room,
            ignore=shutil.ignore_patterns("__pycache__", "*.parquet", "sample"),
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken_contracts(copy: Path) -> list[str]:
    program = (
        "import sys; sys.path[:0] = ['.', 'data'];"
        "from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=copy, capture_output=True, text=True, check=False
    )
    return re.findall(r"^(.+) BROKEN\b", ran.stdout, flags=re.MULTILINE)


def test_every_contract_has_a_breach() -> None:
    assert {contract["name"] for contract in CONTRACTS} == set(BREACHES)


def test_the_rooms_as_they_are_keep_every_contract(copy: Path) -> None:
    assert broken_contracts(copy) == []


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_found(name: str, copy: Path) -> None:
    module, statement = BREACHES[name]
    with (copy / module).open("a") as source:
        source.write(f"\n{statement}\n")

    assert name in broken_contracts(copy)
