"""Assess shipments as a service over a home would, logging nothing: `python -m` prints the answers.

Another process may do it with another catalogue, over a copy of the same home.
"""

import json
import sys
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from serving.access.callers import Caller
from serving.app import create_app
from serving.audit.decision import Decision
from serving.container import Services
from serving.scoring.assessment import AssessmentRequest
from serving.settings import Settings
from tests.serving.bodies import shipment, submission
from tests.serving.conftest import NOW, services_of

CALLER = Caller("caller", "a caller", frozenset({"score", "explain"}), frozenset())


def asked() -> list[AssessmentRequest]:
    """Shipments of parties with and without history."""
    bodies = [
        shipment(shipment_id=f"S-{n}", consignee_id=f"consignee-{n % 30}", net_mass_kg=100.0 * n)
        for n in range(60)
    ]
    return [
        AssessmentRequest(CALLER, submission(body), json.dumps(body).encode(), NOW)
        for body in bodies
    ]


def answers(services: Services) -> list[dict[str, Any]]:
    """Assess them; an id, and counts for sentences of other features, are no part of an answer."""
    decisions = services.assessor.assess(asked())
    assert all(isinstance(each, Decision) for each in decisions)
    left_out = {"decision_id", "said_with"}
    return [each.model_dump(mode="json", exclude=left_out) for each in decisions]


if __name__ == "__main__":
    served = create_app(Settings(home=Path(sys.argv[1])), clock=lambda: NOW)
    with TestClient(served) as client:
        sys.stdout.write(json.dumps(answers(services_of(client))))
