"""Pages of supervision: figures on reviewing, and blind second readings."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.records import SUBJECT_KINDS
from serving.access.callers import Caller
from serving.console.browser_session import TheSession
from serving.console.case_pdf import as_pdf
from serving.console.case_view import CaseView
from serving.console.charts.case_pictures import CasePictures
from serving.console.csrf import SignedForm
from serving.console.page_scopes import MayReview, MaySupervise
from serving.console.pages import PageRoute, page
from serving.console.supervision_view import (
    MAX_DOWNLOADED,
    MAX_LISTED,
    WHICH_WORDS,
    SupervisionView,
    WantedCases,
    WantedFigures,
    by_grouping,
    cases_csv,
    comparison_words,
    figures_csv,
    judged,
    kind_figures,
    narrowed,
    pace,
)
from serving.container import Services
from serving.errors import Unprocessable
from serving.language import ENGLISH, begin_locale, say
from serving.monitor.monitoring_report import MonitoringReport
from serving.monitor.period_spans import spans
from serving.review.acts.rereadings import has_reread, reread_case
from serving.review.cases.results import OF_ENFORCEMENT, RESULT_MEANING
from serving.review.cases.reviewer import Reviewer
from serving.review.supervision.case_load import CaseLoad, LoadFigures, by_lane, by_office
from serving.review.supervision.supervision import DECIDING, Supervision
from serving.scoring.enrichment import as_scored
from serving.triage.lane_declarations import LANE_NAMES
from serving.web.downloads import download_headers
from serving.web.findings_by_week import WeeklyFindings
from serving.web.services import TheServices

# Outcome of a second reading for a case that was not worth a check.
LEFT_ALONE = "it should have gone without a check"

router = APIRouter(prefix="/console/supervision", include_in_schema=False, route_class=PageRoute)


@router.get("")
def show_supervision(
    services: TheServices,
    caller: MaySupervise,
    session: TheSession,
    wanted: Annotated[WantedFigures, Query()],
) -> HTMLResponse:
    """Show the figures of a period: estimates, cases, times, people and reasons."""
    view = _view(services, caller, wanted)
    return page(
        "supervision.html",
        reader=caller,
        session=session,
        view=view,
        wanted=wanted,
        periods=[*spans(services.clock().date())],
        weeks={each.kind: WeeklyFindings.from_weeks(each.period.weeks) for each in view.kinds},
        lane_names=LANE_NAMES,
        which_words=WHICH_WORDS,
        comparison_words=comparison_words,
        by_grouping=by_grouping,
        now=services.clock(),
    )


@router.get("/figures.csv")
def download_figures(
    services: TheServices, caller: MaySupervise, wanted: Annotated[WantedFigures, Query()]
) -> Response:
    """Return all figures of the page as CSV."""
    return _as_csv(figures_csv(_view(services, caller, wanted)), f"supervision {wanted.period}")


@router.get("/figures.pdf")
def download_paper(
    services: TheServices, caller: MaySupervise, wanted: Annotated[WantedFigures, Query()]
) -> Response:
    """Return the figures of the page as PDF."""
    from serving.console.papers.supervision_paper import supervision_paper

    # Fixed language: the same figures must give the same bytes for every reader.
    begin_locale(ENGLISH)
    view = _view(services, caller, wanted)
    return as_pdf(supervision_paper(view, services.clock()), f"supervision {wanted.period}")


@router.get("/cases")
def show_cases_behind(
    services: TheServices,
    caller: MaySupervise,
    session: TheSession,
    wanted: Annotated[WantedCases, Query()],
) -> HTMLResponse:
    """Show the cases that a figure counts, the earliest opened first."""
    ids = _behind(services, caller, wanted)
    return page(
        "supervised_cases.html",
        reader=caller,
        session=session,
        wanted=wanted,
        total=len(ids),
        rows=services.cases.rows_of(Reviewer.from_caller(caller), ids[:MAX_LISTED]),
        words=WHICH_WORDS[wanted.which],
        lane_names=LANE_NAMES,
        now=services.clock(),
    )


@router.get("/cases.csv")
def download_cases_behind(
    services: TheServices, caller: MaySupervise, wanted: Annotated[WantedCases, Query()]
) -> Response:
    """Return these cases as CSV, all or none: a part would be mistaken for the whole."""
    ids = _behind(services, caller, wanted)
    if len(ids) > MAX_DOWNLOADED:
        raise Unprocessable(
            say(
                "{total} cases are more than one file may have, which is {most}: choose a shorter "
                "period, an office or a lane",
                total=len(ids),
                most=MAX_DOWNLOADED,
            )
        )
    rows = services.cases.rows_of(Reviewer.from_caller(caller), ids)
    return _as_csv(cases_csv(rows), f"cases {wanted.which} {wanted.period}")


def _view(services: Services, caller: Caller, wanted: WantedFigures) -> SupervisionView:
    now = services.clock()
    access = Reviewer.from_caller(caller).access
    bodies = {kind: services.rollups.newest_report(kind) for kind in SUBJECT_KINDS}
    reports = {k: MonitoringReport.model_validate_json(body) for k, body in bodies.items() if body}
    kinds = tuple(kind_figures(caller, reports, wanted, now.date()))
    whole, people = _load(services, caller, wanted)
    load = narrowed(whole, wanted)
    offices = tuple(by_office(load))
    earlier = wanted.before(now.date())
    first, last = wanted.days(now.date())
    return SupervisionView(
        wanted=wanted,
        first=first,
        last=last,
        kinds=kinds,
        all=load.figures(),
        before=_load_figures(services, caller, earlier) if earlier else None,
        offices=offices,
        lanes=tuple(by_lane(load)),
        people=people,
        pace=pace(offices) if len(offices) > 1 else {},
        judgements=judged(people, wanted),
        all_offices=tuple(
            sorted(
                {
                    *whole.offices,
                    *(o.figures.value for k in kinds for o in k.offices),
                    *access.offices,
                }
            )
        ),
        all_lanes=tuple(whole.lanes),
    )


def _load_figures(services: Services, caller: Caller, wanted: WantedFigures) -> LoadFigures:
    return narrowed(_load(services, caller, wanted)[0], wanted).figures()


def _load(
    services: Services, caller: Caller, wanted: WantedFigures
) -> tuple[CaseLoad, Supervision]:
    """Return the cases and acts of a period."""
    now, access = services.clock(), Reviewer.from_caller(caller).access
    span = wanted.span(now)
    people = Supervision.from_cases(services.case_load, access, now, span)
    times = services.case_load.case_times(access, span, DECIDING, now)
    return CaseLoad(tuple(times), people.results, span, now), people


def _behind(services: Services, caller: Caller, wanted: "WantedCases") -> list[str]:
    load, people = _load(services, caller, wanted)
    if wanted.which == "reread":
        return sorted(people.reread)
    if wanted.which == "agreed" or wanted.which == "differed" or wanted.which == "unsure":  # noqa: PLR1714 - so that types are narrowed
        return judged(people, wanted).behind(wanted.which)
    return narrowed(load, wanted).behind(wanted.which)


def _as_csv(text: str, name: str) -> Response:
    headers = download_headers(f"{name}.csv")
    return Response(text, headers=headers, media_type="text/csv; charset=utf-8")


@router.get("/reread")
def pick_for_rereading(services: TheServices, caller: MayReview) -> Response:
    """Redirect to a closed case of someone else, drawn at random."""
    # Drawn at random, so that nobody chooses whose work is read again.
    row = services.case_load.closed_case(
        Reviewer.from_caller(caller).access, caller.actor, secrets.randbelow(2**31)
    )
    to = f"/console/supervision/reread/{row.case_id}" if row else "/console/queue"
    return RedirectResponse(to, 303)


@router.get("/reread/{case_id}")
def show_for_rereading(
    services: TheServices, caller: MayReview, session: TheSession, case_id: str
) -> HTMLResponse:
    """Show the evidence of a closed case without score, reasons and result."""
    reviewer = Reviewer.from_caller(caller)
    row, _ = services.cases.read(reviewer, case_id, services.clock(), "reread")
    decision = services.cases.decision(case_id)
    submission = as_scored(decision, services.records)
    return page(
        "reread.html",
        reader=caller,
        session=session,
        row=row,
        is_reread=has_reread(services.cases, reviewer, case_id),
        case=CaseView.from_decision(decision, is_explained=False),
        pictures=CasePictures.from_submission(submission, services.clock()),
        codes=[
            ("release", LEFT_ALONE),
            *((code, RESULT_MEANING[code].words) for code in OF_ENFORCEMENT),
        ],
    )


@router.post("/reread/{case_id}")
def judge_again(
    services: TheServices, caller: MayReview, form: SignedForm, case_id: str
) -> Response:
    """Record how the case would have ended without the score being known."""
    code = form.get("code", "")
    if code not in ("release", *OF_ENFORCEMENT):
        raise Unprocessable("choose one of the answers")
    reread_case(services.cases, Reviewer.from_caller(caller), case_id, services.clock(), code)
    return RedirectResponse(f"/console/queue?done={case_id}", 303)
