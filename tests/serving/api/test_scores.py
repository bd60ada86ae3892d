"""POST /v1/scores: a decision, durable, explained to those who may know, once per key."""

import json
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from features.catalogue import features_of
from features.digests.computations import catalogue_fingerprint
from features.input_dependencies import missing_inputs
from serving.api.answers import decision_answer
from serving.api.examples import ROUTE, SHIPMENT
from serving.app import create_app
from serving.audit.decision import Decision, digest_of
from serving.explanation.reasons_in_words import ReasonRenderer
from serving.language import languages_in
from serving.settings import Settings
from serving.triage.recent_load import RecentPlacement
from tests.serving.bodies import route, shipment, submission
from tests.serving.conftest import NOW, Service, services_of

SECRET_WORDS = ("contribution", "reasons", "log_odds", "remainder")


@pytest.mark.parametrize("body", [shipment(), route()], ids=["shipment", "route"])
def test_a_subject_gets_a_decision(service: Service, body: dict[str, Any]) -> None:
    response = service.score(body, service.key("score"))

    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["subject_kind"] == body["subject_kind"]
    assert answer["model"]["name"] == f"tidegate-{body['subject_kind']}"
    assert answer["model"]["version"] == "1"
    assert answer["scored_at"] == "2026-11-24T12:00:00Z"
    assert 0 < answer["probability"] < 1
    assert 0 <= answer["percentile"] <= 100
    assert 0 < answer["selection_probability"] <= 1
    assert response.headers["Location"] == f"/v1/decisions/{answer['decision_id']}"


@pytest.mark.parametrize("body", [SHIPMENT, ROUTE], ids=["shipment", "route"])
def test_the_examples_of_the_description_are_scored(service: Service, body: Any) -> None:
    assert service.score(body, service.key("score")).status_code == 200


def test_an_explanation_adds_up_to_the_score(service: Service) -> None:
    answer = service.score(shipment(), service.key("score", "explain")).json()

    base, log_odds = answer["base_log_odds"], answer["log_odds"]
    parts = [c["contribution"] for c in answer["contributions"]]
    reasons = [r["log_odds"] for r in answer["reasons"]] + [
        answer[part]["log_odds"] for part in ("remainder", "habits")
    ]
    assert base + math.fsum(parts) == pytest.approx(log_odds, abs=1e-9)
    assert base + math.fsum(reasons) == pytest.approx(log_odds, abs=1e-9)
    assert answer["probability"] == pytest.approx(1 / (1 + math.exp(-log_odds)), abs=1e-12)
    assert answer["reasons"]
    of_feature = {c["feature"]: c["contribution"] for c in answer["contributions"]}
    for reason in answer["reasons"]:
        assert reason["effect"] == ("for" if reason["log_odds"] > 0 else "against")
        for seen in reason["evidence"]:
            assert seen["contribution"] == of_feature[seen["feature"]] != 0
    sizes = [abs(reason["log_odds"]) for reason in answer["reasons"]]
    assert sizes == sorted(sizes, reverse=True)


def test_without_the_scope_no_contribution_leaves_the_service(service: Service) -> None:
    caller = service.key("score")
    scored = service.score(shipment(), caller, key="k")
    repeated = service.score(shipment(), caller, key="k")
    read = service.client.get(scored.headers["Location"], headers=caller)
    forbidden = service.client.get(scored.headers["Location"] + "/explanation", headers=caller)

    assert forbidden.status_code == 403
    for response in (scored, repeated, read, forbidden):
        everything = response.text + repr(response.headers)
        assert not [word for word in SECRET_WORDS if word in everything]


def test_what_a_machine_asked_is_put_into_words_when_a_person_reads_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = service.key("score", "explain")
    told = service.score(shipment(), reader).json()["reasons"]
    with monkeypatch.context() as silent:
        silent.delattr(ReasonRenderer, "reasons")
        answer = service.score(shipment(), service.key("score"))

    address = f"/v1/decisions/{answer.json()['decision_id']}"
    record = service.services.decisions.record(answer.json()["decision_id"])
    assert record is not None
    assert not [reason for reason in told if reason["words"] in record]
    assert len(answer.content) < 1_000
    explanation = service.client.get(f"{address}/explanation", headers=reader).json()
    assert [reason["indicator"] for reason in explanation["reasons"]]


