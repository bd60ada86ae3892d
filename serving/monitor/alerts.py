"""Raise each new alert once, and draw more at random while drift lasts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from serving.monitor.monitoring_report import (
    MEASURES_OF_INCOMING_RECORDS,
    AlertFigures,
    ExplorationFigures,
    MonitoringReport,
    MovedMeasure,
)
from serving.triage.raised_control_draws import Exploration

if TYPE_CHECKING:
    from serving.storage.repositories.alert_repository import AlertRepository

# Factors on the control probability: in the first week of a drift, and the maximum.
FIRST_FACTOR, MAX_FACTOR = 2.0, 4.0

# A raised probability ends by itself, in case no later report is made.
LASTS = timedelta(days=14)

MAX_ALERTS = 10


@dataclass(frozen=True)
class Alert:
    """Drift in a week (identified by its Monday), reported once."""

    subject_kind: str
    week: str
    measure: str
    size: float
    p_value: float
    words: str


def alerts_of(report: MonitoringReport) -> Iterator[Alert]:
    """Yield the alerts in a report."""
    week = report.drift.week.isoformat()
    for moved in report.drift.moved:
        if moved.is_drift:
            words = f"{moved.measure} of {report.subject_kind}s {_how(moved, week)}"
            yield Alert(report.subject_kind, week, moved.measure, moved.size, moved.p_value, words)
    if report.hasty_reviewers:
        words = (
            f"reviewers who almost always follow the proposal, quickly: {report.hasty_reviewers}"
        )
        yield Alert(report.subject_kind, week, "hasty agreement", report.hasty_reviewers, 1, words)


def _how(moved: MovedMeasure, week: str) -> str:
    if moved.times_usual is not None:
        return f"until the week of {week}: {moved.times_usual:.2f} times as many as usual"
    size = f"{moved.size:.3f}, where {moved.least:.3f} would matter"
    return f"moved in the week of {week}: {size}"


def exploration_after(
    report: MonitoringReport, before: Exploration | None, now: datetime
) -> Exploration | None:
    """Return the new exploration; None if nothing changes.

    A week is answered once, however often it is judged. Fewer incoming records are no reason to
    draw more.
    """
    is_running = before is not None and before.factor > 1 and before.ends_at > now
    judged = report.drift.week + timedelta(weeks=1)
    over = datetime.combine(judged, time.min, UTC)
    if before is not None and before.begins_at >= over:
        return None
    drifting = [
        moved.measure
        for moved in report.drift.moved
        if moved.is_drift and moved.measure not in MEASURES_OF_INCOMING_RECORDS
    ]
    if not drifting and not is_running:
        return None
    factor = 1.0
    if drifting:
        # Doubling on each week of continued drift, up to the maximum.
        stronger = 2 * before.factor if is_running and before else FIRST_FACTOR
        factor = min(stronger, MAX_FACTOR)
    because = f"week of {report.drift.week}: " + (
        f"moved: {', '.join(drifting[:3])}" if drifting else "nothing moved any more"
    )
    return Exploration(report.subject_kind, now, now + LASTS, factor, because)


def answer(report: MonitoringReport, book: "AlertRepository", now: datetime) -> list[Alert]:
    """Store new alerts and change the exploration; return the new alerts."""
    if changed := exploration_after(report, book.exploration(report.subject_kind), now):
        book.explore(changed)
    return book.raise_new(list(alerts_of(report)), now)


def with_answers(report: MonitoringReport, book: "AlertRepository") -> MonitoringReport:
    """Add the newest alerts and the current exploration to a report."""
    running = book.exploration(report.subject_kind)
    alerts = tuple(
        AlertFigures(week=date.fromisoformat(each.week), measure=each.measure, words=each.words)
        for each in book.newest(report.subject_kind, MAX_ALERTS)
    )
    exploration = running and ExplorationFigures(
        factor=running.factor,
        until=running.ends_at,
        because=running.because,
    )
    return report.model_copy(update={"alerts": alerts, "exploration": exploration})
