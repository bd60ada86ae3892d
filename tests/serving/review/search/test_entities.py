"""What cases tell of one party, container or conveyance, within what a reader may see."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from sqlalchemy import select

from serving.access.accounts import new_account
from serving.console.charts.month_bars import HEIGHT_PX, MAX_MONTHS, MonthBars
from serving.console.entities import in_parts
from serving.errors import NotFound
from serving.integrity.audit_log import EventFilter
from serving.review.cases.cases import Cases
from serving.review.cases.reviewer import Reviewer
from serving.review.search.entities import (
    MAX_COMPANIONS,
    Entities,
    EntityHistory,
    EntityMonth,
    EntityReference,
)
from serving.storage.repositories.entity_repository import EntityRepository
from serving.storage.tables.review import case_terms
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import person
from tests.serving.review.cases.decisions import AT, decision
from tests.serving.review.cases.test_case_graph import GRAPHML, PAYER, Linked, body
from tests.serving.review.cases.test_cases import ELSEWHERE, HERE, ONE
from tests.serving.review.cases.test_cases_served import open_case, reviewed
from tests.serving.review.supervision.test_supervision_served import PASSWORD, sign_in_as

__all__ = ["reviewed"]


class Known(Linked):
    """An office that looks up entities."""

    def entities(self, cases: Cases | None = None) -> Entities:
        reviewing = cases or self.reviewing
        reviewing.open_new()
        return Entities(EntityRepository(self.engine), reviewing.masking)

    def key(self, value: str, case_id: str = "d-1") -> EntityReference:
        """How a case's page asks for what it names."""
        entities = self.entities()
        return entities.named_by([self.reviewing.case(ONE, case_id)[0]])[value]

    def history(self, value: str = PAYER, case_id: str = "d-1") -> EntityHistory:
        return self.entities().history(ONE, self.key(value, case_id))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Known]:
    made = Known(tmp_path)
    yield made
    made.engine.dispose()


def test_a_party_is_told_by_the_cases_that_name_it_open_ones_first(office: Known) -> None:
    for number in range(1, 4):
        office.share(number)
    office.share(4, payer="c-other", declarant_id=PAYER)
    office.share(5, payer="c-none")
    office.reviewing.open_new()
    office.confirm("d-3")

    history = office.history()

    assert [each.case.case_id for each in history.cases] == ["d-4", "d-2", "d-1", "d-3"]
    assert [each.is_confirmed for each in history.cases] == [False, False, False, True]
    assert history.roles == (("payer", 3), ("declarant", 1))
    assert (history.open_cases, history.with_result, history.confirmed) == (3, 1, 1)
    assert history.is_whole


def test_what_the_same_cases_name_is_ranked_and_the_rest_counted(office: Known) -> None:
    for number in range(101, 106):
        office.share(number, declarant_id="c-agent" if number > 101 else "c-once")
    office.reviewing.open_new()
    office.confirm("d-102")

    history = office.history(case_id="d-101")

    first = history.companions[0]
    assert (first.entity.value, first.roles) == ("c-agent", ("declarant",))
    assert (first.cases, first.confirmed) == (4, 1)
    named = {letter + str(number) for number in range(101, 106) for letter in "kcvr"}
    assert PAYER not in {each.entity.value for each in history.companions}
    assert history.more_companions == len(named) + len(("c-agent", "c-once")) - MAX_COMPANIONS


def test_cases_of_other_offices_rescues_and_proposed_results_are_not_told(office: Known) -> None:
    office.share(1)
    office.log(decision(body(2, PAYER), decision_id="d-2", office_id="DE009999"))
    office.log(decision(body(3, PAYER), decision_id="d-3", lane="rescue"))
    key = office.key(PAYER)
    entities = office.entities()
    rescuer = Reviewer(person("four"), replace(HERE, is_rescue=True))

    assert [each.case.case_id for each in entities.history(ONE, key).cases] == ["d-1"]
    assert [each.case.case_id for each in entities.history(ELSEWHERE, key).cases] == ["d-2"]
    with pytest.raises(NotFound):
        entities.history(rescuer, key)


def test_who_sees_no_case_of_an_entity_learns_not_even_that_there_is_one(office: Known) -> None:
    office.share(1)
    key, entities = office.key(PAYER), office.entities()

    answers = []
    for asked in (key, EntityReference("party", "0" * 32), EntityReference("container", key.token)):
        with pytest.raises(NotFound) as refused:
            entities.history(ELSEWHERE if asked == key else ONE, asked)
        answers.append(str(refused.value))

    assert len(set(answers)) == 1


def test_a_masked_case_leads_to_nobody(office: Known) -> None:
    office.share(1)
    key = office.key(PAYER)
    masked = office.mask()
    entities = office.entities(masked)

    assert entities.named_by([masked.case(ONE, "d-1")[0]]) == {}
    with pytest.raises(NotFound):
        entities.history(ONE, key)


def test_an_address_names_nobody_and_shares_nothing_with_what_begins_alike(office: Known) -> None:
    office.share(1, payer="c-payer-1", declarant_id="c-payer-2")
    one, two = office.key("c-payer-1"), office.key("c-payer-2")

    assert "payer" not in one.token
    assert one.token[:8] != two.token[:8]
    with office.engine.connect() as connection:
        codes = {row.code.hex() for row in connection.execute(select(case_terms))}
    assert not any(one.token.startswith(code[:8]) for code in codes)