def test_reading_a_decision_never_explains_it(service: Service) -> None:
    caller = service.key("score", "explain")
    scored = service.score(shipment(), caller)

    read = service.client.get(scored.headers["Location"], headers=caller).json()

    assert read == {name: scored.json()[name] for name in read}
    assert "contributions" not in read


def test_a_category_that_was_never_learnt_is_missing_flagged_and_counted(service: Service) -> None:
    caller = service.key("score", "explain")
    usual = service.score(shipment(hs_code="640399"), caller).json()

    strange = service.score(shipment(hs_code="010121"), caller).json()

    assert usual["unseen"] == []
    assert strange["unseen"] == ["hs_chapter"]
    metrics = service.client.get("/metrics").text
    assert 'tidegate_unseen_categories_total{feature="hs_chapter"} 1.0' in metrics


def test_a_stored_explanation_is_the_one_that_was_answered(service: Service) -> None:
    caller = service.key("score", "explain")
    scored = service.score(shipment(), caller).json()

    address = f"/v1/decisions/{scored['decision_id']}/explanation"
    explanation = service.client.get(address, headers=caller).json()

    for name in ("log_odds", "base_log_odds", "reasons", "remainder", "contributions"):
        assert explanation[name] == scored[name]
    families = math.fsum(explanation["families"].values())
    assert scored["base_log_odds"] + families == pytest.approx(scored["log_odds"], abs=1e-9)
    assert "the packing list" in explanation["missing_in_words"]


def test_the_same_key_and_body_get_the_same_bytes(service: Service) -> None:
    caller = service.key("score")

    first = service.score(shipment(), caller, key="k")
    again = service.score(shipment(), caller, key="k")

    assert again.content == first.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert service.services.decisions.size() == 1


def test_the_same_key_with_another_body_is_refused(service: Service) -> None:
    caller = service.key("score")
    service.score(shipment(), caller, key="k")

    other = service.score(shipment(packages=13), caller, key="k")

    assert other.status_code == 422
    assert other.json()["type"] == "/problems/idempotency-key-reused"


def test_callers_do_not_share_idempotency_keys(service: Service) -> None:
    one = service.score(shipment(), service.key("score"), key="k").json()
    other = service.score(shipment(), service.key("score"), key="k").json()

    assert one["decision_id"] != other["decision_id"]


def test_a_key_in_progress_is_a_conflict(service: Service) -> None:
    caller = service.key("score")
    key_id = service.services.api_keys.all()[-1].key_id
    service.services.batcher.claims.acquire((key_id, "k"))

    meanwhile = service.score(shipment(), caller, key="k")
    service.services.batcher.claims.release((key_id, "k"))
    afterwards = service.score(shipment(), caller, key="k")

    assert meanwhile.status_code == 409
    assert meanwhile.headers["Retry-After"] == "1"
    assert afterwards.status_code == 200


def test_retries_at_once_make_one_decision(service: Service) -> None:
    caller = service.key("score")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: service.score(shipment(), caller, key="k"), range(16)))

    assert {a.status_code for a in answers} <= {200, 409}
    assert len({a.content for a in answers if a.status_code == 200}) == 1
    assert service.services.decisions.size() == 1


@pytest.mark.parametrize("key", [None, "", "two words", "é" * 3, "x" * 256])
def test_without_a_usable_idempotency_key_nothing_is_decided(
    service: Service, key: str | None
) -> None:
    headers: dict[str, Any] = service.key("score")
    if key is not None:
        headers["Idempotency-Key"] = key.encode("latin-1")

    response = service.client.post("/v1/scores", json=shipment(), headers=headers)

    assert response.status_code == 400
    lacks = "unusable" if key else "missing"
    assert response.json()["type"] == f"/problems/idempotency-key-{lacks}"
    assert service.services.decisions.size() == 0


def test_a_refused_body_does_not_use_up_its_key(service: Service) -> None:
    caller = service.key("score")

    refused = service.score(shipment(declared_at="yesterday"), caller, key="k")
    accepted = service.score(shipment(), caller, key="k")

    assert (refused.status_code, accepted.status_code) == (422, 200)


