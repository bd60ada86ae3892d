"""`tidegate monitor`: actual performance from decisions and outcomes, outside the service."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.opened_home import OpenedHome, on_existing_home
from serving.cli.options import Subject
from serving.cli.output import messages, print_json, progress_bar

if TYPE_CHECKING:
    from serving.monitor.monitoring_report import MonitoringReport
    from serving.storage.repositories.rollup_repository import RollupRepository

USUALLY = timedelta(days=90)
DAY = ["%Y-%m-%d"]
INSTANT = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


@on_existing_home
def monitor(
    at: OpenedHome,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from", formats=DAY, help="First day (UTC); 90 days before the last without."
        ),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=DAY, help="Last day; that of --as-of without.")
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=INSTANT, help="What was known at this instant (UTC); now without."),
    ] = None,
    subject: Annotated[
        Subject, typer.Option(help="Routes (journeys with legs) or shipments.")
    ] = Subject.SHIPMENT,
    model: Annotated[
        str | None,
        typer.Option(help="Only what this version decided, as tidegate-shipment/3 or 3."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="File to write, readable by itself.")] = None,
    if_due: Annotated[
        bool, typer.Option(help="Do nothing where today's report is there: what the service runs.")
    ] = False,
) -> None:
    """Estimate what holds of all traffic, say what drifts, and alarm about what is new.

    The log is only read; each decision is counted once, in tables of monitoring's own. Without
    --until, --as-of and --model the report is kept for the console, alerts are raised and sent, and
    the control draw follows the drift. The service does that once a day by itself, with --if-due.
    """
    from serving.monitor.daily_report import is_due
    from serving.monitor.monitoring import ReportRequest
    from serving.monitor.monitoring import report as make_report
    from serving.monitor.periods import periods
    from serving.triage.triage_plan import TriagePlan

    now, settings = at.now, at.settings
    if html is not None and not html.absolute().parent.is_dir():
        raise typer.BadParameter(f"{html.parent} is no folder", param_hint="--html")
    known_at = as_of.replace(tzinfo=UTC) if as_of else now
    last = until.date() if until else known_at.date()
    first = since.date() if since else last - USUALLY
    request = ReportRequest(subject.value, first, last, known_at, _version(model, subject))
    rollups = at.stores.rollups
    if if_due and not is_due(rollups.newest_report_at(subject.value), now):
        return
    _catch_up(rollups, now)
    span = (request.first.isoformat(), request.end.isoformat())
    # There is nothing to report.
    if if_due and not any(rollups.days(request.kind, *span)):
        return
    report = make_report(rollups, request, TriagePlan.read(settings.plan), now)
    # Only a report on everything up to now is stored; others are questions of one person.
    if as_of is None and model is None and until is None:
        months = periods(rollups, subject.value, now)
        report = _answered(report, at).model_copy(update={"periods": months})
        rollups.keep_report(subject.value, now, report.model_dump_json())
    # The service runs this, so nobody sees any output.
    if if_due:
        return
    at.record_reading("read", "monitoring")
    _show(report, html, as_json=at.as_json)


def _version(model: str | None, subject: Subject) -> str | None:
    """Return the version; raises TidegateError if the model is for another subject."""
    from features.errors import TidegateError
    from features.subject_types import SUBJECT_TYPES

    if model is None or "/" not in model:
        return model
    name, _, version = model.partition("/")
    wanted = SUBJECT_TYPES[subject.value].model_name
    if name != wanted:
        raise TidegateError(f"{name} does not score {subject}s; want {wanted}/VERSION")
    return version


def _catch_up(store: "RollupRepository", now: datetime) -> None:
    from serving.monitor.rollups import catch_up

    if store.size() == store.reached():
        return
    with progress_bar("new decisions") as progress:
        catch_up(store, now, progress)


def _answered(report: "MonitoringReport", at: OpenedHome) -> "MonitoringReport":
    """Raise and send the alerts of a report; return it with their outcome."""
    from serving.monitor.alerts import answer, with_answers
    from serving.review.cases.case_records import CaseAccess
    from serving.review.supervision.supervision import Supervision

    book, now = at.stores.alerts, at.now
    supervision = Supervision.from_cases(
        at.stores.case_load, CaseAccess(frozenset(), is_rescue=False), now
    )
    # Reviewers' habits are in the cases, not in the tables of monitoring.
    hasty = sum(reviewer.may_trust_blindly for reviewer in supervision.reviewers)
    report = report.model_copy(update={"hasty_reviewers": hasty})
    for alert in answer(report, book, now):
        messages.print(f"[bold]alert[/bold] {alert.words}")
    _send(at)
    return with_answers(report, book)


def _send(at: OpenedHome) -> None:
    from serving.outbox.alert_channel import AlertChannel, alert_webhook

    if (webhook := alert_webhook(at.settings)) is None:
        return
    channel = AlertChannel(webhook, at.stores.alerts, at.stores.receivers, lambda: at.now)
    # Stored alerts are sent again, so a failing receiver must not fail the report.
    if (failure := channel.deliver_all()) is not None:
        messages.print(f"alerts were not taken ({failure}); the next run sends them")


def _show(report: "MonitoringReport", html: Path | None, *, as_json: bool) -> None:
    if html is not None:
        from serving.web.report_page import report_file

        html.write_text(report_file(report), encoding="utf-8")
        messages.print(f"the whole report: {html}")
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        _print_figures(report)


def _print_figures(report: "MonitoringReport") -> None:
    """Print the most important figures on stderr."""
    from serving.web.figure_words import share_in_words, times_in_words

    overall, moved = report.overall, [each for each in report.drift.moved if each.is_drift]
    lines = [
        f"{overall.decisions:,} {report.subject_kind}s from {report.first_day} until "
        f"{report.figures_until}, {overall.inspected:,} inspected, {overall.control_outcomes:,} "
        f"control outcomes known (effective {overall.effective_size or 0:.0f}); 95 % intervals",
        f"  prevalence {share_in_words(overall.prevalence)}",
        f"  precision {share_in_words(overall.precision)}, recall "
        f"{share_in_words(overall.recall)}, lift {times_in_words(overall.lift)}",
        f"  unweighted share of all known outcomes {share_in_words(overall.unweighted_share)}: "
        "says nothing about the rest",
    ]
    lines += [
        f"  selected by {each.way}: {each.decisions:,}, precision "
        f"{share_in_words(each.precision)}, lift {times_in_words(each.lift)}"
        for each in report.ways
    ]
    lines += [
        f"  assumes that {each.assumption}; {each.instead}: {each.figure} between "
        f"{100 * each.low:.1f} and {100 * each.high:.1f} %"
        for each in report.bounds
    ]
    lines.append(
        f"  without a conclusive outcome: {report.delay.unknown:,} of {report.delay.visits:,} "
        f"visits; {report.newer:,} newer {report.subject_kind}s wait for theirs and are in no "
        "figure above"
    )
    if report.unscored:
        lines.append(f"  decided without a score, and in no figure here: {report.unscored:,}")
    lines += [f"  refused or no more than an interval: {each}" for each in overall.needs]
    lines += [
        f"  drift: {each.measure} moved by {each.size:.3f}"
        + (f", to {each.times_usual:.2f} times the usual" if each.times_usual is not None else "")
        for each in moved
    ]
    if not moved:
        lines.append(
            f"  drift in the week of {report.drift.week}: none of {report.drift.measures} "
            "measures moved"
        )
    if report.drift.not_judged:
        lines.append(f"  drift, not judged: {report.drift.not_judged}")
    for line in lines:
        messages.print(line, markup=False)
