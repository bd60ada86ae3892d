"""Review: one winner, a second pair of eyes, an honest label, and nothing forgotten."""

import copy
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from features.records import OF_DOCUMENTS
from serving.access.actors import Actor
from serving.access.roles import Scope
from serving.app import create_app
from serving.audit.decision import Decision
from serving.errors import Conflict
from serving.review.acts.agree import agree
from serving.review.acts.all_acts import ACTS
from serving.review.acts.assign import assign
from serving.review.acts.claim import claim
from serving.review.acts.disagree import disagree
from serving.review.acts.give_back import give_back
from serving.review.acts.note import note
from serving.review.acts.order import order as order_rule
from serving.review.acts.reopen import reopen
from serving.review.acts.state_result import state_result
from serving.review.acts.wait import wait
from serving.review.cases.case_of_decision import CASE, case_of_decision
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.case_state import Case, status_at
from serving.review.cases.labels import label_of
from serving.review.cases.results import RESULTS_OF, FoundBy, ReasonCode, ResultCode, reasons_of
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.triage.lane_declarations import Lane
from tests.counts import count
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.people import CHIEF, ONE, THREE, TWO
from tests.serving.refusals import refused_with
from tests.serving.review.cases.stated import (
    FOUND,
    HOLD,
    INSPECT,
    NOTHING,
    RELEASE,
    body_of,
    end,
    order,
    post,
    result_of,
)
from tests.serving.review.cases.test_results import EVERY_RESULT

AT = datetime(2026, 11, 24, tzinfo=UTC)
PLAN = """
[[watched]]
kind = "company"
value = "c-0012"
list = "asked for by another office"
reason = "see their message"
"""


@pytest.fixture
def reviewed(home: Path) -> Iterator[Service]:
    """A service that sends the example shipment to inspection, whatever its score."""
    (home / "lanes.toml").write_text(PLAN)
    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app) as client:
        yield Service(client, app.state.services, home)


def open_case(service: Service, subject_id: str = "S-1", **changed: Any) -> str:
    body = copy.deepcopy(shipment(shipment_id=subject_id, **changed))
    answer = service.score(body, service.key("score"))
    assert answer.json()["lane_reason"] == "watch_list", answer.text
    return str(answer.json()["decision_id"])


def test_of_two_who_claim_one_has_the_case() -> None:
    taken, _ = claim(Case("c"), ONE, AT)

    with refused_with("case-taken"):
        claim(taken, TWO, AT)
    assert claim(taken, ONE, AT)[0] == taken
    assert claim(give_back(taken, ONE, AT)[0], TWO, AT)[0].owner == TWO


def ordered(actor: Actor = ONE) -> Case:
    """A case of an actor, who ordered an inspection."""
    return order_rule(claim(Case("c"), actor, AT)[0], actor, AT, INSPECT)[0]


def test_nobody_ends_a_case_they_have_not_claimed() -> None:
    taken, _ = claim(Case("c"), ONE, AT)
    proposed, _ = state_result(ordered(), ONE, AT, FOUND)

    for case in (Case("c"), taken, give_back(taken, ONE, AT)[0], ordered(), proposed):
        for stated in (NOTHING, FOUND):
            with refused_with("not-yours"):
                state_result(case, TWO, AT, stated)
        for action in (INSPECT, RELEASE):
            with refused_with("not-yours"):
                order_rule(case, TWO, AT, action)


# Told apart here and in the code: what is reported to others as an offence.
ADVERSE = ("goods_found", "persons_found", "other_offence")


