"""The console: who gets in, what a case says, and that nothing foreign runs or is let in."""

import math
import re
import shutil
from datetime import timedelta
from typing import Any

import pytest

from serving.access.accounts import new_account
from serving.access.actors import SERVICE
from serving.access.roles import Role
from serving.access.sessions import Session
from serving.audit.decision import Decision
from serving.console.case_view import CaseView
from serving.integrity.audit_log import AuditEvent
from serving.review.cases.case_summary import SELECTED_AT_RANDOM
from serving.triage.lane_declarations import LANE_NAMES, Lane, shown_score_lane
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.world import train_and_promote

HAMBURG, MUNICH = "DE004600", "DE002100"
ORIGIN = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}


def foreign_scripts(page: str) -> list[str]:
    """Every script that is not, without any text of its own, one of our own files."""
    own = r'<script src="/console/static/[a-z.]+\.js" defer></script>'
    return re.findall(r"<script.{0,80}", re.sub(own, "", page), re.DOTALL)


PASSWORD = "a password for tests"


def sign_in(
    service: Service, role: Role = "auditor", offices: tuple[str, ...] = (), **fields: str
) -> Any:
    """Sign in as the holder of an account of this role, which is made where it is not there."""
    if service.services.accounts.find(role) is None:
        service.services.accounts.add_account(new_account(role, PASSWORD, role, offices, NOW))
    form = {"name": role, "password": PASSWORD, **fields}
    return service.client.post("/console/sign-in", data=form, headers=ORIGIN)


def justify(service: Service, decision: Decision) -> None:
    """Say why a decision is read that the reader did not ask for, where its page wants it."""
    address = f"/console/decisions/{decision.decision_id}"
    if "Why do you read this case?" not in service.client.get(address).text:
        return
    session = service.services.sessions.find(service.client.cookies["tidegate"], NOW)
    assert session is not None
    form = {"form_token": session.form_token, "code": "audit", "text": "a test of the pages"}
    assert service.client.post(f"{address}/justify", data=form, headers=ORIGIN).status_code == 200


def decided(service: Service, body: dict[str, Any], caller: dict[str, str]) -> Decision:
    answer = service.score(body, caller).json()
    record = service.services.decisions.record(answer["decision_id"])
    assert record is not None
    return Decision.model_validate_json(record)


def test_a_session_planted_before_signing_in_opens_nothing_after_it(service: Service) -> None:
    sign_in(service)
    name = "tidegate"
    planted = service.client.cookies[name]
    service.client.cookies.clear()
    service.client.cookies.set(name, "planted-by-another")

    sign_in(service)

    fresh = [cookie.value for cookie in service.client.cookies.jar if cookie.name == name]
    given = next(value for value in fresh if value != "planted-by-another")
    assert given not in (planted, "planted-by-another")
    service.client.cookies.clear()
    service.client.cookies.set(name, "planted-by-another")
    answer = service.client.get("/console/decisions", follow_redirects=False)
    assert (answer.status_code, "/console/sign-in" in answer.headers["location"]) == (303, True)


@pytest.mark.parametrize(
    "page", ["", "/", "/decisions", "/decisions/x", "/features", "/features/x"]
)
def test_every_page_asks_to_sign_in_first(service: Service, page: str) -> None:
    response = service.client.get(f"/console{page}")

    assert response.status_code == 200
    assert 'name="password"' in response.text


def test_the_bare_address_leads_to_the_console(service: Service) -> None:
    assert service.client.get("/").url.path == "/console/sign-in"


def test_a_reader_comes_back_to_the_page_that_was_asked_for(service: Service) -> None:
    caller = service.key("score", "explain")
    decision = decided(service, shipment(), caller)
    asked = service.client.get(f"/console/decisions/{decision.decision_id}")
    to = re.findall(r'name="to" value="([^"]+)"', asked.text)[0]

    response = sign_in(service, to=to)

    assert response.url.path == f"/console/decisions/{decision.decision_id}"
    assert "Shipment S-1" in response.text


