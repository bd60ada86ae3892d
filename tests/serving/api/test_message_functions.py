"""What a message does with what it states: it declares, states anew, or withdraws."""

import json
import re
from datetime import datetime
from typing import Any

import pytest

from features.messages.conversion import NOTHING_TO_WITHDRAW
from features.submission import Submission
from serving.audit.decision import Decision
from serving.errors import LogUnavailable
from serving.review.cases.case_opening_worker import open_due
from serving.scoring.enrichment import enrich
from tests.serving.api.test_messages import sample, send, stored, watched
from tests.serving.api.test_records import send as send_records
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service

__all__ = ["watched"]

MANIFEST = sample("edifact", "cuscar.edi")

WITHDRAWN = {"documents": 3, "shipments": 1}
"""What a cancellation of the manifest withdraws: the goods end with their shipment."""

CALL_FOR_HELP = {
    "journey_id": "9074729/2647E",
    "observed_at": "2026-11-24T09:00:00Z",
    "latitude": 37.5,
    "longitude": 24.5,
    "is_distress": True,
}


def of_function(code: str, *changes: tuple[bytes, bytes]) -> bytes:
    """The manifest with another function, and with texts in place of others."""
    body = re.sub(rb"(BGM\+785\+[^+]*\+)9", rb"\g<1>" + code.encode(), MANIFEST)
    for before, after in changes:
        assert before in body, before
        body = body.replace(before, after)
    return body


HEAVIER = of_function("5", (b"G+KGM:4210", b"G+KGM:9210"))


def manifest(
    service: Service, code: str, *changes: tuple[bytes, bytes], key: str = "", **query: str
) -> Any:
    """What is answered to the manifest of a function."""
    sender = service.key("ingest", "score")
    body = of_function(code, *changes)
    return send(service, sender, body, "edifact", key or f"m-{code}", **query)


def case_of(service: Service, told: Any) -> Any:
    """The case of the shipment of a manifest, told of all that came by now."""
    open_due(service.services.cases, NOW)
    (case_id,) = {each["case_id"] for each in told["decisions"] if each["subject_id"] == "AC4711"}
    return service.client.get(f"/v1/cases/{case_id}", headers=service.key("review")).json()


def versions(service: Service, kind: str = "shipments") -> list[tuple[int, bool]]:
    """The received versions of the records of a type: their numbers, and which withdraw."""
    rows = [each for each in service.services.records.all() if each.kind == kind]
    bodies = [json.loads(each.body) for each in rows]
    return sorted((each.get("version", 1), each.get("withdrawn", False)) for each in bodies)


def decided(told: Any) -> list[str]:
    """The subjects that a message was decided about."""
    return [each["subject_id"] for each in told["decisions"]]


def test_a_replacement_amends_what_was_declared_and_its_case_says_so(watched: Service) -> None:
    sender = watched.key("ingest", "score")
    first = send(watched, sender, MANIFEST, "edifact").json()

    answer = send(watched, sender, HEAVIER, "edifact", "m-2")

    told = answer.json()
    assert decided(told) == decided(first) == ["AC4711"]
    case = case_of(watched, told)
    assert datetime.fromisoformat(case["declaration_amended_at"]) == NOW
    assert case["case_id"] == first["decisions"][0]["case_id"]
    declared = _declared(watched, told["decisions"][0])
    assert (declared.version, declared.gross_mass_kg) == (2, 9210)
    assert send(watched, sender, HEAVIER, "edifact", "m-2").content == answer.content


