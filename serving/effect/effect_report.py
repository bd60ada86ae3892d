"""What was found, missed and delayed in a period, as tables with intervals.

Every figure comes from the estimators of monitoring and supervision. A figure that too few results
support has no value, and the sentences of its section say so.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import TYPE_CHECKING, Literal

from features.records import SUBJECT_KINDS, SubjectKind
from serving.explanation.formatting import capital
from serving.integrity.audit_log import EventFilter
from serving.monitor.monitoring import ReportRequest, days_of, report
from serving.monitor.monitoring_report import MonitoringReport, SliceFigures
from serving.monitor.periods import period_figures
from serving.monitor.selection_strata import UNKNOWN, scale_interval
from serving.review.cases.case_records import CaseAccess, CaseTimes
from serving.review.supervision.case_load import CaseLoad, LoadFigures, by_lane, by_office
from serving.review.supervision.first_judgements import NO_OFFICE
from serving.review.supervision.supervision import DECIDING, CaseEnd, Supervision
from serving.triage.lane_declarations import LANE_NAMES
from serving.triage.triage_plan import TriagePlan
from training.confidence_intervals import Estimate, proportion

if TYPE_CHECKING:
    from serving.storage.stores import Stores

Unit = Literal["share", "count", "times", "hours"]

EVERYTHING = CaseAccess(frozenset(), is_rescue=False)
RESCUES = CaseAccess(frozenset(), is_rescue=True)
WITHIN = timedelta(hours=1)  # of a sign of danger, until a person takes a first step
RANDOM_DRAW = "random draw"

# Acts of the audit log by which people deviate from the rule, or answer for a decision.
SAFEGUARDS = {
    "write_letter": "letters written",
    "letter": "letters sent",
    "defer_letter": "letters deferred",
    "seal": "sealed accounts for a court",
    "disagree": "proposals that a second person refused",
    "escalate": "cases escalated",
    "undo": "acts taken back",
    "waive": "gates of a model waived",
    "overrule": "records overruled",
    "switch_off": "models switched off",
}
# Acts that change which model decides.
CHANGES = ("promote", "roll_back", "shadow", "switch_off", "switch_on")


@dataclass(frozen=True)
class Figure:
    """A number with its 95 % interval, if it is an estimate; no value if too little is known."""

    estimate: Estimate
    unit: Unit

    @classmethod
    def count(cls, number: float) -> "Figure":
        """Return a number that was counted."""
        return cls(Estimate(float(number)), "count")


@dataclass(frozen=True)
class Section:
    """One table of the report: its sentences, the names of its columns, and rows by their group."""

    title: str
    says: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, tuple[Figure, ...]], ...] = ()


@dataclass(frozen=True)
class EffectReport:
    """The report on the days `first` to `last`, as known at `made_at`."""

    first: date
    last: date
    made_at: datetime
    sections: tuple[Section, ...] = field(default=())


def effect_of(
    stores: "Stores", first: date, last: date, plan: TriagePlan, now: datetime
) -> EffectReport:
    """Build the report. Raises TidegateError for a period that ends before it begins."""
    requests = [ReportRequest(kind, first, last, now) for kind in SUBJECT_KINDS]
    span = _midnight(first), min(_midnight(last + timedelta(days=1)), now)
    sections = [part for each in requests for part in _traffic(stores, each, plan, now)]
    load = _load(stores, EVERYTHING, span, now)
    sections += [
        _rescues(_load(stores, RESCUES, span, now)),
        _delays(stores, load, span),
        _loads("Work by office", by_office(load)),
        _loads("Work by lane", by_lane(load)),
        _people(Supervision.from_cases(stores.case_load, EVERYTHING, now, span)),
        _safeguards(stores, span),
        Section("What these figures cannot show", CANNOT_SHOW),
    ]
    return EffectReport(first, last, now, tuple(sections))


CANNOT_SHOW = (
    "Smuggling that nobody tried because checks exist is in no figure.",
    "What an inspection overlooked counts as nothing found: all counts of smuggling are too low.",
    "The random draw stands for all traffic that nothing selected; journeys that were never "
    "declared are in no draw.",
    "A change between two periods may have other causes than the change of a model or a lane: "
    "season, trade and the routes of networks change too.",
    "Hours of delay run from the opening of a case to its result. Part of them a consignment "
    "would have waited anyway, for its conveyance or its papers.",
)


def _traffic(
    stores: "Stores", request: ReportRequest, plan: TriagePlan, now: datetime
) -> Iterator[Section]:
    """Yield the sections about one kind of subject; one that says so if it had no traffic."""
    kind, rollups = request.kind, stores.rollups
    if not days_of(rollups, kind, request.first, request.end):
        yield Section(f"{kind.capitalize()}s", (f"No {kind} was decided about in this period.",))
        return
    told = report(rollups, request, plan, now)
    yield _found(kind, told)
    yield _ways(kind, told)
    if told.typologies:
        yield Section(
            f"{kind.capitalize()}s: kinds of smuggling",
            columns=("found by inspection", "found by random draw", "share that is inspected"),
            rows=tuple(
                (
                    each.typology,
                    (
                        Figure.count(each.found_inspected),
                        Figure.count(each.found_control),
                        Figure(each.recall, "share"),
                    ),
                )
                for each in told.typologies
            ),
        )
    for by, title in GROUPS.items():
        groups = [each for each in told.groups if each.by == by]
        if by != "model" or len(groups) > 1:
            yield _groups(f"{kind.capitalize()}s {title}", groups)
    yield _selection(stores, request, now)


GROUPS = {
    "model": "before and after a change of model",
    "operator": "by earlier traffic of the operator",
    "region": "by region of origin",
}


def _found(kind: SubjectKind, told: MonitoringReport) -> Section:
    """Return what was found of all that would be, and what was probably missed."""
    overall = told.overall
    drawn = next(each for each in told.ways if each.way == RANDOM_DRAW)
    found = sum(each.confirmed for each in told.strata)
    # What nothing selected and no draw has seen.
    unseen = overall.decisions - overall.inspected - drawn.decisions
    rows = [
        ("decisions", Figure.count(overall.decisions)),
        ("selected for inspection", Figure.count(overall.inspected)),
        ("drawn at random", Figure.count(drawn.decisions)),
        ("smuggling found", Figure.count(found)),
        ("of these by random draw", Figure.count(drawn.confirmed)),
        (
            "smuggling in all traffic",
            Figure(scale_interval(overall.prevalence, overall.decisions), "count"),
        ),
        ("probably missed", Figure(scale_interval(drawn.precision, max(unseen, 0)), "count")),
        ("share confirmed of those inspected", Figure(overall.precision, "share")),
        ("share of smuggling that was inspected", Figure(overall.recall, "share")),
        ("times as much as a random selection", Figure(overall.lift, "times")),
    ]
    says = [f"Figures cover decisions until {told.figures_until}."]
    if told.newer:
        says.append(f"{told.newer:,} newer ones wait for their results.")
    if told.unscored:
        says.append(f"{told.unscored:,} were decided without a score and are in no figure.")
    says += [f"Too little is known: {each}." for each in overall.needs]
    says += [
        f"It is assumed that {each.assumption}. {capital(each.instead)}: {each.figure} between "
        f"{100 * each.low:.1f} and {100 * each.high:.1f} %."
        for each in told.bounds
    ]
    return Section(
        f"{kind.capitalize()}s: found, and probably missed",
        tuple(says),
        ("figure",),
        tuple((name, (figure,)) for name, figure in rows),
    )


def _ways(kind: SubjectKind, told: MonitoringReport) -> Section:
    """Return each way of selecting, by which score and current practice are compared."""
    return Section(
        f"{kind.capitalize()}s: the score beside current practice",
        (
            "Rules, watch-lists and tips select as before Tidegate; the random draw shows what "
            "looking without any knowledge finds at the same effort.",
        ),
        ("selected", "known results", "confirmed", "share confirmed", "times a random selection"),
        tuple(
            (
                each.way,
                (
                    Figure.count(each.decisions),
                    Figure.count(each.known_outcomes),
                    Figure.count(each.confirmed),
                    Figure(each.precision, "share"),
                    Figure(each.lift, "times"),
                ),
            )
            for each in told.ways
        ),
    )


def _groups(title: str, groups: Iterable[SliceFigures]) -> Section:
    return Section(
        title,
        columns=(
            "decisions",
            "inspected",
            "smuggling in all its traffic",
            "share confirmed of those inspected",
            "share of smuggling that was inspected",
        ),
        rows=tuple(
            (
                each.value,
                (
                    Figure.count(each.decisions),
                    Figure.count(each.inspected),
                    Figure(each.prevalence, "share"),
                    Figure(each.precision, "share"),
                    Figure(each.recall, "share"),
                ),
            )
            for each in groups
        ),
    )


def _selection(stores: "Stores", request: ReportRequest, now: datetime) -> Section:
    """Return how often groups of traffic are selected, compared with all."""
    title = f"{request.kind.capitalize()}s: who is selected"
    last = request.end - timedelta(days=1)
    told = period_figures(stores.rollups, request.kind, "period", request.first, last, now)
    if told is None or not told.selection:
        return Section(title, ("Too few decisions have their results to compare groups.",))
    return Section(
        title,
        ("How often each group is selected, and that over the share of all traffic.",),
        ("subjects", "selected", "share selected", "times as often as all"),
        tuple(
            (
                f"{each.by} {each.group}",
                (
                    Figure.count(each.subjects),
                    Figure.count(each.counted),
                    Figure(each.share, "share"),
                    Figure(each.ratio, "times"),
                ),
            )
            for each in told.selection
            # Offices have a table of their own.
            if each.by != "office"
        ),
    )


def _rescues(load: CaseLoad) -> Section:
    """Return how many signs of danger to life there were, and how fast a person acted."""
    opened = [each for each in load.times if each.opened_at >= load.opened[0]]
    if not opened:
        return Section("Lives at risk", ("No case showed signs of danger to life.",))
    reached = [each for each in opened if each.decided_at is not None]
    hours = [_hours(each) for each in reached]
    soon = sum(each <= WITHIN / timedelta(hours=1) for each in hours)
    return Section(
        "Lives at risk",
        ("Hours run from the decision that opened the case to the first step of a person.",),
        ("figure",),
        (
            ("cases with signs of danger to life", (Figure.count(len(opened)),)),
            ("taken up by a person", (Figure.count(len(reached)),)),
            ("taken up within an hour", (Figure(proportion(soon, len(opened)), "share"),)),
            ("median until then", (_median_hours(hours),)),
            ("still waiting", (Figure.count(sum(each.is_waiting for each in opened)),)),
        ),
    )


def _delays(stores: "Stores", load: CaseLoad, span: tuple[datetime, datetime]) -> Section:
    """Return the hours that honest traffic waited: cases whose result is that nothing was found."""
    opened = {each.case_id: each for each in load.times}
    ended = {
        act.event.case_id: act.event.at
        for act in stores.case_load.acts_between(("state_result", "agree"), span, EVERYTHING)
    }
    waits: dict[tuple[int, str], list[float]] = defaultdict(list)
    for end in load.ends:
        case = opened.get(end.case_id)
        if end.is_find is False and case is not None and end.case_id in ended:
            hours = (ended[end.case_id] - case.opened_at) / timedelta(hours=1)
            for group in ((0, "all"), (1, _lane(end)), (2, end.office_id or NO_OFFICE)):
                waits[group].append(hours)
    if not waits:
        return Section("Honest traffic delayed", ("No case of the period ended with no find.",))
    return Section(
        "Honest traffic delayed",
        ("Cases opened in the period in which nothing was found, until that was stated.",),
        ("cases", "median", "nine in ten within", "all hours together"),
        tuple(
            (
                group,
                (
                    Figure.count(len(hours)),
                    _median_hours(hours),
                    Figure(Estimate(sorted(hours)[int(0.9 * (len(hours) - 1))]), "hours"),
                    Figure(Estimate(sum(hours)), "hours"),
                ),
            )
            for (_, group), hours in sorted(waits.items())
        ),
    )


def _loads(title: str, loads: Iterable[LoadFigures]) -> Section:
    rows = tuple(
        (
            LANE_NAMES.get(each.group, each.group),  # type: ignore[call-overload]  # or an office
            (
                Figure.count(each.opened),
                Figure.count(each.decided),
                Figure(each.in_time, "share"),
                _hours_or_none(each.median_hours),
                Figure.count(each.results),
                Figure.count(each.finds),
                Figure(each.found, "share"),
            ),
        )
        for each in loads
    )
    if not rows:
        return Section(title, ("No case was opened in the period.",))
    columns = ("cases", "with a first step", "in time", "median until then")
    return Section(title, (), (*columns, "results", "finds", "share with a find"), rows)


def _people(told: Supervision) -> Section:
    """Return how people used the score: agreement and second readings, of all together."""
    decided = sum(each.decided for each in told.reviewers)
    if not decided:
        return Section("People and the score", ("Nobody decided on a case in the period.",))
    overrides = sum(each.overrides for each in told.reviewers)
    reread = sum(each.reread for each in told.reviewers)
    same = sum(each.same_when_reread for each in told.reviewers)
    judged = told.judgements.of_many().figures()
    return Section(
        "People and the score",
        ("Figures of all together: this report compares no persons.",),
        ("figure",),
        (
            ("cases decided", (Figure.count(decided),)),
            ("decided otherwise than the lane proposes", (Figure.count(overrides),)),
            ("read a second time without the score", (Figure.count(reread),)),
            ("second readings with the same end", (Figure(proportion(same, reread), "share"),)),
            ("first judgements that agreed", (Figure(judged.agreement, "share"),)),
        ),
    )


def _safeguards(stores: "Stores", span: tuple[datetime, datetime]) -> Section:
    """Return how often people used what protects those concerned, and what changed."""
    counts = {
        action: stores.audit_log.count(EventFilter(action=action, begins=span[0], ends=span[1]))
        for action in SAFEGUARDS
    }
    changes = [
        event
        for action in CHANGES
        for event in stores.audit_log.newest(
            EventFilter(action=action, begins=span[0], ends=span[1]), limit=100
        )
    ]
    says = [
        f"{event.at:%Y-%m-%d %H:%M} UTC: {event.action.replace('_', ' ')} {event.object_id}"
        for event in sorted(changes, key=lambda each: each.at)
    ] or ["No change of a model is on record in this period."]
    rows = tuple((SAFEGUARDS[name], (Figure.count(n),)) for name, n in counts.items())
    return Section("Safeguards and changes", tuple(says), ("figure",), rows)


def _load(
    stores: "Stores", access: CaseAccess, span: tuple[datetime, datetime], now: datetime
) -> CaseLoad:
    ends = Supervision.from_cases(stores.case_load, access, now, span).results
    times = stores.case_load.case_times(access, span, DECIDING, now)
    return CaseLoad(tuple(times), ends, span, now)


def _lane(end: CaseEnd) -> str:
    return f"lane {LANE_NAMES.get(end.lane, end.lane)}"  # type: ignore[call-overload]  # as it was stored


def _hours(case: CaseTimes) -> float:
    assert case.decided_at is not None
    return (case.decided_at - case.opened_at) / timedelta(hours=1)


def _median_hours(hours: list[float]) -> Figure:
    return _hours_or_none(median(hours) if hours else None)


def _hours_or_none(hours: float | None) -> Figure:
    return Figure(UNKNOWN if hours is None else Estimate(hours), "hours")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