@pytest.mark.parametrize("code", ADVERSE)
def test_an_adverse_end_takes_another_person(code: Any) -> None:
    adverse = result_of(code)
    proposed, _ = state_result(ordered(), ONE, AT, adverse)

    assert (proposed.status, proposed.owner, proposed.result) == ("result_in", None, None)
    with refused_with("same-reviewer"):
        claim(proposed, ONE, AT)
    with refused_with("same-reviewer"):
        assign(proposed, CHIEF, AT, ONE)
    with refused_with("same-reviewer"):
        state_result(replace(proposed, owner=ONE), ONE, AT, NOTHING)
    second, _ = claim(proposed, TWO, AT)
    with refused_with("view-needed"):
        agree(second, TWO, AT)
    confirmed, _ = agree(state_result(second, TWO, AT, adverse)[0], TWO, AT)
    unsure, _ = state_result(second, TWO, AT, NOTHING)
    overruled, _ = disagree(unsure, TWO, AT, "no proof")
    assert (confirmed.status, confirmed.result) == ("closed", adverse)
    assert (overruled.status, overruled.result) == ("closed", NOTHING)


def test_a_closed_case_stays_as_it_is_until_it_is_opened_again() -> None:
    closed, _ = state_result(ordered(), ONE, AT, NOTHING)

    for act in (
        lambda: claim(closed, TWO, AT),
        lambda: give_back(closed, ONE, AT),
        lambda: order_rule(closed, ONE, AT, RELEASE),
        lambda: state_result(closed, ONE, AT, NOTHING),
        lambda: wait(closed, ONE, AT, AT + timedelta(days=1), "reply", "why"),
    ):
        with refused_with("case-closed"):
            act()
    assert note(closed, TWO, AT, "seen")[0] == closed
    assert reopen(closed, TWO, AT, "new facts")[0] == Case("c")


def test_what_waits_comes_back_to_its_owner_at_its_end() -> None:
    taken, _ = claim(Case("c"), ONE, AT)
    later = AT + timedelta(hours=2)
    aside, _ = wait(taken, ONE, AT, later, "arrival", "the lorry is not here")

    assert status_at(aside, AT + timedelta(hours=1)) == "waiting"
    assert (status_at(aside, later), aside.owner) == ("assigned", ONE)
    for until in (AT, AT - timedelta(hours=1), AT + timedelta(days=15)):
        with refused_with("too-long"):
            wait(taken, ONE, AT, until, "arrival", "the lorry is not here")


PEOPLE = st.sampled_from([ONE, TWO, THREE])
STEPS = [
    *("claim", "give_back", "assign", "inspect", "hold", "release", "nothing", *ADVERSE),
    *("agree", "disagree", "reopen", "wait"),
]
step = st.tuples(st.sampled_from(STEPS), PEOPLE, PEOPLE)


def acted(case: Case, action: str, actor: Actor, other: Actor) -> Case:
    """The case after an act; the code of an adverse result is its statement."""
    later = AT + timedelta(hours=1)
    simple: dict[str, Any] = {
        "claim": lambda: claim(case, actor, AT),
        "give_back": lambda: give_back(case, actor, AT),
        "assign": lambda: assign(case, actor, AT, other),
        "inspect": lambda: order_rule(case, actor, AT, INSPECT),
        "hold": lambda: order_rule(case, actor, AT, HOLD),
        "release": lambda: order_rule(case, actor, AT, RELEASE),
        "agree": lambda: agree(case, actor, AT),
        "disagree": lambda: disagree(case, actor, AT, "no proof"),
        "reopen": lambda: reopen(case, actor, AT, "new facts"),
        "wait": lambda: wait(case, actor, AT, later, "reply", "later"),
        "nothing": lambda: state_result(case, actor, AT, NOTHING),
    }
    adverse = lambda: state_result(case, actor, AT, result_of(action))  # noqa: E731  # as those above
    return simple.get(action, adverse)()[0]


CONFIRMED = [
    ("claim", ONE, ONE),
    ("inspect", ONE, ONE),
    (ADVERSE[0], ONE, ONE),
    ("claim", TWO, TWO),
    (ADVERSE[0], TWO, TWO),
    ("agree", TWO, TWO),
]
CONFIRMED_AND_OPENED_AGAIN = [*CONFIRMED, ("reopen", ONE, ONE), ("reopen", TWO, TWO)]
HELD = [("claim", ONE, ONE), ("hold", ONE, ONE), ("claim", TWO, TWO), ("hold", TWO, TWO)]


