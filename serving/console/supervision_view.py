"""Content of the supervision page for a period: estimates, cases, offices, lanes, people."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from features.records import SUBJECT_KINDS, SubjectKind
from serving.access.callers import Caller
from serving.console.sorted_rows import SortOrder
from serving.language import reading, say
from serving.monitor.group_comparison import worst_first
from serving.monitor.monitoring_report import (
    Explained,
    GroupComparison,
    LaneFigures,
    MonitoringReport,
    PeriodFigures,
    PeriodPart,
)
from serving.monitor.period_spans import span_of
from serving.review.cases.case_records import CaseRow
from serving.review.supervision.case_load import CaseLoad, LoadFigures, Which
from serving.review.supervision.first_judgements import Agreement, AgreementFigures, FirstJudgements
from serving.review.supervision.supervision import Supervision
from serving.triage.lane_declarations import LANE_NAMES
from training.confidence_intervals import Estimate, proportion

Period = Annotated[str, Field(pattern=r"^(30|90) days$|^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$")]


class WantedFigures(BaseModel):
    """Period and one office or lane that a supervisor chose; empty means all."""

    period: Period = "30 days"
    office: Annotated[str, Field(max_length=64)] = ""
    lane: Annotated[str, Field(max_length=40, pattern="^[a-z_]*$")] = ""
    sort: SortOrder = ""

    def days(self, today: date) -> tuple[date, date]:
        """Return the first and the last day of the period."""
        return span_of(self.period, today)

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        """Return the period as a half-open interval, from midnight UTC to midnight UTC."""
        first, last = self.days(now.date())
        return _midnight(first), _midnight(last + timedelta(days=1))

    def before(self, today: date) -> "WantedFigures | None":
        """Return the choice for the preceding month; None if the period is no month."""
        if self.period.endswith("days"):
            return None
        first, _ = self.days(today)
        return self.model_copy(update={"period": f"{first - timedelta(days=1):%Y-%m}"})

    def address(self, path: str = "", **changed: str) -> str:
        """Return the address of the page, or of one below it, with changes."""
        asked = self.model_dump() | changed
        chosen = {name: value for name, value in asked.items() if value}
        return f"/console/supervision{path}?{urlencode(chosen)}"


MAX_LISTED, MAX_DOWNLOADED = 200, 10_000

# Comparison of an office with all offices.
LOWER, HIGHER = "lower than all", "higher than all"

# Groups of cases that a list can hold, each counted by a figure.
Listed = Which | Agreement | Literal["reread"]

VERDICTS = {
    "alike": "as often as all",
    "perhaps more": "perhaps more often than all",
    "perhaps less": "perhaps less often than all",
    "too few": "too few to say",
}
EXPLAINED: dict[Explained, str] = {
    "no": "more than what was confirmed explains",
    "unclear": "too few results to say whether its risk explains it",
    "yes": "as far as its risk may explain",
}

WHICH_WORDS: dict[Listed, str] = {
    "opened": "Cases opened in the period",
    "decided": "Cases opened in the period in which a first step was taken",
    "waiting": "Cases that wait now",
    "overdue": "Cases that wait now and can no longer be stopped",
    "late": "Cases of the period in which no step was taken before it was too late to stop them",
    "found": "Cases in which something was found in the period",
    "not_found": "Cases in which nothing was found in the period",
    "reread": "Cases that were read a second time in the period",
    "agreed": "Closed cases in which a first judgement agreed with the score",
    "differed": "Closed cases in which a first judgement differed from the score",
    "unsure": "Closed cases in which somebody was unsure before the score was shown",
}


class WantedCases(WantedFigures):
    """Cases of a period that one figure counts."""

    which: Listed = "waiting"


@dataclass(frozen=True)
class KindFigures:
    """Estimates of one kind of subject in a period and, for a month, in the month before.

    `offices` are those visible to the reader. `overall` is None if it would reveal others' figures;
    `lanes` and `selection` are empty then, and for a single office.
    """

    kind: str
    period: PeriodFigures
    overall: PeriodPart | None
    before: PeriodPart | None
    offices: tuple[PeriodPart, ...]
    lanes: tuple[LaneFigures, ...] = ()
    selection: tuple[GroupComparison, ...] = ()

    @property
    def days(self) -> int:
        """Number of days that the figures cover; 0 for a month, which is complete."""
        if not self.period.name.endswith("days"):
            return 0
        until = self.period.figures_until or self.period.last
        return max((until - self.period.first).days + 1, 1)

    @property
    def widest(self) -> float:
        """Largest share of a picture's axis: the next tenth above all intervals."""
        parts = [*self.offices, *([self.overall] if self.overall else [])]
        return _widest(each.found for each in parts)

    def differs(self, office: PeriodPart) -> str:
        """Return whether an office finds less or more than all; empty if not certain."""
        all_find = self.overall.found.value if self.overall else None
        low, high = office.found.low, office.found.high
        if all_find is None or low is None or high is None:
            return ""
        if high < all_find:
            return LOWER
        return HIGHER if low > all_find else ""


