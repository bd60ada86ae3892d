"""From a log to a report, on both engines."""

import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DatabaseError

from features.errors import TidegateError
from serving.monitor.alerts import FIRST_FACTOR, LASTS, MAX_FACTOR, answer
from serving.monitor.day_summary import DaySummary
from serving.monitor.decision_facts import COMPARED, undrawn_lane
from serving.monitor.enough_outcomes import lane_so_far
from serving.monitor.judged_week import NO_FINDINGS, NO_RESULTS
from serving.monitor.monitoring import ReportRequest, live_traffic, report
from serving.monitor.monitoring_report import MonitoringReport
from serving.monitor.periods import periods
from serving.monitor.rollups import catch_up
from serving.monitor.traffic_figures import capacity
from serving.storage.repositories.alert_repository import AlertRepository
from serving.storage.repositories.rollup_repository import RollupRepository
from serving.storage.tables.monitor import alerts
from serving.storage.tables.scoring import decisions
from serving.triage.triage_plan import OfficeCapacity, TriagePlan
from tests.serving.databases import database
from tests.serving.monitor.invented_log import BEGIN, DELAY, Invented, invent, opine
from training.gates.live_traffic_gate import no_worse_on_live_traffic

LATER = BEGIN + timedelta(days=400)
LATER_ON = BEGIN + timedelta(days=70)


def opened(where: Path | str) -> tuple[Engine, RollupRepository]:
    """A database and what monitoring keeps in it."""
    engine = database(where, is_service=False)
    return engine, RollupRepository(engine)


@dataclass(frozen=True)
class NineWeeks:
    """A log of nine weeks that several tests read."""

    store: RollupRepository
    invented: Invented


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def nine_weeks(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> NineWeeks:
    where: Path | str = tmp_path_factory.mktemp("nine_weeks") / "log.db"
    if request.param == "postgresql":
        where = request.getfixturevalue("postgres").new_database()
    engine, store = opened(where)
    return NineWeeks(store, invent(engine))


@pytest.fixture(scope="module")
def half_controlled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Invented]:
    """The folder of a log in which half of all were looked at, to be copied."""
    folder = tmp_path_factory.mktemp("half_controlled")
    engine, _ = opened(folder / "log.db")
    invented = invent(engine, days=42, a_day=100, control=0.5)
    engine.dispose()
    return folder, invented


def copied(folder: Path, to: Path) -> tuple[Engine, RollupRepository]:
    return opened(Path(shutil.copytree(folder, to / "copy")) / "log.db")


def reported(
    store: RollupRepository, invented: Invented, model: str | None = None
) -> MonitoringReport:
    """The report of all there is, once everything is known."""
    catch_up(store, LATER)
    last = (invented.end - timedelta(days=1)).date()
    asked = ReportRequest("shipment", BEGIN.date(), last, invented.end + 2 * DELAY, model)
    return report(store, asked, TriagePlan(), LATER)


def test_a_summary_counts_what_plain_sql_counts_however_often_it_is_asked(
    where: Path | str,
) -> None:
    engine, store = opened(where)
    invent(engine, days=14)
    half = catch_up(store, BEGIN + timedelta(days=7))

    rest = catch_up(store, LATER)

    assert (half > 0, half + rest, catch_up(store, LATER)) == (True, store.size(), 0)
    counted: Counter[tuple[str, str, str]] = Counter()
    for _, body in store.days("shipment", "2000-01-01", "2100-01-01"):
        counted.update(DaySummary.read(body).lanes)
    by_lane = select(decisions.c.office_id, decisions.c.lane, func.count()).group_by(
        decisions.c.office_id, decisions.c.lane
    )
    with engine.connect() as connection:
        by_office = {("office", *each): n for *each, n in connection.execute(by_lane)}
    for grouping in COMPARED:
        own = {key: n for key, n in counted.items() if key[0] == grouping}
        assert own == by_office if grouping == "office" else sum(own.values()) == store.size()


