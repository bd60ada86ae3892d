"""Page of monitoring: the newest report on a kind of subject."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from features.records import SubjectKind
from serving.access.callers import Caller
from serving.console.browser_session import TheSession
from serving.console.page_scopes import MaySeeFigures
from serving.console.pages import PageRoute, page
from serving.monitor.monitoring_report import MonitoringReport
from serving.web.report_page import report_content
from serving.web.services import TheServices

router = APIRouter(prefix="/console/monitor", include_in_schema=False, route_class=PageRoute)

KINDS: tuple[SubjectKind, ...] = ("shipment", "route")


@router.get("")
def show_monitoring(
    services: TheServices,
    caller: MaySeeFigures,
    session: TheSession,
    subject: SubjectKind = "shipment",
) -> HTMLResponse:
    """Show the newest report on one kind of subject; the service makes one every day."""
    body = services.rollups.newest_report(subject)
    report = (
        without_other_offices(caller, MonitoringReport.model_validate_json(body)) if body else None
    )
    return page(
        "monitoring.html",
        reader=caller,
        session=session,
        kinds=KINDS,
        subject=subject,
        **report_content(report),
    )


def without_other_offices(caller: Caller, report: MonitoringReport) -> MonitoringReport:
    """Return the report without other offices' figures, for callers limited to some offices."""
    if not caller.offices:
        return report
    groups = tuple(
        group for group in report.groups if group.by != "office" or group.value in caller.offices
    )
    capacity = tuple(office for office in report.capacity if office.office in caller.offices)
    periods = tuple(
        each.model_copy(
            update={"offices": tuple(o for o in each.offices if o.figures.value in caller.offices)}
        )
        for each in report.periods
    )
    return report.model_copy(update={"groups": groups, "capacity": capacity, "periods": periods})
