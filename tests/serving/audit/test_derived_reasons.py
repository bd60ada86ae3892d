"""Reasons that follow, when somebody reads, from what was sealed with a decision."""

import shutil
from pathlib import Path

import orjson
import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.audit.decision import Decision
from serving.audit.derived_reasons import with_reasons
from serving.audit.masking import masked
from serving.errors import ReasonsUnavailable
from serving.monitor.decision_facts import DecisionFacts
from serving.settings import Settings
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service, services_of
from tests.serving.world import train_and_promote

BODIES = [
    route(),
    route(journey_id="J-2", persons_on_board=12),
    *(shipment(shipment_id=f"S-{n}", declared_value=40.0 * 9**n) for n in range(5)),
    shipment(shipment_id="S-bare", gross_mass_kg=None, goods_description=None),
]


def decisions(service: Service, *scopes: str) -> list[Decision]:
    """What is sealed of the bodies, as a caller with these scopes asks for them."""
    caller = service.key(*scopes)  # type: ignore[arg-type]  # scopes
    answers = [service.score(body, caller).json() for body in BODIES]
    records = [service.services.decisions.record(each["decision_id"]) for each in answers]
    return [Decision.model_validate_json(record or "") for record in records]


def test_derived_reasons_are_those_that_would_have_been_sealed(service: Service) -> None:
    models, pseudonyms = service.services.models, service.services.pseudonyms
    for sealed in decisions(service, "score", "explain"):
        assert sealed.reasons is not None
        assert sealed.said_with
        without = Decision.model_validate_json(
            sealed.model_copy(update={"reasons": None}).as_json()
        )
        for seen in (without, masked(without, pseudonyms)):
            assert with_reasons(models, seen).reasons == sealed.reasons


def test_reasons_are_sealed_wherever_somebody_is_to_act(home: Path) -> None:
    settings = Settings(home=home, inspect_share=0.3, control_probability=0.2)
    with TestClient(create_app(settings, clock=lambda: NOW)) as client:
        found = decisions(Service(client, services_of(client), home), "score")

    assert {decision.lane for decision in found} > {"release"}
    for decision in found:
        assert decision.score is not None
        assert (decision.reasons is None) == (decision.lane == "release")


def test_monitoring_counts_the_same_leading_reason_derived_or_sealed(service: Service) -> None:
    for sealed in decisions(service, "score", "explain"):
        record = sealed.as_json()
        without = sealed.model_copy(update={"reasons": None}).as_json()
        of_each = [DecisionFacts.from_record(orjson.loads(each)) for each in (record, without)]
        assert of_each[0] == of_each[1]


def test_a_model_that_left_service_still_tells_the_reasons_of_its_decisions(
    service: Service,
) -> None:
    reader = service.key("score", "explain")
    decision_id = service.score(shipment(), service.key("score")).json()["decision_id"]
    address = f"/v1/decisions/{decision_id}/explanation"
    then = service.client.get(address, headers=reader).json()

    train_and_promote(service.home, "shipment", "2", seed=8)
    service.services.models.refresh()

    now = service.client.get(address, headers=reader).json()
    assert now["reasons"] == then["reasons"]
    assert now["model"]["version"] == "1"


def test_without_its_model_no_reasons_are_made_up(service: Service) -> None:
    reader = service.key("score", "explain")
    decision_id = service.score(shipment(), service.key("score")).json()["decision_id"]
    train_and_promote(service.home, "shipment", "2", seed=8)
    service.services.models.refresh()
    first = service.home / "models" / "tidegate-shipment" / "1"
    shutil.rmtree(first)
    shutil.copytree(first.with_name("2"), first)

    answer = service.client.get(f"/v1/decisions/{decision_id}/explanation", headers=reader)

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/reasons-unavailable")
    assert "tidegate-shipment 1" in answer.json()["detail"]


def test_of_features_that_this_release_does_not_have_no_reasons_are_made_up(
    service: Service,
) -> None:
    (decision, *_) = decisions(service, "score", "explain")
    vector = {f"former_{name}": value for name, value in decision.vector.items()}
    former = decision.model_copy(update={"reasons": None, "vector": vector})

    with pytest.raises(ReasonsUnavailable, match="another release decided this"):
        with_reasons(service.services.models, former)