def test_the_report_holds_the_truth_that_the_naive_share_misses(nine_weeks: NineWeeks) -> None:
    invented = nine_weeks.invented

    told = reported(nine_weeks.store, invented).overall

    assert told.prevalence.low <= invented.prevalence <= told.prevalence.high  # type: ignore[operator]  # has a value
    assert told.recall.low <= invented.recall <= told.recall.high  # type: ignore[operator]  # has a value
    assert told.unweighted_share.low > invented.prevalence  # type: ignore[operator]  # has a value
    assert told.lift.value > 2  # type: ignore[operator]  # has a value


def test_below_thirty_control_cases_nothing_is_said_of_the_rest(tmp_path: Path) -> None:
    engine, store = opened(tmp_path / "log.db")
    told = reported(store, invent(engine, days=7))

    assert told.overall.control_outcomes < 30
    assert told.overall.prevalence.value is told.overall.recall.value is None
    assert told.overall.too_few_outcomes[-1] == "not inspected, drawn at 0.05"
    assert told.calibration == ()


def test_each_lane_was_right_as_often_as_the_truth_has_it(nine_weeks: NineWeeks) -> None:
    store, invented = nine_weeks.store, nine_weeks.invented
    catch_up(store, LATER)
    (period,) = (each for each in periods(store, "shipment", LATER_ON) if each.name == "90 days")

    lanes = {each.lane: each for each in period.lanes}
    told = invented.truth[: sum(each.decisions for each in lanes.values())]
    is_inspected = np.array(invented.lanes[: len(told)]) == "inspect"
    assert lanes.keys() == {"inspect", "release"}
    assert lanes["inspect"].decisions == is_inspected.sum()
    assert lanes["inspect"].right.value == pytest.approx(told[is_inspected].mean())
    low, high = lanes["release"].right.low, lanes["release"].right.high
    assert low is not None
    assert high is not None
    assert low <= 1 - told[~is_inspected].mean() <= high
    assert lanes["release"].known == invented.lanes[: len(told)].count("control")


def test_a_lane_with_few_random_checks_has_a_range_and_no_figure(tmp_path: Path) -> None:
    engine, store = opened(tmp_path / "log.db")
    invented = invent(engine, days=7)
    catch_up(store, LATER)
    now = invented.end + 2 * DELAY
    (period,) = (each for each in periods(store, "shipment", now) if each.name == "30 days")

    (release,) = (each for each in period.lanes if each.lane == "release")

    assert 0 < release.known < 30
    assert release.right.value is None
    assert release.right.low is not None
    assert lane_so_far(release, 7).startswith(f"not enough data ({release.known} of 30)")


def test_a_control_case_belongs_to_the_lane_it_would_have_come_into() -> None:
    shares = {"inspect": 0.1, "control": 0.05, "document_check": 0.3, "release": 0.55}

    assert undrawn_lane({"lane": "control", "lane_probabilities": shares}) == "release"
    assert undrawn_lane({"lane": "inspect", "lane_probabilities": shares}) == "inspect"


def test_what_is_not_known_yet_is_counted_and_not_taken_for_a_negative(tmp_path: Path) -> None:
    engine, store = opened(tmp_path / "log.db")
    invented = invent(engine, days=28)
    catch_up(store, LATER)
    as_of = invented.end - timedelta(days=7)  # as the 22nd day begins
    asked = ReportRequest("shipment", BEGIN.date(), invented.end.date(), as_of)

    told = report(store, asked, TriagePlan(), LATER)

    looked_at = [lane for lane in invented.lanes[: 21 * 60] if lane != "release"]
    known = [lane for lane in invented.lanes[: 18 * 60] if lane != "release"]
    assert told.figures_until == (BEGIN + timedelta(days=17)).date()
    assert (told.overall.decisions, told.newer) == (18 * 60, 4 * 60)
    assert told.overall.unknown_share == 0
    assert told.delay.visits == len(looked_at)
    assert told.delay.unknown == len(looked_at) - len(known)
    assert told.delay.median_days == pytest.approx(3)