@given(st.lists(step, max_size=25))
@example([*CONFIRMED[:2], ("other_offence", ONE, ONE)])
@example([*CONFIRMED_AND_OPENED_AGAIN, *CONFIRMED])
@example([*CONFIRMED_AND_OPENED_AGAIN, *CONFIRMED[:3], ("agree", ONE, ONE)])
@example([*HELD, ("agree", TWO, TWO)])
@example([*HELD[:3], ("agree", TWO, TWO)])
def test_whatever_is_tried_nothing_adverse_rests_on_one_person(steps: list[Any]) -> None:
    case, said = Case("c"), set()
    for action, actor, other in steps:
        before = case
        try:
            case = acted(case, action, actor, other)
        except Conflict:
            continue
        said.add((actor, action))
        if before.is_ended_adversely and not case.is_ended_adversely:
            assert before.reopening is not None
            assert before.reopening.proposed_by != actor
            said = set()
        if case.is_ended_adversely and case.result is not None:
            assert len(set(case.ended_by)) == 2
            assert (case.ended_by[0], case.result.code) in said
            assert (case.ended_by[1], "agree") in said
        if case.result is not None and case.result.code in ADVERSE:
            assert len(set(case.ended_by)) == 2
        if case.action == HOLD != before.action:
            assert before.proposal is not None
            assert before.second_view is not None
            assert before.proposal.by != actor == before.second_view.by
        is_released = case.action == RELEASE and case.proposal is None
        assert (case.status == "closed") == (case.result is not None or is_released)


@given(st.lists(step, max_size=25))
@example([*CONFIRMED, ("reopen", ONE, ONE)])
def test_a_case_that_is_stored_is_read_as_it_was(steps: list[Any]) -> None:
    case = Case("c")
    for action, actor, other in steps:
        with suppress(Conflict):
            case = acted(case, action, actor, other)

    assert CASE.validate_json(CASE.dump_json(case)) == case


@pytest.mark.parametrize("lane", get_args(Lane))
def test_whatever_a_score_says_a_case_opens_for_a_person_to_end(
    reviewed: Service, lane: Lane
) -> None:
    record = reviewed.services.decisions.record(open_case(reviewed)) or ""
    decision = Decision.model_validate_json(record).model_copy(update={"lane": lane})

    found = case_of_decision(1, decision.model_dump_json())

    assert (found is None) == (lane in ("release", "manual"))
    if found is not None:
        case = CASE.validate_json(found[0].state)
        assert (found[0].status, found[0].owner) == ("open", None)
        assert (case.status, case.owner, case.result, case.proposal) == ("open", *[None] * 3)


def test_every_subject_that_was_not_released_waits_in_the_queue(reviewed: Service) -> None:
    machine = reviewed.key("score")
    answers = [
        reviewed.score(route(journey_id=f"J-{n}", certified_capacity=None), machine).json()
        for n in range(12)
    ]
    waiting = {a["subject_id"] for a in answers if a["lane"] != "release"}
    open_case(reviewed)

    page = reviewed.client.get("/v1/queue", headers=reviewed.key("review")).json()

    assert {case["subject_id"] for case in page["cases"]} == waiting | {"S-1"}
    (own,) = [case for case in page["cases"] if case["subject_id"] == "S-1"]
    assert (own["lane"], own["due_at"]) == ("inspect", "2026-11-28T10:00:00Z")


def test_pages_of_the_queue_show_every_case_once_the_riskiest_first(
    reviewed: Service,
) -> None:
    reader = reviewed.key("review")
    for number in range(7):
        body = copy.deepcopy(shipment(shipment_id=f"S-{number}"))
        body["journey"]["due_at"] = f"2026-11-{28 - number % 3}T10:00:00Z"
        reviewed.score(body, reviewed.key("score"))

    seen: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        asked = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = reviewed.client.get("/v1/queue", headers=reader, params=asked).json()
        seen += page["cases"]
        cursor = page["next"]
        if cursor is None:
            break

    assert sorted(case["subject_id"] for case in seen) == [f"S-{n}" for n in range(7)]
    access = CaseAccess(frozenset(), is_rescue=False)
    rows = [reviewed.services.case_store.case(case["case_id"], access) for case in seen]
    risks = [row.risk or 0.0 for row in rows if row is not None]
    assert risks == sorted(risks, reverse=True)
    assert len(risks) == 7