@dataclass(frozen=True)
class SupervisionView:
    """Content of the page of one period."""

    wanted: WantedFigures
    first: date
    last: date
    kinds: tuple[KindFigures, ...]
    all: LoadFigures
    before: LoadFigures | None
    offices: tuple[LoadFigures, ...]
    lanes: tuple[LoadFigures, ...]
    people: Supervision
    pace: Mapping[str, tuple[GroupComparison, ...]]
    judgements: FirstJudgements
    all_offices: tuple[str, ...]
    all_lanes: tuple[str, ...]

    @property
    def rereadings(self) -> tuple[int, int, Estimate]:
        """Number of second readings with the same result, their total, and the share."""
        same = sum(each.same_when_reread for each in self.people.reviewers)
        reread = sum(each.reread for each in self.people.reviewers)
        return same, reread, proportion(same, reread)


def kind_figures(
    caller: Caller,
    reports: Mapping[SubjectKind, MonitoringReport],
    wanted: WantedFigures,
    today: date,
) -> Iterator[KindFigures]:
    """Yield the estimates of each kind of subject whose report covers the period."""
    for kind in SUBJECT_KINDS:
        report = reports.get(kind)
        period = report and _period(report, wanted.period)
        if not report or not period:
            continue
        earlier = wanted.before(today)
        before = _period(report, earlier.period) if earlier else None
        offices = tuple(each for each in period.offices if _is_seen(caller, wanted, each))
        yield KindFigures(
            kind,
            period,
            _part(caller, wanted, period),
            _part(caller, wanted, before) if before else None,
            offices,
            _lanes(caller, wanted, period),
            () if caller.offices or wanted.office else period.selection,
        )


def pace(offices: Iterable[LoadFigures]) -> dict[str, tuple[GroupComparison, ...]]:
    """Compare offices by cases that nobody decided, and by those decided too late; worst first."""
    shown = tuple(offices)
    return {
        "undecided": worst_first(
            "office", {each.group: (each.opened, each.opened - each.decided) for each in shown}
        ),
        "late": worst_first("office", {each.group: (each.limited, each.late) for each in shown}),
    }


def comparison_words(each: GroupComparison) -> str:
    """Return the verdict on a group as text."""
    if each.verdict not in ("more", "less"):
        return say(VERDICTS[each.verdict])
    tenths = reading().language.figure(f"{each.ratio.value:.1f}")
    times = say("{times} times as often as all", times=tenths)
    return f"{times}; {say(EXPLAINED[each.explained])}" if each.explained else times


def by_grouping(
    compared: Iterable[GroupComparison],
) -> Iterator[tuple[str, list[GroupComparison], Estimate, float]]:
    """Yield each grouping with its groups, the share of all, and the largest of its pictures."""
    for by, groups in groupby(compared, key=lambda each: each.by):
        own = list(groups)
        counted, subjects = (sum(getattr(g, name) for g in own) for name in ("counted", "subjects"))
        yield by, own, proportion(counted, subjects), _widest(each.share for each in own)


def judged(people: Supervision, wanted: WantedFigures) -> FirstJudgements:
    """Return first judgements of the chosen office, or of all offices with many."""
    whole = people.judgements
    return whole.of_office(wanted.office) if wanted.office else whole.of_many()


def narrowed(load: CaseLoad, wanted: WantedFigures) -> CaseLoad:
    """Return the cases of the chosen office and lane."""
    if wanted.office:
        load = load.of_office(wanted.office)
    return load.of_lane(wanted.lane) if wanted.lane else load


