"""What monitoring says, as a page of the console and as a file that needs nothing beside it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse

from features.records import SubjectKind
from serving.access.callers import Caller
from serving.api.requests import TheServices
from serving.console.charts.findings_by_week import Weeks
from serving.console.pages import STATIC, PageRoute, page, templates
from serving.console.sign_in import ReaderWith, TheSession
from serving.explanation.formatting import readable
from serving.monitor.report import Report
from training.estimators import Estimate

router = APIRouter(prefix="/console/monitor", include_in_schema=False, route_class=PageRoute)

MayWatch = Annotated[Caller, Depends(ReaderWith("supervise", "study"))]
KINDS: tuple[SubjectKind, ...] = ("shipment", "route")


@router.get("")
def show_monitoring(
    services: TheServices, caller: MayWatch, session: TheSession, subject: SubjectKind = "shipment"
) -> HTMLResponse:
    """The newest report on one kind of subject; `tidegate monitor` makes them."""
    body = services.rollups.newest_report(subject)
    report = seen_by(caller, Report.model_validate_json(body)) if body else None
    return page(
        "monitoring.html",
        reader=caller,
        session=session,
        kinds=KINDS,
        subject=subject,
        **_content(report),
    )


def seen_by(caller: Caller, report: Report) -> Report:
    """The report without the figures of other offices, for whoever is tied to some."""
    if not caller.offices:
        return report
    groups = tuple(g for g in report.groups if g.by != "office" or g.value in caller.offices)
    capacity = tuple(each for each in report.capacity if each.office in caller.offices)
    return report.model_copy(update={"groups": groups, "capacity": capacity})


def as_file(report: Report) -> str:
    """The same figures as one HTML file, its style included."""
    style = (STATIC / "console.css").read_text(encoding="utf-8")
    template = templates.get_template("monitoring_file.html")
    return template.render(style=style, **_content(report))


def _content(report: Report | None) -> dict[str, Any]:
    if report is None:
        return {"report": None}
    by: dict[str, list[object]] = {}
    for group in report.groups:
        by.setdefault(group.by, []).append(group)
    return {"report": report, "groups": by, "weeks": Weeks.of(report.weeks)}


def share_in_words(estimate: Estimate) -> str:
    """A share with its interval.

    >>> share_in_words(Estimate(0.5, 0.25, 0.75)), share_in_words(Estimate(None))
    ('50.0 % (25.0–75.0)', 'refused')
    """
    if estimate.value is None:
        return "refused"
    if estimate.low is None or estimate.high is None:
        return f"{100 * estimate.value:.1f} %"
    if estimate.low == estimate.high:
        return f"{100 * estimate.value:.1f} % (all known)"
    low, high = 100 * estimate.low, 100 * estimate.high
    return f"{100 * estimate.value:.1f} % ({low:.1f}–{high:.1f})"


def times_in_words(estimate: Estimate) -> str:
    """A factor with its interval."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "refused"
    return f"{estimate.value:.1f} × ({estimate.low:.1f}–{estimate.high:.1f})"


def _measure(name: str) -> str:
    """A measure's name as it is read: `feature mass_kg` is the feature's own name."""
    kind, _, feature = name.partition(" ")
    return readable(feature) if kind == "feature" else name


templates.filters.update(share=share_in_words, times_as_many=times_in_words, measure=_measure)
