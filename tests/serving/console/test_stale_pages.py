"""A form of a page that shows a case as it was decides nothing, and loses no word."""

import re
from typing import Any

from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.all_acts import ACTS
from serving.review.acts.note import note_case
from serving.review.acts.tag import Tagging, tag_case
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import reviewer
from tests.serving.review.cases.test_cases_served import open_case
from tests.serving.review.supervision.test_supervision_served import PASSWORD, sign_in_as

WHY = "the papers and the seal agree"
TOLD = "the carrier says that the seal was changed"
PART = ORIGIN | {"HX-Request": "true"}

NEEDS_REVISION = {name for name, act in ACTS.items() if act.revision == "shown"}


def fields_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form of a page that goes to an address."""
    (form,) = re.findall(rf'<form[^>]* action="{action}[^>]*>(.*?)</form>', page, re.S)
    return dict(re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', form))


def test_a_stale_page_releases_nothing_and_says_what_happened_since(reviewed: Service) -> None:
    case_id, cases = open_case(reviewed), reviewed.services.cases
    address = f"/console/cases/{case_id}"
    sign_in_as(reviewed, "reviewer")
    ana = reviewer("ana")
    note_case(ActRequest(cases, ana, case_id, NOW), "seen before")
    release = {"kind": "release", "text": WHY}

    def send(page: str) -> Any:
        form = fields_of(page, f"{address}/actions") | release
        return reviewed.client.post(f"{address}/actions", data=form, headers=ORIGIN)

    page = reviewed.client.get(address).text
    note_case(ActRequest(cases, ana, case_id, NOW), TOLD)
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

    deciding = {act: form for act, form in forms if act in NEEDS_REVISION}
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


def test_a_first_judgement_in_place_shows_the_score_and_replaces_no_form(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed)
    address = f"/console/cases/{case_id}"
    sign_in_as(reviewed, "reviewer")
    form = fields_of(reviewed.client.get(address).text, f"{address}/judgements")

    answer = reviewed.client.post(
        f"{address}/judgements", data=form | {"judged_as": "look"}, headers=PART
    )

    assert answer.status_code == 200
    assert "You said first: <strong>look closer</strong>" in answer.text
    assert f'id="how-scored-{case_id}" hx-swap-oob="true"' in answer.text
    assert f'id="event-list-{case_id}" hx-swap-oob="true"' in answer.text
    assert "<textarea" not in answer.text
    assert "HX-Push-Url" not in answer.headers
    read = [event for event in reviewed.services.cases.events(case_id) if event.action == "read"]
    assert len(read) == 2  # the score is read like the page before it


def test_a_judgement_on_a_case_that_has_changed_is_refused_on_the_whole_page(
    reviewed: Service,
) -> None:
    case_id, cases = open_case(reviewed), reviewed.services.cases
    address = f"/console/cases/{case_id}"
    sign_in_as(reviewed, "reviewer")
    page = reviewed.client.get(address).text
    note_case(ActRequest(cases, reviewer("ana"), case_id, NOW), TOLD)

    for act, said in (("judgements", {"judged_as": "look"}), ("claim", {})):
        form = fields_of(page, f"{address}/{act}") | said
        stale = reviewed.client.post(f"{address}/{act}", data=form, headers=PART)
        assert stale.status_code == 409
        assert stale.headers["HX-Retarget"] == "#open-case"
        assert TOLD in stale.text

    assert "judge" not in {event.action for event in cases.events(case_id)}
    assert cases.case(reviewer("ana"), case_id)[1].owner is None


def test_undo_takes_back_the_act_that_its_page_named_and_no_later_one(reviewed: Service) -> None:
    case_id, cases = open_case(reviewed), reviewed.services.cases
    address = f"/console/cases/{case_id}"
    sign_in_as(reviewed, "reviewer")
    page = reviewed.client.get(f"{address}?tab=mine").text
    order = fields_of(page, f"{address}/actions") | {"kind": "inspect"}
    done = reviewed.client.post(f"{address}/actions?tab=mine", data=order, headers=ORIGIN).text
    undo = fields_of(done, f"{address}/undo")
    mine = reviewer("the reviewer")
    tag_case(ActRequest(cases, mine, case_id, NOW), Tagging(("late papers",)))

    stale = reviewed.client.post(f"{address}/undo", data=undo, headers=ORIGIN)

    assert stale.status_code == 409
    _, case = cases.case(mine, case_id)
    assert case.tags == ("late papers",)
    assert case.action is not None


def test_a_form_sent_after_signing_in_again_says_the_act_and_the_case_in_words(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed)
    address = f"/console/cases/{case_id}"
    sign_in_as(reviewed, "reviewer")
    form = fields_of(reviewed.client.get(address).text, f"{address}/actions")
    reviewed.client.cookies.clear()
    ended = reviewed.client.post(
        f"{address}/actions", data=form | {"kind": "hold", "text": WHY}, headers=ORIGIN
    )
    kept = dict(re.findall(r'type="hidden" name="([a-z_.]+)" value="([^"]*)"', ended.text))

    page = reviewed.client.post(
        "/console/sign-in",
        data=kept | {"name": "the reviewer", "password": PASSWORD},
        headers=ORIGIN,
    ).text

    assert "Send it now" in page
    assert f'href="/console/cases/{case_id}"' in page
    assert "hold the goods (a second person must agree)" in page
    assert WHY in page
    assert "Kind" not in page