def test_a_party_that_is_written_alike_is_another_one(office: Known) -> None:
    office.share(1, payer="c-1-11")
    office.share(2, payer="c-11-1")

    assert [each.case.case_id for each in office.history("c-1-11").cases] == ["d-1"]


def test_what_no_search_finds_leads_to_no_page(office: Known) -> None:
    office.share(1, payer="c-9")
    office.reviewing.open_new()

    assert "c-9" not in office.entities().named_by([office.reviewing.case(ONE, "d-1")[0]])


def test_of_more_cases_than_are_looked_at_the_first_is_known_all_the_same(
    office: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.review.search.entities.MAX_LOOKED_AT", 2)
    for number in range(1, 5):
        at = AT - timedelta(days=40 - 10 * number)
        office.log(decision(body(number, PAYER), decision_id=f"d-{number}", scored_at=at))

    history = office.history()

    assert [each.case.case_id for each in history.cases] == ["d-4", "d-3"]
    assert not history.is_whole
    assert (history.first_at, history.last_at) == (AT - timedelta(days=30), AT)


def test_months_without_a_case_are_bars_without_height(office: Known) -> None:
    for number, days in enumerate((70, 69, 0), 1):
        at = AT - timedelta(days=days)
        office.log(decision(body(number, PAYER), decision_id=f"d-{number}", scored_at=at))
    office.confirm("d-1")

    bars = MonthBars.from_months(office.history().months).bars

    assert [bar.count for bar in bars] == [2, 0, 1]
    assert [bar.height for bar in bars] == [HEIGHT_PX, 0, HEIGHT_PX / 2]
    assert [bar.confirmed_height for bar in bars] == [HEIGHT_PX / 2, 0, 0]
    assert bars[0].words == "September 2026: 2 cases, smuggling confirmed in 1"


def test_no_more_than_two_years_are_drawn() -> None:
    months = [
        EntityMonth(AT.replace(year=2020 + n // 12, month=n % 12 + 1), 1, 0) for n in range(30)
    ]

    drawn = MonthBars.from_months(months)

    assert (len(drawn.bars), drawn.earlier) == (MAX_MONTHS, 30 - MAX_MONTHS)
    assert {bar.words for bar in drawn.bars} & {"June 2022: 1 case"}


def test_only_whole_names_lead_to_a_page() -> None:
    one, other = EntityReference("party", "ab"), EntityReference("party", "cd")
    entities = {"c-1": one, "c-1 (north)": other}

    parts = in_parts("c-1 to c-12, x-c-1 and c-1 (north)", entities)

    assert parts == [("c-1", one), (" to c-12, x-c-1 and ", None), ("c-1 (north)", other)]
    assert in_parts("<i>", {}) == [("<i>", None)]


def test_the_page_is_reached_from_the_desk_and_reading_it_is_recorded(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    reviewed.score(shipment(shipment_id="S-2"), reviewed.key("score"))
    payer = shipment()["transactions"][0]["payer_id"]
    sign_in_as(reviewed, "reviewer")
    key = reviewed.services.entities.named_by(
        [reviewed.services.cases.case(Reviewer(person("x"), HERE), case_id)[0]]
    )[payer]
    address = f"/console/entities/party/{key.token}"

    for page in (f"cases/{case_id}", f"cases/{case_id}/links", f"search?q={payer}"):
        assert f'href="{address}"' in reviewed.client.get(f"/console/{page}").text, page
    shown = reviewed.client.get(address)

    assert shown.status_code == 200
    assert "2 cases that you may see name it" in shown.text
    event = reviewed.services.audit_events.newest(EventFilter(), 1)[0]
    assert (event.action, event.object_kind, event.object_id) == ("read", "entity", key.token)
    assert case_id in event.details["cases"]
    assert payer not in str(event)

    graph = ElementTree.fromstring(reviewed.client.get(f"{address}/links.graphml").content)
    edges = [(each.get("source"), each.get("target")) for each in graph.iter(f"{GRAPHML}edge")]
    assert sum(target == key.token for _, target in edges) == 2
    exported = reviewed.services.audit_events.newest(EventFilter(), 1)[0]
    assert (exported.action, exported.object_id) == ("export", key.token)
    assert exported.details["cases"] == event.details["cases"]


def test_who_works_at_another_office_finds_no_such_entity(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    row = reviewed.services.cases.case(Reviewer(person("x"), HERE), case_id)[0]
    named = reviewed.services.entities.named_by([row])
    entity = named[shipment()["transactions"][0]["payer_id"]]
    elsewhere = new_account("elsewhere", PASSWORD, "reviewer", ("DE009999",), NOW)
    reviewed.services.accounts.add_account(elsewhere)
    form = {"name": "elsewhere", "password": PASSWORD}
    reviewed.client.post("/console/sign-in", data=form, headers=ORIGIN)

    assert reviewed.client.get(f"/console/entities/party/{entity.token}").status_code == 404
    assert reviewed.client.get("/console/entities/person/00").status_code == 422
