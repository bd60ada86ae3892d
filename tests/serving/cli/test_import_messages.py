"""`tidegate import --format`: all or nothing, and every refusal with its place."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import Result
from typer.testing import CliRunner

from features.errors import TidegateError
from serving.cli.main import app
from tests.conformance.trial_of_samples import OWN

UBL = OWN / "ubl"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, arguments)])


def test_records_are_written_with_their_sources_and_a_report(folder: Path) -> None:
    done = run("--format", "ubl", UBL / "waybill.xml", "--out", "out", "--json")

    (file,) = json.loads(done.stdout)["files"]
    assert done.exit_code == 0
    assert file["records"] == {"documents": 1, "goods_items": 2, "shipments": 1}
    assert pq.read_table(folder / "out" / "shipments.parquet")["shipment_id"][0].as_py() == "AC4711"
    assert json.loads((folder / "out" / "report.json").read_text())["files"] == [file]


def test_one_wrong_message_among_others_writes_nothing(folder: Path) -> None:
    done = run(
        "--format", "ubl", UBL / "waybill.xml", UBL / "wrong-date.xml", "--out", "out", "--json"
    )

    assert done.exit_code == 1
    assert isinstance(done.exception, TidegateError)
    assert "wrong-date.xml: line 5, /Waybill/IssueDate: want a date" in str(done.exception)
    assert [each["is_refused"] for each in json.loads(done.stdout)["files"]] == [False, True]
    assert not (folder / "out").exists()


def test_a_check_reports_and_writes_nothing(folder: Path) -> None:
    done = run("--format", "ubl", UBL / "waybill.xml", "--check", "--json")

    assert json.loads(done.stdout)["out"] is None
    assert {each.name for each in folder.iterdir()} <= {".tidegate"}


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--format", "ubl", "--out", "out"),
        ("--format", "ubl", UBL / "waybill.xml"),
        ("--format", "ubl", "missing.xml", "--out", "out"),
        ("--format", "ubl", UBL / "waybill.xml", "--check", "--zone", "Atlantis"),
        ("--format", "ubl", UBL / "waybill.xml", "--check", "--received-at", "2026-12-01"),
        ("--format", "ubl", UBL / "waybill.xml", "--check", "--shipment-pattern", "("),
    ],
)
@pytest.mark.usefixtures("folder")
def test_wrong_usage_is_told_before_anything_is_read(arguments: tuple[Any, ...]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.usefixtures("folder")
def test_the_largest_message_may_be_set() -> None:
    done = run("--format", "ubl", UBL / "waybill.xml", "--check", "--max-bytes", 1_024)

    assert "want at most 0.000976562 MiB" in str(done.exception)


@pytest.mark.usefixtures("folder")
def test_the_home_makes_the_pseudonyms() -> None:
    made = []
    for home in ("one", "one", "other"):
        run("--format", "ubl", UBL / "waybill.xml", "--out", "out", "--home", home)
        made.append(pq.read_table("out/shipments.parquet")["consignee_id"][0].as_py())

    assert made[0] == made[1] != made[2]
    assert made[0].startswith("vat-")