@pytest.mark.parametrize(
    "to", ["https://example.org/", "//example.org", "/v1/scores", "/console/sign-out", "\\\\x"]
)
def test_signing_in_leads_to_our_own_pages_only(service: Service, to: str) -> None:
    response = sign_in(service, to=to)

    assert str(response.url) == "http://testserver/console/decisions"


def test_a_key_signs_nobody_in_whatever_its_scopes_and_the_form_asks_for_none(
    service: Service,
) -> None:
    key = service.key("explain", "review", "administer")
    text = key["Authorization"].removeprefix("Bearer ")
    form = service.client.get("/console/sign-in").text
    assert 'name="key"' not in form
    assert "API key" not in form

    for fields in ({"key": text}, {"name": text, "password": text}, {"password": text}):
        response = service.client.post("/console/sign-in", data=fields, headers=ORIGIN)
        assert response.status_code == 401
    (kept,) = service.services.api_keys.all()
    planted, cookie = Session.begin(f"key:{kept.key_id}", NOW, timedelta(hours=1))
    event = AuditEvent(NOW, SERVICE, "sign_in", "key", "planted")
    service.services.sessions.add_session(planted, NOW, event)
    service.client.cookies.set("tidegate", cookie)
    assert 'name="password"' in service.client.get("/console/decisions").text


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(service: Service) -> None:
    sign_in(service)
    service.client.cookies.clear()
    form = {"name": "auditor", "password": PASSWORD}
    response = service.client.post(
        "/console/sign-in", data=form, headers=ORIGIN, follow_redirects=False
    )

    cookies = response.headers.get_list("Set-Cookie")
    assert len(cookies) == 2  # the session, and what lets the browser be known
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert PASSWORD not in cookie


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_from_elsewhere_is_refused(service: Service, headers: dict[str, str]) -> None:
    service.services.accounts.add_account(new_account("one", PASSWORD, "auditor", (), NOW))
    form = {"name": "one", "password": PASSWORD}

    response = service.client.post("/console/sign-in", data=form, headers=headers)

    assert response.status_code == 403
    assert "tidegate" not in service.client.cookies


def test_signing_out_needs_the_token_of_the_session_and_ends_it(service: Service) -> None:
    page = sign_in(service)
    (token,) = re.findall(r'name="form_token" value="([^"]+)"', page.text)
    cookie = service.client.cookies["tidegate"]

    forged = service.client.post("/console/sign-out", data={"form_token": "x"}, headers=ORIGIN)
    assert forged.status_code == 403
    service.client.post("/console/sign-out", data={"form_token": token}, headers=ORIGIN)

    assert service.services.sessions.find(cookie, NOW) is None


def test_a_session_ends_by_itself(service: Service) -> None:
    sign_in(service)
    cookie = service.client.cookies["tidegate"]

    lasting = timedelta(minutes=service.services.settings.session_minutes)

    assert service.services.sessions.find(cookie, NOW + lasting) is None


def test_disabling_an_account_ends_its_sessions(service: Service) -> None:
    sign_in(service)
    service.services.accounts.disable("auditor", NOW)

    assert 'name="password"' in service.client.get("/console/decisions").text


def test_an_office_reads_its_own_cases_only(service: Service) -> None:
    decision = decided(service, shipment(office_id=HAMBURG), service.key("score"))
    sign_in(service, offices=(MUNICH,))

    page = service.client.get(f"/console/decisions/{decision.decision_id}")

    assert page.status_code == 404
    assert page.headers["Content-Type"].startswith("text/html")
    assert "S-1" not in service.client.get("/console/decisions").text


