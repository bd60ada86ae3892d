"""The page of supervision: one period on one page, the cases behind each figure, and files."""

import csv
import io
import re
from datetime import timedelta

import pytest
from pydantic import ValidationError

from features.catalogue import feature_named
from serving.access.accounts import new_account
from serving.console import supervision
from serving.console.supervision_view import WantedFigures, safe_cell
from serving.integrity.audit_log import EventFilter
from serving.monitor.monitoring import ReportRequest, report
from serving.monitor.periods import periods
from serving.monitor.rollups import catch_up
from serving.review.cases.case_records import StoredEvent
from serving.triage.triage_plan import TriagePlan
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_case_pdf import text_of as printed
from tests.serving.console.test_pages import ORIGIN
from tests.serving.console.test_rescue_board import rescue, text_of
from tests.serving.review.cases.stated import NOTHING, body_of, post
from tests.serving.review.cases.test_cases_served import open_case, reviewed
from tests.serving.review.supervision.test_supervision_served import ended, sign_in_as

__all__ = ["reviewed"]


def page_of(service: Service, path: str = "", **asked: str) -> str:
    answer = service.client.get(f"/console/supervision{path}", params=asked)
    assert answer.status_code == 200
    return answer.text


def keep_report(service: Service) -> None:
    """Let monitoring have made its report of the day."""
    store = service.services.rollups
    catch_up(store, NOW + timedelta(minutes=1))
    asked = ReportRequest("shipment", (NOW - timedelta(days=9)).date(), NOW.date(), NOW)
    made = report(store, asked, TriagePlan(), NOW)
    body = made.model_copy(update={"periods": periods(store, "shipment", NOW)})
    store.keep_report("shipment", NOW, body.model_dump_json())


def test_last_month_is_one_click_from_the_page_and_says_what_it_rests_on(
    reviewed: Service,
) -> None:
    open_case(reviewed, "S-1")
    ended(reviewed, "S-2", reviewed.key("review"))
    sign_in_as(reviewed, "supervisor")

    page = page_of(reviewed)

    said = text_of(page)
    assert "How good was it?" in said
    assert "Are offices alike?" in said
    (last,) = re.findall(r'href="([^"]+)"[^>]*>Last month</a>', page)
    assert "period=2026-10" in last
    october = text_of(reviewed.client.get(last.replace("&amp;", "&")).text)
    assert "1 Oct 2026 to 31 Oct 2026" in october


def test_behind_a_number_stand_its_cases_and_only_they(reviewed: Service) -> None:
    waiting, found_nothing = (
        open_case(reviewed, "S-1"),
        ended(reviewed, "S-2", reviewed.key("review")),
    )
    sign_in_as(reviewed, "supervisor")

    page = page_of(reviewed)
    for which, case_id in (("waiting", waiting), ("opened", found_nothing)):
        links = re.findall(rf'href="(/console/supervision/cases[^"]*which={which}[^"]*)"', page)
        assert links, which
        listed = reviewed.client.get(links[0].replace("&amp;", "&")).text
        assert f"/console/cases/{case_id}" in listed
    assert found_nothing not in page_of(reviewed, "/cases", which="waiting")
    assert found_nothing in page_of(reviewed, "/cases", which="not_found")
    assert "None." in page_of(reviewed, "/cases", which="found")
    rows = [*csv.DictReader(io.StringIO(page_of(reviewed, "/cases.csv", which="waiting")))]
    assert [row["case_id"] for row in rows] == [waiting]


def test_a_file_of_cases_is_whole_or_none(
    reviewed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "MAX_DOWNLOADED", 1)
    open_case(reviewed, "S-1")
    sign_in_as(reviewed, "supervisor")
    path = "/console/supervision/cases.csv?which=waiting"

    assert reviewed.client.get(path).status_code == 200
    open_case(reviewed, "S-2")
    reviewed.services.cases.open_new()
    refused = reviewed.client.get(path)
    assert refused.status_code == 422
    assert "2 cases are more than one file may have, which is 1" in text_of(refused.text)


def test_the_file_has_every_figure_with_what_it_rests_on(reviewed: Service) -> None:
    ended(reviewed, "S-2", reviewed.key("review"))
    keep_report(reviewed)
    sign_in_as(reviewed, "supervisor")

    answer = reviewed.client.get("/console/supervision/figures.csv")

    rows = {
        (row["about"], row["group"], row["figure"]): row
        for row in csv.DictReader(io.StringIO(answer.text))
    }
    assert "attachment" in answer.headers["content-disposition"]
    assert rows["shipments", "all", "decisions"]["value"] == "1"
    assert rows["cases", "all", "something found"]["of"] == "1"
    assert "Shipments: inspections that confirmed" in text_of(page_of(reviewed))


