"""The page of a message: a reason of a case leads to the line that says what it rests on."""

import re
from html import unescape

from serving.console.messages import LINES_AROUND, LONGEST_SHOWN, shown_lines
from serving.history.kept_messages import MessageContent
from tests.serving.api.test_messages import send, watched
from tests.serving.conftest import Service
from tests.serving.review.test_supervision_served import sign_in_as

__all__ = ["watched"]


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


def content(text: str, **spans: tuple[int, int]) -> MessageContent:
    return MessageContent("", "", 0, "", {}, (), (), text, spans)


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


def test_of_a_long_line_what_is_near_is_shown_and_nothing_turns_it_round() -> None:
    text = "x" * 9_000 + "\u202eAB" + "y" * 9_000

    (line,) = shown_lines(content(text, here=(9_001, 9_003)), "here")

    assert line.marked == "AB"
    assert line.before == "…" + "x" * (LONGEST_SHOWN - 1) + "\N{REPLACEMENT CHARACTER}"
    assert line.after == "y" * LONGEST_SHOWN + "…"