def test_a_case_shows_reasons_values_and_a_sum_that_adds_up(service: Service) -> None:
    caller = service.key("score", "explain")
    decision = decided(service, shipment(declared_value=420.0), caller)
    sign_in(service)
    justify(service, decision)

    page = service.client.get(f"/console/decisions/{decision.decision_id}").text

    for reason in decision.reasons_in():
        for seen in reason.evidence:
            if seen.contribution:
                assert f'href="/console/features/{seen.feature}"' in page
    assert 'Its declared price is <span class="unbroken">0.34 EUR</span> per kg' in page
    assert "of all shipments" in page
    assert "the packing list" in page
    shown = [float(n.replace("−", "-")) for n in re.findall(r'number">([+−]\d+\.\d{3})<', page)]
    *parts, total = shown
    assert math.fsum(parts) == pytest.approx(total, abs=0.0005 * len(shown))
    assert total == pytest.approx(decision.score.log_odds, abs=0.0005)


def test_a_case_begins_with_two_sentences(service: Service) -> None:
    case = CaseView.from_decision(
        decided(service, shipment(), service.key("score", "explain")), is_explained=True
    )

    assert case.what.startswith("Shipment of inflatable boats, code 890310 (")
    assert case.what.count(". ") == case.why.count(". ") == 0
    assert case.what.endswith(".")
    assert case.why.endswith(".")


def test_a_life_at_risk_is_why_a_case_is_here(service: Service) -> None:
    case = CaseView.from_decision(
        decided(service, route(persons_on_board=60), service.key("score")), is_explained=True
    )

    assert case.lane == "Rescue"
    assert case.why == (
        "Lives may be at risk: 60 persons on board of a fishing vessel certified for 12."
    )


def test_a_control_case_gives_no_reason_and_no_score(service: Service) -> None:
    decision = decided(service, shipment(), service.key("score", "explain"))
    drawn = decision.model_copy(update={"lane": "control", "lane_reason": "random"})

    case = CaseView.from_decision(drawn, is_explained=True)

    assert decision.reasons_in()
    assert case.reasons_for == case.reasons_against == ()
    assert case.is_drawn
    assert case.why == SELECTED_AT_RANDOM


def test_a_control_case_looks_like_any_other_inspection(service: Service) -> None:
    decision = decided(service, shipment(), service.key("score"))

    def told(lane: Lane) -> tuple[str, str]:
        case = CaseView.from_decision(
            decision.model_copy(update={"lane": lane, "lane_reason": "random"}), is_explained=True
        )
        return case.lane, case.why

    assert told("control") == told("inspect")
    assert "control" not in set(LANE_NAMES.values())


def test_what_a_declarant_writes_never_becomes_markup(service: Service) -> None:
    caller = service.key("score", "explain")
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    decision = decided(service, shipment(goods_description=evil), caller)
    sign_in(service)
    justify(service, decision)

    for address in (f"/console/decisions/{decision.decision_id}", "/console/decisions"):
        page = service.client.get(address).text
        assert foreign_scripts(page) == []
        assert "<img src=x" not in page
        assert "&lt;script&gt;" in page


def test_no_page_may_run_or_load_anything_foreign(service: Service) -> None:
    caller = service.key("score", "explain")
    decision = decided(service, shipment(), caller)
    sign_in(service)
    addresses = (
        "/sign-in",
        "/decisions",
        f"/decisions/{decision.decision_id}",
        "/features",
        "/features/unit_value_eur_per_kg",
        "/decisions/none",
        "/features/none",
    )

    for address in addresses:
        response = service.client.get(f"/console{address}")
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["Cache-Control"] == "no-store"
        assert foreign_scripts(response.text) == []
        assert not re.search(r"<style|\sstyle=|\son\w+=|https?://", response.text)


def test_a_feature_page_leads_to_its_place_in_the_code(service: Service) -> None:
    sign_in(service)

    page = service.client.get("/console/features/unit_value_eur_per_kg").text

    assert re.search(r"features/families/valuation\.py#L\d+", page)
    assert "half are below" in page
    assert "tidegate-shipment, version 1" in page


def test_an_unknown_feature_is_a_page_not_a_crash(service: Service) -> None:
    sign_in(service)

    assert service.client.get("/console/features/none").status_code == 404


@pytest.mark.parametrize(
    "address", ["/console/nowhere", "/console/queue/", "/console/decisions/a/b"]
)
def test_an_address_that_no_page_has_is_answered_by_a_page(service: Service, address: str) -> None:
    answer = service.client.get(address)

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "no page at this address" in answer.text


