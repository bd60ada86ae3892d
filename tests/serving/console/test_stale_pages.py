"""A form of a page that shows a case as it was decides nothing, and loses no word."""

import re
from typing import Any

from serving.console.case_acts import _WITHOUT_READING
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import reviewer
from tests.serving.review.test_cases_served import open_case
from tests.serving.review.test_supervision_served import sign_in_as

WHY = "the papers and the seal agree"
TOLD = "the carrier says that the seal was changed"


def fields_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form of a page that goes to an address."""
    (form,) = re.findall(rf'<form[^>]* action="{action}[^>]*>(.*?)</form>', page, re.S)
    return dict(re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', form))


def test_a_stale_page_releases_nothing_and_says_what_happened_since(reviewed: Service) -> None:
    case_id, cases = open_case(reviewed), reviewed.services.cases
    address = f"/console/cases/{case_id}"
    sign_in_as(reviewed, "reviewer")
    ana = reviewer("ana")
    cases.note(ana, case_id, NOW, "seen before")
    release = {"kind": "release", "text": WHY}

    def send(page: str) -> Any:
        form = fields_of(page, f"{address}/actions") | release
        return reviewed.client.post(f"{address}/actions", data=form, headers=ORIGIN)

    page = reviewed.client.get(address).text
    cases.note(ana, case_id, NOW, TOLD)
    stale = send(page)

    assert stale.status_code == 409
    assert "The case has changed since you read it" in stale.text
    (since,) = re.findall(r'id="since".*?</section>', stale.text, re.S)
    assert TOLD in since
    assert "seen before" not in since
    assert WHY in re.findall(r'<textarea id="action-text"[^>]*>([^<]*)<', stale.text)
    assert re.search(r'value="release" checked', stale.text)
    assert cases.case(ana, case_id)[1].owner is None
    send(stale.text)
    assert cases.case(ana, case_id)[1].status == "closed"


def test_every_form_that_decides_says_what_its_reader_saw(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    sign_in_as(reviewed, "reviewer")

    page = reviewed.client.get(f"/console/cases/{case_id}").text
    forms = re.findall(rf'action="/console/cases/{case_id}/([a-z]+)[^>]*>(.*?)</form>', page, re.S)

    deciding = {act: form for act, form in forms if act not in (*_WITHOUT_READING, "attachments")}
    assert {"actions", "waits", "assignments", "escalations"} <= deciding.keys()
    shown = {re.findall(r'name="shown" value="(\d+)"', form)[0] for form in deciding.values()}
    assert len(shown) == 1


def test_a_form_that_says_not_what_its_reader_saw_decides_nothing(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    form = {"form_token": sign_in_as(reviewed, "reviewer"), "kind": "inspect"}

    refused = reviewed.client.post(f"/console/cases/{case_id}/actions", data=form, headers=ORIGIN)

    assert refused.status_code == 409
    assert 'id="since"' not in refused.text
    assert reviewed.services.cases.case(reviewer("ana"), case_id)[1].action is None