def test_a_strange_cursor_is_refused(reviewed: Service) -> None:
    for cursor in ("x", "WzFd", "bm90IGpzb24="):
        answer = reviewed.client.get(
            "/v1/queue", headers=reviewed.key("review"), params={"cursor": cursor}
        )
        assert answer.status_code == 422, cursor


def test_a_finding_becomes_an_outcome_with_how_its_subject_was_selected(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed)
    one, two = reviewed.person("one", "review"), reviewed.person("two", "review")

    assert post(reviewed, case_id, "claim", one).json()["status"] == "assigned"
    found = order(reviewed, case_id, one).json()
    assert (found["status"], found["action"]["kind"]) == ("action_ordered", "inspect")
    proposed = post(reviewed, case_id, "results", one, **body_of(FOUND)).json()
    assert (proposed["status"], proposed["result"]) == ("result_in", None)
    assert _labels(reviewed) == []
    assert post(reviewed, case_id, "claim", one).status_code == 409
    seen = post(reviewed, case_id, "claim", two).json()
    assert (seen["proposed_by"], seen["proposed_result"], seen["is_view_needed"]) == (
        "one",
        None,
        True,
    )
    assert post(reviewed, case_id, "agreements", two).status_code == 409
    viewed = post(reviewed, case_id, "results", two, **body_of(FOUND)).json()
    assert (viewed["proposed_result"], viewed["is_view_needed"]) == ("goods_found", False)
    done = post(reviewed, case_id, "agreements", two).json()

    assert done["result"] == "goods_found"
    (label,) = _labels(reviewed)
    assert (label["subject_id"], label["result"]) == ("S-1", "confirmed")
    assert (label["selected_by"], label["selection_probability"]) == ("intelligence", None)
    queue = reviewed.client.get("/v1/queue", headers=one).json()["cases"]
    assert queue == []


def test_a_reviewer_states_what_was_found_and_a_contradiction_is_refused_by_name(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed)
    one, two = reviewed.person("one", "review"), reviewed.person("two", "review")
    began = (NOW + timedelta(hours=-1)).isoformat()
    stated = {"offences": "tobacco|document_fraud", "found_items": 48_000, "depth": "full"}
    body = {**body_of(FOUND), **stated, "inspected_at": began}

    order(reviewed, case_id, one)
    wrong = post(reviewed, case_id, "results", one, **body | {"examination": "documents"})
    unknown = post(reviewed, case_id, "results", one, **body | {"offences": "piracy"})
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert "examination was of documents alone" in wrong.json()["detail"]
    assert end(reviewed, case_id, one, two, **body).json()["status"] == "closed"

    (label,) = _labels(reviewed)
    assert (label["offences"], label["found_items"]) == ("document_fraud tobacco", 48_000)
    assert datetime.fromisoformat(label["inspected_at"]) == datetime.fromisoformat(began)


@pytest.mark.parametrize(
    "action",
    [
        {"kind": "release", "text": "nothing calls for a look"},
        {"kind": "refer", "refer_to": "protection", "text": "a child travels alone"},
    ],
)
def test_what_nobody_looked_into_gets_no_label(reviewed: Service, action: Any) -> None:
    case_id = open_case(reviewed)
    one = reviewed.key("review")
    post(reviewed, case_id, "claim", one)

    answer = post(reviewed, case_id, "actions", one, **action)

    assert answer.json()["status"] == "closed"
    assert _labels(reviewed) == []


def test_what_was_not_carried_out_gets_no_label(reviewed: Service) -> None:
    case_id, one = open_case(reviewed), reviewed.key("review")

    answer = end(reviewed, case_id, one, **body_of(result_of("not_carried_out")))

    assert answer.json()["status"] == "closed"
    assert _labels(reviewed) == []


