"""The page of a message: a reason of a case leads to the line that says what it rests on."""

import re
from html import unescape

import pytest

from features.messages.stored_text import MessageText
from serving.console.messages import LINES_AROUND, MAX_SHOWN_LENGTH, shown_lines
from serving.history.kept_messages import MessageContent
from tests.serving.api.test_messages import sample, send, watched
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.review.supervision.test_supervision_served import (
    ORIGIN,
    PASSWORD,
    new_account,
    sign_in_as,
)

__all__ = ["watched"]

VOYAGE = "9074729/2647E"


def test_a_reason_leads_to_the_line_of_the_message_that_says_it(watched: Service) -> None:
    told = send(watched, watched.key("ingest", "score")).json()
    case_id = told["decisions"][0]["case_id"]
    sign_in_as(watched, "reviewer")

    case = watched.client.get(f"/console/cases/{case_id}").text
    links = {unescape(link) for link in re.findall(r'class="in-message" href="([^"]+)"', case)}

    assert f'href="/console/cases/{case_id}/messages/{told["message_id"]}"' in case
    facts = case[case.index('<h2 id="facts">') :]
    value = facts[facts.index("Declared value") :]
    assert "DeclaredCustomsValueAmount" in value[: value.index("</dd>")]
    mass = next(link for link in links if "GrossWeightMeasure" in link)
    page = watched.client.get(mass)
    assert page.status_code == 200
    assert mass.endswith("#here")
    (found,) = re.findall(r'<li id="line-(\d+)" class="found"><code>(.*?)</code>', page.text)
    assert int(found[0]) == 11
    assert '<mark id="here">4210</mark>' in found[1]
    assert "Nordwind" not in page.text
    history = watched.client.get(f"/console/cases/{case_id}").text
    assert told["message_id"] in history[history.index('id="events"') :]


