"""Later versions of records: from when they are known they count in the place of earlier ones."""

from typing import Any

import pytest

from tests.serving.api.test_records import INVOICE, LEG, OUTCOME, send, value
from tests.serving.bodies import route, shipment
from tests.serving.conftest import Service

LATER = {"version": 2, "known_at": "2026-11-24T10:50:00Z"}


def test_a_withdrawn_document_is_missing_again(service: Service) -> None:
    caller = service.key("score", "explain")
    withdrawn = {"version": 2, "withdrawn": True, "received_at": "2026-11-23T11:00:00Z"}
    send(service, {"documents": [INVOICE]})
    before = service.score(shipment(), caller)

    assert send(service, {"documents": [INVOICE | withdrawn]}).json()["accepted"] == 1
    after = service.score(shipment(), caller)

    assert "documents.packing_list" not in before.json()["missing"]
    assert "documents.packing_list" in after.json()["missing"]


def test_a_withdrawn_leg_shortens_the_journey_again(service: Service) -> None:
    caller = service.key("score", "explain")
    before = value(service, service.score(route(), caller), "leg_count")
    send(service, {"legs": [LEG]})
    longer = value(service, service.score(route(), caller), "leg_count")
    withdrawn = {"version": 2, "withdrawn": True, "known_at": "2026-11-24T09:40:00Z"}

    send(service, {"legs": [LEG | withdrawn]})

    assert longer == before + 1
    assert value(service, service.score(route(), caller), "leg_count") == before


def test_a_laboratorys_result_takes_the_place_of_an_inconclusive_one(service: Service) -> None:
    def confirmed_rate(name: str) -> Any:
        later = shipment(shipment_id=name, declared_at="2026-11-24T11:30:00Z")
        answer = service.score(later, service.key("score", "explain"))
        return value(service, answer, "consignee_confirmed_rate")

    service.score(shipment(), service.key("score"))
    own = OUTCOME | {"selected_by": "discretion"}
    rates = [confirmed_rate("S-2")]
    for name, found in (
        ("S-3", {"result": "inconclusive"}),
        ("S-4", {"known_at": "2026-11-24T10:50:00Z"}),
        ("S-5", {"known_at": "2026-11-24T10:55:00Z", "withdrawn": True}),
    ):
        assert send(service, {"outcomes": [own | found]}).json()["accepted"] == 1
        rates.append(confirmed_rate(name))

    nothing, inconclusive, confirmed, withdrawn = rates
    assert confirmed > 0
    assert nothing is inconclusive is withdrawn is None


def test_an_amended_declaration_is_scored_again_in_its_case_and_counts_for_others(
    service: Service,
) -> None:
    caller = service.key("score", "explain")
    first = service.score(shipment(), caller).json()
    mass = shipment()["shipment"]["gross_mass_kg"]
    amended = shipment(gross_mass_kg=mass / 10, net_mass_kg=mass / 10, **LATER)
    amended["as_of"] = "2026-11-24T11:00:00Z"

    second = service.score(amended, caller)
    third = service.score(shipment(shipment_id="S-2", declared_at="2026-11-24T11:30:00Z"), caller)

    assert second.status_code == 200, second.text
    assert second.json()["decision_id"] != first["decision_id"]
    assert second.json()["case_id"] == first["case_id"]
    ratio = value(service, third, "mass_to_consignee_ratio_365d")
    assert ratio == pytest.approx(10, rel=0.05)


def test_a_later_version_is_scored_as_of_when_it_is_known_and_a_withdrawn_one_not_at_all(
    service: Service,
) -> None:
    early, late = shipment(**LATER), shipment(**LATER) | {"as_of": "2026-11-24T11:00:00Z"}
    gone = shipment(**LATER, withdrawn=True) | {"as_of": "2026-11-24T11:00:00Z"}
    kept = {name: value for name, value in gone["shipment"].items() if name != "items"}

    answers = [service.score(body, service.key("score")) for body in (early, late, gone)]
    told = send(service, {"shipments": [kept]})

    assert [answer.status_code for answer in answers] == [422, 200, 422]
    codes = [answer.json()["errors"][0]["code"] for answer in (answers[0], answers[2])]
    assert codes == ["not_yet_known", "withdrawn"]
    assert told.json()["accepted"] == 1, told.text


@pytest.mark.parametrize("amended", [{"version": 2}, {"withdrawn": True}], ids=str)
def test_what_amends_a_declaration_says_since_when_it_is_known(
    service: Service, amended: dict[str, Any]
) -> None:
    refused = service.score(shipment(**amended), service.key("score"))

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "amendment_without_instant"
    assert "`known_at`" in refused.json()["errors"][0]["detail"]
