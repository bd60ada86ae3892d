"""What a case shares with others: by role, confirmed first, within what a reader may see."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from serving.audit.decision import Decision
from serving.audit.logged_decision import StoredAnswer
from serving.console.charts.link_graph import NODE_HEIGHT_PX, LinkGraph
from serving.console.graph_file import case_graph_file
from serving.errors import NotFound
from serving.review.cases.case_graph import (
    MAX_PATH_STEPS,
    MAX_SHARED_ON_A_PATH,
    CaseGraph,
)
from serving.review.cases.case_links import CaseLinks
from serving.review.cases.reviewer import Reviewer
from serving.review.cases.shared_things import MAX_LOOKED_AT
from serving.storage.repositories.decision_repository import DecisionRepository
from tests.serving.bodies import shipment
from tests.serving.conftest import Service
from tests.serving.people import person
from tests.serving.review.cases.decisions import decision
from tests.serving.review.cases.stated import agree_by, end_by
from tests.serving.review.cases.test_cases import ELSEWHERE, FOUND, HERE, LATER, ONE, TWO, Office
from tests.serving.review.cases.test_cases_served import open_case, reviewed
from tests.serving.review.supervision.test_supervision_served import sign_in_as

__all__ = ["reviewed"]

PAYER = "c-payer"
GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"


def body(number: int, payer: str, **parties: str) -> dict[str, Any]:
    """A shipment that shares nothing with others but what is named."""
    made = shipment(shipment_id=f"S-{number}", consignor_id=f"k{number}", consignee_id=f"c{number}")
    made["shipment"] |= parties
    made["journey"] |= {"conveyance_id": f"v{number}", "carrier_id": f"r{number}"}
    for payment in made["transactions"]:
        payment |= {"payer_id": payer, "payee_id": f"k{number}"}
    return made


class Linked(Office):
    """An office whose cases share what a test says."""

    def share(self, number: int, payer: str = PAYER, **parties: str) -> str:
        made = decision(body(number, payer, **parties), decision_id=f"d-{number}")
        self.log(made)
        return made.decision_id

    def log(self, made: Decision) -> None:
        answer = StoredAnswer("c", made.decision_id, "digest", made.decision_id, "", b"")
        DecisionRepository(self.engine).append([(made.logged(), answer)])

    def confirm(self, case_id: str) -> None:
        """End a case by two persons, with a find."""
        end_by(self.reviewing, ONE, case_id, LATER, FOUND)
        agree_by(self.reviewing, TWO, case_id, LATER, FOUND)

    def graph(self, case_id: str, reviewer: Reviewer = ONE) -> CaseGraph:
        self.reviewing.case(ONE, case_id)
        return CaseLinks(self.reviewing).graph(reviewer, case_id)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Linked]:
    made = Linked(tmp_path)
    yield made
    made.engine.dispose()


def test_who_shares_a_payer_with_a_confirmed_case_sees_that_first(office: Linked) -> None:
    one, confirmed, *_ = (office.share(number) for number in range(1, 6))
    office.graph(one)
    office.confirm(confirmed)

    graph = office.graph(one)

    (thing,) = graph.things
    assert (thing.kind, thing.value, thing.roles) == ("party", PAYER, ("payer",))
    assert [each.case.case_id for each in graph.neighbours] == ["d-2", "d-5", "d-4", "d-3"]
    assert [each.is_confirmed for each in graph.neighbours] == [True, False, False, False]
    assert (graph.total, graph.more, graph.is_total_known) == (4, 0, True)


def test_a_party_links_cases_whatever_its_role_in_each(office: Linked) -> None:
    one = office.share(1, payer="c-x")
    office.share(2, payer="c-other", declarant_id="c-x")
    office.share(3, payer="c-none", consignee_id="c-x")

    graph = office.graph(one)

    assert {each.case.case_id: each.shares for each in graph.neighbours} == {
        "d-2": ((0, ("declarant",)),),
        "d-3": ((0, ("consignee",)),),
    }


def test_what_few_share_counts_more_than_what_many_do(office: Linked) -> None:
    one = office.share(1, declarant_id="c-agent")
    close = office.share(2)
    for number in range(3, 9):
        office.share(number, payer=f"c-{number}", declarant_id="c-agent")

    assert office.graph(one).neighbours[0].case.case_id == close


def test_no_more_than_twelve_are_named_and_the_others_counted(office: Linked) -> None:
    for number in range(1, 17):
        office.share(number)

    graph = office.graph("d-1")

    assert (len(graph.neighbours), graph.total, graph.more) == (12, 15, 3)


def test_cases_of_other_offices_and_rescues_are_no_neighbours(office: Linked) -> None:
    one = office.share(1)
    office.log(decision(body(2, PAYER), decision_id="d-2", office_id="DE009999"))
    office.log(decision(body(3, PAYER), decision_id="d-3", lane="rescue"))
    rescuer = Reviewer(person("four"), replace(HERE, is_rescue=True))

    assert office.graph(one).neighbours == ()
    assert office.graph(one).total == 0
    for other in (ELSEWHERE, rescuer):
        with pytest.raises(NotFound):
            CaseLinks(office.reviewing).graph(other, one)


def test_who_paid_later_links_a_case_that_is_scored_again(office: Linked) -> None:
    one, other = office.share(1, payer="c-none"), office.share(2)
    assert office.graph(one).neighbours == ()

    again = decision(body(1, PAYER), decision_id="d-9", rescores=one)
    office.log(again)

    assert [each.case.case_id for each in office.graph(one).neighbours] == [other]


def test_masked_cases_are_counted_and_not_named(office: Linked) -> None:
    one, _ = office.share(1), office.share(2)
    office.graph(one)
    masked = office.mask()

    graph = CaseLinks(masked).graph(ONE, one)

    assert (graph.neighbours, graph.total) == ((), 1)
    assert PAYER not in [thing.value for thing in graph.things]


def test_the_picture_has_every_box_apart_and_every_line_between_two(office: Linked) -> None:
    for number in range(1, 9):
        office.share(number, declarant_id="c-agent" if number % 2 else "c-else")
    row, _ = office.reviewing.case(ONE, "d-1")
    graph = office.graph("d-1")
    neighbour = graph.neighbours[-1]

    links = LinkGraph.from_graph(row, graph, (neighbour, office.graph(neighbour.case.case_id)))

    places = [(node.x, node.y) for node in links.nodes]
    assert len(set(places)) == len(places)
    for x, y in places:
        assert 0 <= x <= links.width
        assert 0 <= y <= links.height - NODE_HEIGHT_PX
    ends = {(node.x, node.y + NODE_HEIGHT_PX / 2) for node in links.nodes}
    assert all((edge.x2, edge.y2) in ends for edge in links.edges)
    assert len(links.columns) == 5
    assert graph.total < MAX_LOOKED_AT


def test_the_page_of_links_is_a_page_and_a_part_of_one(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    reviewed.score(shipment(shipment_id="S-2"), reviewed.key("score"))
    sign_in_as(reviewed, "reviewer")
    address = f"/console/cases/{case_id}/links"

    page = reviewed.client.get(address).text
    part = reviewed.client.get(address, headers={"HX-Request": "true"}).text

    assert "1 other case shares something with this one" in page
    assert "payer" in page
    assert part.startswith('<div id="case-links"')
    assert part.strip() in page
    opened = page.split("opened=")[1].split('"')[0]
    assert "Which shares" in reviewed.client.get(f"{address}?opened={opened}").text
    assert "Which shares" not in reviewed.client.get(f"{address}?opened={case_id}").text


def test_a_graph_file_has_the_cases_and_what_they_share(office: Linked) -> None:
    for number in (1, 2):
        office.share(number)
    office.log(decision(body(3, PAYER), decision_id="d-3", office_id="DE009999"))
    row, _ = office.reviewing.case(ONE, "d-1")
    written = ElementTree.fromstring(
        case_graph_file(row, CaseLinks(office.reviewing).graph(ONE, "d-1"))
    )

    names = {
        node.attrib["id"]: next(data.text for data in node if data.get("key") == "node_label")
        for node in written.iter(f"{GRAPHML}node")
    }
    edges = {
        (names[edge.attrib["source"]], names[edge.attrib["target"]])
        for edge in written.iter(f"{GRAPHML}edge")
    }
    assert {name for name in names.values() if str(name).startswith("S-")} == {"S-1", "S-2"}
    assert {("S-1", PAYER), ("S-2", PAYER)} <= edges


def path(office: Linked, case_id: str, to: str, reviewer: Reviewer = ONE) -> list[str] | None:
    office.reviewing.case(ONE, case_id)
    steps = CaseLinks(office.reviewing).path(reviewer, case_id, to)
    return None if steps is None else [f"{s.thing.value} {s.case.case_id}" for s in steps]


def chain(office: Linked, length: int) -> None:
    """Log cases of which each shares a party with the next; the last names c-far."""
    for number in range(1, length):
        office.share(number, payer=f"c-{number}", declarant_id=f"c-{number - 1}")
    office.share(length, payer="c-far", declarant_id=f"c-{length - 1}")


def test_the_shortest_path_to_a_party_leads_from_case_to_case(office: Linked) -> None:
    chain(office, 4)
    assert path(office, "d-1", "c-far") == ["c-1 d-2", "c-2 d-3", "c-3 d-4"]

    office.share(9, payer="c-far", declarant_id="c-2")
    assert path(office, "d-1", "c-far") == ["c-1 d-2", "c-2 d-9"]
    assert path(office, "d-1", "c-1") == []


def test_a_path_has_few_steps_and_avoids_what_everybody_shares(office: Linked) -> None:
    chain(office, MAX_PATH_STEPS + 2)
    assert path(office, "d-1", "c-far") is None
    assert len(path(office, "d-2", "c-far") or ()) == MAX_PATH_STEPS

    for number in range(100, 102 + MAX_SHARED_ON_A_PATH):
        office.share(number, payer=f"c-{number}", declarant_id="c-hub")
    assert path(office, "d-100", "c-101") is None


def test_no_path_leads_through_a_case_that_a_reader_may_not_see(office: Linked) -> None:
    chain(office, 2)
    office.log(decision(body(3, "c-far", declarant_id="c-1"), decision_id="d-3", office_id="DE9"))
    office.log(decision(body(4, "c-hidden", declarant_id="c-1"), decision_id="d-4", lane="rescue"))

    assert path(office, "d-1", "c-far") == ["c-1 d-2"]
    assert path(office, "d-1", "c-hidden") is None


def test_the_page_of_links_shows_the_path(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    other = shipment(shipment_id="S-2")
    other["shipment"]["declarant_id"] = "c-far"
    reviewed.score(other, reviewed.key("score"))
    sign_in_as(reviewed, "reviewer")
    address = f"/console/cases/{case_id}/links"

    found = reviewed.client.get(address, params={"to": " c-far "}).text
    assert "This case shares" in found
    assert "which names c-far" in found
    missing = reviewed.client.get(address, params={"to": "c-<nobody>"}).text
    assert "No path to c-&lt;nobody&gt; was found" in missing