def test_a_message_is_shown_with_its_own_case_alone(watched: Service) -> None:
    told = send(watched, watched.key("ingest", "score")).json()
    address = f"/console/cases/{told['decisions'][0]['case_id']}/messages"

    sign_in_as(watched, "reviewer")
    assert watched.client.get(f"{address}/another").status_code == 404
    sign_in_as(watched, "rescue")
    mine = f"{address}/{told['message_id']}".replace("cases", "rescues")
    assert watched.client.get(mine).status_code == 404
    sign_in_as(watched, "auditor")
    asked = watched.client.get(f"{address}/{told['message_id']}", follow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (303, address.rpartition("/")[0])


OFFICES = {"AC4711": "north", "AC4712": "south"}


@pytest.fixture
def manifest(watched: Service) -> tuple[Service, dict[str, str], str]:
    """A service with the cases of two offices by shipment, and the id of a manifest about both."""
    caller = watched.key("ingest", "score")
    cases = {}
    for shipment_id, office_id in OFFICES.items():
        own = {"shipment_id": shipment_id, "office_id": office_id, "journey_id": VOYAGE}
        body = shipment(**own, container_number="MSKU9070323")
        body["journey"]["journey_id"] = VOYAGE
        body["legs"][0]["journey_id"] = VOYAGE
        cases[shipment_id] = watched.score(body, caller).json()["decision_id"]
    body = sample("edifact", "cuscar.edi")
    message_id = send(watched, caller, body, "edifact", key="manifest").json()["message_id"]
    return watched, cases, message_id


def page_of(service: Service, offices: tuple[str, ...], case_id: str, message_id: str) -> str:
    """The page of a message as an officer of some offices reads it; of all without any."""
    name = "-".join(("officer", *offices))
    account = new_account(name, PASSWORD, "reviewer", offices, NOW)
    service.services.accounts.add_account(account)
    service.client.cookies.clear()
    form = {"name": name, "password": PASSWORD}
    service.client.post("/console/sign-in", data=form, headers=ORIGIN)
    page = service.client.get(f"/console/cases/{case_id}/messages/{message_id}")
    assert page.status_code == 200
    return page.text


def test_officers_of_two_offices_are_each_shown_their_own_consignments(
    manifest: tuple[Service, dict[str, str], str],
) -> None:
    service, cases, message_id = manifest
    own = {"AC4711": "INFLATABLE BOATS", "AC4712": "OUTBOARD MOTORS"}
    for shipment_id, office_id in OFFICES.items():
        (other,) = set(OFFICES) - {shipment_id}
        page = page_of(service, (office_id,), cases[shipment_id], message_id)
        key = service.key("review", offices=(office_id,))
        answer = service.client.get(f"/v1/stored_messages/{message_id}", headers=key)

        for told in (page, answer.text):
            assert own[shipment_id] in told
            assert own[other] not in told
            assert other not in told
            assert "SEA MERCHANT" in told  # the journey of both
        assert "lines about consignments of other offices are not shown" in page
        assert {each["subject_id"] for each in answer.json()["made"]} == {shipment_id, VOYAGE}
        sent = sample("edifact", "cuscar.edi").decode().splitlines()
        lines = answer.json()["text"].splitlines()
        assert len(lines) == len(sent)
        at = next(number for number, line in enumerate(lines) if own[shipment_id] in line)
        assert own[shipment_id] in sent[at]
        own_line = re.search(r'<li id="line-(\d+)"[^>]*><code>[^<]*' + own[shipment_id], page)
        assert own_line is not None
        assert int(own_line[1]) == at + 1


def test_who_sees_the_cases_of_all_offices_is_shown_all_of_a_message(
    manifest: tuple[Service, dict[str, str], str],
) -> None:
    service, cases, message_id = manifest

    page = page_of(service, (), cases["AC4711"], message_id)

    assert "INFLATABLE BOATS" in page
    assert "OUTBOARD MOTORS" in page
    assert "not shown" not in page
    answer = service.client.get(
        f"/v1/stored_messages/{message_id}", headers=service.key("review")
    ).json()
    assert (answer["hidden_line_count"], answer["records"]["documents"]) == (0, 3)


def content(text: str, **spans: tuple[int, int]) -> MessageContent:
    return MessageContent("", "", 0, "", {}, (), (), MessageText.of(text), spans)


def test_the_lines_around_a_place_are_shown_with_the_place_marked() -> None:
    text = "\n".join(f"line {number}" for number in range(1, 2_001))
    start = text.index("1500")

    shown = list(shown_lines(content(text, here=(start, start + 4)), "here"))

    assert [shown[0].number, shown[-1].number] == [1500 - LINES_AROUND, 1500 + LINES_AROUND]
    (marked,) = (line for line in shown if line.marked)
    assert (marked.number, marked.before, marked.marked, marked.after) == (
        1500,
        "line ",
        "1500",
        "",
    )
    first = list(shown_lines(content(text), "nowhere"))
    assert (first[0].number, len(first), any(line.marked for line in first)) == (1, 601, False)


def test_lines_that_are_not_shown_are_told_once_and_take_up_no_room() -> None:
    text = "\n".join(["first", *[""] * 2_000, "wanted", "last"])
    start = text.index("wanted")

    shown = list(shown_lines(content(text, here=(start, start + 6)), "here", [range(2, 2_002)]))

    assert [(each.number, each.hidden_count) for each in shown] == [
        (1, 0),
        (2, 2_000),
        (2_002, 0),
        (2_003, 0),
    ]
    assert [each.marked for each in shown] == ["", "", "wanted", ""]


def test_of_a_long_line_what_is_near_is_shown_and_nothing_turns_it_round() -> None:
    text = "x" * 9_000 + "\u202eAB" + "y" * 9_000

    (line,) = shown_lines(content(text, here=(9_001, 9_003)), "here")

    assert line.marked == "AB"
    assert line.before == "…" + "x" * (MAX_SHOWN_LENGTH - 1) + "\N{REPLACEMENT CHARACTER}"
    assert line.after == "y" * MAX_SHOWN_LENGTH + "…"
