"""What a command says where the extra that it needs is not installed."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import (
    PackageNotFoundError,
    distribution,
    packages_distributions,
    requires,
)
from pathlib import Path
from typing import Any

import pytest
import typer

from serving.cli.main import app
from serving.extras import Requirement, _bringing, extra_of, extras

ROOT = Path(__file__).resolve().parents[1]
NAME = re.compile(r"[\w.-]+")
ROOMS = ("features", "training", "serving", "data/synthetic")
LOADED_BY_NAME = ("psycopg", "airportsdata", "countryinfo", "searoute", "uharfbuzz")
APART = {"pyspark": "pyspark-client"}  # installed by `make spark` where MLflow does not see it
OURS = ("tidegate-client",)  # installed from these sources, as the project itself
"""No import statement names them: SQLAlchemy loads its driver by the URL, the build of the
geography its sources by `importlib`, and fpdf2 what shapes Arabic where it is there."""

LINES = """
demo --home h
synth --out w --journeys 100 --days 30
build --records w --subject route --out s
build --engine spark --master local[2] --records w --subject route --out s
train --subject route
fit-worker 127.0.0.1:1
evaluate --model m
promote --model m --approver a
gates --training-set s --model m
serve --home h
score f --subject route --out o.csv
replay d
features
import --draft m.toml
verify-log
audit
checkpoints --out c
export-decision d --out c
import m.toml --format ubl --out o
doctor --home .
retrain --subject route
backtest --subject route --policy p
dossier m
swaps --model m
monitor
keys create k --scope score
keys refusals
keys list
keys revoke k
keys rotate k
keys wrap --passphrase-file p
keys unwrap
teams create t
teams list
teams change t
teams disband t
webhooks create https://hook.example/
webhooks list
webhooks rotate e
webhooks resume e
webhooks revoke e
init
upgrade
rotate-key log
move-database --to postgresql://h/d
backup --out b
restore b --home h --because w
impact init
impact check
incident open i --what w --by b --from 2026-01-01 --until 2026-01-02
letter init
letter check
letter seal c --for court --recipient r --by b --because w
letter verify f
incident list
incident verify i
incident read i
incident lift i --by b --because w
state rebuild
stream --from kafka://h/t?group=g --dead-letters kafka://h/d
switch off --by b --because w
switch on --by b --because w
switch show
languages template t.po
languages check t.po
settings
retention init
retention due
retention mask --by b --because w
retention propose --by b --because w
retention erase 1 --by b --because w
retention cancel 1 --by b --because w
retention hold shipment s --by b --because w
retention lift 1 --by b --because w
retention overrule --today 2026-11-27 --by b --because w
retention acts
accounts create a --role reviewer
accounts list
accounts change a --role auditor
accounts disable a
accounts enable a
accounts reset-password a
accounts reset-second-factor a
accounts end-sessions a
approvals new-key --out k
approvals register a k.pub
approvals revoke a
approvals keys
approvals act promote m
approvals propose promote m
approvals sign promote m --key k --out o
""".strip().splitlines()

RUN = """
import contextlib, io, json, sys
from serving.cli.main import main

def run(line):
    sys.argv = ["tidegate", *line.split()]
    errors, found = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(found):
        try:
            main()
        except SystemExit as end:
            return [end.code, errors.getvalue() + found.getvalue()]
        except BaseException as error:
            return [type(error).__name__, str(error)]

