"""POST /v1/records: each record once, durable before the answer, known to every later score."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.api.examples import RECORDS
from serving.app import create_app
from serving.audit.decision import Decision
from serving.history.received_records import ReceivedRecord, StoredRecord
from serving.settings import Settings
from serving.storage.repositories.record_repository import RecordRepository
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service, services_of
from tests.serving.databases import database

LEG = {
    "journey_id": "J-2",
    "sequence": 2,
    "origin": "GRPIR",
    "destination": "ITGOA",
    "known_at": "2026-11-24T09:30:00Z",
}
INVOICE = {
    "document_id": "D-9",
    "subject_kind": "shipment",
    "subject_id": "S-1",
    "kind": "packing_list",
    "received_at": "2026-11-23T10:00:00Z",
}
FEATURE = "payer_confirmed_rate"
OUTCOME = {
    "subject_kind": "shipment",
    "subject_id": "S-1",
    "selected_by": "model",
    "inspected_at": "2026-11-24T10:30:00Z",
    "known_at": "2026-11-24T10:45:00Z",
    "result": "confirmed",
}


def send(service: Service, body: Any, caller: dict[str, str] | None = None) -> Any:
    return service.client.post("/v1/records", json=body, headers=caller or service.key("ingest"))


def value(service: Service, answer: Any, feature: str) -> Any:
    return next(c["value"] for c in answer.json()["contributions"] if c["feature"] == feature)


def test_records_are_kept_once(service: Service) -> None:
    body = {"legs": [LEG, LEG], "documents": [INVOICE]}

    first, again = send(service, body), send(service, body)

    assert first.status_code == 200, first.text
    waiting = ["/legs/0", "/documents/0"]
    assert first.json() == {"accepted": 2, "repeated": 0, "not_scored": waiting, "errors": []}
    assert again.json() == {"accepted": 0, "repeated": 2, "not_scored": waiting, "errors": []}
    assert len(list(service.services.records.all())) == 2


def test_the_example_of_the_description_is_taken(service: Service) -> None:
    assert send(service, RECORDS).json()["accepted"] == 7


def test_an_item_that_comes_by_itself_says_since_when_it_is_known(service: Service) -> None:
    item = {"shipment_id": "S-1", "number": 2, "commodity_code": "84072191"}
    known = {**item, "number": 3, "known_at": "2026-11-24T10:30:00Z"}

    answer = send(service, {"goods_items": [item, known]}).json()

    assert answer["accepted"] == 1
    (wrong,) = answer["errors"]
    assert (wrong["pointer"], wrong["code"]) == ("/goods_items/0/known_at", "missing")
    assert "stands in its shipment" in wrong["detail"]


def test_a_bad_record_keeps_no_other_out(service: Service) -> None:
    body = {
        "legs": [LEG, {**LEG, "sequence": 0}],
        "documents": [{**INVOICE, "holder_name": "x"}, INVOICE, {**INVOICE, "kind": "permit"}],
    }

    answer = send(service, body).json()

    assert answer["accepted"] == 2
    wrong = {(error["pointer"], error["code"]) for error in answer["errors"]}
    assert wrong == {
        ("/legs/1/sequence", "greater_than_equal"),
        ("/documents/0/holder_name", "person_field"),
        ("/documents/2", "record_differs"),
    }


def test_a_contradictory_outcome_is_refused_by_name_and_not_kept(service: Service) -> None:
    body = {"outcomes": [OUTCOME | {"result": "not_confirmed", "offences": "drugs"}, OUTCOME]}

    answer = send(service, body).json()

    (wrong,) = answer["errors"]
    assert (wrong["pointer"], wrong["code"]) == ("/outcomes/0", "contradiction")
    assert "offences name drugs" in wrong["detail"]
    assert answer["accepted"] == len(list(service.services.records.all())) == 1


def test_a_result_that_was_known_before_its_inspection_is_refused(service: Service) -> None:
    early = OUTCOME | {"known_at": OUTCOME["inspected_at"], "inspected_at": OUTCOME["known_at"]}

    (wrong,) = send(service, {"outcomes": [early]}).json()["errors"]

    assert (wrong["pointer"], wrong["code"]) == ("/outcomes/0/known_at", "contradiction")
    assert wrong["detail"] == "is before the inspection began"


@pytest.mark.parametrize(
    ("beside", "fault"),
    [
        ({"outcomes": None}, None),
        ({"outcomes": {}}, ("/outcomes", "list_type")),
        ({"containers": []}, ("/containers", "unknown_field")),
        ({"persons": [{"name": "x"}]}, ("/persons", "person_field")),
    ],
)
def test_a_call_for_help_is_kept_whatever_other_kinds_of_records_the_body_holds(
    service: Service, beside: dict[str, Any], fault: tuple[str, str] | None
) -> None:
    call = {
        **{"journey_id": "J-2", "observed_at": "2026-11-24T11:00:00Z", "is_distress": True},
        **{"latitude": 36.1, "longitude": 14.2},
    }

    answer = send(service, {**beside, "positions": [call]})
    alone = send(service, beside)

    assert answer.status_code == 200, answer.text
    told = [(each["pointer"], each["code"]) for each in answer.json()["errors"]]
    assert (answer.json()["accepted"], told) == (1, [fault] if fault else [])
    assert alone.status_code == (422 if fault else 200)
    assert [(each["pointer"], each["code"]) for each in alone.json()["errors"]] == told


@pytest.mark.parametrize(
    ("changed", "is_kept"),
    [
        ({}, False),
        ({"selected_by": "discretion"}, True),
        ({"selected_by": "rule"}, True),
        ({"subject_id": "S-9"}, True),
        ({"result": "documents_in_order"}, True),
    ],
    ids=str,
)
def test_a_visit_that_no_decision_asked_for_is_not_taken_for_a_draw_of_the_model(
    service: Service, changed: dict[str, Any], is_kept: bool
) -> None:
    released = service.score(shipment(), service.key("score")).json()
    assert released["lane"] not in ("inspect", "control", "rescue")

    answer = send(service, {"outcomes": [OUTCOME | changed]})

    assert answer.status_code == (200 if is_kept else 422)
    assert len(list(service.services.records.all())) == is_kept
    if not is_kept:
        (wrong,) = answer.json()["errors"]
        assert (wrong["pointer"], wrong["code"]) == ("/outcomes/0/selected_by", "not_selected")


def test_whoever_reports_results_does_not_learn_of_a_rescue(service: Service) -> None:
    rescued, released = route(persons_on_board=60), route(journey_id="J-9")
    lanes = [
        service.score(body, service.key("score")).json()["lane"] for body in (rescued, released)
    ]
    assert lanes[0] == "rescue"
    assert lanes[1] not in ("inspect", "control", "rescue")
    told = []
    for body in (rescued, released):
        about = {"subject_kind": "route", "subject_id": body["journey"]["journey_id"]}
        answer = send(service, {"outcomes": [OUTCOME | about]})
        told.append((answer.status_code, [fault["code"] for fault in answer.json()["errors"]]))

    assert told == [(422, ["not_selected"])] * 2


def test_another_record_under_a_kept_id_is_refused(service: Service) -> None:
    by = service.key("ingest")
    send(service, {"documents": [INVOICE]}, by)

    changed = send(service, {"documents": [{**INVOICE, "kind": "permit"}]}, by)
    kept = service.services.records.about([("shipment", "S-1")])["shipment", "S-1"]

    assert changed.status_code == 422
    assert changed.json()["errors"][0]["code"] == "record_differs"
    assert "packing_list" in kept[0].body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ([], 422),
        ({"persons": []}, 422),
        ({"legs": {}}, 422),
        ({"legs": [7]}, 422),
        ({"positions": [{}] * 5_001}, 413),
    ],
    ids=str,
)
def test_what_is_no_list_of_records_is_refused(service: Service, body: Any, status: int) -> None:
    assert send(service, body).status_code == status


def test_a_later_score_sees_what_came_by_itself(service: Service) -> None:
    caller = service.key("score", "explain")
    before = service.score(shipment(), caller)
    send(service, {"documents": [INVOICE]})

    after = service.score(shipment(), caller)

    assert "documents.packing_list" in before.json()["missing"]
    assert "documents.packing_list" not in after.json()["missing"]
    record = service.services.decisions.record(after.json()["decision_id"])
    assert record is not None
    assert Decision.model_validate_json(record).linked_records == ("documents/D-9 1",)


def test_a_leg_that_came_by_itself_lengthens_the_journey(service: Service) -> None:
    caller = service.key("score", "explain")
    before = value(service, service.score(route(), caller), "leg_count")
    send(service, {"legs": [LEG, {**LEG, "journey_id": "J-other"}]})

    assert value(service, service.score(route(), caller), "leg_count") == before + 1


def test_an_outcome_is_known_to_the_next_subject_and_after_a_restart(home: Path) -> None:
    def known_outcomes(service: Service, name: str) -> float | None:
        later = shipment(shipment_id=name, declared_at="2026-11-24T11:30:00Z")
        answer = service.score(later, service.key("score", "explain"))
        rate: float | None = value(service, answer, "consignee_confirmed_rate")
        return rate

    with running(home) as service:
        service.score(shipment(), service.key("score"))
        before = known_outcomes(service, "S-2")
        outcome = OUTCOME | {"selected_by": "discretion"}
        assert send(service, {"outcomes": [outcome]}).json()["accepted"] == 1
        after = known_outcomes(service, "S-3")
    with running(home) as service:
        again = known_outcomes(service, "S-4")

    assert before is None, "nobody was inspected"
    assert after is not None
    assert after == again > 0


HISTORY = shipment(shipment_id="S-before")["shipment"] | {"declared_at": "2026-11-20T10:00:00Z"}


def test_shipments_of_before_are_history_to_the_next_subject_and_in_a_state_made_anew(
    home: Path,
) -> None:
    def known(service: Service, name: str) -> float:
        answer = service.score(shipment(shipment_id=name), service.key("score", "explain"))
        return float(value(service, answer, "consignee_shipments_30d") or 0)

    body = {"shipments": [HISTORY | {"items": [{"number": 1, "commodity_code": "8903100000"}]}]}
    with running(home) as service:
        before = known(service, "S-2")
        first, again = send(service, body).json(), send(service, body).json()
        assert (first["accepted"], first["repeated"], first["not_scored"]) == (1, 0, [])
        assert (again["accepted"], again["repeated"], again["errors"]) == (0, 1, [])
        assert known(service, "S-3") == before + 1
        other = HISTORY | {"consignee_id": "c-0099"}  # what came first stays
        submitted = {"subject_kind": "shipment", "shipment": other}
        assert service.score(submitted, service.key("score")).status_code == 200
        assert known(service, "S-4") == before + 1
    shutil.rmtree(home / "state")
    with running(home) as service:
        assert known(service, "S-5") == before + 1


def test_what_came_as_history_may_be_scored_later_and_what_was_scored_comes_only_as_it_was(
    service: Service,
) -> None:
    route_of = route()["journey"]
    send(service, {"journeys": [route_of], "shipments": [HISTORY]})
    for body in (route(), {"subject_kind": "shipment", "shipment": HISTORY}):
        assert service.score(body, service.key("score")).status_code == 200
    scored = shipment()["shipment"]
    assert service.score(shipment(), service.key("score")).status_code == 200

    other = send(service, {"shipments": [scored | {"gross_mass_kg": 1.0}]})
    same = send(service, {"shipments": [scored]})

    assert same.json()["accepted"] == 1
    assert other.status_code == 422
    (wrong,) = other.json()["errors"]
    assert (wrong["pointer"], wrong["code"]) == ("/shipments/0", "record_differs")


@pytest.mark.parametrize(
    ("changed", "pointer", "code"),
    [
        ({"holder_name": "x"}, "/shipments/0/holder_name", "person_field"),
        ({"hs_code": None}, "/shipments/0", "no_goods_code"),
        ({"items": [{"number": 0, "commodity_code": "890310"}]}, "/shipments/0/items/0/number",
         "greater_than_equal"),
        ({"office_id": "DE002100"}, "/shipments/0", "foreign_office"),
    ],
)  # fmt: skip
def test_history_is_checked_as_a_submission_is(
    service: Service, changed: dict[str, Any], pointer: str, code: str
) -> None:
    hamburg = service.key("ingest", offices=("DE004600",))

    answer = send(service, {"shipments": [HISTORY | changed]}, hamburg)

    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [
        (pointer, code)
    ]
    assert list(service.services.records.all()) == []


@pytest.mark.parametrize(
    ("changed", "is_kept"),
    [
        ({"course_degrees": 360.0, "captain": "x"}, True),
        ({"course_degrees": 360.0, "is_distress": False}, False),
        ({"latitude": 360.0}, False),
    ],
)
def test_a_call_for_help_is_kept_without_what_is_wrong_beside_it(
    service: Service, changed: dict[str, Any], *, is_kept: bool
) -> None:
    call = {"journey_id": "J-2", "observed_at": "2026-11-24T11:00:00Z", "is_distress": True}
    place = {"latitude": 38.2, "longitude": 26.1, "speed_kn": 1.0}

    answer = send(service, {"positions": [call | place | changed]}, service.key("ingest"))

    wrong = {f"/positions/0/{name}" for name in changed if name != "is_distress"}
    assert {each["pointer"] for each in answer.json()["errors"]} == wrong
    kept = [json.loads(each.body) for each in service.services.records.all()]
    told = {"journey_id", "observed_at", "is_distress", *place}
    assert [{*each} for each in kept] == [told] * is_kept


@pytest.mark.parametrize("said", [{}, {"subject_kind": "shipment"}, {"subject_id": "S-1"}], ids=str)
def test_a_payment_that_leaves_its_subject_out_counts_and_a_service_starts_again(
    home: Path, said: dict[str, str]
) -> None:
    def paid(service: Service, name: str) -> Any:
        later = shipment(shipment_id=name, declared_at="2026-11-24T11:30:00Z")
        return value(service, service.score(later, service.key("score", "explain")), FEATURE)

    body = shipment()
    body["transactions"] = [
        {n: v for n, v in payment.items() if n not in ("subject_kind", "subject_id")} | said
        for payment in body["transactions"]
    ]
    with running(home) as service:
        assert service.score(body, service.key("score")).status_code == 200
        outcome = OUTCOME | {"selected_by": "discretion"}
        send(service, {"outcomes": [outcome]})
        before = paid(service, "S-2")
    with running(home) as service:
        assert paid(service, "S-3") == before is not None


@contextmanager
def running(home: Path) -> Iterator[Service]:
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        services = services_of(client)
        yield Service(client, services, home, posted=100 * len(services.api_keys.all()))


def test_an_office_tells_nothing_about_anothers_subjects(service: Service) -> None:
    hamburg = service.key("score", "ingest", offices=("DE004600",))
    munich = service.key("ingest", offices=("DE002100",))
    service.score(shipment(office_id="DE004600"), hamburg)

    foreign = send(service, {"documents": [INVOICE]}, munich)
    unknown = send(
        service, {"documents": [{**INVOICE, "document_id": "D-7", "subject_id": "S-7"}]}, munich
    )
    own = send(service, {"documents": [INVOICE]}, hamburg)

    assert (foreign.status_code, foreign.json()["errors"][0]["code"]) == (422, "foreign_office")
    assert unknown.json()["accepted"] == own.json()["accepted"] == 1


@pytest.fixture
def store(where: Path | str) -> Iterator[RecordRepository]:
    engine = database(where, is_service=True)
    yield RecordRepository(engine)
    engine.dispose()


def row(number: int, body: str = "{}") -> ReceivedRecord:
    arrival = f"2026-11-24T12:00:00.{number:06}+00:00"
    return ReceivedRecord("legs", f"r-{number:05}", "route", f"J-{number % 7}", arrival, "c", body)


def test_kept_records_are_read_in_order_over_many_pages(store: RecordRepository) -> None:
    store.add_new([row(number) for number in range(1_203)])

    assert [each.record_id for each in store.all()] == [f"r-{n:05}" for n in range(1_203)]
    about = store.about([("route", "J-1"), ("shipment", "J-1")])
    assert [len(about["route", "J-1"]), len(about["shipment", "J-1"])] == [172, 0]


def test_kept_records_of_some_kinds_are_read_alone(store: RecordRepository) -> None:
    body = json.dumps(route(journey_id="J-1")["journey"])
    journey = ReceivedRecord("journeys", "J-1", "route", "J-1", row(1).received_at, "c", body)
    store.add_new([row(1), journey, row(2)])

    assert [each.key for each in store.all(kinds=["journeys"])] == [("journeys", "J-1")]


def test_what_was_kept_before_is_told_and_not_changed(store: RecordRepository) -> None:
    store.add_new([row(1, "a")])

    assert store.add_new([row(1, "b"), row(2, "c")]) == {
        ("legs", "r-00001"): StoredRecord("a", "c")
    }
    assert [each.body for each in store.all()] == ["a", "c"]


def test_nobody_keeps_a_document_out_by_sending_one_under_its_id_before(service: Service) -> None:
    squatter, border = service.key("ingest"), service.key("ingest")
    false = INVOICE | {"subject_id": "S-other", "kind": "permit"}
    assert send(service, {"documents": [false]}, squatter).status_code == 200

    first = send(service, {"documents": [INVOICE]}, border)
    again = send(service, {"documents": [INVOICE]}, border)
    changed = send(service, {"documents": [INVOICE | {"kind": "permit"}]}, border)
    same_from_another = send(service, {"documents": [false]}, border)

    assert (first.json()["accepted"], again.json()["repeated"]) == (1, 1)
    assert changed.json()["errors"][0]["code"] == "record_differs"
    assert same_from_another.json()["repeated"] == 1
    kept = service.services.records.about([("shipment", "S-1")])["shipment", "S-1"]
    assert [json.loads(row.body)["kind"] for row in kept] == ["packing_list"]
    assert service.score(shipment(), service.key("score")).status_code == 200


@pytest.mark.parametrize(
    ("claim", "field"),
    [
        ({"selected_by": "random", "selection_probability": 0.01}, "selected_by"),
        ({"selected_by": "random"}, "selected_by"),
        ({"selected_by": "rule", "selection_probability": 0.01}, "selection_probability"),
        ({"selected_by": "discretion", "selection_probability": 1.0}, "selection_probability"),
        ({"result": "documents_in_order", "selection_probability": 0.5}, "selection_probability"),
    ],
    ids=str,
)
@pytest.mark.parametrize("subject_id", ["S-1", "S-never-declared"])
def test_whoever_sends_outcomes_claims_no_draw_and_no_probability(
    service: Service, subject_id: str, claim: dict[str, Any], field: str
) -> None:
    service.score(shipment(), service.key("score"))

    answer = send(service, {"outcomes": [OUTCOME | {"subject_id": subject_id} | claim]})

    assert answer.status_code == 422
    (wrong,) = answer.json()["errors"]
    assert (wrong["pointer"], wrong["code"]) == (f"/outcomes/0/{field}", "not_drawn")
    assert list(service.services.records.all()) == []


def test_what_the_services_own_decision_says_of_a_draw_may_be_repeated(service: Service) -> None:
    drawn = _drawn(service)
    later = {"inspected_at": (NOW + timedelta(hours=1)).isoformat()}
    later |= {"known_at": (NOW + timedelta(hours=2)).isoformat()}
    told = OUTCOME | later | {"subject_id": drawn["subject_id"], "selected_by": "random"}
    own = drawn["selection_probability"]
    before = {"inspected_at": (NOW - timedelta(days=1)).isoformat()}

    for claim, field in (
        ({"selection_probability": own / 2}, "selection_probability"),
        ({}, "selection_probability"),
        (before | {"selection_probability": own}, "selected_by"),
    ):
        (wrong,) = send(service, {"outcomes": [told | claim]}).json()["errors"]
        assert (wrong["pointer"], wrong["code"]) == (f"/outcomes/0/{field}", "not_drawn")
    assert send(service, {"outcomes": [told | {"selection_probability": own}]}).status_code == 200


def _drawn(service: Service) -> dict[str, Any]:
    """The answer about a subject that was drawn at random to be looked into."""
    machine = service.key("score")
    for number in range(400):
        answer: dict[str, Any] = service.score(
            shipment(shipment_id=f"S-drawn-{number}"), machine
        ).json()
        if answer["lane"] == "control" or answer["lane_reason"] == "random":
            return answer
    raise AssertionError("nothing was drawn")
