"""Supervision report as PDF: estimates, offices, lanes, people and reasons of a period."""

from collections.abc import Iterable
from datetime import datetime

from serving.console.papers.case_paper import OFFER
from serving.console.papers.paper import Paper, Row
from serving.console.supervision_view import KindFigures, SupervisionView
from serving.explanation.formatting import capital, share_in_percent
from serving.review.supervision.case_load import LoadFigures
from serving.triage.lane_declarations import LANE_NAMES
from training.confidence_intervals import Estimate

NOT_ENOUGH = "not enough data"

# Plain strings as keys, because lanes come from addresses and from storage.
_LANES: dict[str, str] = dict(LANE_NAMES.items())
_HEAD_OF_LOAD = (
    "Opened",
    "Decided in time",
    "Too late",
    "First step after",
    "Something found",
    "Wait now",
    "Oldest",
    "Past its time",
)
_WIDTHS_OF_LOAD = (2.6, 1.8, 3, 1.2, 1.7, 3, 1.2, 1.6, 1.5)


def supervision_paper(view: SupervisionView, at: datetime) -> bytes:
    """Return the PDF of a period as of an instant; the same figures give the same bytes."""
    narrowed = [view.wanted.office, _LANES[view.wanted.lane] if view.wanted.lane else ""]
    span = f"{view.first:%-d %B %Y} to {view.last:%-d %B %Y}"
    about = ", ".join([span, *(each for each in narrowed if each)])
    paper = Paper("Supervision", (f"Supervision, {about}",), at)
    paper.text(f"{about}.")
    _write_totals(paper, view)
    for kind in view.kinds:
        _write_offices(paper, kind)
    _write_load(paper, "Cases by office", "Office", [(e.group, e) for e in view.offices])
    lanes = [(_LANES[each.group], each) for each in view.lanes]
    _write_load(paper, "Cases by lane", "Lane", lanes)
    _write_people(paper, view)
    paper.heading("To be kept in mind")
    paper.lines(
        (
            "Ranges are 95 % intervals. Of twenty offices one differs clearly by chance alone.",
            "What a lane proposes is ordered or not; both can be right.",
            OFFER,
        )
    )
    return paper.content()


def _write_totals(paper: Paper, view: SupervisionView) -> None:
    same, reread, share = view.rereadings
    load = view.all
    paper.heading("How good was it?")
    pairs = []
    for kind in view.kinds:
        if kind.overall:
            name, part = f"{kind.kind.capitalize()}s", kind.overall
            of = f", of {part.known:,} with a result" if part.known else ""
            pairs += [
                (f"{name}: inspections that confirmed", _share(part.found) + of),
                (f"{name}: of all there was, found", _share(part.figures.recall)),
            ]
    pairs += [
        ("Decided in time", f"{_share(load.in_time)}, of {load.limited:,} with a time limit"),
        ("Cases in which something was found", f"{_share(load.found)}, of {load.results:,}"),
        ("Same end on second reading", f"{same} of {reread}, {_share(share)}" if reread else "–"),
        ("Wait now", f"{load.waiting:,}, the oldest for {_hours(load.oldest_hours)}"),
        ("Past their time", f"{load.overdue:,}"),
    ]
    paper.pairs(pairs)


def _write_offices(paper: Paper, kind: KindFigures) -> None:
    if not kind.offices:
        return
    name = f"{kind.kind.capitalize()}s"
    paper.heading(f"{name} by office")
    whole = [("All", kind.overall)] if kind.overall and len(kind.offices) > 1 else []
    rows = [
        (
            group,
            f"{part.figures.decisions:,}",
            f"{part.figures.inspected:,}",
            _share(part.found) + (f" of {part.known:,}" if part.known else ""),
            _share(part.figures.prevalence),
            (kind.differs(part).capitalize() or "No clear difference") if group != "All" else "–",
        )
        for group, part in [*whole, *((each.figures.value, each) for each in kind.offices)]
    ]
    head = ("Office", name, "Selected", "Inspections that confirmed", "Found if all", "Beside all")
    paper.table(head, rows, (2.6, 2.2, 1.9, 4, 3.6, 3.6))


def _write_load(
    paper: Paper, title: str, what: str, groups: Iterable[tuple[str, LoadFigures]]
) -> None:
    paper.heading(title)
    rows = [(name, *_load_cells(each)) for name, each in groups]
    if not rows:
        paper.text("No case was opened in the period, and none waits.")
    paper.table((what, *_HEAD_OF_LOAD), rows, _WIDTHS_OF_LOAD)


def _load_cells(each: LoadFigures) -> Row:
    return (
        f"{each.opened:,}",
        _share(each.in_time) if each.limited else "no time limit",
        f"{each.late:,}",
        _hours(each.median_hours),
        f"{_share(each.found)} of {each.results:,}" if each.results else "no result yet",
        f"{each.waiting:,}",
        _hours(each.oldest_hours),
        f"{each.overdue:,}",
    )


def _write_people(paper: Paper, view: SupervisionView) -> None:
    paper.heading("How people decide")
    people = [
        (
            each.name,
            f"{each.decided:,}",
            f"{each.median_minutes:.1f}" if each.median_minutes is not None else "–",
            f"{each.overrides:,}",
            share_in_percent(each.agreement) if each.agreement is not None else "–",
            f"{each.same_when_reread} of {each.reread}" if each.reread else "–",
        )
        for each in view.people.reviewers
    ]
    if not people:
        paper.text("Nothing was ordered in the period.")
    head = ("Person", "Ordered", "Minutes, median", "Other than proposed", "As proposed")
    paper.table((*head, "Same on second reading"), people, (3, 1.5, 2, 2.3, 2, 2.6))
    reasons = [
        (
            f"{capital(each.words)} ({each.indicator})",
            f"{each.right:,}",
            f"{each.wrong:,}",
            f"{each.unclear:,}",
            _share(each.held_share),
            _share(each.found_share),
        )
        for each in view.people.reasons
    ]
    if reasons:
        paper.heading("Reasons that were checked")
        titles = ("Indicator", "Held", "Cleared", "Unclear", "Share that held", "Found")
        paper.table(titles, reasons, (3.4, 1, 1, 1, 2, 2))


def _share(estimate: Estimate) -> str:
    """Return a share with its interval, as far as it is known."""
    low, high = estimate.low, estimate.high
    if low is None or high is None:
        return NOT_ENOUGH
    if estimate.value is None:
        return f"between {share_in_percent(low)} and {share_in_percent(high)}"
    interval = f"{share_in_percent(low)} to {share_in_percent(high)}"
    return f"{share_in_percent(estimate.value)} ({interval})"


def _hours(hours: float | None) -> str:
    if hours is None:
        return "–"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"
