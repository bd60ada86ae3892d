"""Acts that wait for two persons, on a page of the console."""

from typing import Any

from serving.access.actors import Actor
from serving.access.approvals import ProposedAct, two_persons
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN, sign_in
from tests.serving.review.test_supervision_served import reviewed, sign_in_as

__all__ = ["reviewed"]

CLI = Actor("cli:0@border", "root")
ACT = ProposedAct(
    kind="promote",
    object_id="tidegate-shipment",
    version="3",
    digest="sha256:abc",
    installation="sha256:here",
)
EVIDENCE = {"gates": [{"gate": "canaries", "says": "undecided: there are none"}]}


def answer(service: Service, token: str, **form: str) -> Any:
    sent = {"form_token": token, "act_id": ACT.act_id, "answer": "agree", **form}
    return service.client.post("/console/approvals", data=sent, headers=ORIGIN)


def test_two_persons_agree_to_an_act_that_they_see_with_its_evidence(reviewed: Service) -> None:
    register = reviewed.services.approvals
    register.propose(ACT, EVIDENCE, CLI, NOW)

    token = sign_in_as(reviewed, "supervisor")
    page = reviewed.client.get("/console/approvals").text
    for words in ("tidegate-shipment, version 3", "sha256:abc", "undecided: there are none"):
        assert words in page
    assert "the supervisor agreed, as proposer" in answer(reviewed, token).text
    assert answer(reviewed, token).status_code == 409
    token = sign_in_as(reviewed, "admin")
    assert "the admin agreed, as approver" in answer(reviewed, token).text
    token = sign_in_as(reviewed, "data_scientist")
    assert answer(reviewed, token).status_code == 409

    accounts = reviewed.services.accounts
    both = register.given_in_console(ACT, NOW)
    assert two_persons(ACT, both, register, accounts, NOW).names == ("the supervisor", "the admin")


def test_whoever_does_not_agree_is_no_approver(reviewed: Service) -> None:
    register = reviewed.services.approvals
    register.propose(ACT, EVIDENCE, CLI, NOW)

    page = answer(reviewed, sign_in_as(reviewed, "supervisor"), answer="withhold")

    assert "the supervisor did not agree" in page.text
    assert register.given_in_console(ACT, NOW) == ()


def test_a_form_that_says_nothing_or_of_nothing_is_refused(reviewed: Service) -> None:
    reviewed.services.approvals.propose(ACT, EVIDENCE, CLI, NOW)
    token = sign_in_as(reviewed, "supervisor")

    assert answer(reviewed, token, answer="maybe").status_code == 422
    assert answer(reviewed, token, act_id="none").status_code == 409
    assert answer(reviewed, "another token").status_code == 403


def test_a_key_agrees_to_nothing(reviewed: Service) -> None:
    """Whatever it may do: a key is no person."""
    reviewed.services.approvals.propose(ACT, EVIDENCE, CLI, NOW)
    reviewed.client.cookies.clear()
    sign_in(reviewed, reviewed.key("switch", "study", "explain"))

    assert reviewed.client.get("/console/approvals").status_code == 403
    assert reviewed.services.approvals.given_in_console(ACT, NOW) == ()
