"""`tidegate monitor` and its page, as people meet them."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.errors import TidegateError
from serving.access.callers import Caller
from serving.cli.main import app
from serving.console.monitoring import without_other_offices
from serving.monitor.monitoring_report import MonitoringReport
from serving.storage.engine import open_database
from serving.storage.repositories.rollup_repository import RollupRepository
from serving.web.report_page import report_file
from tests.serving.monitor.invented_log import BEGIN, invent

DAYS = 14
LAST = str((BEGIN + timedelta(days=DAYS - 1)).date())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose database holds two weeks."""
    invent(open_database(tmp_path / "tidegate.db", is_service=False), days=DAYS)
    return tmp_path


def run(home: Path, *arguments: str) -> tuple[int, str, BaseException | None]:
    """Exit code, stdout, and what was refused."""
    result = CliRunner().invoke(app, ["monitor", "--home", str(home), *arguments])
    return result.exit_code, result.stdout, result.exception


def test_the_report_is_one_document_and_one_page_that_needs_nothing_beside_it(home: Path) -> None:
    file = home / "report.html"

    code, out, _ = run(home, "--until", LAST, "--json", "--html", str(file))

    told = MonitoringReport.model_validate(json.loads(out))
    assert (code, told.overall.decisions) == (0, DAYS * 60)
    page = file.read_text()
    assert "unweighted share" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert page == report_file(told)
    bound = without_other_offices(
        Caller("k", "k", frozenset({"supervise"}), frozenset({"office-1"})), told
    )
    assert {group.value for group in bound.groups if group.by == "office"} == {"office-1"}
    assert {each.office for each in bound.capacity} == {"office-1"}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--from", LAST, "--until", "2026-08-01"], "before it begins"),
        (["--from", "2020-01-01", "--until", "2020-02-01"], "from 2026-08-03 to 2026-08-16"),
        (["--until", LAST, "--model", "tidegate-shipment/9"], "want one of 1"),
        (["--until", LAST, "--model", "tidegate-route/1"], "want tidegate-shipment/VERSION"),
        (["--until", LAST, "--subject", "route"], "has none at all"),
    ],
)
def test_what_the_log_says_nothing_of_is_refused_with_the_reason(
    home: Path, arguments: list[str], why: str
) -> None:
    code, out, refusal = run(home, *arguments, "--json")

    assert isinstance(refusal, TidegateError)
    assert why in str(refusal)
    assert (code, out) == (1, "")


@pytest.mark.parametrize(
    "arguments",
    [["--from", "yesterday"], ["--subject", "person"], ["--html", "/nowhere/at/all.html"]],
)
def test_wrong_usage_is_told_before_anything_is_read(home: Path, arguments: list[str]) -> None:
    code, _, _ = run(home, *arguments)

    assert code == 2
    assert RollupRepository(open_database(home / "tidegate.db", is_service=False)).reached() == 0
