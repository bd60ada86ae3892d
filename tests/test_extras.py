"""What a command says where the extra that it needs is not installed."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
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
from fastapi.testclient import TestClient
from packaging.requirements import Requirement as Requires

from serving.app import create_app
from serving.cli.main import app
from serving.extras import EXTRAS_OF_COMMAND, Requirement, _bringing, extras, extras_for
from serving.settings import Settings
from tests.conftest import MadeOnce
from tests.counts import in_full_alone
from tests.ports import free_port
from tests.serving.conftest import Service, make_trained_home
from training.gates.canaries import Canaries
from training.model.model_home import ModelHome

ROOT = Path(__file__).resolve().parents[1]
NAME = re.compile(r"[\w.-]+")
ROOMS = ("tidegate", "features", "training", "serving", "data/synthetic")
LOADED_BY_NAME = ("psycopg", "airportsdata", "countryinfo", "searoute", "uharfbuzz")
"""No import statement names them: SQLAlchemy loads its driver by the URL, the build of the
geography its sources by `importlib`, and fpdf2 its shaper of Arabic if it is installed."""
APART = {"pyspark": "pyspark-client"}  # installed by `make spark` where MLflow does not see it
OURS = ("tidegate-client",)  # installed from these sources, as the project itself
NOT_LINKED = {"..", "__pycache__", "_tidegate.pth", "_tidegate_client.pth"}
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SHIPMENT = {
    "shipment_id": "S-1",
    "consignor_id": "party-1",
    "consignee_id": "party-101",
    "hs_code": "890310",
    "origin_country": "CN",
    "dispatch_country": "TR",
    "destination_country": "DE",
    "declared_at": "2026-11-24T10:00:00Z",
}

Ends = dict[str, tuple[object, str]]
"""Exit code and output of each command line."""

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
compare a b
serve --home h
score f --subject route --out o.csv
replay d
features
import --draft m.toml
verify-log
audit
verify-log --checkpoints c
export decision d --out c
import m.toml --format ubl --out o
doctor --home .
retrain --subject route
backtest --subject route --policy p
dossier m
evaluate --swaps --model m
monitor
effect --from 2026-01-01 --to 2026-11-30
keys create k --scope score
audit --refused-uses
keys list
keys revoke k
keys rotate k
keys wrap --passphrase-file p
keys wrap --undo
teams set t
teams list
teams set t
teams set t --disband
webhooks create https://hook.example/
webhooks list
webhooks change e --rotate
webhooks change e --resume
webhooks change e --revoke
init
upgrade
rotate-key log
upgrade --move --database-url postgresql://h/d
backup --out b
restore b --home h --because w
init impact
doctor impact
incident open i --what w --by b --from 2026-01-01 --until 2026-01-02
init letters
doctor letters
export case c --for court --recipient r --by b --because w
export case f --verify
incident show
incident show i
incident show i --records
incident lift i --by b --because w
state rebuild
stream --from kafka://h/t?group=g --dead-letters kafka://h/d
switch off --by b --because w
switch on --by b --because w
switch show
languages t.pot
exchange join a --by b
exchange partner a --by b
exchange make container d --handling B2
exchange send o --by b
exchange approve d --by b
exchange recall o --by b
exchange run
exchange list
languages t.pot
init retention
retention due
retention mask --by b --because w
retention erase --by b --because w
retention erase 1 --by b --because w
retention erase 1 --cancel --by b --because w
retention hold shipment s --by b --because w
retention hold --lift 1 --by b --because w
retention overrule --today 2026-11-27 --by b --because w
retention due --acts
accounts create a --role reviewer
accounts list
accounts change a --role auditor
accounts change a --disable
accounts change a --enable
accounts change a --reset-password
accounts change a --reset-second-factor
accounts change a --end-sessions
approvals new-key --out k
accounts change a --approval-key k.pub
accounts change a --end-approval-key
accounts list
approvals propose --dry-run promote m
approvals propose promote m
approvals sign promote m --key k --out o
""".strip().splitlines()

SERVED = """
doctor
verify-log
audit
verify-log --checkpoints c
export decision DECISION --out e
replay DECISION
monitor --as-of 2026-11-24T13:00
effect --from 2026-01-01 --to 2026-11-24
score h/records/shipments.parquet --subject shipment --out o.csv
backup --out b
restore b --home h2 --because tried
state rebuild
upgrade
rotate-key log
switch show
incident open i --what tried --by b --from 2026-11-01 --until 2026-12-01
incident show i
approvals propose --dry-run promote tidegate-shipment/1
init retention
import --list
import --draft mapping.toml
features
""".strip().splitlines()
"""What a host that serves runs over a home that decided something, each ending well."""

