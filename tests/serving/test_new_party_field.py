"""A field of a party that is added to a record is masked, gets pseudonyms, and is watched."""

import json

import pytest
from pydantic import Field

from features.field_types import PartyId
from features.records import RECORD_FILES
from features.submission import Submission, SubmittedShipment
from serving.access.pseudonyms import Pseudonyms
from serving.audit.decision import Decision
from serving.audit.masking import masked
from serving.console.charts.payment_flow import PaymentChart
from serving.console.pseudonymous_view import pseudonymous
from serving.review.cases.case_of_decision import _links
from serving.triage.triage_plan import TriagePlan, WatchListEntry
from serving.triage.watch_list_hits import find_hits
from tests.serving.bodies import shipment, submission
from tests.serving.review.cases.decisions import AT, decision

NAMES = Pseudonyms(b"k" * 32)
BROKER = "c-broker"


class BrokeredShipment(SubmittedShipment):
    """A shipment with a party that no other module has heard of."""

    broker_id: PartyId | None = Field(None, description="The party that found the buyer.")


@pytest.fixture(autouse=True)
def _declares_brokers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RECORD_FILES, "shipments", BrokeredShipment)


def brokered() -> Submission:
    """A submission whose shipment names its broker, who also pays."""
    body = shipment()
    body["transactions"][0]["payer_id"] = BROKER
    known = submission(body)
    assert known.shipment is not None
    declared = BrokeredShipment(**known.shipment.model_dump() | {"broker_id": BROKER})
    return known.model_copy(update={"shipment": declared})


def decided() -> Decision:
    """A decision about it, with a hit that names the broker."""
    request = json.dumps({"shipment": {"broker_id": BROKER}, "transactions": []})
    return decision().model_copy(update={"request": request, "hits": (f"company {BROKER}",)})


def test_a_new_party_is_masked() -> None:
    shown = masked(decided(), NAMES)

    assert json.loads(shown.request)["shipment"] == {"broker_id": NAMES.of(BROKER, "masked")}
    assert shown.hits == (f"company {NAMES.of(BROKER, 'masked')}",)


def test_a_new_party_has_a_pseudonym_for_those_who_study_models() -> None:
    shown = pseudonymous(decided(), NAMES)

    assert json.loads(shown.request)["shipment"] == {"broker_id": NAMES.of(BROKER)}
    assert shown.hits == (f"company {NAMES.of(BROKER)}",)


def test_a_new_party_is_looked_up_in_watch_lists() -> None:
    entry = WatchListEntry(
        kind="company", value=BROKER, list="wanted", reason="see file 7", until=None
    )

    assert len(find_hits(TriagePlan(watched=(entry,)), brokered(), {}, AT)) == 1


def test_a_new_party_links_cases() -> None:
    assert ("party", BROKER) in _links(brokered())


def test_a_new_party_is_a_declared_one_among_those_who_pay() -> None:
    (payer,) = PaymentChart.from_submission(brokered()).payers

    assert (payer.party_id, payer.is_declared) == (BROKER, True)
