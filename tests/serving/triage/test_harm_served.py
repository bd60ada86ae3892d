"""Harm × probability as a running service ranks by it, records it and shows it."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.audit.decision import Decision
from serving.review.cases.case_summary import describe_lane
from serving.settings import Settings
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.review.supervision.test_supervision_served import sign_in_as
from training.model.offence_shares import offence_shares

FINDS = [("chapter 89", "dual_use")] * 20 + [("chapter 64", "counterfeit")] * 60


@pytest.mark.parametrize(
    ("plan", "weights", "ratio"),
    [("", {}, None), ("[harm]\ndual_use = 5.0\n", {"dual_use": 5.0}, 1.75)],
)
def test_lanes_rank_by_harm_only_where_the_plan_weighs_it_and_decision_and_page_say_so(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    plan: str,
    weights: dict[str, float],
    ratio: float | None,
) -> None:
    (home / "lanes.toml").write_text(plan)
    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app) as client:
        service = Service(client, app.state.services, home)
        manifest = service.services.models.champion("shipment").model.manifest
        monkeypatch.setitem(manifest.__dict__, "offence_shares", offence_shares(FINDS))
        answer = service.score(shipment(), service.key("score")).json()
        record = service.services.decisions.record(answer["decision_id"]) or ""
        (placed,) = service.services.placements.after(0)
        sign_in_as(service, "data_scientist")
        page = service.client.get("/console/models").text

    decision = Decision.model_validate_json(record)
    assert decision.harm_weights == weights
    assert decision.harm_ratio == (ratio and pytest.approx(ratio))
    assert placed.ranked_by == decision.ranked_by
    is_ranked = ratio is not None
    assert (decision.ranked_by is not None) == is_ranked
    by_score = decision.model_copy(update={"lane": "inspect", "lane_reason": "score"})
    assert ("ranked by probability × harm" in describe_lane(by_score)) == is_ranked
    assert ("by probability alone" in page) != is_ranked
    weighed = r"dual use</td><td class=\"number\">5</td><td class=\"number\">25"
    assert bool(re.search(weighed, page)) == is_ranked
