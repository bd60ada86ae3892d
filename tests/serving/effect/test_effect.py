"""The effect report: its figures are those of the estimators, and none is invented."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from serving.access.actors import SERVICE
from serving.cli.main import app
from serving.effect.effect_page import COLUMNS, effect_csv, effect_file
from serving.effect.effect_report import CANNOT_SHOW, EffectReport, Section, effect_of
from serving.integrity.audit_log import AuditEvent
from serving.monitor.monitoring import ReportRequest, report
from serving.monitor.rollups import catch_up
from serving.storage.engine import open_database
from serving.storage.stores import Stores
from serving.triage.triage_plan import TriagePlan
from tests.serving.monitor.invented_log import BEGIN, Invented, invent

DAYS = 63
FIRST, LAST = BEGIN.date(), (BEGIN + timedelta(days=DAYS - 1)).date()
NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("effect")
    opened = open_database(folder / "tidegate.db", is_service=False)
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def truth(engine: Engine) -> Invented:
    """Nine weeks of decisions of which 5 % are drawn at random, and their truth."""
    invented = invent(engine, DAYS)
    catch_up(Stores(engine).rollups, NOW)
    return invented


@pytest.fixture(scope="module")
def told(engine: Engine, truth: Invented) -> EffectReport:
    return effect_of(Stores(engine), FIRST, LAST, TriagePlan(), NOW)


def section(told: EffectReport, title: str) -> Section:
    return next(each for each in told.sections if each.title == title)


def figures(told: EffectReport, title: str) -> dict[str, float | None]:
    return {name: each[0].estimate.value for name, each in section(told, title).rows}


def test_figures_are_those_of_monitoring(
    engine: Engine, truth: Invented, told: EffectReport
) -> None:
    request = ReportRequest("shipment", FIRST, LAST, NOW)
    monitored = report(Stores(engine).rollups, request, TriagePlan(), NOW)
    shown = figures(told, "Shipments: found, and probably missed")

    assert shown["decisions"] == monitored.overall.decisions == DAYS * 60
    assert shown["share confirmed of those inspected"] == monitored.overall.precision.value
    assert shown["share of smuggling that was inspected"] == monitored.overall.recall.value
    assert shown["smuggling found"] == sum(each.confirmed for each in monitored.strata)


def test_what_was_missed_lies_within_its_interval(truth: Invented, told: EffectReport) -> None:
    rows = dict(section(told, "Shipments: found, and probably missed").rows)
    unseen = [
        smuggled
        for smuggled, lane in zip(truth.truth, truth.lanes, strict=True)
        if lane == "release"
    ]
    missed = rows["probably missed"][0].estimate

    assert missed.low is not None
    assert missed.high is not None
    assert missed.low <= sum(unseen) <= missed.high
    assert rows["smuggling found"][0].estimate.value == truth.truth.sum() - sum(unseen)


def test_a_kind_without_traffic_has_a_sentence_and_no_figure(told: EffectReport) -> None:
    nothing = section(told, "Routes")

    assert nothing.says == ("No route was decided about in this period.",)
    assert nothing.rows == ()


def test_without_enough_random_draws_what_was_missed_has_no_value(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "tidegate.db", is_service=False)
    invent(engine, 14, control=0.004)
    stores = Stores(engine)
    catch_up(stores.rollups, NOW)

    told = effect_of(stores, FIRST, FIRST + timedelta(days=13), TriagePlan(), NOW)

    shown = figures(told, "Shipments: found, and probably missed")
    assert shown["probably missed"] is None
    assert shown["smuggling in all traffic"] is None
    assert shown["decisions"] == 14 * 60
    says = " ".join(section(told, "Shipments: found, and probably missed").says)
    assert "Too little is known" in says
    engine.dispose()


def test_a_change_within_the_period_is_named_with_its_time(engine: Engine, truth: Invented) -> None:
    stores = Stores(engine)
    at = datetime(2026, 8, 20, 10, 0, tzinfo=UTC)
    stores.audit_log.append(AuditEvent(at, SERVICE, "roll_back", "model", "tidegate-shipment"))

    within, before = (
        effect_of(stores, FIRST, last, TriagePlan(), NOW) for last in (LAST, date(2026, 8, 19))
    )

    named = "2026-08-20 10:00 UTC: roll back tidegate-shipment"
    assert named in section(within, "Safeguards and changes").says
    assert named not in section(before, "Safeguards and changes").says


def test_the_page_says_what_the_figures_cannot_show_and_needs_nothing_beside_it(
    told: EffectReport,
) -> None:
    page = effect_file(told)

    assert all(sentence in page for sentence in CANNOT_SHOW)
    assert "<script" not in page
    assert "http" not in page


def test_every_figure_of_the_page_is_a_line_of_the_csv(told: EffectReport) -> None:
    names, *lines = csv.reader(effect_csv(told).splitlines())

    assert tuple(names) == COLUMNS
    assert len(lines) == sum(len(figures) for each in told.sections for _, figures in each.rows)
    of = {(line[0], line[2]): line for line in lines}
    decided = of["Shipments: found, and probably missed", "decisions"]
    assert decided[4:] == [str(DAYS * 60), "", ""]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--from", "2026-09-01", "--to", "2026-08-01"], "2026-08-01 is before 2026-09-01"),
        (["--from", "2999-01-01", "--to", "2999-02-01"], "2999-01-01 is still to come"),
        (["--from", "August", "--to", "2026-08-31"], "does not match"),
        (
            ["--from", "2026-08-01", "--to", "2026-08-31", "--html", "/nowhere/at/all.html"],
            "is no folder",
        ),
    ],
)
def test_a_wrong_period_or_file_is_refused_in_a_sentence(
    engine: Engine, truth: Invented, arguments: list[str], says: str
) -> None:
    home = Path(str(engine.url.database)).parent

    answer = CliRunner().invoke(app, ["effect", "--home", str(home), *arguments])

    assert answer.exit_code == 2
    assert says in " ".join(answer.output.replace("│", "").split())


def test_the_command_writes_both_files(engine: Engine, truth: Invented, tmp_path: Path) -> None:
    home = Path(str(engine.url.database)).parent
    page = tmp_path / "year.html"
    span = ["--from", str(FIRST), "--to", str(LAST)]

    answer = CliRunner().invoke(app, ["effect", "--home", str(home), *span, "--html", str(page)])

    assert answer.exit_code == 0, answer.output
    assert "probably missed" in page.read_text()
    assert page.with_suffix(".csv").read_text().startswith(",".join(COLUMNS))
