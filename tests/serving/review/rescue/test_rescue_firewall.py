"""Between rescue and enforcement stands a wall: nothing passes it, either way, through any door."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, get_args

import pytest

from serving.access.roles import ROLE_SCOPES, Role, Scope
from serving.monitor.day_summary import DaySummary
from serving.monitor.rollups import catch_up
from serving.outbox.rescue import RETRY, CallPace
from serving.review.acts.attachments import AttachedFile
from serving.review.acts.note import note
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.results import OF_ENFORCEMENT, RESULTS_OF, ResultCode
from serving.review.cases.reviewer import Reviewer
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service, routes_of
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import person
from tests.serving.review.cases.stated import order, post
from tests.serving.review.cases.test_cases_served import reviewed
from tests.serving.review.supervision.test_supervision_served import _paths, sign_in_as

__all__ = ["reviewed"]

OF_THE_RESCUE = ("J-rescue", "41 persons", "36.6543", "9074729", "canary of a rescue")
OF_THE_INSPECTION = ("S-secret", "inflatable boats", "canary of a check")
FILE = b"a list in plain text"
SHA256 = hashlib.sha256(FILE).hexdigest()
BODIES: dict[str, dict[str, Any]] = {
    "notes": {"text": "a note in words"},
    "reopen": {"text": "a note in words"},
    "escalations": {"text": "a note in words"},
    "tags": {"add": ["a tag in words"]},
    "undo": {},
    "judgements": {"judged_as": "look"},
    "agreements": {"text": "a note in words"},
    "disagreements": {"text": "a note in words"},
    "assignments": {"to": "somebody"},
    "waits": {
        "until": "2026-11-25T12:00:00Z",
        "waiting_for": "reply",
        "text": "a note in words",
    },
    "actions": {"kind": "inspect", "text": "a note in words"},
    "results": {
        "code": "nothing_found",
        "reason": "other",
        "confidence": "low",
        "text": "the same as yesterday",
    },
    "acknowledgement": {"by": "watch officer"},
    "letters": {"audience": "carrier", "text": "asked for by the carrier"},
    "release": {"text": "read and found right"},
    "letter-deferrals": {
        "ground": "criminal_investigation",
        "until": "2026-12-25T12:00:00Z",
        "text": "an investigation goes on",
    },
    "accounts": {
        "sealed_for": "court",
        "recipient": "Administrative Court",
        "text": "ordered in a case of the party",
    },
}


@dataclass
class BothSides:
    """A service with a rescue, an inspection, and one that shares carrier and craft with it."""

    service: Service
    rescue_id: str
    inspection_id: str

    def answers_by_key(
        self, caller: dict[str, str], case_id: str
    ) -> Iterator[tuple[str, int, str]]:
        """What every call of the API answers to a key, asked about one case."""
        described = self.service.client.get("/openapi.json").json()["paths"]
        for path, operations in described.items():
            address = path.replace("{decision_id}", case_id).replace("{case_id}", case_id)
            address = address.replace("{audience}", "carrier").replace("{sha256}", SHA256)
            for method, operation in operations.items():
                if "{" in address or path in ("/v1/scores", "/v1/scores/batch", "/v1/records"):
                    continue
                body = BODIES.get(address.rsplit("/", 1)[-1], {})
                body = body if "requestBody" in operation else None
                needed = {
                    each["name"]: "list.txt"
                    for each in operation.get("parameters", ())
                    if each["in"] == "query" and each["required"]
                }
                answer = self.service.client.request(
                    method, address, headers=caller, json=body, params=needed
                )
                yield path, answer.status_code, answer.text

    def pages(self) -> Iterator[tuple[str, str]]:
        """Every page of the console as the account that is signed in reads it, of both cases."""
        served = {path for r in routes_of(self.service.client) for path in _paths(r)}
        pages = {
            path.replace("{case_id}", case_id)
            .replace("{decision_id}", case_id)
            .replace("{sha256}", SHA256)
            .replace("{act}", "letter")
            for path in served
            if path.startswith("/console") and "static" not in path and "sign" not in path
            for case_id in (self.rescue_id, self.inspection_id)
        }
        pages |= {f"/console/queue?{each}" for each in ("lane=rescue", "lane=inspect", "mode=sea")}
        for address in sorted(pages):
            yield address, self.service.client.get(address).text


@pytest.fixture
def sides(reviewed: Service) -> BothSides:
    machine = reviewed.key("score")
    crowd = {"certified_capacity": 12, "persons_on_board": 41, "imo_number": "9074729"}
    crowded = route(journey_id="J-rescue", **crowd)
    seen = {"observed_at": "2026-11-24T09:00:00Z", "latitude": 36.6543, "longitude": 24.25}
    crowded["positions"] = [{"journey_id": "J-rescue", **seen}]
    rescue = reviewed.score(crowded, machine)
    inspection = reviewed.score(shipment(shipment_id="S-secret"), machine)
    sharing = reviewed.score(route(journey_id="J-sharing", carrier_id="c-0012"), machine)
    assert rescue.json()["lane"] == "rescue"
    for other in (inspection, sharing):  # whose cases link to what they share
        assert other.json()["lane"] in {"inspect", "control", "document_check", "post_review"}
    sides = BothSides(reviewed, rescue.json()["decision_id"], inspection.json()["decision_id"])
    _leave_canary(reviewed, sides.rescue_id, "canary of a rescue", is_rescue=True)
    _leave_canary(reviewed, sides.inspection_id, "canary of a check", is_rescue=False)
    return sides


def _leave_canary(service: Service, case_id: str, words: str, *, is_rescue: bool) -> None:
    """Put a text that is found nowhere else into a note and into the name of a file."""
    someone = Reviewer(person("somebody"), CaseAccess(frozenset(), is_rescue=is_rescue))
    file = AttachedFile.from_upload(f"{words}.txt", FILE, 1_000)
    act = partial(note, actor=someone.actor, at=NOW, text=words)
    service.services.cases.act(someone, case_id, act)
    service.services.cases.attach(someone, case_id, NOW, file, FILE)


def test_no_key_but_that_of_rescue_learns_anything_of_a_rescue(sides: BothSides) -> None:
    enforcing: tuple[Scope, ...] = tuple(s for s in get_args(Scope) if s not in {"rescue", "audit"})

    for scopes in (*((scope,) for scope in enforcing), enforcing):
        caller = sides.service.key(*scopes)
        for path, status, text in sides.answers_by_key(caller, sides.rescue_id):
            assert not [told for told in OF_THE_RESCUE if told in text], (scopes, path)
            about_one = "{case_id}" in path or "{decision_id}" in path
            assert not about_one or status in {403, 404}, (scopes, path, status)


def test_no_role_but_that_of_rescue_and_auditors_sees_a_rescue_on_any_page(
    sides: BothSides, blank_papers: None
) -> None:
    for role in ROLE_SCOPES:
        if role in ("rescue", "auditor"):
            continue
        sign_in_as(sides.service, role)
        for address, text in sides.pages():
            assert not [told for told in OF_THE_RESCUE if told in text], (role, address)


def test_inspectors_are_not_shown_how_many_are_on_board(reviewed: Service) -> None:
    manned = {"persons_on_board": 5_321, "certified_capacity": 5_328}
    body = route(journey_id="J-manned", conveyance_kind="container_ship", **manned)
    body["journey"]["carrier_id"] = "c-0012"
    answer = reviewed.score(body, reviewed.key("score")).json()
    assert answer["lane"] not in ("rescue", "release")
    for role in ("reviewer", "supervisor", "auditor"):
        sign_in_as(reviewed, role)
        for address in ("", "/links"):
            page = reviewed.client.get(f"/console/cases/{answer['decision_id']}{address}").text
            assert not [count for count in ("5321", "5,321", "5328", "5,328") if count in page]


def test_rescuers_learn_nothing_but_of_rescues(sides: BothSides) -> None:
    caller = sides.service.key(*get_args(Scope))  # whatever else was asked for
    seen = ""
    for path, status, text in sides.answers_by_key(caller, sides.inspection_id):
        seen += text if path == "/v1/queue" else ""
        assert not [told for told in OF_THE_INSPECTION if told in text], path
        about_one = "{case_id}" in path or "{decision_id}" in path
        assert not about_one or status in {403, 404}, (path, status)
    assert sides.rescue_id in seen

    sign_in_as(sides.service, "rescue")
    for address, text in sides.pages():
        assert not [told for told in OF_THE_INSPECTION if told in text], address


def test_no_rescue_is_counted_where_enforcement_reads_counts(sides: BothSides) -> None:
    services, later = sides.service.services, NOW + timedelta(days=2)
    catch_up(services.rollups, later)
    days = [
        DaySummary.read(body)
        for _, body in services.rollups.days("route", "2026-01-01", "2027-01-01")
    ]

    counted = sum(count for day in days for (by, *_), count in day.sizes.items() if by == "all")
    assert counted + sum(day.unscored for day in days) == 1, "the one that shares with the rescue"
    assert {lane for day in days for *_, lane in day.lanes} <= {"inspect", "control"} | {
        *("document_check", "post_review")
    }
    measured = sides.service.client.get("/metrics").text
    counts = [line for line in measured.splitlines() if line.startswith("tidegate_scores_total")]
    assert counts
    assert not [line for line in counts if "rescue" in line]


def test_the_page_of_a_rescue_shows_whom_to_find_and_no_score(sides: BothSides) -> None:
    sign_in_as(sides.service, "rescue")

    page = sides.service.client.get(f"/console/rescues/{sides.rescue_id}")

    assert page.status_code == 200
    for told in ("41 persons", "9074729", "36.6543", "24 November 2026", "I act on this call"):
        assert told in page.text
    for hidden in ("closer look", "probability", "per cent", "c-00"):
        assert hidden not in page.text


def state(sides: BothSides, case_id: str, by: dict[str, str], code: ResultCode) -> int:
    body = BODIES["results"] | {"code": code}
    status: int = post(sides.service, case_id, "results", by, **body).status_code
    return status


def test_a_rescue_ends_in_an_outcome_for_people_and_an_inspection_never_does(
    sides: BothSides,
) -> None:
    rescuer, reviewer = sides.service.key("rescue"), sides.service.key("review")
    assert post(sides.service, sides.rescue_id, "claim", rescuer).status_code == 200
    assert order(sides.service, sides.inspection_id, reviewer).status_code == 200

    for kind in ("inspect", "check_documents", "hold", "release"):
        acted = BODIES["actions"] | {"kind": kind}
        refused = post(sides.service, sides.rescue_id, "actions", rescuer, **acted)
        assert (refused.status_code, "no actions of enforcement" in refused.text) == (422, True)
    for code in OF_ENFORCEMENT:
        assert state(sides, sides.rescue_id, rescuer, code) == 422, code
    for code in RESULTS_OF["rescue"]:
        assert state(sides, sides.inspection_id, reviewer, code) == 422, code
    assert state(sides, sides.inspection_id, rescuer, "nothing_found") == 404
    assert state(sides, sides.rescue_id, reviewer, "people_helped") == 404
    assert state(sides, sides.rescue_id, rescuer, "people_helped") == 200
    assert not [*sides.service.services.records.all()]


def test_a_rescue_is_acknowledged_claimed_and_ended_on_its_page(sides: BothSides) -> None:
    token = sign_in_as(sides.service, "rescue")

    def act(name: str, **form: str) -> int:
        answer = sides.service.client.post(
            f"/console/rescues/{sides.rescue_id}/{name}",
            data={"form_token": token, **form},
            headers=ORIGIN,
            follow_redirects=False,
        )
        return answer.status_code

    assert act("acknowledgement") == 303
    assert act("results", **BODIES["results"] | {"code": "people_helped"}) == 409
    assert act("claim") == 303
    assert act("notes", text="a helicopter is on its way") == 303
    assert act("marks", indicator="D07", verdict="right") == 404
    assert act("results", **BODIES["results"] | {"code": "other_offence"}) == 422
    assert act("results", **BODIES["results"] | {"code": "people_helped"}) == 303
    page = sides.service.client.get(f"/console/rescues/{sides.rescue_id}").text
    assert "a helicopter is on its way" in page
    assert "I act on this call" not in page
    steps = sides.service.services.rescue_outbox.events(sides.rescue_id)
    assert [(step.action, step.actor) for step in steps] == [("acknowledged", "account:the rescue")]


def test_an_unacknowledged_call_stands_above_the_queue_of_rescuers_alone(sides: BothSides) -> None:
    outbox = sides.service.services.rescue_outbox
    outbox.begin()
    crowded = route(journey_id="J-later", certified_capacity=12, persons_on_board=41)
    case_id = sides.service.score(crowded, sides.service.key("score")).json()["decision_id"]
    assert outbox.start_attempt(NOW, CallPace(RETRY.delay, timedelta(minutes=5))) is not None

    def shown(role: Role) -> bool:
        sign_in_as(sides.service, role)
        return "1 rescue call waits for a person" in sides.service.client.get("/console/queue").text

    assert [shown(role) for role in ("rescue", "reviewer", "supervisor")] == [True, False, False]
    assert outbox.acknowledge(case_id, person("watch officer"), NOW)
    assert not shown("rescue")
