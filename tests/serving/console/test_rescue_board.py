"""The board of rescues: one incident per conveyance, the longest unanswered first, for rescuers."""

import html
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from serving.console.rescue_log import age_in_words
from serving.console.rescues import _shown
from tests.serving.bodies import route
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import person
from tests.serving.review.cases.test_cases_served import reviewed
from tests.serving.review.supervision.test_supervision_served import sign_in_as

__all__ = ["reviewed"]

DECLARED = datetime.fromisoformat(route()["journey"]["declared_at"])


def rescue(service: Service, journey_id: str, **journey: Any) -> str:
    """The case of people in danger; `heard` has hours since the declaration and a latitude."""
    heard = journey.pop("heard", ())
    crowded = {"certified_capacity": 12, "persons_on_board": 41, "conveyance_id": journey_id}
    body = route(journey_id=journey_id, **crowded | journey)
    body["positions"] = [
        {
            "journey_id": journey_id,
            "observed_at": (DECLARED + timedelta(hours=hours)).isoformat(),
            "latitude": latitude,
            "longitude": 24.25,
        }
        for hours, latitude in heard
    ]
    answer = service.score(body, service.key("score")).json()
    assert answer["lane"] == "rescue"
    case_id: str = answer["decision_id"]
    return case_id


def text_of(page: str) -> str:
    """What a page says, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def act(service: Service, case_id: str, name: str, **form: str) -> int:
    token = sign_in_as(service, "rescue")
    address = f"/console/rescues/{case_id}/{name}"
    sent = {"form_token": token, **form}
    answer = service.client.post(address, data=sent, headers=ORIGIN, follow_redirects=False)
    return answer.status_code


@pytest.fixture
def craft(reviewed: Service) -> tuple[str, str]:
    """Two reports of one craft, under different ids, with the same number of its radio."""
    radio = "247000111"
    early = rescue(reviewed, "J-early", mmsi=radio, heard=[(1.0, 36.6543)])
    later = rescue(reviewed, "J-later", mmsi=radio, persons_on_board=47, heard=[(2.0, -5.99999)])
    return early, later


def test_reports_of_one_craft_are_one_incident_and_its_newest_position_counts(
    reviewed: Service, craft: tuple[str, str]
) -> None:
    rescue(reviewed, "J-other", conveyance_kind="small_craft", certified_capacity=None)
    sign_in_as(reviewed, "rescue")

    board = reviewed.client.get("/console/rescues").text

    first, second = board.split('<li class="incident')[1:]
    assert craft[0] in first
    assert craft[1] not in first
    said = text_of(first)
    for words in ("2 reports", "6°00.0′ S, 24°15.0′ E", "47", "before that 41", "MMSI 247000111"):
        assert words in said, words
    for words in ("Never heard", "Call sign not known", "it is certified for is not known"):
        assert words in text_of(second), words


def test_what_waits_longest_for_a_person_stands_first(reviewed: Service) -> None:
    ids = [rescue(reviewed, f"J-{number}", persons_on_board=20 + number) for number in range(3)]
    assert act(reviewed, ids[0], "acknowledgement") == 303

    board = reviewed.client.get("/console/rescues").text

    places = [board.index(f'/console/rescues/{case_id}"') for case_id in (*ids[1:], ids[0])]
    assert places == sorted(places)
    nobody, somebody = board.split('id="heard"')
    assert nobody.count("Nobody acts</strong>") == 2
    assert "the rescue said that they act" in text_of(somebody)


def test_one_press_acts_on_every_report_that_was_shown_and_on_none_that_came_since(
    reviewed: Service, craft: tuple[str, str]
) -> None:
    outbox = reviewed.services.rescue_outbox
    early, later = craft
    unseen = rescue(reviewed, "J-since", mmsi="247000111")

    assert act(reviewed, early, "acknowledgement", shown=f"{early} {later}") == 303

    heard = {each: [step.action for step in outbox.events(each)] for each in (*craft, unseen)}
    assert heard == {early: ["acknowledged"], later: ["acknowledged"], unseen: []}
    page = text_of(reviewed.client.get(f"/console/rescues/{early}").text)
    assert "Nobody has said that they act" in page


def test_an_incident_is_taken_and_ended_as_one(reviewed: Service, craft: tuple[str, str]) -> None:
    shown = " ".join(craft)
    result = {"code": "people_helped", "reason": "seen_on_scene", "confidence": "high"}
    text = "all of them are on board of a tanker"

    assert act(reviewed, craft[0], "claim", shown=shown) == 303
    assert act(reviewed, craft[0], "results", shown=shown, text=text, **result) == 303

    board = reviewed.client.get("/console/rescues").text
    assert '<li class="incident' not in board
    assert board.count("People were helped and brought to safety") == 2


def test_a_reader_learns_that_the_board_changed_and_keeps_the_one_they_read(
    reviewed: Service,
) -> None:
    case_id = rescue(reviewed, "J-1")
    sign_in_as(reviewed, "rescue")
    board = reviewed.client.get("/console/rescues").text
    (address,) = re.findall(r'hx-get="([^"]+)"', board)

    assert reviewed.client.get(address).status_code == 204
    reviewed.services.rescue_outbox.acknowledge(case_id, person("watch officer"), NOW)

    assert "The board has changed" in reviewed.client.get(address).text


def test_whoever_helps_begins_at_the_board_and_finds_nothing_of_enforcement_there(
    reviewed: Service,
) -> None:
    case_id = rescue(reviewed, "J-1", imo_number="9074729", heard=[(1.0, 36.6543)])
    sign_in_as(reviewed, "rescue")

    assert reviewed.client.get("/console/queue").url.path == "/console/rescues"
    pages = [reviewed.client.get(f"/console/rescues{path}").text for path in ("", f"/{case_id}")]
    for page in pages:
        said = text_of(page.split("<main")[1].split("</main>")[0]).lower()
        for word in ("score", "smuggl", "payment", "inspect", "letter", "payer", "%"):
            assert word not in said, word


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0.4, "under 1 min"),
        (12, "12 min"),
        (200, "3 h 20 min"),
        (120, "2 h"),
        (7_000, "4 days 20 h"),
    ],
)
def test_an_age_is_as_precise_as_somebody_who_searches_needs(minutes: float, words: str) -> None:
    assert age_in_words(timedelta(minutes=minutes)) == words


def test_every_report_that_the_page_of_an_incident_showed_is_acted_on_and_once() -> None:
    others = [f"d-{number}" for number in range(300)]

    assert _shown("d-7", {"shown": " ".join(others)}) == ("d-7", *others[:7], *others[8:])