def test_groups_strata_typologies_and_capacity_add_up(nine_weeks: NineWeeks) -> None:
    invented = nine_weeks.invented

    told = reported(nine_weeks.store, invented)

    for by in ("model", "office", "mode", "region", "operator"):
        members = [group for group in told.groups if group.by == by]
        assert sum(group.decisions for group in members) == len(invented.truth)
    assert {g.value for g in told.groups if g.by == "region"} == {"Western Asia"}
    assert sum(each.size for each in told.strata) == len(invented.truth)
    assert sum(each.per_day for each in told.capacity if each.lane == "inspect") == pytest.approx(
        invented.lanes.count("inspect") / invented.days
    )
    ways = {each.way: each for each in told.ways}
    assert ways["score"].decisions + ways["watch list"].decisions == told.overall.inspected
    assert ways["all together"].precision == told.overall.precision
    assert {each.figure for each in told.bounds} == {"share that smuggles", "recall at 2%"}
    assert [each.typology for each in told.typologies] == ["undervaluation"]
    assert len(told.weeks) == 9


def lanes_of(*counts: tuple[str, str, int]) -> DaySummary:
    """A day with subjects in the lanes of offices, all of them by sea."""
    day = DaySummary()
    for office, lane, count in counts:
        day.lanes.update({("office", office, lane): count, ("mode", "sea", lane): count})
    return day


def test_the_use_of_capacity_counts_both_kinds_and_says_what_stays_unused() -> None:
    office = {"inspect_per_day": 5, "document_check_per_day": 10, "control_per_day": 2}
    plan = TriagePlan(offices={"A": OfficeCapacity(**office), "idle": OfficeCapacity(**office)})
    routes = {
        "2026-03-02": DaySummary(
            lanes=Counter({("office", "A", "inspect"): 3, ("office", "B", "inspect"): 1})
        )
    }
    shipments = {
        "2026-03-02": DaySummary(
            lanes=Counter({("office", "A", "inspect"): 4, ("office", "A", "control"): 1})
        ),
        "2026-03-03": DaySummary(
            lanes=Counter({("office", "A", "inspect"): 1, ("office", "A", "release"): 9})
        ),
    }

    used = capacity([routes, shipments], plan)

    assert [tuple(each.model_dump().values()) for each in used] == [
        ("A", "control", 0.5, 2, None),
        ("A", "document_check", 0, 10, 10),
        ("A", "inspect", 4, 5, 1),
        ("B", "inspect", 0.5, None, None),
        ("idle", "document_check", 0, 10, 10),
        ("idle", "inspect", 0, 5, 5),
    ]


def test_a_lane_beyond_its_capacity_leaves_nothing_unused() -> None:
    plan = TriagePlan(offices={"A": OfficeCapacity(inspect_per_day=5, document_check_per_day=0)})
    day = {
        "2026-03-02": DaySummary(
            lanes=Counter({("office", "A", "inspect"): 8, ("mode", "sea", "inspect"): 8})
        )
    }

    assert [each.unused_per_day for each in capacity([day], plan)] == [0, 0]


def test_a_time_a_model_or_an_instant_without_decisions_is_refused_by_name(tmp_path: Path) -> None:
    engine, store = opened(tmp_path / "log.db")
    invented = invent(engine, days=2)

    with pytest.raises(TidegateError, match="want one of 1"):
        reported(store, invented, model="7")
    with pytest.raises(TidegateError, match="from 2026-08-03 to 2026-08-04"):
        report(
            store,
            ReportRequest("shipment", date(2026, 1, 1), date(2026, 1, 9), LATER),
            TriagePlan(),
            LATER,
        )
    with pytest.raises(TidegateError, match="log has none"):
        report(
            store, ReportRequest("route", BEGIN.date(), BEGIN.date(), LATER), TriagePlan(), LATER
        )
    with pytest.raises(TidegateError, match="before it begins"):
        ReportRequest("route", date(2026, 1, 9), date(2026, 1, 1), LATER)
    with pytest.raises(TidegateError, match="nothing was known"):
        ReportRequest("route", date(2030, 1, 1), date(2030, 1, 1), LATER)


