"""The page of a case says what its declaration was amended to, and that it was withdrawn."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.audit.retention_log import RetentionAct
from serving.console.amended_declaration import amended_declaration
from serving.settings import Settings
from tests.serving.api.test_messages import PLAN
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_case_pdf import attached, text_of
from tests.serving.people import reviewer
from tests.serving.review.cases.stated import NOTHING, end_by
from tests.serving.review.supervision.test_supervision_served import sign_in_as
from tests.serving.scoring.test_amended_declarations import amended
from tests.serving.scoring.test_rescoring import LATER, Tide, payment


@pytest.fixture
def watched_tide(home: Path) -> Iterator[Tide]:
    """A service that sends every shipment to inspection, with a worker of our own."""
    (home / "lanes.toml").write_text(PLAN)
    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app, raise_server_exceptions=False) as client:
        app.state.services.rescoring.stop()
        yield Tide(Service(client, app.state.services, home))


def declared(**changed: Any) -> dict[str, Any]:
    return shipment(container_number="MSKU9070323", **changed)


def page_of(tide: Tide, case_id: str) -> str:
    sign_in_as(tide.service, "reviewer")
    page: str = tide.service.client.get(f"/console/cases/{case_id}").text
    return page


def test_the_case_says_what_was_amended_and_has_the_new_decision(watched_tide: Tide) -> None:
    case_id = watched_tide.score(declared()).decision_id
    plain = page_of(watched_tide, case_id)
    watched_tide.send(shipments=[amended(container_number="MSKU9070323")])
    assert watched_tide.run() == 1

    page = page_of(watched_tide, case_id)

    assert 'id="amended"' not in plain
    assert "<strong>Gross mass</strong> amended: 1,250.5 → 3,750" in re.sub(
        "</?span[^>]*>", "", page
    )
    assert page[page.index('id="amended"') :].split("</ul>")[0].count("<li>") == 1
    paper = watched_tide.service.client.get(f"/console/cases/{case_id}/case.pdf").content
    assert "Amended: gross mass, 1,250.5 → 3,750." in text_of(paper)
    assert "score again" in page[page.index('id="events"') :]
    assert watched_tide.service.services.cases.decision(case_id).submission.subject.version == 2


def test_the_case_of_a_withdrawn_declaration_says_so_until_it_is_declared_anew(
    watched_tide: Tide,
) -> None:
    case_id = watched_tide.score(declared()).decision_id
    watched_tide.send(shipments=[amended(container_number="MSKU9070323", withdrawn=True)])
    assert watched_tide.run() == 0

    page = page_of(watched_tide, case_id)

    withdrawn = "was withdrawn, as is known since 24 November 2026, 11:00 UTC"
    assert withdrawn in page
    address = f"/console/cases/{case_id}/case.pdf"
    paper = watched_tide.service.client.get(address).content
    assert withdrawn in text_of(paper)
    assert json.loads(attached(paper))["withdrawn_at"] == "2026-11-24T11:00:00+00:00"
    again = amended(3, "2026-11-24T11:30:00Z", container_number="MSKU9070323")
    watched_tide.send(shipments=[again])
    assert 'id="withdrawn"' not in page_of(watched_tide, case_id)


def test_fields_are_those_of_the_newest_declaration_withdrawn_or_scored_after_the_end(
    watched_tide: Tide,
) -> None:
    """Neither has a decision that counts for the case."""
    services = watched_tide.service.services
    withdrawn = watched_tide.score(declared(shipment_id="S-2")).decision_id
    own = {"shipment_id": "S-2", "container_number": "MSKU9070323"}
    watched_tide.send(shipments=[amended(**own)])
    watched_tide.send(shipments=[amended(3, "2026-11-24T11:30:00Z", **own, withdrawn=True)])
    ended = watched_tide.score(declared()).decision_id
    end_by(services.cases, reviewer("ana"), ended, NOW, NOTHING)
    later = declared(version=2, known_at="2026-11-24T11:00:00Z", gross_mass_kg=3_750.0)
    watched_tide.score(later | {"as_of": "2026-11-24T11:00:01Z"})
    services.cases.open_new()

    for case_id in (withdrawn, ended):
        row, _ = services.cases.case(reviewer("ana"), case_id)
        counted = services.cases.decision(case_id).submission
        told = amended_declaration(services, row, counted, NOW)
        (mass,) = [each for each in told.changes if each.words == "gross mass"]
        assert mass.after.startswith("3,750")
        assert (told.withdrawn_at is not None) == (case_id == withdrawn)


def test_payments_that_became_known_later_are_listed_where_they_are_counted(
    watched_tide: Tide,
) -> None:
    case_id = watched_tide.score(declared()).decision_id
    before = page_of(watched_tide, case_id)
    watched_tide.send(transactions=[payment(2, LATER)])
    assert watched_tide.run() == 1

    page = page_of(watched_tide, case_id)

    decision = watched_tide.service.services.cases.decision(case_id)
    assert decision.vector["payment_count"] == 2
    assert 'data-about="transactions:T-2"' not in before
    assert 'data-about="transactions:T-2"' in page
    assert len(set(re.findall(r'<tr [^>]*data-about="transactions:([^"]+)"', page))) == 2
    paper = watched_tide.service.client.get(f"/console/cases/{case_id}/case.pdf").content
    assert "T-2" in text_of(paper)


def test_of_a_masked_case_no_amendment_is_told(watched_tide: Tide) -> None:
    case_id = watched_tide.score(declared()).decision_id
    watched_tide.send(shipments=[amended(container_number="MSKU9070323", withdrawn=True)])
    act = RetentionAct(NOW.isoformat(), "mask", "ada", "daily", {"before": "2027-01-01"})
    watched_tide.service.services.retention_acts.append(act)

    page = page_of(watched_tide, case_id)

    assert 'id="withdrawn"' not in page
    assert 'id="amended"' not in page