def test_a_submitted_subject_is_seen_by_those_after_it(service: Service) -> None:
    caller = service.key("score", "explain")
    later = shipment(shipment_id="S-2", declared_at="2026-11-24T11:00:00Z")
    alone = _value(service.score(later, caller).json(), "consignee_shipments_30d")

    service.score(shipment(shipment_id="S-3"), caller)
    after = service.score({**later, "shipment": {**later["shipment"]}}, caller).json()

    assert _value(after, "consignee_shipments_30d") == (alone or 0) + 1


def test_a_rescue_is_told_to_whoever_asked_and_to_those_who_audit(service: Service) -> None:
    asked, other, helper = (
        service.key("score", "explain"),
        service.key("score", "explain"),
        service.key("score", "explain", "audit"),
    )
    reviewing = service.key("score", "explain", "review")
    decision_id = service.score(route(persons_on_board=60), asked).json()["decision_id"]
    by_reviewer = service.score(route(journey_id="J-9", persons_on_board=60), reviewing)
    own = f"/v1/decisions/{by_reviewer.json()['decision_id']}"
    assert service.client.get(own, headers=reviewing).status_code == 404
    for caller, status in ((asked, 200), (other, 404), (helper, 200)):
        for address in (f"/v1/decisions/{decision_id}", f"/v1/decisions/{decision_id}/explanation"):
            assert service.client.get(address, headers=caller).status_code == status


def test_a_life_at_risk_opens_the_rescue_lane_whatever_the_score(service: Service) -> None:
    overloaded = route(persons_on_board=60)

    answer = service.score(overloaded, service.key("score")).json()

    assert (answer["lane"], answer["lane_reason"]) == ("rescue", "life_at_risk")


def test_the_record_holds_all_that_a_decision_rests_on(service: Service) -> None:
    body = json.dumps(shipment(), indent=3).encode()
    headers = {
        **service.key("score", "explain"),
        "Idempotency-Key": "k",
        "Content-Type": "application/json",
    }
    answer = service.client.post("/v1/scores", content=body, headers=headers).json()

    record = service.services.decisions.record(answer["decision_id"])
    assert record is not None
    decision = Decision.model_validate_json(record)
    assert decision.request.encode() == body
    assert decision.model.model_dump() == answer["model"]
    assert len(decision.vector) == len(decision.score.contributions)
    assert decision.caller_name == "caller-1"
    assert decision.selection_probability == answer["selection_probability"]
    assert decision.lane == answer["lane"]
    assert decision.scored_at == NOW
    assert decision.request_digest == digest_of(body)
    assert decision.model.catalogue == catalogue_fingerprint("shipment")
    assert decision.answer_digest is not None
    assert decision.reasons.reasons
    nothing_happened = {"life_at_risk", "plan", "unscored", "harm_ratio"}
    nothing_happened |= {"as_of", "rescores", "lane_before", "drawn_with"}
    told = decision.model_dump()
    assert {name for name in told if told[name] is None} == nothing_happened
    assert decision.caller_id == service.services.api_keys.all()[-1].key_id
    assert (decision.office_id, decision.purpose) == ("DE004600", "risk_assessment")
    assert decision.missing == tuple(missing_inputs(decision.submission))
    assert [*decision.vector] == [feature.name for feature in features_of("shipment")]
    assert sum(decision.lane_probabilities.values()) == pytest.approx(1)
    assert decision.score.probability == answer["probability"]


def test_a_decision_stores_with_what_probability_it_was_to_be_looked_at(home: Path) -> None:
    settings = Settings(home=home, inspect_share=0.3, control_probability=0.2)
    with TestClient(create_app(settings, clock=lambda: NOW)) as client:
        service = Service(client, services_of(client), home)
        caller = service.key("score")
        bodies = [shipment(shipment_id=f"S-{n}", declared_value=50.0 + 900 * n) for n in range(12)]
        answers = [service.score(body, caller).json() for body in bodies]
        records = [service.services.decisions.record(each["decision_id"]) or "" for each in answers]

    assert len({answer["lane"] for answer in answers}) > 1
    for answer, record in zip(answers, records, strict=True):
        decision = Decision.model_validate_json(record)
        own = decision.lane_probabilities
        looked_at = sum(own.get(lane, 0.0) for lane in ("rescue", "inspect", "control"))  # type: ignore[call-overload]  # lanes
        assert 0.2 <= decision.selection_probability == answer["selection_probability"]
        assert decision.selection_probability == pytest.approx(min(looked_at, 1.0))


