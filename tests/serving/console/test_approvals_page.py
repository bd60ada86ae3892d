"""Acts that wait for two persons, on a page of the console."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from serving.access.actors import Actor
from serving.access.approvals import ProposedAct, two_persons
from serving.audit.errors import RetentionRefused
from serving.audit.open_erasures import open_erasures
from serving.audit.retention import PROPOSED_FOR, cancel_erasure
from serving.audit.retention_log import RetentionAct
from serving.integrity.audit_log import EventFilter
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN, sign_in
from tests.serving.review.supervision.test_supervision_served import reviewed, sign_in_as

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


def test_a_role_that_approves_nothing_agrees_to_nothing(reviewed: Service) -> None:
    reviewed.services.approvals.propose(ACT, EVIDENCE, CLI, NOW)
    reviewed.client.cookies.clear()
    sign_in(reviewed, "auditor")

    assert reviewed.client.get("/console/approvals").status_code == 403
    assert reviewed.services.approvals.given_in_console(ACT, NOW) == ()


def propose(service: Service, at: datetime = NOW) -> int:
    """An erasure that a timer proposed; its number."""
    due = {"decisions": 1_234, "records": 56, "open_cases": 7, "frozen": 0, "held": 1}
    days = {"decisions": "2026-05-01", "records": "2026-05-02", "files": "2026-05-03"}
    act = RetentionAct(at.isoformat(), "propose", "timer", "monthly", days | {"due": due})
    return service.services.retention_acts.append(act)


def agree(service: Service, number: int) -> None:
    """Two persons agreed in the console, and the days of waiting have begun."""
    act = ProposedAct(
        kind="erase", object_id=str(number), digest="sha256:it", installation="sha256:here"
    )
    register = service.services.approvals
    register.propose(act, {}, CLI, NOW)
    for name in ("ada", "bo"):
        by = Actor(f"account:{name}", name)
        register.answer(act.act_id, name, by, NOW, is_agreed=True)
    with register.using(register.given_in_console(act, NOW), CLI, NOW):
        pass
    from_instant = (NOW + timedelta(days=6, hours=5)).isoformat()
    details = {"proposal": number, "erases_from": from_instant}
    agreed = RetentionAct(NOW.isoformat(), "agree", "bo", "as proposed", details)
    service.services.retention_acts.append(agreed)


def cancel(service: Service, token: str, number: object, because: str = "it is evidence") -> Any:
    sent = {"form_token": token, "number": str(number), "because": because}
    path = "/console/approvals/cancelled-erasures"
    return service.client.post(path, data=sent, headers=ORIGIN, follow_redirects=False)


def test_a_supervisor_sees_what_waits_to_be_erased_and_cancels_it(reviewed: Service) -> None:
    waiting, alone = propose(reviewed), propose(reviewed)
    agree(reviewed, waiting)
    log = reviewed.services.retention_acts

    token = sign_in_as(reviewed, "supervisor")
    page = reviewed.client.get("/console/approvals").text
    for words in (
        *(f"Proposal {waiting}: waits 7 more days", f"Proposal {alone}: nobody agreed yet"),
        *("1,234 decisions before 2026-05-01", "56 records", "7 with open cases", "by timer"),
        *("Agreed, as proposer</dt><dd>ada", "Agreed, as approver</dt><dd>bo"),
    ):
        assert words in page
    assert cancel(reviewed, token, waiting).status_code == 303

    (act,) = log.all("cancel")
    assert (act.by, act.because) == ("the supervisor", "it is evidence")
    assert act.details == {"proposal": waiting}
    event = reviewed.services.audit_events.newest(EventFilter(action="cancel"), 1)[0]
    assert (event.object_id, event.actor) == (str(act.number), "account:the supervisor")
    page = reviewed.client.get("/console/approvals").text
    assert f"Proposal {waiting}:" not in page
    for number, status in ((waiting, 409), (77, 409), ("9" * 10, 422), ("one", 422)):
        assert cancel(reviewed, token, number).status_code == status
    assert cancel(reviewed, token, alone, " ").status_code == 422
    assert cancel(reviewed, "another token", alone).status_code == 403
    token = sign_in_as(reviewed, "data_scientist")
    assert "Cancel proposal" not in reviewed.client.get("/console/approvals").text
    assert cancel(reviewed, token, alone).status_code == 403
    assert cancel(reviewed, sign_in_as(reviewed, "admin"), alone).status_code == 303
    assert open_erasures(log, NOW) == []


def test_what_nobody_could_cancel_by_command_is_not_shown(reviewed: Service) -> None:
    log = reviewed.services.retention_acts
    done, over, whole = (
        propose(reviewed),
        propose(reviewed, NOW - PROPOSED_FOR - timedelta(minutes=1)),
        propose(reviewed),
    )
    log.append(RetentionAct(NOW.isoformat(), "erase", "bo", "over", {"proposal": done}))

    assert [each.proposal.number for each in open_erasures(log, NOW)] == [whole]
    for number in (done, over):
        with pytest.raises(RetentionRefused):
            cancel_erasure(log, number, "ada", "too late", NOW)
