"""`If-Match`: an act on a case that became another since it was read is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.settings import Settings
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.review.cases.test_cases_served import PLAN, open_case


@pytest.fixture
def reviewed(home: Path, trusting: None) -> Iterator[Service]:
    """A service that sends the example shipment to inspection, whatever its score."""
    (home / "lanes.toml").write_text(PLAN)
    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app) as client:
        app.state.services.rescoring.stop()
        yield Service(client, app.state.services, home)


def test_a_case_that_was_scored_again_since_it_was_read_is_not_released(reviewed: Service) -> None:
    case_id, by = open_case(reviewed), reviewed.person("one", "review")
    act = f"/v1/cases/{case_id}/actions"
    release = {"kind": "release", "text": "nothing calls for a look"}

    def order(if_match: str) -> Any:
        return reviewed.client.post(act, json=release, headers=by | {"If-Match": if_match})

    reviewed.client.post(f"/v1/cases/{case_id}/claim", headers=by)
    read = reviewed.client.get(f"/v1/cases/{case_id}", headers=by)
    again = shipment() | {"as_of": "2026-11-24T11:30:00Z"}
    assert reviewed.score(again, reviewed.key("score")).json()["case_id"] == case_id

    refused = order(read.headers["ETag"])

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/case-changed")
    now = reviewed.client.get(f"/v1/cases/{case_id}", headers=by)
    assert now.headers["ETag"] == f'"{now.json()["revision"]}"' != read.headers["ETag"]
    assert now.json()["status"] == "assigned"
    assert order("W/12").status_code == 422
    assert order(now.headers["ETag"]).json()["status"] == "closed"


def test_reading_and_marking_change_no_revision_and_an_act_is_told_what_forbids_it(
    reviewed: Service,
) -> None:
    case_id, by = open_case(reviewed), reviewed.person("one", "review")
    cases = reviewed.services.cases
    reviewed.client.post(f"/v1/cases/{case_id}/judgements", json={"judged_as": "look"}, headers=by)
    assert cases.revision(case_id) == 0
    other = reviewed.person("two", "review")
    reviewed.client.post(f"/v1/cases/{case_id}/claim", headers=other | {"If-Match": '"0"'})
    assert cases.revision(case_id) == 1

    taken = reviewed.client.post(f"/v1/cases/{case_id}/claim", headers=by | {"If-Match": '"0"'})

    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/case-taken")