PLAN = """
[[watched]]
kind = "company"
value = "c-0012"
list = "asked for by another office"
reason = "see their message"
"""


def test_the_record_names_what_else_spoke_and_what_came_by_itself(home: Path) -> None:
    (home / "lanes.toml").write_text(PLAN)
    permit = {
        "document_id": "D-7",
        "subject_kind": "shipment",
        "subject_id": "S-1",
        "kind": "permit",
        "received_at": "2026-11-24T09:00:00Z",
    }
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        service = Service(client, services_of(client), home)
        taken = client.post(
            "/v1/records", json={"documents": [permit]}, headers=service.key("ingest")
        )
        answer = service.score(shipment(hs_code="010121"), service.key("score"))

    assert (taken.status_code, answer.status_code) == (200, 200), taken.text
    decision = Decision.model_validate_json(
        service.services.decisions.record(answer.json()["decision_id"]) or ""
    )
    assert decision.answer_digest == digest_of(answer.content)
    (hit,) = decision.hits
    assert "c-0012" in hit
    assert decision.plan == digest_of(PLAN.encode())
    assert [name.partition("/")[0] for name in decision.linked_records] == ["documents"]
    assert decision.vector["has_permit"] == 1
    assert decision.unseen == ("hs_chapter",)


@pytest.mark.parametrize("body", [shipment(), route()], ids=["shipment", "route"])
def test_a_record_is_the_json_of_its_decision(service: Service, body: dict[str, Any]) -> None:
    answer = service.score(body, service.key("score")).json()

    record = service.services.decisions.record(answer["decision_id"])
    assert record is not None
    decision = Decision.model_validate_json(record)
    assert decision.as_json() == record.encode()
    assert json.loads(record) == decision.model_dump(mode="json")


@pytest.mark.parametrize("body", [shipment(), route()], ids=["shipment", "route"])
def test_an_explained_answer_is_the_json_that_pydantic_writes(
    service: Service, body: dict[str, Any]
) -> None:
    answered = service.score(body, service.key("score", "explain"))

    record = service.services.decisions.record(answered.json()["decision_id"])
    assert record is not None
    for language in languages_in(service.home / "languages").values():
        answer = decision_answer(Decision.model_validate_json(record), language)
        assert answer.as_json() == answer.model_dump_json().encode()
        assert (answer.as_json() == answered.content) == (language.code == "en")


def _value(answer: dict[str, Any], feature: str) -> Any:
    return next(c["value"] for c in answer["contributions"] if c["feature"] == feature)


def test_warming_up_leaves_no_trace(service: Service) -> None:
    caller = service.key("score", "explain")
    examples = [submission(SHIPMENT), submission(ROUTE)]
    service.services.assessor.warm_up(examples)
    later = {**SHIPMENT, "shipment": {**SHIPMENT["shipment"], "shipment_id": "S-later"}}

    answer = service.score(later, caller).json()

    assert _value(answer, "consignee_shipments_30d") == 0
    assert service.services.decisions.size() == 1


def test_metrics_say_which_part_of_the_capacity_whole_days_used(home: Path) -> None:
    capacity = "inspect_per_day = 4\ndocument_check_per_day = 0"
    (home / "lanes.toml").write_text(f"[offices.XX0001]\n{capacity}")
    days = [NOW - timedelta(days=age) for age in (3, 2, 2, 1)]
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        load = services_of(client).lanes.recent_load
        for at in days:
            load.count(RecentPlacement("shipment", "XX0001", at, 0.5, "inspect"))

        metrics = client.get("/metrics").text

    assert 'tidegate_capacity_used_ratio{lane="inspect"} 0.375' in metrics
    assert 'tidegate_capacity_used_ratio{lane="document_check"}' not in metrics
