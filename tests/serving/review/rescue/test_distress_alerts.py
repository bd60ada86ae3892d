"""Whoever calls for help and was declared by nobody is told to those who rescue, unscored."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from serving.audit.erasure import ErasureLimits, RetainedUnits
from serving.audit.retention_log import RetentionAct
from serving.degraded_modes import degradations
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.message_list import MessageFilter
from serving.review.rescue.distress_alerts import HEARD_WITHIN, SAME_EMERGENCY_WITHIN
from serving.review.rescue.rescue_mail import call_in_words
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.repositories.distress_alert_repository import DistressAlertRepository
from serving.storage.tables.outgoing import distress_alerts
from serving.storage.tables.review import cases
from serving.storage.tables.scoring import decisions, kept_messages, ship_journeys
from serving.storage.verification.audit_verification import verify_audit_log
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import person
from tests.serving.review.rescue.test_rescue_calls_served import Station, station
from tests.serving.review.supervision.test_supervision_served import sign_in_as
from tests.serving.scoring.test_danger_watch import Overdue, heard, started
from tests.serving.scoring.test_ships import (
    BEACON,
    CALLS,
    OTHER_SHIP,
    SHIP,
    hear,
    sentence,
    shipped,
)

MINUTE = timedelta(minutes=1)
AT_SEA = (ship_journeys, distress_alerts)
"""What is noted of ships, and told of those whom nobody declared."""


def hear_calls_at_sea(service: Service) -> None:
    """A ship that was declared, and a call for help of another that was not."""
    assert service.score(route(mmsi=SHIP), service.key("score")).status_code == 200
    headers = service.key("ingest") | {"Idempotency-Key": "at-sea"}
    call = sentence(mmsi=OTHER_SHIP, status=CALLS).encode()
    answer = service.client.post("/v1/messages/ais", content=call, headers=headers)
    assert answer.status_code == 200, answer.text


class AtSea(Overdue):
    """A service that calls a station about ships it hears."""

    to: Station

    def told(self) -> list[dict[str, Any]]:
        """What the station was told so far."""
        self.call()
        return [json.loads(body)["data"] for _, body in self.to.heard]

    def count(self, table: Any) -> int:
        with self.service.services.decisions._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0

    def read(self, case_id: str) -> dict[str, Any]:
        caller = self.service.key("rescue")
        answer = self.service.client.get(f"/v1/rescue-calls/{case_id}", headers=caller)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def message_ids(self) -> list[str]:
        with self.service.services.decisions._engine.connect() as connection:
            return [*connection.scalars(select(kept_messages.c.message_id))]

    def read_message(self, caller: dict[str, str], message_id: str) -> Any:
        return self.service.client.get(f"/v1/stored_messages/{message_id}", headers=caller)

    def acknowledge(self, case_id: str) -> dict[str, Any]:
        address, caller = f"/v1/rescue-calls/{case_id}/acknowledgement", self.service.key("rescue")
        body = {"by": "watch officer"}
        answer = self.service.client.post(address, json=body, headers=caller)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@contextmanager
def listening(home: Path, where: Path | str = "", *answers: int) -> Iterator[AtSea]:
    with station(*answers) as to, started(home, where, to, arrivals_are_reported=False) as overdue:
        made = AtSea(overdue.service, overdue.clock)
        made.to = to
        yield made


@pytest.fixture
def at_sea(home: Path) -> Iterator[AtSea]:
    with listening(home) as made:
        yield made


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_ship_that_nobody_declared_is_told_until_a_person_acts_and_nobody_is_scored(
    home: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    where = request.getfixturevalue("postgres").new_database() if engine == "postgresql" else ""
    with listening(home, where, 503) as at_sea:
        hear(at_sea, sentence(), sentence(NOW - MINUTE, status=CALLS))
        at_sea.told()
        assert "rescue_not_called" in degradations(at_sea.service.services)
        at_sea.at(NOW + MINUTE)
        hear(at_sea, sentence(NOW, status=CALLS), key="again")

        refused, told = at_sea.told()
        at_sea.at(NOW + 7 * MINUTE)
        assert len(at_sea.told()) == 3
        assert "rescue_not_acknowledged" in degradations(at_sea.service.services)
        answer = at_sea.acknowledge(told["case_id"])
        at_sea.at(NOW + timedelta(hours=1))
        hear(at_sea, sentence(NOW + timedelta(hours=1), status=CALLS), key="later")

        assert len(at_sea.told()) == 3
        assert "rescue_not_acknowledged" not in degradations(at_sea.service.services)
        assert (told["mmsi"], told["is_declared"], told["mode"]) == (SHIP, False, "sea")
        assert told["signals"] == [{"code": "L04", "words": "a call for help was heard from it"}]
        assert f"mmsi: {SHIP}\nlast heard: latitude: 38.2\n" in call_in_words(told)
        last = told["last_heard"]
        assert (last["latitude"], last["longitude"], last["age_minutes"]) == (38.2, 26.1, 1.0)
        assert refused["case_id"] == told["case_id"]
        actions = [step["action"] for step in answer["steps"]]
        assert actions == ["refused", "called", "escalated", "called", "acknowledged"]
        assert answer["acknowledged_by"].startswith("watch officer (caller-")
        assert at_sea.run() == 0
        assert (at_sea.count(decisions), at_sea.count(cases)) == (0, 0)
        assert verify_audit_log(at_sea.service.services.decisions._engine).is_whole


def test_each_ship_and_each_emergency_is_told_once(at_sea: AtSea) -> None:
    later = NOW + SAME_EMERGENCY_WITHIN
    hear(at_sea, sentence(NOW, status=CALLS), sentence(NOW, BEACON, CALLS))
    first = {each["mmsi"]: each["case_id"] for each in at_sea.told()}
    assert {*first} == {SHIP, BEACON}
    for case_id in first.values():
        at_sea.acknowledge(case_id)

    at_sea.at(later + 2 * MINUTE)
    hear(at_sea, sentence(later, status=CALLS), key="soon")
    hear(at_sea, sentence(later + MINUTE, BEACON, CALLS), key="late")

    *_, again = at_sea.told()
    assert len(at_sea.told()) == 3
    assert again["mmsi"] == BEACON
    assert again["case_id"] not in first.values()


def test_history_that_is_loaded_and_plain_positions_call_nobody(at_sea: AtSea) -> None:
    old = NOW - HEARD_WITHIN
    hear(at_sea, sentence(), sentence(old - MINUTE, status=CALLS))
    assert at_sea.told() == []

    hear(at_sea, sentence(old, status=CALLS), key="told")
    assert len(at_sea.told()) == 1


def test_a_rescue_goes_on_with_the_alert_of_its_ship_and_says_that_it_is_the_same(
    at_sea: AtSea,
) -> None:
    hear(at_sea, sentence(status=CALLS), sentence(mmsi=OTHER_SHIP, status=CALLS))
    alerts = {each["mmsi"]: each["case_id"] for each in at_sea.told()}

    decision = at_sea.score(route(mmsi=SHIP))
    assert decision.lane == "rescue"
    *_, told = at_sea.told()
    at_sea.at(NOW + timedelta(hours=1))
    told_since = at_sea.told()[3:]

    assert told["case_id"] == decision.case_id
    assert (told["is_declared"], told["earlier_alerts"]) == (True, [alerts[SHIP]])
    assert {each["case_id"] for each in told_since} == {decision.case_id, alerts[OTHER_SHIP]}
    assert at_sea.read(decision.case_id)["earlier_alerts"] == [alerts[SHIP]]
    assert at_sea.read(alerts[SHIP])["goes_on_as"] == decision.case_id
    assert at_sea.read(alerts[OTHER_SHIP])["goes_on_as"] is None


@pytest.mark.parametrize("is_declared_by_its_shipment", [False, True])
def test_a_call_under_a_journey_that_nobody_decided_about_is_told(
    at_sea: AtSea, is_declared_by_its_shipment: bool
) -> None:
    hear(at_sea, sentence(status=CALLS))
    (before,) = at_sea.told()
    journey = route(mmsi=SHIP, persons_on_board=30)["journey"]
    at_sea.send(journeys=[journey])

    at_sea.send(positions=[heard(NOW.isoformat(), is_distress=True)])

    *_, told = at_sea.told()
    assert told["case_id"] != before["case_id"]
    assert (told["persons_on_board"], told["mmsi"]) == (30, SHIP)
    assert told["earlier_alerts"] == [before["case_id"]]
    if is_declared_by_its_shipment:
        declared = shipment() | {"journey": journey, "legs": []}
        declared["shipment"]["journey_id"] = journey["journey_id"]
        assert at_sea.score(declared).lane == "rescue"
        assert len(at_sea.told()[-1]["earlier_alerts"]) == 2


def test_a_ship_whose_journey_only_a_shipment_named_is_told_by_it_and_once(at_sea: AtSea) -> None:
    at_sea.score(shipped(SHIP))
    hear(at_sea, sentence(status=CALLS))
    (told,) = at_sea.told()
    assert (told["mmsi"], told["conveyance_kind"]) == (SHIP, "container_ship")

    hear(at_sea, sentence(mmsi=OTHER_SHIP, status=CALLS), key="other")
    rescue = at_sea.score(shipped(OTHER_SHIP, "J-7"))
    assert rescue.lane == "rescue"
    hear(at_sea, sentence(NOW, mmsi=OTHER_SHIP, status=CALLS), key="again")

    _, of_rescue = at_sea.told()
    assert of_rescue["case_id"] == rescue.case_id
    assert len(of_rescue["earlier_alerts"]) == 1


@pytest.mark.parametrize("is_batch", [False, True])
def test_a_call_in_what_is_refused_is_kept_and_told(at_sea: AtSea, is_batch: bool) -> None:
    wrong = {"course_degrees": 360.0}
    calls = heard(NOW.isoformat(), is_distress=True, **wrong), heard(NOW.isoformat(), **wrong)
    refused = [route() | {"positions": [call]} for call in calls]
    nowhere = [route() | {"positions": [{"is_distress": True}, 7]}, route() | {"positions": 7}]
    bodies = [*refused, *nowhere]

    if is_batch:
        headers = at_sea.service.key("score") | {"Idempotency-Key": "batch"}
        answer = at_sea.service.client.post("/v1/scores/batch", json=bodies, headers=headers)
        errors = [line["answer"]["errors"] for line in answer.json()]
    else:
        answers = [at_sea.service.score(body, at_sea.service.key("score")) for body in bodies]
        assert {each.status_code for each in answers} == {422}
        errors = [each.json()["errors"] for each in answers]

    assert [each[0]["code"] == "call_kept" for each in errors] == [True, False, False, False]
    assert errors[0][1]["pointer"] == "/positions/0/course_degrees"
    (told,) = at_sea.told()
    assert (told["last_heard"]["latitude"], told["last_heard"]["course_degrees"]) == (38.2, None)
    assert at_sea.count(decisions) == 0


def test_an_alert_is_on_the_board_of_rescuers_who_say_there_that_they_act(at_sea: AtSea) -> None:
    hear(at_sea, sentence(status=CALLS))
    (told,) = at_sea.told()
    client = at_sea.service.client
    csrf = sign_in_as(at_sea.service, "rescue")
    page = client.get("/console/rescues").text
    assert f"MMSI</bdi> {SHIP}" in page
    assert "38°12.0′ N, 26°06.0′ E" in page

    form = {"form_token": csrf}
    act = f"/console/rescues/alerts/{told['case_id']}/acknowledgement"
    assert client.post(act, data=form, headers=ORIGIN, follow_redirects=False).status_code == 303

    assert "said that they act" in client.get("/console/rescues").text
    nobody = client.post(act.replace(told["case_id"], "none"), data=form, headers=ORIGIN)
    assert nobody.status_code == 404


def test_no_key_but_of_rescue_learns_of_an_alert(at_sea: AtSea) -> None:
    hear(at_sea, sentence(status=CALLS))
    (told,) = at_sea.told()

    address = f"/v1/rescue-calls/{told['case_id']}"
    for scope in ("review", "score", "ingest", "explain"):
        caller = at_sea.service.key(scope)
        assert at_sea.service.client.get(address, headers=caller).status_code == 403
    hear(at_sea, sentence(mmsi=OTHER_SHIP), sentence(status=CALLS), key="both")
    at_sea.score(route(mmsi=SHIP))  # a rescue goes on with it
    reader, access = at_sea.service.key("review"), CaseAccess(frozenset(), is_rescue=False)
    listed = at_sea.service.services.message_list.pages.page(MessageFilter(), access, 9)
    (shown,) = listed.messages
    both = at_sea.read_message(reader, shown.message_id)
    assert (both.status_code, OTHER_SHIP in both.text, SHIP in both.text) == (200, True, False)
    (call_id,) = {*at_sea.message_ids()} - {shown.message_id}
    assert at_sea.read_message(reader, call_id).status_code == 404


def test_an_alert_ends_with_the_record_of_its_call(at_sea: AtSea) -> None:
    hear(at_sea, sentence(status=CALLS))
    (told,) = at_sea.told()
    engine = at_sea.service.services.decisions._engine
    alerts = DistressAlertRepository(engine)
    assert alerts.acknowledge(told["case_id"], person("watch officer"), NOW)
    assert not alerts.acknowledge(told["case_id"], person("another"), NOW)

    ends = (NOW + timedelta(days=2)).isoformat()[:10]
    limits = ErasureLimits(decisions="", records=ends)
    act = RetentionAct(NOW.isoformat(), "erase", "ada", "its time is over", {})
    erasure = DatabaseErasure(engine)
    erasure.erase(limits, lambda _: RetainedUnits(), act)
    erasure.sweep(limits)

    assert at_sea.count(distress_alerts) == 0
