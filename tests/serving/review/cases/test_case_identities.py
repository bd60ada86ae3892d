"""Who has a case, who may be given one, who is shown in its history, and who sees why it scores."""

from typing import Any

import pytest

from serving.access.accounts import new_account
from serving.access.roles import ROLE_SCOPES, Role, Scope
from serving.review.cases.reviewer import Reviewer
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN, sign_in
from tests.serving.console.test_rescue_board import text_of
from tests.serving.review.cases.stated import FOUND, NOTHING, body_of, end, end_by, order, post
from tests.serving.review.cases.test_cases_served import open_case, reviewed

__all__ = ["reviewed"]


def account(
    service: Service, name: str, role: Role = "reviewer", offices: tuple[str, ...] = ()
) -> Reviewer:
    """The holder of a new account."""
    made = new_account(name, "a password for tests", role, offices, NOW)
    service.services.accounts.add_account(made)
    return Reviewer.from_caller(made.caller())


def test_nobody_signs_for_a_colleague_by_a_token_or_a_key(reviewed: Service) -> None:
    alpha = account(reviewed, "alpha")
    case_id = open_case(reviewed)
    end_by(reviewed.services.cases, alpha, case_id, NOW, FOUND)

    for same in (reviewed.person("alpha", "review"), reviewed.person("Alpha.", "review")):
        assert post(reviewed, case_id, "claim", same).status_code == 409
    for desk in (reviewed.key("review"), reviewed.key("review")):
        answer = post(reviewed, case_id, "claim", desk)
        assert (answer.status_code, answer.json()["title"]) == (403, "This takes a person")
        for judged in ("agreements", "disagreements"):
            assert post(reviewed, case_id, judged, desk, text="no proof").status_code == 403
    other = reviewed.person("beta", "review")
    assert post(reviewed, case_id, "claim", other).status_code == 200
    post(reviewed, case_id, "results", other, **body_of(FOUND))
    ended = post(reviewed, case_id, "agreements", other).json()
    assert (ended["status"], ended["owner"]) == ("closed", "beta")
    assert ended["owner_id"] == "token:https://login.example|beta"


def test_a_machine_ends_cases_but_proposes_no_offence(reviewed: Service) -> None:
    case_id, desk = open_case(reviewed), reviewed.key("review")
    order(reviewed, case_id, desk)

    refused = post(reviewed, case_id, "results", desk, **body_of(FOUND))

    assert refused.status_code == 403
    for action in ({"kind": "hold"}, {"kind": "refer", "refer_to": "agency", "destination": "x"}):
        held = post(reviewed, case_id, "actions", desk, text="wait for papers", **action)
        assert held.status_code == 403
    ended = post(reviewed, case_id, "results", desk, **body_of(NOTHING))
    assert ended.json()["status"] == "closed"


def test_what_two_persons_ended_two_open_again(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    one, two = reviewed.person("one", "review"), reviewed.person("two", "review")
    end(reviewed, case_id, one, two, **body_of(FOUND))

    def reopened(by: dict[str, str]) -> tuple[int, Any, Any]:
        answer = post(reviewed, case_id, "reopen", by, text="the seals were ours")
        body = answer.json()
        return answer.status_code, body["status"], body.get("is_reopening_proposed")

    assert reopened(reviewed.key("review"))[0] == 403
    assert reopened(one) == (200, "closed", True)
    assert reopened(one)[0] == 409
    assert post(reviewed, case_id, "disagreements", two, text="nothing new").json()["status"] == (
        "closed"
    )
    assert reopened(two) == (200, "closed", True)
    assert reopened(one) == (200, "open", False)


def test_a_case_is_given_to_those_who_may_work_on_it_alone(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    for name, role, offices in (
        ("here", "reviewer", ("DE004600",)),
        ("anywhere", "reviewer", ()),
        ("elsewhere", "reviewer", ("DE009999",)),
        ("auditor", "auditor", ()),
        ("rescuer", "rescue", ()),
        ("gone", "reviewer", ()),
    ):
        account(reviewed, name, role, offices)  # type: ignore[arg-type]  # a role
    reviewed.services.accounts.disable("gone", NOW)
    desk = reviewed.key("review")

    for nobody in ("elsewhere", "auditor", "rescuer", "gone", "nobody", "caller-1", "Here"):
        answer = post(reviewed, case_id, "assignments", desk, to=nobody)
        assert (answer.status_code, "active account" in answer.text) == (422, True), nobody
    assert (
        post(reviewed, case_id, "assignments", desk, to="here").json()["owner_id"] == "account:here"
    )
    taken = post(reviewed, case_id, "assignments", desk, to="anywhere")
    assert (taken.status_code, "a supervisor" in taken.text) == (409, True)
    chief = reviewed.key("review", "supervise")
    assert (
        post(reviewed, case_id, "assignments", chief, to="anywhere").json()["owner"] == "anywhere"
    )


@pytest.mark.parametrize("scopes", [("review",), ("review", "explain")])
def test_contributions_are_shown_to_those_who_may_explain_alone(
    reviewed: Service, scopes: tuple[Scope, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = open_case(reviewed)
    by = reviewed.key(*scopes)
    monkeypatch.setitem(ROLE_SCOPES, "reviewer", frozenset(scopes))
    sign_in(reviewed, "reviewer")
    session = reviewed.services.sessions.find(reviewed.client.cookies["tidegate"], NOW)
    assert session is not None
    told = reviewed.client.get(
        f"/v1/decisions/{case_id}/explanation", headers=reviewed.key("score", "explain")
    ).json()

    form = {"judged_as": "look", "form_token": session.form_token}  # the score is shown after it
    reviewed.client.post(f"/console/cases/{case_id}/judgements", data=form, headers=ORIGIN)
    page = reviewed.client.get(f"/console/cases/{case_id}")

    assert page.status_code == 200
    is_shown = "explain" in scopes
    named = [each["sentence"] for reason in told["reasons"] for each in reason["evidence"]]
    assert named
    assert any(sentence in text_of(page.text) for sentence in named) == is_shown
    for part in ("Log-odds", "What speaks for", "bar-of"):
        assert (part in page.text) == is_shown, part
    for address in (
        f"/console/cases/{case_id}/letter/consignee",
        f"/v1/cases/{case_id}/letters/consignee",
    ):
        answer = reviewed.client.get(address, headers=by)
        assert answer.status_code == (404 if is_shown else 403), address
