"""Build a report from the store, for one kind of subject, period and instant of knowledge."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import orjson
import pandas as pd

from features.errors import TidegateError
from features.records import OF_DOCUMENTS, SUBJECT_KINDS, SubjectKind
from serving.monitor import traffic_figures
from serving.monitor.challenger_comparison import MAX_COMPARED, ROLES, compared
from serving.monitor.day_summary import DaySummary
from serving.monitor.drift import SPAN_WEEKS, week_of
from serving.monitor.judged_week import judged, models_of
from serving.monitor.maturity import Maturity
from serving.monitor.monitoring_report import ChallengerFigures, Drift, MonitoringReport
from serving.monitor.rollups import catch_up
from serving.monitor.selection_strata import Slice, with_outcomes
from serving.monitor.stored_rollups import Visit
from serving.triage.triage_plan import TriagePlan

if TYPE_CHECKING:
    from serving.storage.repositories.rollup_repository import RollupRepository

MAX_PERIOD = timedelta(days=3_660)
# The live traffic that a promotion considers.
LIVE = timedelta(days=90)

CONFIRMED = {"confirmed": 1.0, "not_confirmed": 0.0}


@dataclass(frozen=True)
class ReportRequest:
    """The request for a report on the days `first` to `last`, inclusive, as known at `as_of`."""

    kind: SubjectKind
    first: date
    last: date
    as_of: datetime
    model: str | None = None

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise TidegateError(f"the time ends ({self.last}) before it begins ({self.first})")
        if self.last - self.first > MAX_PERIOD:
            raise TidegateError(f"want at most {MAX_PERIOD.days:,} days")
        if self.first > self.as_of.date():
            raise TidegateError(
                f"nothing was known of {self.first} at {self.as_of:%Y-%m-%d %H:%M} UTC"
            )

    @property
    def end(self) -> date:
        """The day after the last day with known data; the day of `as_of` counts as a whole."""
        return min(self.last, self.as_of.date()) + timedelta(days=1)


@dataclass(frozen=True)
class LiveTraffic:
    """The estimated effect of a version on decisions up to a day whose results have come.

    The version was `asked` about that many decisions of any age, next to the champion. `figures` is
    None if no decision until `until` was chosen for inspection.
    """

    asked: int
    until: date
    figures: ChallengerFigures | None


def report(
    store: "RollupRepository", request: ReportRequest, plan: TriagePlan, now: datetime
) -> MonitoringReport:
    """Build the report; raises TidegateError if the store has nothing about the request."""
    days = days_of(store, request.kind, request.first, request.end)
    if not days:
        raise TidegateError(_nothing(store, request))
    visits = visits_of(store, request.kind, (request.first, request.end), request.as_of)
    ripe = Maturity.from_visits(visits, request.as_of, request.end - timedelta(days=1))
    # Days whose results are still to come would distort the figures, so only older ones count.
    old = {day: each for day, each in days.items() if day <= ripe.until.isoformat()}
    sizes = traffic_figures.sizes_of(old.values())
    all_kinds = [days_of(store, kind, request.first, request.end) for kind in SUBJECT_KINDS]
    which = ("all", "all") if request.model is None else ("model", request.model)
    if request.model is not None:
        _refuse_unknown(request.model, set(models_of(days)))
        visits = visits[visits["model"] == request.model]
    told = _until(visits, ripe.until)
    overall = traffic_figures.slice_figures(*which, sizes[which], told)
    return MonitoringReport(
        subject_kind=request.kind,
        made_at=now,
        as_of=request.as_of,
        first_day=date.fromisoformat(min(days)),
        last_day=date.fromisoformat(max(days)),
        model=request.model,
        overall=overall,
        figures_until=ripe.until,
        newer=traffic_figures.sizes_of(days.values())[which].total() - overall.decisions,
        bounds=tuple(traffic_figures.bounds(overall, sizes[which], told)),
        ways=tuple(Slice.from_visits(sizes[which], told).ways()),
        unscored=sum(day.unscored for day in days.values()),
        strata=tuple(traffic_figures.strata(sizes[which], told)),
        # Sizes are counted by one dimension at a time, so groups of one model are unknown.
        groups=tuple(traffic_figures.groups(sizes, told)) if request.model is None else (),
        typologies=tuple(traffic_figures.typologies(sizes[which], told)),
        weeks=tuple(traffic_figures.weeks(days, visits)),
        delay=traffic_figures.delay(visits, ripe.slow_days),
        capacity=tuple(traffic_figures.capacity(all_kinds, plan)),
        calibration=tuple(traffic_figures.calibration(told)),
        drift=_drift(store, request),
        challengers=challengers_of(store, request, told, ripe.until),
    )


def visits_of(
    store: "RollupRepository", kind: str, span: tuple[date, date], as_of: datetime
) -> pd.DataFrame:
    """Return the visits of a period, each with its outcome as known at an instant."""
    pages = store.visits(kind, span[0].isoformat(), min(span[1].isoformat(), _after(as_of)))
    frames = [pd.DataFrame([vars(row) for row in page]) for page in pages]
    empty = pd.DataFrame(columns=list(Visit.__annotations__))
    visits = pd.concat(frames, ignore_index=True) if frames else empty
    visits["scored_at"] = pd.to_datetime(visits["scored_at"], utc=True, format="ISO8601")
    return with_outcomes(visits, _outcomes(store, kind, as_of))


def _drift(store: "RollupRepository", request: ReportRequest) -> Drift:
    """Judge the last complete week."""
    monday = week_of(min(request.end, request.as_of.date())) - timedelta(weeks=1)
    first = monday - timedelta(weeks=SPAN_WEEKS)
    days = days_of(store, request.kind, first, monday + timedelta(weeks=1))
    visits = visits_of(store, request.kind, (first, monday), request.as_of)
    return judged(days, visits, monday, request.as_of)


def challengers_of(
    store: "RollupRepository", request: ReportRequest, visits: pd.DataFrame, until: date
) -> tuple[ChallengerFigures, ...]:
    """Return the figures of every compared model, from visits until a day."""
    end = min(until + timedelta(days=1), request.end).isoformat()
    span = request.first.isoformat(), min(end, _after(request.as_of))
    return tuple(
        line
        for role in ROLES
        for line in compared(
            role, store.score_pairs(request.kind, role, span, MAX_COMPARED), visits
        )
    )


def live_traffic(
    store: "RollupRepository", kind: SubjectKind, version: str, now: datetime
) -> LiveTraffic | None:
    """Return the recent effect of a version; None if it was not scored next to the champion."""
    catch_up(store, now)
    request = ReportRequest(kind, (now - LIVE).date(), now.date(), now)
    span = request.first.isoformat(), _after(now)
    asked = max(
        sum(pair.version == version for pair in store.score_pairs(kind, role, span, MAX_COMPARED))
        for role in ROLES
    )
    if not asked:
        return None
    visits = visits_of(store, kind, (request.first, request.end), now)
    until = Maturity.from_visits(visits, now, now.date()).until
    told = challengers_of(store, request, _until(visits, until), until)
    lines = [line for line in told if line.version == version]
    return LiveTraffic(asked, until, max(lines, key=lambda line: line.compared, default=None))


def _until(visits: pd.DataFrame, day: date) -> pd.DataFrame:
    """Return the visits of decisions until the end of a day."""
    return visits[visits["scored_at"] < pd.Timestamp(day + timedelta(days=1), tz="UTC")]


def _after(instant: datetime) -> str:
    # The store takes exclusive bounds, and a decision at the very instant was known.
    return (instant + timedelta(microseconds=1)).isoformat()


def days_of(store: "RollupRepository", kind: str, first: date, end: date) -> dict[str, DaySummary]:
    """Return the summaries of the days from `first` up to, not including, `end`, by day."""
    found = store.days(kind, first.isoformat(), end.isoformat())
    return {day: DaySummary.read(body) for day, body in found}


def _outcomes(store: "RollupRepository", kind: str, as_of: datetime) -> pd.DataFrame:
    """Return outcomes known at an instant; `confirmed` is missing for an inconclusive one.

    If an outcome was corrected, the newest known version counts.
    """
    bodies = map(orjson.loads, store.outcomes(kind, as_of.isoformat()))
    rows = [
        (
            each["subject_id"],
            each["inspected_at"],
            each["known_at"],
            CONFIRMED.get(each["result"]),
            each.get("typology"),
            each["result"] in OF_DOCUMENTS,
            each.get("is_inspected_at_stated") is False,
        )
        for each in bodies
    ]
    times, said = ("inspected_at", "known_at"), ("confirmed", "typology")
    names = ["subject_id", *times, *said, "is_of_documents", "is_at_report"]
    found = pd.DataFrame(rows, columns=names)
    for name in times:
        found[name] = pd.to_datetime(found[name], utc=True, format="ISO8601")
    known = found[found["known_at"] <= as_of].sort_values("known_at", kind="stable")
    newest = known.drop_duplicates(["subject_id", "inspected_at"], keep="last")
    # Visits are inspections; the result of a document check is no outcome of one.
    return newest[~newest["is_of_documents"].astype(bool)].drop(columns="is_of_documents")


def _nothing(store: "RollupRepository", request: ReportRequest) -> str:
    span = store.span(request.kind)
    has = f"the log has them from {span[0]} to {span[1]}" if span else "the log has none at all"
    return f"no decisions about {request.kind}s from {request.first} to {request.last}; {has}"


def _refuse_unknown(model: str, known: set[str]) -> None:
    if model not in known:
        raise TidegateError(
            f"model version {model!r} decided nothing in this time; "
            f"want one of {', '.join(sorted(known))}"
        )
