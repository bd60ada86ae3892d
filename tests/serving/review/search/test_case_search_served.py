"""`GET /v1/cases?q=`: what matched, what is refused, and what others' cases stay."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.integrity.audit_log import EventFilter
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.claim import claim
from serving.review.acts.order import order_action
from serving.review.cases.actions import CaseAction
from serving.settings import Settings
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.people import reviewer
from tests.serving.review.cases.test_cases_served import PLAN
from tests.serving.review.supervision.test_supervision_served import sign_in_as

HERE, THERE = "DE004600", "DE009999"


@pytest.fixture(scope="module")
def searched(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with a case of each of two offices, one of them closed."""
    home = tmp_path_factory.mktemp("searched") / "home"
    shutil.copytree(trained_home, home)
    (home / "lanes.toml").write_text(PLAN)
    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app) as client:
        service = Service(client, app.state.services, home)
        caller = service.key("score")
        for number, office in ((1, HERE), (2, THERE)):
            body = shipment(
                shipment_id=f"S-2026-{number}",
                office_id=office,
                container_number=f"MSCU 000000{number}",
            )
            case_id = service.score(body, caller).json()["case_id"]
        who, cases = reviewer("one"), service.services.cases
        cases.act(who, case_id, lambda case: claim(case, who.actor, NOW))
        order_action(ActRequest(cases, who, case_id, NOW), CaseAction("release", "all is well"))
        yield service


def ask(
    service: Service, q: str, caller: dict[str, str] | None = None, **also: str
) -> list[object]:
    """What a search finds: the subject of each case, and what matched."""
    headers = caller or service.key("review")
    answer = service.client.get("/v1/cases", params={"q": q, **also}, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["next"] is None
    return [(case["subject_id"], case["matched"]) for case in answer.json()["cases"]]


def matched(value: str, *names: str) -> list[dict[str, object]]:
    return [{"names": list(names), "value": value}]


def test_a_search_says_what_matched_and_as_what(searched: Service) -> None:
    assert ask(searched, "mscu-0000001") == [("S-2026-1", matched("MSCU 0000001", "container"))]
    assert ask(searched, "s2026 2") == [("S-2026-2", matched("S-2026-2", "shipment"))]
    both = ask(searched, "C-0012")
    assert [found for _, found in both] == [matched("c-0012", "consignee", "payer")] * 2
    (case,) = ask(searched, "s20261")
    assert case == ("S-2026-1", matched("S-2026-1", "shipment"))
    assert ask(searched, "nobody") == []


def test_whoever_belongs_to_an_office_finds_its_cases_alone(searched: Service) -> None:
    here = searched.key("review", offices=(HERE,))

    assert [subject for subject, _ in ask(searched, "c-0012", here)] == ["S-2026-1"]
    assert ask(searched, "MSCU 0000002", here) == ask(searched, "MSCU 0000003", here) == []
    assert ask(searched, "c-0012", searched.key("rescue")) == []
    refused = searched.client.get("/v1/cases?q=c-0012", headers=searched.key("score"))
    assert refused.status_code == 403


def test_a_list_says_of_no_case_what_matched(searched: Service) -> None:
    answer = searched.client.get("/v1/cases?subject_id=S-2026-1", headers=searched.key("review"))

    assert [case["matched"] for case in answer.json()["cases"]] == [[]]


@pytest.mark.parametrize(
    "q",
    [
        "",
        "ab",
        "%00abc",
        "MSCU%25",
        "MSCU*",
        "%ED%A0%80abc",
        "%FFabc",
        quote("abc\x07"),
        "a" * 10_000,
    ],
)
def test_what_cannot_be_searched_for_is_refused_and_not_repeated(searched: Service, q: str) -> None:
    answer = searched.client.get(f"/v1/cases?q={q}", headers=searched.key("review"))

    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 1_500


@pytest.mark.parametrize("also", ["subject_id=S-1", "cursor=nothing", "cursor=a'b"])
def test_what_a_search_cannot_have_beside_it_is_refused(searched: Service, also: str) -> None:
    answer = searched.client.get(f"/v1/cases?q=c-0012&{also}", headers=searched.key("review"))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].strip("/") == also.partition("=")[0]


def test_pages_follow_each_other_to_the_last(searched: Service) -> None:
    caller = searched.key("review")
    params = {"q": "c-0012", "limit": "1"}
    found = []
    while True:
        page = searched.client.get("/v1/cases", params=params, headers=caller).json()
        found += [case["subject_id"] for case in page["cases"]]
        assert len(found) <= 2
        if page["next"] is None:
            break
        params["cursor"] = page["next"]

    assert sorted(found) == ["S-2026-1", "S-2026-2"]


def test_every_search_is_an_event_of_its_caller(searched: Service) -> None:
    caller = searched.key("review")
    case_ids = [
        case["case_id"]
        for case in searched.client.get("/v1/cases?q=c-0012", headers=caller).json()["cases"]
    ]

    event = searched.services.audit_events.newest(EventFilter(action="read"), 1)[0]

    assert event.actor_name == f"caller-{searched.posted}"
    assert (event.object_kind, event.details["cases"]) == ("cases", case_ids)
    token = searched.services.masking.tokens.token("search term", "c0012")
    assert event.details["search"] == token
    assert "0012" not in str(event).replace(token, "")


def test_a_closed_case_is_found_and_says_so(searched: Service) -> None:
    caller = searched.key("review")
    (case,) = searched.client.get("/v1/cases?q=S-2026-2", headers=caller).json()["cases"]

    assert case["status"] == "closed"
    assert ask(searched, "S-2026-2", status="open") == []
    assert len(ask(searched, "S-2026-2", status="closed")) == 1


def read(service: Service, address: str) -> str:
    """The words of a page, in order."""
    answer = service.client.get(address)
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2]).split())


def test_the_console_shows_what_matched_and_marks_closed_cases(searched: Service) -> None:
    sign_in_as(searched, "reviewer")

    words = read(searched, "/console/search?q=mscu")

    assert "Shipment S-2026-1" in words
    assert "Container MSCU 0000001" in words
    assert words.count("Closed Container MSCU 0000002") == words.count("Closed Container") == 1
    assert "S-2026-2" not in read(searched, "/console/search?q=mscu&status=open")
    assert "No case that you may see names this." in read(searched, "/console/search?q=nobody")
    assert 'name="q"' in searched.client.get("/console/queue").text


def test_the_console_says_why_a_search_is_refused(searched: Service) -> None:
    sign_in_as(searched, "reviewer")
    assert "Search cases" in read(searched, "/console/search")

    for q, status, words in (
        ("MSC*", 422, "want no wildcard"),
        ("ab", 422, "want at least 3 letters or digits"),
        ("a" * 10_000, 422, "This cannot be taken as it is"),
        ("<b>*", 422, "want no wildcard"),
    ):
        answer = searched.client.get("/console/search", params={"q": q})
        assert (answer.status_code, words in answer.text) == (status, True)
        assert f'value="{q}"' not in answer.text
        assert len(q) < 10 or q not in answer.text