def test_drift_is_told_once_and_more_is_drawn_until_it_is_over(where: Path | str) -> None:
    engine, store = opened(where)
    invented, book = invent(engine, days=70, shift_from=63), AlertRepository(engine)
    now = invented.end + timedelta(hours=3)

    told = reported(store, invented)
    new = answer(told, book, now)
    again = answer(told, book, now + timedelta(hours=1))

    assert [alert.measure for alert in new] == ["feature mass_kg"]
    assert again == []
    running = book.exploration("shipment")
    assert running is not None
    assert (running.factor, running.ends_at) == (FIRST_FACTOR, now + LASTS)
    a_week_later = now + timedelta(weeks=1)
    persisting = _a_week_later(told)
    answer(persisting, book, a_week_later)
    assert book.exploration("shipment").factor == MAX_FACTOR  # type: ignore[union-attr]  # there is one
    calm = _a_week_later(persisting)
    calm = calm.model_copy(update={"drift": calm.drift.model_copy(update={"moved": ()})})
    answer(calm, book, a_week_later + timedelta(weeks=1))
    assert book.exploration("shipment").factor == 1  # type: ignore[union-attr]  # there is one
    with engine.begin() as connection, pytest.raises(DatabaseError):
        connection.execute(alerts.delete())


def test_results_that_stop_coming_are_an_alert_and_no_reason_to_look_at_more(
    tmp_path: Path,
) -> None:
    engine, store = opened(tmp_path / "log.db")
    invented = invent(engine, days=70, a_day=20, control=0.2, results_until=49)
    book = AlertRepository(engine)

    told = reported(store, invented)
    new = answer(told, book, invented.end)

    assert told.drift.not_judged == NO_FINDINGS
    assert [alert.words for alert in new] == [
        "results of shipments until the week of 2026-10-05: 0.00 times as many as usual"
    ]
    assert book.exploration("shipment") is None


def test_what_could_not_be_judged_is_named(tmp_path: Path) -> None:
    engine, store = opened(tmp_path / "log.db")

    told = reported(store, invent(engine, days=70, a_day=8, results_until=0)).drift

    assert told.measures > 0
    assert told.not_judged == f"{NO_FINDINGS}; {NO_RESULTS}"


@pytest.mark.parametrize("knows", [True, False])
def test_a_challenger_gains_what_it_would_have_found(
    half_controlled: tuple[Path, Invented], tmp_path: Path, knows: bool
) -> None:
    folder, invented = half_controlled
    engine, store = copied(folder, tmp_path)
    opine(engine, invented, knows=knows)

    (told,) = reported(store, invented).challengers

    chosen = invented.lanes.count("inspect")
    assert (told.chosen, told.compared) == (chosen, len(invented.truth))
    assert told.agreement < 1
    assert len(told.differing) == 10
    assert told.gain.low is not None
    assert told.gain.high is not None
    assert (told.gain.low > 0) if knows else (told.gain.high < 0)


def test_haste_and_agreement_of_reviewers_is_an_alert_once_a_week(tmp_path: Path) -> None:
    engine, store = opened(tmp_path / "log.db")
    told, book = reported(store, invent(engine, days=7)), AlertRepository(engine)
    hasty = told.model_copy(update={"hasty_reviewers": 2})

    new = [answer(each, book, LATER) for each in (told, hasty, hasty)]

    assert [[alert.measure for alert in each] for each in new] == [[], ["hasty agreement"], []]


def test_a_promotion_reads_what_live_traffic_said_of_its_version(
    half_controlled: tuple[Path, Invented], tmp_path: Path
) -> None:
    folder, invented = half_controlled
    engine, store = copied(folder, tmp_path)
    opine(engine, invented, knows=False)
    now = invented.end + 2 * DELAY

    told = live_traffic(store, "shipment", "2", now)

    assert told is not None
    assert told.figures is not None
    assert told.figures.compared == told.asked
    assert no_worse_on_live_traffic(told.figures.gain, told.asked).verdict == "refused"
    assert live_traffic(store, "shipment", "3", now) is None


def test_what_was_asked_too_lately_says_so_and_is_not_taken_for_never_asked(
    half_controlled: tuple[Path, Invented], tmp_path: Path
) -> None:
    folder, invented = half_controlled
    engine, store = copied(folder, tmp_path)
    opine(engine, invented, knows=False, first=4_000)

    told = live_traffic(store, "shipment", "2", invented.end)

    assert told is not None
    assert told.asked == 200
    assert told.until < invented.end.date() - timedelta(days=2)
    assert told.figures is None


def _a_week_later(told: MonitoringReport) -> MonitoringReport:
    drift = told.drift.model_copy(update={"week": told.drift.week + timedelta(weeks=1)})
    return told.model_copy(update={"drift": drift})