@pytest.mark.parametrize("probability", [0.003, 0.3, 1.0])
def test_a_label_says_what_was_found_and_how_likely_it_was_to_be_looked_for(
    reviewed: Service, probability: float
) -> None:
    record = reviewed.services.decisions.record(open_case(reviewed)) or ""
    drawn = {"lane": "control", "lane_reason": "random", "selection_probability": probability}
    decision = Decision.model_validate_json(record).model_copy(update=drawn)

    for result in EVERY_RESULT:
        label = label_of(decision, result, "account:one", AT)
        assert (label and label[0].result) == result.label
        if label and result.label not in OF_DOCUMENTS:
            stored = json.loads(label[1].body)
            selection = stored["selected_by"], stored["selection_probability"]
            assert selection == ("random", probability)


def _labels(service: Service) -> list[dict[str, Any]]:
    kept = service.services.records.all()
    return [json.loads(row.body) for row in kept if row.kind == "outcomes"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "short"},
        {"text": "nine char"},
        {"text": " " * 40},
        {"text": "  nine char  "},
        {"text": None},
        {"text": "x" * 4_001},
        {"reason": ""},
        {"reason": None},
        {"code": "guilty"},
        {"confidence": "certain"},
        {"confidence": None},
        {"verdict": "guilty"},
    ],
)
def test_a_result_without_its_reasons_is_refused(
    reviewed: Service, wrong: dict[str, str | None]
) -> None:
    case_id = open_case(reviewed)
    one = reviewed.key("review")
    order(reviewed, case_id, one)
    given = {name: said for name, said in (body_of(NOTHING) | wrong).items() if said is not None}

    answer = post(reviewed, case_id, "results", one, **given)

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"/{name}" for name in wrong]
    assert post(reviewed, case_id, "claim", one).json()["status"] == "action_ordered"
    shortest = body_of(NOTHING) | {"text": "ten charac"}
    assert post(reviewed, case_id, "results", one, **shortest).json()["status"] == "closed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "arrest"},
        {"kind": "release"},
        {"kind": "release", "text": "  "},
        {"kind": "release", "text": "x" * 4_001},
        {"kind": "hold", "text": ""},
        {"kind": "refer", "text": "theirs to judge"},
        {"kind": "refer", "text": "theirs to judge", "refer_to": "agency"},
        {"kind": "refer", "text": "theirs to judge", "refer_to": "office", "destination": ""},
        {"kind": "refer", "text": "theirs", "refer_to": "protection", "destination": "DE004600"},
        {"kind": "inspect", "refer_to": "rescue"},
        {"kind": "inspect", "destination": "DE004600"},
    ],
)
def test_an_action_that_cannot_be_or_has_no_words_is_refused(
    reviewed: Service, wrong: dict[str, str]
) -> None:
    case_id, one = open_case(reviewed), reviewed.key("review")
    post(reviewed, case_id, "claim", one)

    assert post(reviewed, case_id, "actions", one, **wrong).status_code == 422

    assert post(reviewed, case_id, "claim", one).json()["status"] == "assigned"
    assert [e.action for e in reviewed.services.cases.events(case_id)] == ["assign", "assign"]


@pytest.mark.parametrize("kind", ["inspect", "check_documents"])
def test_of_every_result_by_call_those_that_cannot_be_are_refused_and_close_nothing(
    reviewed: Service, kind: FoundBy
) -> None:
    case_id, one = open_case(reviewed), reviewed.key("review")
    order(reviewed, case_id, one, kind)
    words = {"confidence": "high", "text": "as it is written"}

    for code, reason in product(get_args(ResultCode), get_args(ReasonCode)):
        if code in RESULTS_OF[kind] and reason in reasons_of(code):
            continue
        answer = post(reviewed, case_id, "results", one, code=code, reason=reason, **words)
        assert answer.status_code == 422, (code, reason)
        assert answer.json()["title"] == "That result cannot be"

    assert post(reviewed, case_id, "claim", one).json()["status"] == "action_ordered"


