"""To which offices a case can be referred, by call and on its page: to no misspelt one."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.access.accounts import new_account
from serving.app import create_app
from serving.settings import Settings
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import reviewer
from tests.serving.review.cases.stated import form_of, post
from tests.serving.review.cases.test_cases_served import PLAN, open_case
from tests.serving.review.supervision.test_supervision_served import PASSWORD, sign_in_as

OFFICES = """
[offices.GR003100]
inspect_per_day = 5
document_check_per_day = 5
"""
REFERRED = {"kind": "refer", "refer_to": "office", "text": "it arrives there"}


@pytest.fixture
def reviewed(home: Path, trusting: None) -> Iterator[Service]:
    """A service that sends the example shipment to inspection, and knows three offices."""
    (home / "lanes.toml").write_text(PLAN + OFFICES)
    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app) as client:
        service = Service(client, app.state.services, home)
        elsewhere = new_account("elsewhere", PASSWORD, "reviewer", ("DE002300",), NOW)
        service.services.accounts.add_account(elsewhere)
        yield service


def test_a_case_is_referred_to_an_office_that_is_known_and_to_no_other(reviewed: Service) -> None:
    case_id, by = open_case(reviewed), reviewed.person("one", "review")
    post(reviewed, case_id, "claim", by)

    refused = post(reviewed, case_id, "actions", by, **REFERRED, destination="GR0O3100")
    own = post(reviewed, case_id, "actions", by, **REFERRED, destination="DE004600")
    known = reviewed.client.get("/v1/offices", headers=by).json()["offices"]

    (fault,) = own.json()["errors"]
    assert own.status_code == 422
    assert (fault["pointer"], fault["code"]) == ("/destination", "same_office")
    assert fault["detail"].startswith("the case is at this office already")
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/office-unknown")
    (fault,) = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/destination", "unknown_office")
    assert fault["detail"].endswith("the nearest one is GR003100")
    assert known == ["DE002300", "DE004600", "GR003100"]
    for office in ("GR003100", "DE002300"):
        moved = post(reviewed, case_id, "actions", by, **REFERRED, destination=office)
        assert moved.json()["action"]["destination"] == office, moved.text
        post(reviewed, case_id, "claim", by)


def test_the_page_of_a_case_offers_the_other_offices_and_keeps_what_was_misspelt(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed)
    token = sign_in_as(reviewed, "reviewer")
    page = reviewed.client.get(f"/console/cases/{case_id}").text
    form = form_of(reviewed, case_id, token, kind="refer office", text="it arrives there")

    refused: Any = reviewed.client.post(
        f"/console/cases/{case_id}/actions", data=form | {"destination": "de2300"}, headers=ORIGIN
    )

    (offered,) = re.findall(r'<datalist id="offices">(.*?)</datalist>', page)
    assert re.findall(r'value="([^"]+)"', offered) == ["DE002300", "GR003100"]
    assert refused.status_code == 422
    assert "the nearest one is DE002300" in refused.text
    assert re.search(r'name="destination"[^>]* value="de2300"[^>]* aria-invalid', refused.text)
    assert reviewed.services.cases.case(reviewer("ana"), case_id)[0].office_id == "DE004600"