def figures_csv(view: SupervisionView) -> str:
    """Return all figures as CSV, with interval and sample size."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["about", "group", "figure", "value", "low", "high", "of"])
    for row in _rows(view):
        writer.writerow([safe_cell(cell) for cell in row])
    return out.getvalue()


def cases_csv(rows: Iterable[CaseRow]) -> str:
    """Return cases as CSV."""
    out = io.StringIO()
    writer = csv.writer(out)
    names = ("case_id", "subject_kind", "subject_id", "office_id", "opened_at", "due_at", "status")
    writer.writerow([*names, "lane", "owner"])
    for row in rows:
        lane = LANE_NAMES[row.lane]  # type: ignore[index]  # a lane, as it was stored
        cells = [*(getattr(row, name) for name in names), lane, row.owner_name]
        writer.writerow([safe_cell(cell) for cell in cells])
    return out.getvalue()


def safe_cell(value: object) -> object:
    """Return a cell that no spreadsheet interprets as a formula; instants are ISO."""
    if isinstance(value, datetime):
        return value.isoformat()
    # Excel treats these first characters as formulas, and party names come from declarations.
    is_formula = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if is_formula else value


def _rows(view: SupervisionView) -> Iterator[tuple[object, ...]]:
    for kind in view.kinds:
        yield from _rows_of_kind(kind)
    for about, groups in (("cases", (view.all, *view.offices)), ("lane", view.lanes)):
        for each in groups:
            yield from _rows_of_load(about, each)
    for figure, offices in view.pace.items():
        for office in offices:
            words = f"{figure}, {comparison_words(office)}"
            yield "cases", office.group, words, *_estimate(office.share), office.subjects
    for figures in (view.judgements.figures(), *view.judgements.by_office()):
        yield from _rows_of_judgements(figures)
    for one in view.people.reviewers:
        yield "reviewer", one.name, "decided", one.decided, None, None, None
        yield "reviewer", one.name, "median minutes", one.median_minutes, None, None, None
        yield "reviewer", one.name, "overrides", one.overrides, None, None, one.decided
        share = _estimate(proportion(one.same_when_reread, one.reread))
        yield "reviewer", one.name, "same on second reading", *share, one.reread


def _rows_of_kind(kind: KindFigures) -> Iterator[tuple[object, ...]]:
    overall = [("all", kind.overall)] if kind.overall else []
    for name, part in [*overall, *((each.figures.value, each) for each in kind.offices)]:
        about, of = f"{kind.kind}s", part.figures.decisions
        yield about, name, "decisions", of, None, None, None
        yield about, name, "selected for inspection", part.figures.inspected, None, None, of
        yield about, name, "inspections that confirmed", *_estimate(part.found), part.known
        for figure in ("prevalence", "recall"):
            yield about, name, figure, *_estimate(getattr(part.figures, figure)), of

    for each in kind.selection:
        about = f"{kind.kind}s sent to inspection, by {each.by}"
        yield about, each.group, comparison_words(each), *_estimate(each.share), each.subjects
    for lane in kind.lanes:
        about, right = f"{kind.kind}s by lane", _estimate(lane.right)
        yield about, lane.lane, "decisions", lane.decisions, None, None, None
        yield about, lane.lane, "right", *right, lane.known


def _rows_of_judgements(each: AgreementFigures) -> Iterator[tuple[object, ...]]:
    about, known = "first judgement", each.agreed + each.differed
    for count in ("judged", "agreed", "differed", "unsure"):
        yield about, each.group, count, getattr(each, count), None, None, None
    yield about, each.group, "agreement with the score", *_estimate(each.agreement), known
    for drawn in ("selected", "drawn"):
        yield about, each.group, f"agreement, {drawn}", *_estimate(getattr(each, drawn)), None


def _rows_of_load(about: str, each: LoadFigures) -> Iterator[tuple[object, ...]]:
    for count in ("opened", "decided", "waiting", "overdue", "late", "finds", "results"):
        yield about, each.group, count, getattr(each, count), None, None, None
    yield about, each.group, "decided in time", *_estimate(each.in_time), each.limited
    yield about, each.group, "something found", *_estimate(each.found), each.results
    for hours in ("median_hours", "oldest_hours"):
        yield about, each.group, hours, getattr(each, hours), None, None, None


def _estimate(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high


def _period(report: MonitoringReport, name: str) -> PeriodFigures | None:
    return next((each for each in report.periods if each.name == name), None)


def _is_seen(caller: Caller, wanted: WantedFigures, office: PeriodPart) -> bool:
    value = office.figures.value
    is_own = not caller.offices or value in caller.offices
    return is_own and wanted.office in ("", value)


def _part(caller: Caller, wanted: WantedFigures, period: PeriodFigures) -> PeriodPart | None:
    """Return the figures of the choice; None unless it is everything, or one office."""
    # Several offices cannot be summed: their intervals do not add up.
    seen = [each for each in period.offices if _is_seen(caller, wanted, each)]
    if not caller.offices and not wanted.office:
        return period.overall
    return seen[0] if len(seen) == 1 else None


def _lanes(caller: Caller, wanted: WantedFigures, period: PeriodFigures) -> tuple[LaneFigures, ...]:
    """Return how often each lane was right, over all offices together."""
    if caller.offices or wanted.office:
        return ()
    return tuple(each for each in period.lanes if wanted.lane in ("", each.lane))


def _widest(shares: Iterable[Estimate]) -> float:
    """Return the next tenth above all intervals, where the axis of a picture ends."""
    highs = [each.high for each in shares if each.high is not None]
    # Ceiling division to the next tenth.
    return min(1.0, -(-max(highs, default=0.1) * 10 // 1) / 10)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