def test_the_paper_has_the_figures_of_the_page_and_that_it_was_taken_is_recorded(
    reviewed: Service,
) -> None:
    ended(reviewed, "S-2", reviewed.key("review"))
    keep_report(reviewed)
    sign_in_as(reviewed, "supervisor")

    answer = reviewed.client.get("/console/supervision/figures.pdf")

    told = printed(answer.content)
    assert answer.headers["content-type"] == "application/pdf"
    for words in ("Shipments: inspections that confirmed", "DE004600", "How people decide"):
        assert words in told
    assert "1 Nov" not in printed(
        reviewed.client.get("/console/supervision/figures.pdf?period=2026-10").content
    )
    event = reviewed.services.audit_events.newest(EventFilter(action="export"), 1)[0]
    assert event.object_kind == "supervision"


def test_lanes_and_first_judgements_stand_on_the_page_and_in_the_file(
    reviewed: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.review.supervision.first_judgements.MIN_PEOPLE", 1)
    case_id, caller = open_case(reviewed, "S-1"), reviewed.key("review")
    object.__setattr__(reviewed.services.cases, "blind_share", 1.0)
    form = {"form_token": sign_in_as(reviewed, "reviewer"), "judged_as": "look"}
    address = f"/console/cases/{case_id}/judgements"
    assert reviewed.client.post(address, data=form, headers=ORIGIN).status_code == 200
    sign_in_as(reviewed, "supervisor")
    assert "Fewer than three people have judged" in text_of(page_of(reviewed))
    post(reviewed, case_id, "claim", caller)
    post(reviewed, case_id, "actions", caller, kind="inspect", text="")
    post(reviewed, case_id, "results", caller, **body_of(NOTHING))
    keep_report(reviewed)

    said = text_of(page_of(reviewed))
    assert "Shipments: how often each lane was right" in said
    assert "Operator, by time since first seen" in said
    of_office = text_of(page_of(reviewed, office="DE004600"))
    assert "how often each lane was right" not in of_office
    assert "Groups are compared over all offices together: choose all." in of_office
    assert case_id in page_of(reviewed, "/cases", which="agreed")
    assert case_id not in page_of(reviewed, "/cases", which="differed")
    rows = [*csv.DictReader(io.StringIO(page_of(reviewed, "/figures.csv")))]
    figures = {(row["about"], row["group"], row["figure"]): row for row in rows}
    assert figures["first judgement", "DE004600", "agreement with the score"]["of"] == "1"
    assert ("shipments by lane", "inspect", "right") in figures
    assert figures["shipments sent to inspection, by mode", "sea", "too few to say"]["of"] == "1"


def test_nobody_sees_other_offices_or_a_rescue_or_a_random_check(reviewed: Service) -> None:
    mine = open_case(reviewed, "S-1")
    rescued = rescue(reviewed, "J-1")
    keep_report(reviewed)
    elsewhere = new_account("elsewhere", "a password for tests", "supervisor", ("NL1",), NOW)
    reviewed.services.accounts.add_account(elsewhere)
    form = {"name": "elsewhere", "password": "a password for tests"}
    reviewed.client.cookies.clear()
    reviewed.client.post("/console/sign-in", data=form, headers=ORIGIN)

    for path in ("", "/cases", "/cases.csv", "/figures.csv"):
        page = page_of(reviewed, path)
        assert mine not in page
        assert "DE004600" not in page
        assert "by time since first seen" not in page
        assert "sent to inspection, by" not in page
    paper = reviewed.client.get("/console/supervision/figures.pdf").content
    assert "DE004600" not in printed(paper)
    sign_in_as(reviewed, "supervisor")
    for path in ("", "/cases", "/cases.csv", "/figures.csv"):
        page = page_of(reviewed, path)
        assert rescued not in page
        assert "escue" not in page.split("<main")[-1]
        assert "control" not in page


@pytest.mark.parametrize(
    ("cell", "safe"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("-5 offices", "'-5 offices"), ("Anna", "Anna"), (-5, -5)],
)
def test_no_cell_is_taken_for_a_formula(cell: object, safe: object) -> None:
    assert safe_cell(cell) == safe


@pytest.mark.parametrize("period", ["0000-01", "9999-12", "٢٠٢٦-01", "1899-12", "2026-13"])
def test_a_month_that_no_calendar_of_ours_has_is_refused(period: str) -> None:
    with pytest.raises(ValidationError, match="should match pattern"):
        WantedFigures(period=period)


def test_the_month_before_january_is_december() -> None:
    asked = WantedFigures(period="2026-01").before(NOW.date())

    assert asked is not None
    assert asked.period == "2025-12"
    assert WantedFigures(period="30 days").before(NOW.date()) is None


def test_the_page_of_a_feature_tells_how_checks_of_its_indicator_ended_if_three_made_them(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed)
    reviewed.services.cases.open_new()
    feature = feature_named("leg_count")
    address = f"/console/features/{feature.name}"
    words = "What checks of this indicator showed"
    sign_in_as(reviewed, "auditor")

    for who in ("one", "two", "three"):
        assert words not in text_of(reviewed.client.get(address).text)
        text = f"{feature.indicator}: right"
        mark = StoredEvent(case_id, NOW, f"account:{who}", "mark_reason", "{}", text, who)
        reviewed.services.case_store.append_event(mark)

    assert words in text_of(reviewed.client.get(address).text)
