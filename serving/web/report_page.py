"""Monitoring report as a self-contained HTML file."""

from typing import Any

from serving.monitor.monitoring_report import MonitoringReport
from serving.web.findings_by_week import WeeklyFindings
from serving.web.html import STATIC, environment


def report_file(report: MonitoringReport) -> str:
    """Return the report as one HTML file, including its style sheet."""
    style = (STATIC / "console.css").read_text(encoding="utf-8")
    template = environment().get_template("report_file.html")
    return template.render(style=style, **report_content(report))


def report_content(report: MonitoringReport | None) -> dict[str, Any]:
    """Return the variables of the figures' template; `report` is None if there is none yet."""
    if report is None:
        return {"report": None}
    by: dict[str, list[object]] = {}
    for group in report.groups:
        by.setdefault(group.by, []).append(group)
    return {"report": report, "groups": by, "weeks": WeeklyFindings.from_weeks(report.weeks)}
