"""The service makes each day's report by itself, one of its workers alone, and by month too."""

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from pathlib import Path
from typing import Any, Self
from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from features.records import SubjectKind
from serving.cli.main import app
from serving.monitor import daily_report
from serving.monitor.daily_report import RETRY_AFTER, DailyReports, arguments, is_due
from serving.monitor.enough_outcomes import enough_when
from serving.monitor.monitoring import ReportRequest, report
from serving.monitor.monitoring_report import MonitoringReport
from serving.monitor.period_spans import spans
from serving.monitor.periods import periods
from serving.monitor.rollups import catch_up
from serving.settings import Settings
from serving.storage.repositories.rollup_repository import RollupRepository
from serving.triage.triage_plan import TriagePlan
from tests.serving.databases import database
from tests.serving.monitor.invented_log import BEGIN, DELAY, Invented, invent

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Invented]]:
    """A home whose log has forty days."""
    folder = tmp_path_factory.mktemp("month")
    engine = database(folder / "tidegate.db")
    yield folder, invent(engine, days=40)
    engine.dispose()


class Worker:
    """One of several workers of a service, which writes down which reports it made."""

    def __init__(self, store: RollupRepository, made: list[SubjectKind], *, keeps: bool = True):
        self.now = NOW
        self.store, self.made, self.keeps = store, made, keeps
        self.reports = DailyReports(store, Settings(home=Path("x")), lambda: self.now, self.make)

    def make(self, kind: SubjectKind) -> None:
        self.made.append(kind)
        if self.keeps:
            self.store.keep_report(kind, self.now, "{}")


def test_a_report_of_each_kind_is_made_once_a_day(tmp_path: Path) -> None:
    engine = database(tmp_path / "log.db")
    worker = Worker(RollupRepository(engine), made := [])
    worker.reports.make_due()
    assert made == []  # there is nothing to speak of
    invent(engine, days=1)

    for hours in (0, 1, 11, 12, 13):
        worker.now = NOW + timedelta(hours=hours)
        worker.reports.make_due()

    assert made == ["route", "shipment"] * 2 or made == ["shipment", "route"] * 2


def test_a_report_of_a_clock_that_was_ahead_stands_in_no_days_way(tmp_path: Path) -> None:
    engine = database(tmp_path / "log.db")
    invent(engine, days=1)
    worker = Worker(RollupRepository(engine), made := [])

    for days in (30, 0, 0, 1):
        worker.now = NOW + timedelta(days=days)
        worker.reports.make_due()

    assert len(made) == 6


def test_of_several_workers_one_makes_it_and_a_dead_one_leaves_it(where: Path | str) -> None:
    engine = database(where)
    invent(engine, days=1)
    first, second = (RollupRepository(engine) for _ in range(2))
    worker = Worker(second, made := [])

    with first.alone() as is_alone:
        assert is_alone
        worker.reports.make_due()
        assert made == []
    worker.reports.make_due()

    assert sorted(made) == ["route", "shipment"]


def test_what_cannot_be_made_is_not_tried_every_minute(tmp_path: Path) -> None:
    engine = database(tmp_path / "log.db")
    invent(engine, days=1)
    worker = Worker(RollupRepository(engine), made := [], keeps=False)

    for minutes in range(0, 2 * int(RETRY_AFTER / timedelta(minutes=1)), 20):
        worker.now = NOW + timedelta(minutes=minutes)
        worker.reports.make_due()

    assert len(made) == 4


@pytest.mark.parametrize(
    ("command", "max_s", "told"),
    [
        ("exit 0", 9.0, [("info", "daily_report_made")]),
        ("exit 3", 9.0, [("error", "daily_report_failed")]),
        ("exec sleep 9", 0.0, [("error", "daily_report_failed")]),
    ],
)
def test_only_a_report_that_was_made_is_said_to_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, max_s: float, told: Any
) -> None:
    monkeypatch.setattr(daily_report, "MAX_RUN_S", max_s)
    reports = reports_by(tmp_path, monkeypatch, command)

    with capture_logs() as written:
        reports._run("route")

    assert [(line["log_level"], line["event"]) for line in written] == told
    assert all(line["status"] for line in written if line["log_level"] == "error")