print(json.dumps({line: run(line) for line in json.load(sys.stdin)}))
"""


def spelt(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def base() -> set[str]:
    """The distributions that an installation without extras brings."""
    waiting, found = ["tidegate"], set[str]()
    while waiting:
        name = waiting.pop()
        try:
            lines = requires(name) or []
        except PackageNotFoundError:  # for another system
            continue
        found.add(name)
        needed = (NAME.match(each) for each in lines if "extra ==" not in each)
        waiting += {spelt(each[0]) for each in needed if each} - found
    return found


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[object, str]]:
    """How each line ends, and what it says, where no extra is installed."""
    packages = tmp_path_factory.mktemp("packages")
    for name in base():
        for top in {file.parts[0] for file in distribution(name).files or ()} - {
            "..",
            "_tidegate.pth",
        }:
            (packages / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    done = subprocess.run(
        [sys.executable, "-S", "-c", RUN],
        input=json.dumps(LINES),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "data", packages)))},
        cwd=tmp_path_factory.mktemp("empty"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ends: dict[str, tuple[object, str]] = json.loads(done.stdout)
    return ends


def leaves(group: Any, *path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, *path, name)
        else:
            yield " ".join([*path, name])


def test_every_command_is_tried() -> None:
    tried = set(LINES)
    assert {
        name
        for name in leaves(typer.main.get_command(app))
        if not any(f"{line} ".startswith(f"{name} ") for line in tried)
    } == set()


def test_no_command_ends_in_a_traceback_without_extras(
    commands: dict[str, tuple[object, str]],
) -> None:
    needs = re.compile(r"tidegate: \S+ needs (tidegate\[[a-z,]+\]): pip install '\1'\n")
    refused = {line for line, (code, said) in commands.items() if code == 1 and needs.match(said)}
    others = {line.split()[0]: commands[line] for line in LINES if line not in refused}

    assert {name: code for name, (code, _) in others.items()} == dict.fromkeys(
        ("synth", "build", "features", "import", "doctor"), 0
    ), others


@pytest.mark.parametrize(
    ("command", "extras"),
    [
        ("serve", "serve"),
        ("keys create", "serve"),
        ("score", "serve"),
        ("train", "train"),
        ("stream", "streams"),
        ("build --engine spark", "spark"),
        ("evaluate", "train"),
        ("promote", "train"),
        ("demo", "train,serve"),
    ],
)
def test_a_command_names_the_extra_that_it_needs(
    commands: dict[str, tuple[object, str]], command: str, extras: str
) -> None:
    (said,) = {said for line, (_, said) in commands.items() if f"{line} ".startswith(f"{command} ")}

    assert f"needs tidegate[{extras}]:" in said


def test_doctor_works_without_extras_and_says_which_there_are(
    commands: dict[str, tuple[object, str]],
) -> None:
    code, said = commands["doctor --home ."]

    assert code == 0
    assert "installed: none" in said
    assert "tidegate[serve,train]" in said


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("lmdb", "serve"),
        ("argon2.exceptions", "serve"),
        ("shap", "train"),
        ("opentelemetry.sdk", "telemetry"),
        ("pydantic", None),
        ("serving.nothing", None),
        (None, None),
    ],
)
def test_a_module_leads_to_its_extra(
    monkeypatch: pytest.MonkeyPatch, module: str | None, extra: str | None
) -> None:
    monkeypatch.setattr(Requirement, "is_installed", False)

    assert extra_of(ModuleNotFoundError(name=module)) == extra


def test_a_broken_installation_is_not_taken_for_a_missing_extra() -> None:
    assert extra_of(ModuleNotFoundError(name="lmdb")) is None


def third_party() -> Iterator[str]:
    for file in (file for room in ROOMS for file in (ROOT / room).rglob("*.py")):
        if file.is_relative_to(ROOT / "serving" / "client"):
            continue  # a distribution of its own
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (each.name.partition(".")[0] for each in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield str(node.module).partition(".")[0]


def test_whatever_an_installation_brings_is_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    lines = [
        *project["dependencies"],
        *(line for extra in optional for line in optional[extra] if extra != "dev"),
    ]
    imported = set(third_party())
    brings = {*LOADED_BY_NAME, *OURS, *(APART[name] for name in imported & APART.keys())}
    for module, owners in packages_distributions().items():
        brings |= {spelt(owner) for owner in owners} if module in imported else set()
    required = {spelt(name[0]) for line in lines if (name := NAME.match(line))}

    assert required - brings == set()


def test_whatever_is_imported_is_brought_by_a_requirement() -> None:
    ours = {room.rpartition("/")[2] for room in ROOMS} | {"tests"}
    owners, always = packages_distributions(), base()
    imported = {
        name
        for name in set(third_party()) - ours - set(sys.stdlib_module_names)
        if always.isdisjoint(map(spelt, owners.get(name, ())))
    }

    assert {"lmdb", "argon2", "starlette"} < imported
    assert {name for name in imported if not _bringing(name)} == set()
    assert extras()["serve"]
    assert extras()["train"]