@pytest.mark.faults
@pytest.mark.parametrize("act", ["claim", "actions", "results"])
def test_of_many_at_once_one_wins_and_the_others_are_told(reviewed: Service, act: str) -> None:
    rounds, at_once = count(4, 200), count(6, 64)
    for number in range(rounds):
        case_id = open_case(reviewed, f"S-{number}")
        keys = [reviewed.key("review") for _ in range(at_once)]
        if act != "claim":
            keys = keys[:1] * at_once
            post(reviewed, case_id, "claim", keys[0])
        if act == "results":
            order(reviewed, case_id, keys[0])
        release = {"kind": "release", "text": "nothing calls for a look"}
        body = {"claim": {}, "actions": release, "results": body_of(NOTHING)}[act]

        with ThreadPoolExecutor(at_once) as pool:
            answers = list(
                pool.map(lambda by, c=case_id, b=body: post(reviewed, c, act, by, **b), keys)  # type: ignore[misc]  # mypy infers no default
            )

        assert sorted(answer.status_code for answer in answers) == [200] + [409] * (at_once - 1)


def test_every_act_is_kept_with_the_old_and_the_new_and_cannot_be_changed(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed)
    one = reviewed.key("review")
    post(reviewed, case_id, "claim", one)
    post(reviewed, case_id, "notes", one, text="the seal looks new")
    post(reviewed, case_id, "actions", one, kind="inspect")
    post(reviewed, case_id, "results", one, **body_of(NOTHING))

    events = reviewed.services.cases.events(case_id)

    assert [event.action for event in events] == ["assign", "note", "order_action", "state_result"]
    assert json.loads(events[0].changed)["status"] == ["open", "assigned"]
    assert json.loads(events[3].changed)["result"][1]["code"] == NOTHING.code
    engine = open_database(reviewed.services.settings.database, is_service=False)
    for edit in ("UPDATE case_events SET actor = 'x'", "DELETE FROM case_events"):
        with pytest.raises(DatabaseError), engine.begin() as connection:
            connection.execute(text(edit))


def test_a_reviewer_sees_the_cases_of_its_offices_only(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    here = reviewed.key("review", offices=("DE004600",))
    elsewhere = reviewed.key("review", offices=("DE009999",))

    assert len(reviewed.client.get("/v1/queue", headers=here).json()["cases"]) == 1
    assert reviewed.client.get("/v1/queue", headers=elsewhere).json()["cases"] == []
    assert post(reviewed, case_id, "claim", elsewhere).status_code == 404
    assert post(reviewed, case_id, "claim", here).status_code == 200


def test_a_rescue_is_first_for_those_who_help_and_unreadable_for_the_rest(
    reviewed: Service,
) -> None:
    open_case(reviewed)
    crowded = route(certified_capacity=12, persons_on_board=41)
    rescue_id = reviewed.score(crowded, reviewed.key("score")).json()["decision_id"]
    helper, enforcer = reviewed.key("rescue"), reviewed.key("review")

    for_helper = reviewed.client.get("/v1/queue", headers=helper).json()["cases"]
    for_enforcer = reviewed.client.get("/v1/queue", headers=enforcer).json()["cases"]

    assert [case["lane"] for case in for_helper] == ["rescue"]
    assert [case["lane"] for case in for_enforcer] == ["inspect"]
    assert post(reviewed, rescue_id, "claim", enforcer).status_code == 404
    assert post(reviewed, rescue_id, "claim", helper).status_code == 200


def test_without_the_scope_nothing_of_review_can_be_done(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    machine = reviewed.key("score", "explain", "ingest")

    assert reviewed.client.get("/v1/queue", headers=machine).status_code == 403
    assert post(reviewed, case_id, "claim", machine).status_code == 403
    assert post(reviewed, case_id, "results", machine, **body_of(FOUND)).status_code == 403
    beside = (scope for scope in get_args(Scope) if scope not in {"review", "rescue"})
    everything_else = reviewed.key(*beside)
    for name, act in ACTS.items():
        if act.has_call:
            assert post(reviewed, case_id, name, everything_else).status_code == 403, name
    assert reviewed.client.get("/v1/queue", headers=everything_else).status_code == 403
    reviewed.client.get("/v1/queue", headers=reviewed.key("review"))
    assert reviewed.services.cases.events(case_id) == []