def test_a_report_that_was_not_made_or_is_let_go_at_the_end_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command, newest_at in (("exit 0", None), ("exec sleep 9", NOW.isoformat())):
        reports = reports_by(tmp_path, monkeypatch, command, newest_at)
        if newest_at:
            reports.stop()

        with capture_logs() as written:
            reports._run("route")

        assert written == []


def reports_by(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    newest_at: datetime | None = NOW,
) -> DailyReports:
    """Reports that a shell makes; the newest is there or not, whatever it does."""
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{command}\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    times = Mock(newest_report_at=lambda _: newest_at)
    return DailyReports(times, Settings(home=folder), lambda: NOW)


def test_the_command_of_the_service_has_nothing_to_say_of_a_kind_without_decisions(
    month: tuple[Path, Invented],
) -> None:
    home, _ = month
    result = CliRunner().invoke(app, arguments(home, "route"))

    assert (result.exit_code, result.stdout) == (0, "")
    assert RollupRepository(database(home / "tidegate.db")).newest_report_at("route") is None


class AtNow(datetime):
    """A clock that stands."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromisoformat(NOW.isoformat()).astimezone(tz)


def test_the_command_of_the_service_makes_the_report_that_the_page_shows(
    month: tuple[Path, Invented], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, _ = month
    monkeypatch.setattr("serving.cli.opened_home.datetime", AtNow)
    store = RollupRepository(database(home / "tidegate.db"))

    for _ in range(2):
        result = CliRunner().invoke(app, arguments(home, "shipment"))
        assert (result.exit_code, result.stdout) == (0, "")

    body = store.newest_report("shipment")
    assert body is not None
    made = MonitoringReport.model_validate_json(body)
    assert not is_due(store.newest_report_at("shipment"), NOW)
    assert {each.name for each in made.periods} >= {"2026-08", "2026-09"}


def test_figures_of_a_month_are_those_that_the_report_gives_for_its_days(
    month: tuple[Path, Invented],
) -> None:
    home, invented = month
    store = RollupRepository(database(home / "tidegate.db"))
    as_of = invented.end + 2 * DELAY
    catch_up(store, as_of)

    (august,) = (each for each in periods(store, "shipment", as_of) if each.name == "2026-08")

    asked = ReportRequest("shipment", date(2026, 8, 1), date(2026, 8, 31), as_of)
    told = report(store, asked, TriagePlan(), as_of)
    assert august.overall.figures == told.overall
    groups = (group for group in told.groups if group.by == "office")
    assert [each.figures for each in august.offices] == sorted(groups, key=lambda g: g.value)
    assert august.weeks == told.weeks
    assert august.overall.figures.decisions == 60 * (31 - BEGIN.day + 1)
    count = sum(lane == "inspect" for lane in invented.lanes[: august.overall.figures.decisions])
    found = sum(
        is_smuggled
        for is_smuggled, lane in zip(invented.truth, invented.lanes[: 60 * 29], strict=False)
        if lane == "inspect"
    )
    assert (august.overall.known, august.overall.confirmed) == (count, found)
    assert august.overall.found == told.overall.precision
    assert august.overall.found.value == pytest.approx(found / count)
    (lane,) = (each for each in august.lanes if each.lane == "inspect")
    assert lane.right == august.overall.found
    assert sum(each.confirmed for each in august.offices) == found


def test_months_meet_without_a_gap_and_without_a_day_in_two() -> None:
    months = [each for each in spans(date(2026, 3, 31)) if "days" not in each[0]]

    assert months[0] == ("2026-03", date(2026, 3, 1), date(2026, 3, 31))
    for (_, first, _), (_, _, last) in pairwise(months):
        assert first - last == timedelta(days=1)


@pytest.mark.parametrize(
    ("known", "days", "words"),
    [
        (22, 38, "not enough data (22 of 30), probably in 2 weeks"),
        (29, 29, "not enough data (29 of 30), probably in a day"),
        (15, 7, "not enough data (15 of 30), probably in 7 days"),
        (0, 30, "not enough data (0 of 30)"),
        (3, 60, "not enough data (3 of 30); at this rate 90 days hold about 4"),
    ],
)
def test_what_cannot_be_told_yet_says_how_far_it_is_and_when(
    known: int, days: int, words: str
) -> None:
    assert enough_when(known, 30, days) == words