def test_a_replacement_that_was_cut_off_finishes_as_the_version_that_it_was(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender, of_a_ship = service.key("ingest", "score"), (b"2647E+1+13+", b"2647E+1+150+")
    send(service, sender, of_function("9", of_a_ship), "edifact")
    heavier = of_function(
        "5", of_a_ship, (b"G+KGM:4210", b"G+KGM:9210"), (b":20261128", b":20261129")
    )
    writer = service.services.batcher.writer
    written = iter([writer.submit, _refuse])

    def submit(*given: Any) -> Any:
        return next(written)(*given)

    with monkeypatch.context() as broken:
        broken.setattr(writer, "submit", submit)
        assert send(service, sender, heavier, "edifact", "m-2").status_code == 503

    told = send(service, sender, heavier, "edifact", "m-2")

    assert told.status_code == 200, told.text
    assert [_declared(service, each).version for each in told.json()["decisions"]] == [2, 2]


def _refuse(*_: Any) -> None:
    raise LogUnavailable("the log is away")


def _submission(service: Service, told: Any) -> Submission:
    """What a decision was about, with what was received of it."""
    record = service.services.decisions.record(told["decision_id"])
    submission = Decision.model_validate_json(record or "").submission
    rows = service.services.records.about([(submission.subject_kind, submission.subject_id)])
    enriched, _ = enrich(submission, [row for own in rows.values() for row in own])
    return enriched


def _declared(service: Service, told: Any) -> Any:
    """The declaration that a decision was about."""
    return _submission(service, told).subject


def test_a_replacement_that_says_the_same_is_no_version(watched: Service) -> None:
    manifest(watched, "9")

    told = manifest(watched, "5", key="same").json()

    assert case_of(watched, told)["declaration_amended_at"] is None


def test_an_original_that_comes_after_its_replacement_is_no_older_version(
    watched: Service,
) -> None:
    manifest(watched, "9")
    manifest(watched, "5", (b"G+KGM:4210", b"G+KGM:9210"))

    late = manifest(watched, "9", key="late").json()
    newest = manifest(watched, "5", (b"G+KGM:4210", b"G+KGM:8210"), key="newest").json()

    numbers = [_declared(watched, each["decisions"][0]).version for each in (late, newest)]
    assert numbers == [3, 4]


def test_a_cancellation_withdraws_what_was_declared_and_decides_nothing(watched: Service) -> None:
    first = manifest(watched, "9").json()

    told = manifest(watched, "1").json()

    assert (told["decisions"], told["records"]) == ([], WITHDRAWN)
    case = case_of(watched, first)
    assert datetime.fromisoformat(case["declaration_withdrawn_at"]) == NOW
    assert versions(watched) == [(2, True)]
    assert versions(watched, "documents") == [(1, False)] * 3 + [(2, True)] * 3
    assert manifest(watched, "1", key="again").json()["records"] == told["records"]
    assert versions(watched) == [(2, True)]


def test_a_cancellation_of_what_nobody_declared_says_so_and_withdraws_nothing(
    service: Service,
) -> None:
    told = manifest(service, "1").json()

    assert (told["records"], told["decisions"], stored(service)) == ({}, [], [1, 0, 0, 0])
    refused = {(each["record_type"], *each["reasons"]) for each in told["not_made"]}
    assert ("shipments", NOTHING_TO_WITHDRAW) in refused
    assert ("documents", NOTHING_TO_WITHDRAW) in refused
    assert "segment 4 BGM" in told["remarks"][0]


def test_what_was_withdrawn_is_declared_anew_by_a_replacement_alone(watched: Service) -> None:
    manifest(watched, "9")
    manifest(watched, "1", received_at="2026-11-24T10:00:00Z")

    late = manifest(watched, "9", key="late")
    told = manifest(watched, "5").json()

    assert (late.status_code, late.json()["type"]) == (409, "/problems/declaration-withdrawn")
    assert decided(told) == ["AC4711"]
    assert case_of(watched, told)["declaration_withdrawn_at"] is None
    assert _declared(watched, told["decisions"][0]).version == 3
    submission = _submission(watched, told["decisions"][0])
    assert len(submission.standing("goods_items")) == 1
    assert [each.version for each in submission.standing("documents")] == [3]


def test_a_function_that_cannot_be_obeyed_makes_nothing_and_is_named(service: Service) -> None:
    told = manifest(service, "11").json()

    assert (told["records"], told["decisions"]) == ({}, [])
    (named,) = [each for each in told["left_over"] if each["path"] == "BGM+785/3/1"]
    assert named["why"].startswith("no function that is obeyed: want one of 6 7 9")


def test_who_may_not_touch_what_an_office_declared_cancels_nothing_of_it(service: Service) -> None:
    service.score(shipment(shipment_id="AC4711", office_id="DE2"), service.key("score"))
    sender = service.key("ingest", offices=("DE1",))

    refused = send(service, sender, of_function("1"), "edifact")

    assert refused.status_code == 422
    assert {each["code"] for each in refused.json()["errors"]} == {"foreign_office"}
    assert stored(service) == [0, 0, 0, 1]


def test_a_voyage_of_cancelled_goods_is_looked_at_for_danger_to_life_alone(
    service: Service,
) -> None:
    of_a_ship = (b"2647E+1+13+", b"2647E+1+150+")
    quiet = manifest(service, "1", of_a_ship, key="quiet").json()
    send_records(service, {"positions": [CALL_FOR_HELP]})

    caller = service.key("ingest")  # who may not score asks for no score here
    told = send(service, caller, of_function("1", of_a_ship), "edifact", "help")

    assert (quiet["decisions"], quiet["records"]) == ([], {})
    assert [(each["subject_id"], each["lane"]) for each in told.json()["decisions"]] == [
        ("9074729/2647E", "rescue")
    ]


def test_a_deletion_withdraws_a_waybill_and_the_shipment_that_it_declared(
    service: Service,
) -> None:
    sender, body = service.key("ingest", "score"), sample("cargo_xml")
    first = send(service, sender, body, "cargo_xml").json()

    deleted = body.replace(b">Creation<", b">Deletion<")
    told = send(service, sender, deleted, "cargo_xml", "m-2").json()

    assert (len(first["decisions"]), told["decisions"]) == (1, [])
    assert told["records"] == {"documents": 1, "shipments": 1}
    assert (versions(service), versions(service, "documents")[-1]) == ([(2, True)], (2, True))


def test_a_void_bill_withdraws_itself_and_not_the_goods_that_travel_on(service: Service) -> None:
    sender, body = service.key("ingest", "score"), sample("dcsa")
    send(service, sender, body, "dcsa")

    void = body.replace(b'"ISSUED"', b'"VOIDED"')
    told = send(service, sender, void, "dcsa", "m-2").json()

    assert (told["records"], told["decisions"]) == ({"documents": 1}, [])
    assert versions(service, "documents") == [(1, False), (2, True)]
    assert versions(service, "goods_items") == [(1, False)]