@pytest.mark.parametrize(
    ("address", "status"),
    [("nowhere", 404), ("cases/none", 404), ("accounts", 403), ("queue?mode=walked", 422)],
)
def test_a_refusal_leads_on_with_the_navigation_of_whoever_is_signed_in(
    service: Service, address: str, status: int
) -> None:
    stranger = service.client.get("/console/nowhere").text
    sign_in(service, "reviewer")

    refused = service.client.get(f"/console/{address}")

    assert refused.status_code == status
    assert "Go on with your work" in refused.text
    assert 'href="/console/queue"' in refused.text
    assert 'href="/console/accounts"' not in refused.text
    assert "<nav" not in stranger
    assert "Sign in" in stranger


@pytest.mark.parametrize(
    ("address", "place"),
    [("queue", "queue"), ("cases/none", "queue"), ("decisions", "decisions"), ("account", None)],
)
def test_the_navigation_says_on_which_page_one_is(
    service: Service, address: str, place: str | None
) -> None:
    sign_in(service, "reviewer")

    shown = service.client.get(f"/console/{address}").text

    current = re.findall(r'<a href="/console/(\w+)" aria-current="page">', shown)
    assert current == ([] if place is None else [place])


def test_a_wrong_parameter_is_a_page_that_names_it_and_repeats_nothing(service: Service) -> None:
    sign_in(service, "reviewer")

    answer = service.client.get("/console/queue?mode=<b>flown</b>&older_than_hours=-1")

    assert answer.status_code == 422
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "mode" in answer.text
    assert "greater than or equal to 0" in answer.text
    assert "flown" not in answer.text


def test_the_style_sheet_is_served(service: Service) -> None:
    assert service.client.get("/console/static/console.css").status_code == 200
    assert service.client.get("/console/static/../pages.py").status_code == 404


def test_a_page_whose_reasons_cannot_be_derived_says_so_and_shows_the_facts(
    service: Service,
) -> None:
    decision = decided(service, shipment(), service.key("score"))
    sign_in(service)
    train_and_promote(service.home, "shipment", "2", seed=8)
    service.services.models.refresh()
    shutil.rmtree(service.home / "models" / "tidegate-shipment" / "1")

    page = service.client.get(f"/console/decisions/{decision.decision_id}")

    assert page.status_code == 200
    assert "The reasons cannot be derived now: tidegate-shipment 1" in page.text
    assert "What speaks for a closer look" not in page.text
    assert "Shipment S-1" in service.client.get("/console/decisions").text


def test_decisions_are_found_by_subject_lane_office_period_case_and_model(
    service: Service,
) -> None:
    caller = service.key("score")
    made = [decided(service, shipment(shipment_id=name), caller) for name in ("S-100", "S-200")]
    first, second = (each.decision_id for each in made)
    sign_in(service, "auditor")

    def listed(**asked: str) -> set[str]:
        page = service.client.get("/console/decisions", params=asked)
        assert page.status_code == 200, asked
        return {each for each in (first, second) if each in page.text}

    (lane,) = {shown_score_lane(each.lane) for each in made}
    today, tomorrow = f"{NOW:%Y-%m-%d}", f"{NOW + timedelta(days=1):%Y-%m-%d}"
    assert listed() == listed(lane="", first="", case="") == {first, second}
    assert listed(subject="S-200") == {second}
    assert listed(lane=lane) == listed(office="DE004600") == {first, second}
    assert listed(first=today, last=today) == listed(model="1") == {first, second}
    assert listed(lane="manual") == listed(office="NL1") == listed(subject="S-2") == set()
    assert listed(first=tomorrow) == listed(model="2") == set()
    assert listed(case="closed") == set()
    assert service.client.get("/console/decisions?model=%25").status_code == 422
    assert listed(case="none") | listed(case="open") == {first, second}
    assert listed(case="none") & listed(case="open") == set()
