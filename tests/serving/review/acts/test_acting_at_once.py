"""Many people act on one case at once: one of them wins, and every other is told so."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from serving.access.pseudonyms import Pseudonyms
from serving.audit.logged_decision import StoredAnswer
from serving.audit.masking import Masking
from serving.errors import Conflict, LogUnavailable
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.claim import claim
from serving.review.acts.order import order_action
from serving.review.acts.wait import take_and_wait
from serving.review.cases.cases import Cases
from serving.storage.keys.data_keys import DataKeys
from serving.storage.repositories.case_file_repository import CaseFileRepository
from serving.storage.repositories.case_repository import CaseRepository
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.retention_repository import RetentionRepository
from serving.storage.verification.audit_verification import verify_audit_log
from tests.counts import count
from tests.serving.bodies import shipment
from tests.serving.databases import database
from tests.serving.people import reviewer
from tests.serving.review.cases.decisions import AT, decision
from tests.serving.review.cases.stated import RELEASE, give_to

OWNER = reviewer("who has it")


def act_on(cases: Cases, case_id: str, act: str, number: int) -> None:
    """Do what one of many does: each under a name of their own, or all as whoever has the case."""
    one = reviewer(f"person {number}")
    if act == "claim":
        cases.act(one, case_id, lambda case: claim(case, one.actor, AT))
    elif act == "wait":
        until = AT + timedelta(hours=number + 1)
        cases.act(
            one,
            case_id,
            lambda case: take_and_wait(case, one.actor, AT, until, "other", ""),
        )
    elif act == "hand over":
        give_to(cases, OWNER, case_id, AT, one)
    else:
        order_action(ActRequest(cases, OWNER, case_id, AT), RELEASE)


@pytest.mark.faults
def test_of_many_who_act_on_one_case_at_once_one_wins(where: Path | str) -> None:
    rounds, at_once = count(4, 200), count(6, 64)
    engine = database(where)
    masking = Masking(RetentionRepository(engine), DataKeys(engine), Pseudonyms(b"of this test"))
    store, decisions = CaseRepository(engine), DecisionRepository(engine)
    cases = Cases(store, CaseFileRepository(engine), decisions, lambda *_: None, masking)

    with ThreadPoolExecutor(at_once) as pool:
        for turn in range(rounds):
            body = shipment(shipment_id=f"S-{turn}")
            made = decision(body, decision_id=f"d-{turn}")
            answer = StoredAnswer("c", made.decision_id, "digest", made.decision_id, "", b"")
            decisions.append([(made.logged(), answer)])
            cases.open_new()
            act, case_id, start = ACTS[turn % len(ACTS)], made.decision_id, Barrier(at_once)
            if act in ("hand over", "order"):
                cases.act(OWNER, case_id, lambda case: claim(case, OWNER.actor, AT))
            before = len(cases.events(case_id))

            def does_win(
                number: int, act: str = act, start: Barrier = start, of: str = case_id
            ) -> bool:
                start.wait()
                while True:
                    with suppress(
                        LogUnavailable
                    ):  # too many waited: a 503, after which one asks again
                        try:
                            act_on(cases, of, act, number)
                        except Conflict:
                            return False
                        return True

            won = [
                number
                for number, has_won in enumerate(pool.map(does_win, range(at_once)))
                if has_won
            ]

            assert len(won) == 1, (turn, act, won)
            row = store.case(case_id, OWNER.access)
            assert row is not None
            assert len(cases.events(case_id)) == before + 1
            if act != "order":
                assert row.owner_name == f"person {won[0]}"
    assert verify_audit_log(engine).is_whole


ACTS = ("claim", "wait", "hand over", "order")