SERVE = "serve --port PORT"

NEEDS = re.compile(r"tidegate: (\S+) needs tidegate\[([a-z,]+)\]: pip install 'tidegate\[\2\]'\n")

RUN = """
import contextlib, io, json, os, sys
from serving.cli.main import main

with contextlib.suppress(ModuleNotFoundError):
    from serving.process.listening_socket import AnnouncingServer
    AnnouncingServer.run = lambda *_, **__: None  # it is ready, and ends

def run(line):
    sys.argv = ["tidegate", *line.split()]
    os.environ["TIDEGATE_HOME"] = "h"
    errors, found = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(found):
        try:
            main()
        except SystemExit as end:
            return [end.code, (errors.buffer.getvalue() + found.buffer.getvalue()).decode()]
        except BaseException as error:
            return [type(error).__name__, str(error)]

print(json.dumps({line: run(line) for line in json.load(sys.stdin)}))
"""


def spelt(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def closure(*extras: str) -> set[str]:
    """The distributions that an installation with some extras brings."""
    waiting, found = [("tidegate", extra) for extra in ("", *extras)], set[tuple[str, str]]()
    while waiting:
        name, extra = waiting.pop()
        try:
            lines = requires(name) or []
        except PackageNotFoundError:  # for another system
            continue
        found.add((name, extra))
        needed = map(Requires, lines)
        wanted = [
            each for each in needed if not each.marker or each.marker.evaluate({"extra": extra})
        ]
        waiting += {
            (spelt(each.name), extra) for each in wanted for extra in ("", *each.extras)
        } - found
    return {name for name, _ in found}


Installed = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Gives the environment of a Python that finds no packages but those of some extras."""

    def environment(*extras: str) -> dict[str, str]:
        packages = tmp_path_factory.mktemp("packages")
        for name in closure(*extras):
            for top in {file.parts[0] for file in distribution(name).files or ()} - NOT_LINKED:
                if not (packages / top).is_symlink():  # parts of a namespace are together anyway
                    (packages / top).symlink_to(Path(str(distribution(name).locate_file(top))))
        sources = (ROOT, ROOT / "data", ROOT / "serving" / "client", packages)
        return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sources))}

    return environment


def run(lines: Iterable[str], environment: dict[str, str], folder: Path) -> Ends:
    done = subprocess.run(
        [sys.executable, "-S", "-c", RUN],
        input=json.dumps(list(lines)),
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ends: Ends = json.loads(done.stdout)
    return ends


@pytest.fixture(scope="module")
def commands(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Ends:
    """How each line ends, and what it says, where no extra is installed."""
    return run(LINES, installed(), tmp_path_factory.mktemp("empty"))


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
    commands: Ends,
) -> None:
    refused = {line for line, (code, said) in commands.items() if code == 1 and NEEDS.match(said)}
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
        ("evaluate --model", "train"),
        ("promote", "train,serve"),
        ("demo", "train,serve"),
        ("keys wrap", "serve"),
        ("retention hold", "serve"),
        ("import m.toml", "messages"),
        ("exchange join", "serve,exchange"),
    ],
)
def test_a_command_names_the_extra_that_it_needs(commands: Ends, command: str, extras: str) -> None:
    (said, *_) = [said for line, (_, said) in commands.items() if line.startswith(command)]

    assert f"needs tidegate[{extras}]:" in said


def naming(extra: str, commands: Ends) -> list[str]:
    """The lines that need this extra alone, as they say themselves; but those that take long."""
    named = ((line, NEEDS.match(said)) for line, (_, said) in commands.items())
    lines = [line for line, needs in named if needs and needs[2] == extra]
    assert lines
    return [line for line in lines if line not in ("serve --home h", "languages template t.po")]


@pytest.fixture(scope="module")
def host(
    commands: Ends,
    installed: Installed,
    made_once: MadeOnce,
    tmp_path_factory: pytest.TempPathFactory,
) -> Ends:
    """How each line ends where `serve` alone is installed, over a home that decided something."""
    folder, environment = tmp_path_factory.mktemp("host"), installed("serve")
    home = folder / "h"
    shutil.copytree(made_once("trained", make_trained_home) / "home", home)
    Canaries(("S",), (), NOW).write(home, "shipment", ModelHome(home).signing_key)
    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app) as client:
        service = Service(client, app.state.services, home)
        body = {"subject_kind": "shipment", "shipment": SHIPMENT}
        decision = service.score(body, service.key("score")).json()["decision_id"]
    named = {"DECISION": decision, "PORT": str(free_port())}
    lines = {
        re.sub("DECISION|PORT", lambda found: named[found[0]], line): line
        for line in (*SERVED, *naming("serve", commands), SERVE)
    }
    return {lines[line]: end for line, end in run(lines, environment, folder).items()}


@pytest.mark.faults
@in_full_alone
def test_a_host_that_only_serves_runs_every_command_that_it_is_for(host: Ends) -> None:
    assert {line: host[line][1] for line in (*SERVED, SERVE) if host[line][0] != 0} == {}


@pytest.mark.faults
@in_full_alone
def test_the_extra_serve_is_enough_for_commands_that_name_it(host: Ends) -> None:
    assert {line: end for line, end in host.items() if lacks_something(*end)} == {}


@pytest.mark.faults
@in_full_alone
@pytest.mark.parametrize("extra", ["train", "streams", "messages"])
def test_the_extra_that_a_command_names_is_enough(
    commands: Ends, installed: Installed, tmp_path: Path, extra: str
) -> None:
    ends = run(naming(extra, commands), installed(extra), tmp_path)

    assert {line: end for line, end in ends.items() if lacks_something(*end)} == {}


def lacks_something(code: object, said: str) -> bool:
    return not isinstance(code, int) or NEEDS.match(said) is not None


def test_the_page_of_installation_says_which_command_needs_which_extras() -> None:
    page = (ROOT / "docs" / "installation.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`tidegate\[.*?) \| (.*?) \|", page, re.MULTILINE)
    needed = {
        command: re.findall(r"\w+", of)[1:]
        for of, commands in rows
        for command in re.findall("`([a-z -]+)`", commands)
    }

    assert needed == {command: list(names) for command, names in EXTRAS_OF_COMMAND.items()}


def test_doctor_works_without_extras_and_says_which_there_are(
    commands: Ends,
) -> None:
    code, said = commands["doctor --home ."]

    assert code == 0
    assert "installed: none" in said
    assert "tidegate[serve,train]" in said


@pytest.mark.parametrize(
    ("command", "module", "names"),
    [
        ("keys", "lmdb", ("serve",)),
        ("keys", "argon2.exceptions", ("serve",)),
        ("keys", "cryptography", ("serve",)),
        ("train", "shap", ("train",)),
        ("train", "cryptography", ("train",)),
        ("promote", "lightgbm", ("train", "serve")),
        ("approvals", "lightgbm", ("train",)),
        ("import", "lxml", ("messages",)),
        ("serve", "opentelemetry.sdk", ("telemetry",)),
        ("serve", "pydantic", ()),
        ("serve", "serving.nothing", ()),
        ("serve", None, ()),
    ],
)
def test_a_module_leads_to_the_extras_of_its_command(
    monkeypatch: pytest.MonkeyPatch, command: str, module: str | None, names: tuple[str, ...]
) -> None:
    monkeypatch.setattr(Requirement, "is_installed", False)

    assert extras_for(command, ModuleNotFoundError(name=module)) == names


def test_a_broken_installation_is_not_taken_for_a_missing_extra() -> None:
    assert extras_for("keys", ModuleNotFoundError(name="lmdb")) == ()


@cache
def third_party() -> frozenset[str]:
    return frozenset(_imported())


def _imported() -> Iterator[str]:
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
    imported = third_party()
    brings = {*LOADED_BY_NAME, *OURS, *(APART[name] for name in imported & APART.keys())}
    for module, owners in packages_distributions().items():
        brings |= {spelt(owner) for owner in owners} if module in imported else set()
    required = {spelt(name[0]) for line in lines if (name := NAME.match(line))}

    assert required - brings == set()


def test_whatever_is_imported_is_brought_by_a_requirement() -> None:
    ours = {room.rpartition("/")[2] for room in ROOMS} | {"tests"}
    owners, always = packages_distributions(), closure()
    imported = {
        name
        for name in third_party() - ours - set(sys.stdlib_module_names)
        if always.isdisjoint(map(spelt, owners.get(name, ())))
    }

    assert {"lmdb", "argon2", "starlette"} < imported
    assert {name for name in imported if not _bringing(name)} == set()
    assert extras()["serve"]
    assert extras()["train"]
