"""Supervision: who reads what, who trusts blindly, and what a second reader finds."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from httpx import Response

from serving.access.accounts import new_account
from serving.access.roles import ROLE_SCOPES, Role
from serving.review.acts.claim import claim as claim_case
from serving.review.acts.order import order as order_action
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.case_state import Case
from serving.review.cases.reviewer import Reviewer
from serving.review.supervision.supervision import MIN_CASES, ReviewerFigures, Supervision
from tests.serving.api.test_access import _paths
from tests.serving.bodies import route
from tests.serving.conftest import NOW, Service, routes_of
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import person
from tests.serving.review.cases.stated import CHECK, INSPECT, NOTHING, body_of, form_of, post
from tests.serving.review.cases.test_cases_served import open_case, reviewed

__all__ = ["reviewed"]

ALL = CaseAccess(frozenset(), is_rescue=False)
PASSWORD = "a password for tests"

EVERY_ROLE: set[Role] = set(ROLE_SCOPES)

SEEN_BY: dict[str, set[Role]] = {
    "/console/queue": {"reviewer", "supervisor", "rescue", "auditor"},
    "/console/search": {"reviewer", "supervisor", "rescue", "auditor"},
    "/console/queue/new": {"reviewer", "supervisor", "rescue", "auditor"},
    "/console/cases/{case}": {"reviewer", "supervisor", "auditor"},
    "/console/cases/{case}/letter": {"reviewer", "supervisor"},
    "/console/cases/{case}/links": {"reviewer", "supervisor", "auditor"},
    "/console/cases/{case}/together": {"reviewer", "supervisor", "auditor"},
    "/console/cases/{case}/links.graphml": {"reviewer", "supervisor", "auditor"},
    "/console/cases/{case}/case.pdf": {"reviewer", "supervisor", "auditor"},
    "/console/entities/{kind}/{entity}": {"reviewer", "supervisor", "auditor"},
    "/console/entities/{kind}/{entity}/links.graphml": {"reviewer", "supervisor", "auditor"},
    "/console/map/0/0/0.svg": EVERY_ROLE,
    "/console/notices": {"reviewer", "supervisor"},
    "/console/notices/count": {"reviewer", "supervisor"},
    "/console/rescues": {"rescue"},
    "/console/rescues/changes": {"rescue"},
    "/console/rescues/{rescue}": {"rescue"},
    "/console/supervision": {"supervisor", "auditor"},
    "/console/supervision/cases": {"supervisor", "auditor"},
    "/console/supervision/cases.csv": {"supervisor", "auditor"},
    "/console/supervision/figures.csv": {"supervisor", "auditor"},
    "/console/supervision/figures.pdf": {"supervisor", "auditor"},
    "/console/messages": {"supervisor", "auditor"},
    "/console/monitor": {"supervisor", "auditor", "data_scientist"},
    "/console/supervision/reread/{case}": {"reviewer", "supervisor"},
    "/console/decisions": {"reviewer", "supervisor", "auditor", "data_scientist"},
    "/console/decisions/{case}": {"reviewer", "supervisor", "auditor", "data_scientist"},
    "/console/features": {"reviewer", "supervisor", "auditor", "data_scientist"},
    "/console/models": {"auditor", "data_scientist"},
    "/console/approvals": {"supervisor", "data_scientist", "admin"},
    "/console/account": EVERY_ROLE,
    "/console/session": EVERY_ROLE,
    "/console/confirm": EVERY_ROLE,
    "/console/accounts": {"auditor", "admin"},
    "/console/accounts/{account}": {"admin"},
    "/console/accounts/{account}/sessions": {"admin"},
    "/console/switches": {"supervisor", "auditor", "admin"},
    "/console/audit": {"auditor"},
    "/console/audit/events.csv": {"auditor"},
    "/console/audit/events.ndjson": {"auditor"},
}


def sign_in_as(service: Service, role: Role) -> str:
    """Sign in with a fresh account; the token of its forms."""
    name = f"the {role}"
    if service.services.accounts.find(name) is None:
        service.services.accounts.add_account(new_account(name, PASSWORD, role, (), NOW))
    service.client.cookies.clear()
    form = {"name": name, "password": PASSWORD}
    page = service.client.post("/console/sign-in", data=form, headers=ORIGIN)
    found = re.search(r'name="form_token" value="([^"]+)"', page.text)
    return found[1] if found else ""


def open_rescue(service: Service) -> str:
    """A case of people in danger."""
    crowded = route(journey_id="J-rescue", certified_capacity=12, persons_on_board=41)
    case_id: str = service.score(crowded, service.key("score")).json()["decision_id"]
    return case_id


def test_every_page_answers_the_roles_it_is_for_and_no_one_else(
    reviewed: Service, blank_papers: None
) -> None:
    case_id, rescue_id = open_case(reviewed), open_rescue(reviewed)
    reviewed.services.accounts.add_account(new_account("maria", PASSWORD, "reviewer", (), NOW))
    row = reviewed.services.cases.case(Reviewer(person("one"), ALL), case_id)[0]
    named = reviewed.services.entities.named_by([row]).values()
    entity = next(each.token for each in named if each.kind == "party")
    for role in ROLE_SCOPES:
        sign_in_as(reviewed, role)
        for path, seen_by in SEEN_BY.items():
            address = path.replace("{case}", case_id).replace("{rescue}", rescue_id)
            address = address.replace("{account}", "maria").replace("{entity}", entity)
            address = address.replace("{kind}", "party")
            response = reviewed.client.get(address)
            assert (response.status_code == 200) == (role in seen_by), (role, path)


ACTS_BY: dict[str, set[Role]] = {
    "/console/cases/{case}/claim": {"reviewer", "supervisor"},
    "/console/cases/{case}/links": {"reviewer", "supervisor"},
    "/console/cases/{case}/judgements": {"reviewer", "supervisor"},
    "/console/cases/{case}/assignments": {"reviewer", "supervisor"},
    "/console/cases/{case}/undo": {"reviewer", "supervisor"},
    "/console/cases/{case}/notes": {"reviewer", "supervisor"},
    "/console/cases/{case}/tags": {"reviewer", "supervisor"},
    "/console/cases/{case}/actions": {"reviewer", "supervisor"},
    "/console/cases/{case}/results": {"reviewer", "supervisor"},
    "/console/cases/{case}/agreements": {"reviewer", "supervisor"},
    "/console/cases/{case}/disagreements": {"reviewer", "supervisor"},
    "/console/cases/{case}/attachments": {"reviewer", "supervisor"},
    "/console/rescues/{rescue}/acknowledgement": {"rescue"},
    "/console/rescues/{rescue}/claim": {"rescue"},
    "/console/rescues/alerts/{alert}/acknowledgement": {"rescue"},
    "/console/rescues/{rescue}/attachments": {"rescue"},
    "/console/rescues/{rescue}/results": {"rescue"},
    "/console/cases/{case}/justify": {"reviewer", "supervisor", "auditor"},
    "/console/decisions/{case}/justify": {"reviewer", "supervisor", "auditor", "data_scientist"},
    "/console/cases/{case}/letter/write": {"reviewer", "supervisor"},
    "/console/queue/next": {"reviewer", "supervisor", "rescue"},
    "/console/queue/together": {"reviewer", "supervisor"},
    "/console/notices/read": {"reviewer", "supervisor"},
    "/console/notices/unread": {"reviewer", "supervisor"},
    "/console/views": {"reviewer", "supervisor", "rescue", "auditor"},
    "/console/views/{view}/delete": {"reviewer", "supervisor", "rescue", "auditor"},
    "/console/supervision/reread/{case}": {"reviewer", "supervisor"},
    "/console/session": EVERY_ROLE,
    "/console/confirm": EVERY_ROLE,
    "/console/account/password": EVERY_ROLE,
    "/console/account/reading": EVERY_ROLE,
    "/console/account/recovery-codes": EVERY_ROLE,
    "/console/account/second-factor/remove": EVERY_ROLE,
    "/console/account/sessions/end": EVERY_ROLE,
    "/console/accounts": {"admin"},
    "/console/accounts/password": {"admin"},
    "/console/accounts/second-factor": {"admin"},
    "/console/accounts/confirm-holder": {"admin"},
    "/console/accounts/sessions": {"admin"},
    "/console/accounts/disable": {"admin"},
    "/console/accounts/enable": {"admin"},
    "/console/accounts/change": {"admin"},
    "/console/accounts/keys": {"admin"},
    "/console/accounts/teams": {"admin"},
    "/console/accounts/teams/change": {"admin"},
    "/console/accounts/teams/disband": {"admin"},
    "/console/accounts/keys/revoke": {"admin"},
    "/console/switches": {"supervisor", "admin"},
    "/console/approvals": {"supervisor", "data_scientist", "admin"},
    "/console/approvals/cancelled-erasures": {"supervisor", "admin"},
}


def test_every_form_is_for_the_roles_that_may_act_and_no_one_else(reviewed: Service) -> None:
    case_id, rescue_id = open_case(reviewed), open_rescue(reviewed)
    for role in ROLE_SCOPES:
        token = sign_in_as(reviewed, role)
        for path, acted_by in ACTS_BY.items():
            address = path.replace("{case}", case_id).replace("{rescue}", rescue_id)
            form = {"form_token": token}
            response = reviewed.client.post(
                address, data=form, headers=ORIGIN, follow_redirects=False
            )
            assert (response.status_code != 403) == (role in acted_by), (role, path)


def test_every_page_and_every_form_is_in_the_tables_above(reviewed: Service) -> None:
    """But for signing in and out, the style, and what holds the like of a page that is there."""
    alike = {"/console/features/{}", "/console/cases/{}/attachments/{}", "/console/cases/{}/{}"}
    alike |= {"/console/cases/{}/letter/{}", "/console/rescues/{}/{}"}
    # tests/serving/review/rescue/test_ending_rescues.py reads and acts on alerts with every role.
    alike |= {"/console/rescues/alerts/{}", "/console/rescues/alerts/{}/{}"}
    alike |= {
        "/console/accounts/{}/{}",
        "/console/rescues/{}/attachments/{}",
        "/console/cases/{}/messages/{}",
        "/console/rescues/{}/messages/{}",
        "/console/map/{}/{}/{}.svg",
    }
    known = {re.sub(r"{\w+}", "{}", path) for path in (*SEEN_BY, *ACTS_BY)} | alike
    known |= {"/console", "/console/", "/console/{}", "/console/supervision/reread"}
    free = ("/console/sign-", "/console/oidc", "/console/static")

    served = {path for r in routes_of(reviewed.client) for path in _paths(r)}

    pages = {re.sub(r"{[\w:]+}", "{}", path) for path in served if path.startswith("/console")}
    assert {page for page in pages - known if not page.startswith(free)} == set()


def test_a_rescue_is_on_no_page_but_of_those_who_help_or_audit(reviewed: Service) -> None:
    open_case(reviewed)
    rescue_id = open_rescue(reviewed)
    case_pages = (f"/console/cases/{rescue_id}", f"/console/cases/{rescue_id}/letter")
    rescue_page = f"/console/rescues/{rescue_id}"
    reread, decision = (
        f"/console/supervision/reread/{rescue_id}",
        f"/console/decisions/{rescue_id}",
    )
    pages = ("/console/queue", "/console/decisions", "/console/supervision", "/console/monitor")

    def shown(role: Role) -> set[str]:
        sign_in_as(reviewed, role)
        return {
            path
            for path in (*pages, *case_pages, rescue_page, reread, decision)
            if rescue_id in (text := reviewed.client.get(path).text) or "J-rescue" in text
        }

    # `test_rescue_firewall` reads every page as each other role.
    assert shown("rescue") >= {"/console/queue", rescue_page}  # its news stands above each page
    assert shown("auditor") == {"/console/decisions", decision}
    (load,) = Supervision.from_cases(reviewed.services.case_load, ALL, NOW).lanes
    assert load.lane == "inspect"


def test_an_auditor_reads_and_changes_nothing(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    token = sign_in_as(reviewed, "auditor")

    response = reviewed.client.post(
        f"/console/cases/{case_id}/claim", data={"form_token": token}, headers=ORIGIN
    )

    assert response.status_code == 403
    assert "assign" not in [event.action for event in reviewed.services.cases.events(case_id)]


def test_that_a_case_was_read_is_written_down(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    form = {"form_token": sign_in_as(reviewed, "auditor"), "code": "audit", "text": "audit 2026/4"}
    reviewed.client.post(f"/console/cases/{case_id}/justify", data=form, headers=ORIGIN)

    _, event = reviewed.services.cases.events(case_id)
    assert (event.action, event.by.name, event.at) == ("read", "the auditor", NOW)
    pages = ("/console/cases/{}", "/console/cases/{}/letter", "/console/supervision/reread/{}")
    for role in ("reviewer", "supervisor"):
        sign_in_as(reviewed, role)
        for page in pages:
            assert reviewed.client.get(page.format(case_id)).status_code == 200
    told = [(event.action, event.by.name) for event in reviewed.services.cases.events(case_id)]
    assert told[2:] == [
        ("read", f"the {role}") for role in ("reviewer", "supervisor") for _ in pages
    ]


def ended(
    service: Service, subject_id: str, by: dict[str, str], action: CaseAction = INSPECT
) -> str:
    """A case of which an action was ordered, and an inspection found nothing."""
    case_id = open_case(service, subject_id)
    post(service, case_id, "claim", by)
    post(service, case_id, "actions", by, kind=action.kind, text=action.text)
    if action == INSPECT:
        post(service, case_id, "results", by, **body_of(NOTHING))
    return case_id


def test_leaving_undone_what_a_lane_proposes_is_an_override(reviewed: Service) -> None:
    by = reviewed.key("review")
    ended(reviewed, "S-1", by)
    ended(reviewed, "S-2", by, CHECK)

    (figures,) = Supervision.from_cases(reviewed.services.case_load, ALL, NOW).reviewers

    assert (figures.decided, figures.overrides, figures.agreement) == (2, 1, 0.5)
    assert not figures.may_trust_blindly


def test_haste_and_agreement_together_call_for_a_talk(reviewed: Service) -> None:
    by = reviewed.key("review")
    for number in range(MIN_CASES):
        ended(reviewed, f"S-{number}", by)

    (figures,) = Supervision.from_cases(reviewed.services.case_load, ALL, NOW).reviewers

    assert (figures.median_minutes, figures.agreement) == (0, 1)
    assert figures.may_trust_blindly


TRUSTING = ReviewerFigures(
    "one", 20, 1.9, overrides=0, agreement=0.96, reread=0, same_when_reread=0
)


@pytest.mark.parametrize(
    ("figures", "calls"),
    [
        ({}, True),
        ({"decided": 19}, False),
        ({"agreement": 0.951}, True),
        ({"agreement": 0.95}, False),
        ({"agreement": None}, False),
        ({"median_minutes": 0.0}, True),
        ({"median_minutes": 2.0}, False),
        ({"median_minutes": None}, False),
    ],
)
def test_twenty_cases_under_two_minutes_and_more_than_nineteen_in_twenty_agreed_call_for_a_talk(
    figures: dict[str, Any], calls: bool
) -> None:
    assert replace(TRUSTING, **figures).may_trust_blindly is calls


def test_a_blind_reading_shows_no_score_and_is_compared_with_the_first_end(
    reviewed: Service,
) -> None:
    case_id = ended(reviewed, "S-1", reviewed.key("review"))
    sign_in_as(reviewed, "reviewer")

    page = reviewed.client.get(f"/console/supervision/reread/{case_id}").text
    for hidden in ("log-odds", "Log-odds", "speaks for", "asked for by another office", "%"):
        assert hidden not in page
    by: list[tuple[Role, str, int]] = [
        ("reviewer", "nothing_found", 1),
        ("supervisor", "goods_found", 1),
    ]
    for role, code, same in by:
        save_reading(reviewed, case_id, role, code)
        (figures,) = Supervision.from_cases(reviewed.services.case_load, ALL, NOW).reviewers
        assert figures.same_when_reread == same
    assert figures.reread == 2


def save_reading(service: Service, case_id: str, role: Role, code: str) -> Response:
    """Save the blind reading of a case as its form does."""
    return service.client.post(
        f"/console/supervision/reread/{case_id}",
        data={"form_token": sign_in_as(service, role), "code": code},
        headers=ORIGIN,
    )


def test_a_blind_reading_is_confirmed_and_saved_once_by_each_reader(reviewed: Service) -> None:
    case_id = ended(reviewed, "S-1", reviewed.key("review"))
    page = f"/console/supervision/reread/{case_id}"

    first = save_reading(reviewed, case_id, "supervisor", "nothing_found")
    second = save_reading(reviewed, case_id, "supervisor", "goods_found")

    assert first.url.path == "/console/queue"
    assert "<strong>Shipment S-1</strong>: your blind reading is kept." in first.text
    assert second.status_code == 409
    assert (
        "your blind reading of this case is stored already, and counts once" in second.text.lower()
    )
    (figures,) = Supervision.from_cases(reviewed.services.case_load, ALL, NOW).reviewers
    assert (figures.reread, figures.same_when_reread) == (1, 1)
    assert "<select" not in reviewed.client.get(page).text  # there is nothing to save
    drawn = reviewed.client.get("/console/supervision/reread", follow_redirects=False)
    assert drawn.headers["location"] == "/console/queue"
    sign_in_as(reviewed, "reviewer")
    drawn = reviewed.client.get("/console/supervision/reread", follow_redirects=False)
    assert drawn.headers["location"] == page


def test_a_case_that_ended_anew_is_read_again_anew(reviewed: Service) -> None:
    case_id, key = open_case(reviewed, "S-1"), reviewed.key("review")

    for _ in range(2):
        post(reviewed, case_id, "claim", key)
        post(reviewed, case_id, "actions", key, kind="release", text="nothing calls for a look")
        assert save_reading(reviewed, case_id, "supervisor", "release").status_code == 200
        post(reviewed, case_id, "reopen", key, text="a paper came in")

    (figures,) = Supervision.from_cases(reviewed.services.case_load, ALL, NOW).reviewers
    assert figures.reread == 2


def test_the_last_word_on_a_reason_counts(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    token = sign_in_as(reviewed, "reviewer")
    for verdict in ("right", "wrong"):
        reviewed.client.post(
            f"/console/cases/{case_id}/marks",
            data={"form_token": token, "indicator": "D10", "verdict": verdict},
            headers=ORIGIN,
        )

    (marked,) = Supervision.from_cases(reviewed.services.case_load, ALL, NOW).reasons

    assert (marked.indicator, marked.right, marked.wrong) == ("D10", 0, 1)


def test_a_form_of_another_session_changes_nothing(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    stolen = sign_in_as(reviewed, "supervisor")
    sign_in_as(reviewed, "reviewer")

    for token in (stolen, "", "x"):
        response = reviewed.client.post(
            f"/console/cases/{case_id}/claim", data={"form_token": token}, headers=ORIGIN
        )
        assert response.status_code == 403


END = {"confidence": "high", "text": "opened, and looked into"}


@pytest.mark.parametrize(
    ("act", "form", "told"),
    [
        ("actions", {"kind": "release"}, "own words why"),
        ("actions", {"kind": "refer office", "text": "theirs"}, "which office or agency"),
        ("actions", {"kind": "wait and see"}, "kind"),
        ("results", {"code": "nothing_found"}, "reason"),
        (
            "results",
            {"code": "nothing_found other", "confidence": "low", "text": "a" * 10},
            "order",
        ),
        ("waits", {"hours": "never", "text": "waiting for it"}, "how many hours"),
        (
            "waits",
            {"hours": "9999", "waiting_for": "reply", "text": "waiting for it"},
            "within 14 days",
        ),
        ("marks", {"indicator": "D10", "verdict": "perhaps"}, "right, wrong or unclear"),
    ],
)
def test_a_form_that_says_too_little_is_answered_on_the_page(
    reviewed: Service, act: str, form: dict[str, str], told: str
) -> None:
    case_id = open_case(reviewed)
    token = sign_in_as(reviewed, "reviewer")
    claim = f"/console/cases/{case_id}/claim"
    reviewed.client.post(claim, data={"form_token": token}, headers=ORIGIN)

    response: Any = reviewed.client.post(
        f"/console/cases/{case_id}/{act}",
        data=form_of(reviewed, case_id, token, **form),
        headers=ORIGIN,
    )

    assert 'role="alert"' in response.text
    assert told in response.text
    assert "This case is yours" in response.text


def test_what_the_form_says_of_an_inspection_is_in_its_outcome(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    token = sign_in_as(reviewed, "reviewer")
    of_case = f"/console/cases/{case_id}"
    for act, said in (("claim", {}), ("actions", {"kind": "inspect"})):
        sent = form_of(reviewed, case_id, token) | said
        reviewed.client.post(f"{of_case}/{act}", data=sent, headers=ORIGIN)
    page = reviewed.client.get(of_case).text
    stated = {"offence_document_fraud": "true", "offence_cash": "true", "examination": "scan"}
    blank = {"depth": "", "found_mass_kg": "", "found_items": "", "found_persons": ""}
    form = END | stated | blank | {"inspected_at": f"{NOW:%Y-%m-%dT%H:%M}"}
    form |= form_of(reviewed, case_id, token)

    for code in ("nothing_found other", "inconclusive other"):
        refused: Any = reviewed.client.post(
            f"{of_case}/results", data=form | {"code": code}, headers=ORIGIN
        )
        assert "Offences name cash" in refused.text
    form = {name: said for name, said in form.items() if not name.startswith("offence_")}
    reviewed.client.post(
        f"{of_case}/results", data=form | {"code": "inconclusive other"}, headers=ORIGIN
    )

    for name in (*stated, *blank, "is_protection"):
        assert f'name="{name}"' in page
    (label,) = (json.loads(row.body) for row in reviewed.services.records.all())
    assert (label["result"], label["examination"], label["depth"]) == ("inconclusive", "scan", None)
    assert datetime.fromisoformat(label["inspected_at"]) == NOW.replace(second=0, microsecond=0)
    assert label["is_inspected_at_stated"] is True
    assert "examination scan" in reviewed.client.get(of_case).text


def test_the_way_of_smuggling_that_two_persons_found_is_in_the_outcome(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    of_case = f"/console/cases/{case_id}"
    form = END | {"code": "goods_found other", "offence_tobacco": "true"}

    def end(role: Role, typology: str) -> str:
        token = sign_in_as(reviewed, role)
        reviewed.client.post(f"{of_case}/claim", data={"form_token": token}, headers=ORIGIN)
        if role == "reviewer":
            said = form_of(reviewed, case_id, token, kind="inspect")
            reviewed.client.post(f"{of_case}/actions", data=said, headers=ORIGIN)
        said = form | form_of(reviewed, case_id, token, typology=typology)
        page: str = reviewed.client.post(f"{of_case}/results", data=said, headers=ORIGIN).text
        return page

    refused = end("reviewer", "lorry_concealment")
    assert (
        "Typology lorry_concealment (people hidden in the load of a lorry) does not go" in refused
    )
    assert '<option value="transit_diversion">goods in transit that never left' in refused
    assert not [*reviewed.services.records.all()]
    for role in ("reviewer", "supervisor"):
        assert "typology transit diversion" in end(role, "transit_diversion")
    agreed = form_of(reviewed, case_id, sign_in_as(reviewed, "supervisor"), text="so it was")
    reviewed.client.post(f"{of_case}/agreements", data=agreed, headers=ORIGIN)
    (label,) = (json.loads(row.body) for row in reviewed.services.records.all())
    assert (label["result"], label["typology"]) == ("confirmed", "transit_diversion")


def test_a_disabled_account_is_out_at_once(reviewed: Service) -> None:
    sign_in_as(reviewed, "reviewer")
    assert reviewed.client.get("/console/queue").url.path == "/console/queue"

    reviewed.services.accounts.disable("the reviewer", NOW)

    assert reviewed.client.get("/console/queue").url.path == "/console/sign-in"
    sign_in_as(reviewed, "reviewer")
    assert reviewed.client.get("/console/queue").url.path == "/console/sign-in"


def test_time_on_a_case_runs_from_its_claim(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    who = Reviewer(person("one"), ALL)
    reviewed.services.cases.act(who, case_id, lambda case: claim_case(case, who.actor, NOW))
    later: datetime = NOW + timedelta(minutes=7)

    def inspect(case: Case) -> Any:
        return order_action(case, who.actor, later, INSPECT)

    book = reviewed.services.cases
    book.act(who, case_id, inspect)

    (figures,) = Supervision.from_cases(reviewed.services.case_load, ALL, later).reviewers
    assert figures.median_minutes == 7
