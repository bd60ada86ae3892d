"""Who may read a kept message, and where messages say what a fact rests on."""

from dataclasses import replace
from typing import Any

import pytest

from features.messages.stored_text import MessageText
from features.provenance import Provenance
from serving.audit.retention_log import RetentionAct
from serving.errors import Forbidden, NotFound
from serving.history.kept_messages import KeptMessage, MessageContent, PlacedRecord, lines_of
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.message_evidence import MAX_PLACES, MessagePlace, MessagesOfCase
from serving.review.cases.reviewer import Reviewer
from tests.serving.api.test_messages import sample, send, watched
from tests.serving.bodies import route
from tests.serving.conftest import NOW, Service
from tests.serving.people import ONE

__all__ = ["watched"]

TEXT = "one\ntwo\nthree\nfour\nfive\nsix\n"
SPANS = {word: (TEXT.index(word), TEXT.index(word) + len(word)) for word in TEXT.split()}
INVOICE = PlacedRecord("documents", "INV-1", "shipment", "S-1", {"kind": "away", "number": "two"})
SHIPMENT = PlacedRecord("shipments", "S-1", "shipment", "S-1", {"packages": "four"})
ANOTHER = PlacedRecord("shipments", "S-2", "shipment", "S-2", {"packages": "one"})
OWN = [("shipment", "S-1")]


def message(message_id: str, *records: PlacedRecord, text: str = TEXT) -> KeptMessage:
    spans = SPANS if text else {}
    kept = MessageText.of(text)
    lines = lines_of(kept, spans)
    content = MessageContent("", "", 0, "", {}, records, (), kept, spans, (), lines)
    return KeptMessage(message_id, "c", "k", NOW.isoformat(), "ubl", content)


def resting_on(*declared: str, **records: tuple[str, ...]) -> Provenance:
    return Provenance(declared, records, ())


def test_a_fact_leads_to_the_records_and_the_fields_that_it_rests_on() -> None:
    own = MessagesOfCase([message("m", ANOTHER, INVOICE, SHIPMENT)], OWN)

    assert own.places(resting_on("packages", documents=("INV-1",))) == [
        MessagePlace("m", "two", 2),
        MessagePlace("m", "four", 4),
    ]
    assert own.places(resting_on("number", documents=("INV-2",), events=("INV-1",))) == []


def test_of_two_messages_the_newest_that_has_a_text_tells() -> None:
    without = message("newest", SHIPMENT, text="")
    own = MessagesOfCase([without, message("newer", SHIPMENT), message("older", SHIPMENT)], OWN)

    assert own.places(resting_on("packages")) == [MessagePlace("newer", "four", 4)]


def test_each_line_is_told_once_and_only_the_first_of_many() -> None:
    fields = {"packages": "one", "gross_mass_kg": "one", "hs_code": "two"}
    more = {"volume_m3": "three", "net_mass_kg": "four", "seal_number": "five"}
    own = MessagesOfCase([message("m", replace(SHIPMENT, places=fields | more))], OWN)

    told = own.places(resting_on(*fields, *more))

    assert [each.line for each in told] == [1, 2, 3]
    assert len(told) == MAX_PLACES


def sent(service: Service, format: str = "ubl", **query: str) -> str:
    answer: Any = send(service, service.key("ingest", "score"), sample(format), format, **query)
    return str(answer.json()["message_id"])


def seen(service: Service, message_id: str, *offices: str, is_rescue: bool = False) -> bool:
    reader = Reviewer(ONE, CaseAccess(frozenset(offices), is_rescue))
    try:
        service.services.message_evidence.read(reader, message_id)
    except NotFound:
        return False
    return True


def test_a_message_is_seen_with_a_case_of_it_and_without_any_by_who_sees_all(
    watched: Service,
) -> None:
    of_case = sent(watched)
    of_nobody = sent(watched, "ais", key="m-2")

    for message_id in (of_case, of_nobody):
        assert seen(watched, message_id)
        assert not seen(watched, message_id, "elsewhere")
        assert not seen(watched, message_id, is_rescue=True)
    assert not seen(watched, "unknown")


def test_a_message_about_a_rescue_is_seen_on_its_side_of_the_wall_alone(service: Service) -> None:
    crowded = route(journey_id="J-rescue", certified_capacity=12, persons_on_board=41)
    service.score(crowded, service.key("score"))
    body = sample("iso20022").replace(b"AC4711", b"J-rescue")
    answer = send(
        service, service.key("ingest"), body, "iso20022", journey_pattern="J-{letters}"
    ).json()

    assert answer["records"] == {"transactions": 1}
    assert seen(service, answer["message_id"], is_rescue=True)
    assert not seen(service, answer["message_id"])


def test_of_masked_cases_no_message_is_shown(
    watched: Service,
) -> None:
    message_id = sent(watched)
    act = RetentionAct(NOW.isoformat(), "mask", "ada", "daily", {"before": "2027-01-01"})
    watched.services.retention_acts.append(act)
    reader = Reviewer(ONE, CaseAccess(frozenset(), is_rescue=False))
    evidence = watched.services.message_evidence

    evidence.cases.open_new()
    with pytest.raises(Forbidden):
        evidence.read(reader, message_id)
    (row,) = evidence.cases.rows_of(reader, evidence.store.decided_with(message_id))
    assert evidence.of_case(row, None).messages == ()  # type: ignore[arg-type]  # nothing is read
