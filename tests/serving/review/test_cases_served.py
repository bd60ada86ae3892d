"""Review: one winner, a second pair of eyes, an honest label, and nothing forgotten."""

import copy
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
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
from serving.db.engine import open_database
from serving.errors import CaseClosed, CaseTaken, Conflict, NotYours, SameReviewer, TooLong
from serving.review import case_rules as acts
from serving.review.case_rules import Case
from serving.review.dispositions import MEANING, ONLY_OF_RESCUE, Disposition
from serving.review.labels import label_of
from serving.review.opening import CASE, case_of_decision
from serving.settings import Settings
from serving.triage.lane_rule import Lane
from tests.counts import count
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.people import CHIEF, ONE, THREE, TWO

AT = datetime(2026, 11, 24, tzinfo=UTC)
NOTHING = Disposition(
    "no_finding_after_inspection", "nothing_found", "high", "opened, all in order"
)
FOUND = Disposition("confirmed_smuggling_goods", "goods_found", "high", "behind a false wall")
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


def post(service: Service, case_id: str, act: str, by: dict[str, str], **body: Any) -> Any:
    return service.client.post(f"/v1/cases/{case_id}/{act}", headers=by, json=body or None)


def disposed(disposition: Disposition) -> dict[str, str]:
    said = ("code", "reason", "confidence", "text")
    return {name: str(getattr(disposition, name)) for name in said}


def test_of_two_who_claim_one_has_the_case() -> None:
    taken, _ = acts.claim(Case("c"), ONE, AT)

    with pytest.raises(CaseTaken):
        acts.claim(taken, TWO, AT)
    assert acts.claim(taken, ONE, AT)[0] == taken
    assert acts.claim(acts.release(taken, ONE, AT)[0], TWO, AT)[0].owner == TWO


def test_nobody_ends_a_case_they_have_not_claimed() -> None:
    taken, _ = acts.claim(Case("c"), ONE, AT)
    proposed, _ = acts.dispose(taken, ONE, AT, FOUND)

    for case in (Case("c"), taken, acts.release(taken, ONE, AT)[0], proposed):
        for disposition in (NOTHING, FOUND):
            with pytest.raises(NotYours):
                acts.dispose(case, TWO, AT, disposition)


# Told apart here and in the code: what is reported to others as an offence, and what nobody saw.
ADVERSE = ("confirmed_smuggling_goods", "confirmed_migrant_smuggling", "other_offence")
UNSEEN = (
    "released_without_check",
    "duplicate",
    "referred_protection",
)
RESULTS = {
    "confirmed_smuggling_goods": "confirmed",
    "confirmed_migrant_smuggling": "confirmed",
    "other_offence": "other_offence",
    "document_irregularity": "other_offence",
    "no_finding_after_inspection": "not_confirmed",
    "no_finding_after_document_check": "documents_in_order",
    "inconclusive": "inconclusive",
    **dict.fromkeys(UNSEEN),
}


@pytest.mark.parametrize("code", ADVERSE)
def test_an_adverse_end_takes_another_person(code: Any) -> None:
    adverse = replace(FOUND, code=code)
    taken, _ = acts.claim(Case("c"), ONE, AT)
    proposed, _ = acts.dispose(taken, ONE, AT, adverse)

    assert (proposed.status, proposed.owner, proposed.disposition) == ("second_review", None, None)
    with pytest.raises(SameReviewer):
        acts.claim(proposed, ONE, AT)
    with pytest.raises(SameReviewer):
        acts.assign(proposed, CHIEF, AT, ONE)
    with pytest.raises(SameReviewer):
        acts.dispose(replace(proposed, owner=ONE), ONE, AT, NOTHING)
    second, _ = acts.claim(proposed, TWO, AT)
    confirmed, _ = acts.dispose(second, TWO, AT, adverse)
    overruled, _ = acts.dispose(second, TWO, AT, NOTHING)
    assert (confirmed.status, confirmed.disposition) == ("closed", adverse)
    assert (overruled.status, overruled.disposition) == ("closed", NOTHING)


def test_a_closed_case_stays_as_it_is_until_it_is_opened_again() -> None:
    closed, _ = acts.dispose(acts.claim(Case("c"), ONE, AT)[0], ONE, AT, NOTHING)

    for act in (
        lambda: acts.claim(closed, TWO, AT),
        lambda: acts.release(closed, ONE, AT),
        lambda: acts.dispose(closed, ONE, AT, NOTHING),
        lambda: acts.snooze(closed, ONE, AT, AT + timedelta(days=1), "why"),
    ):
        with pytest.raises(CaseClosed):
            act()
    assert acts.note(closed, TWO, AT, "seen")[0] == closed
    assert acts.reopen(closed, TWO, AT, "new facts")[0] == Case("c")


def test_what_is_laid_aside_comes_back_to_its_owner_at_its_end() -> None:
    taken, _ = acts.claim(Case("c"), ONE, AT)
    aside, _ = acts.snooze(taken, ONE, AT, AT + timedelta(hours=2), "the lorry is not here")

    assert acts.status_at(aside, AT + timedelta(hours=1)) == "snoozed"
    assert acts.status_at(aside, AT + timedelta(hours=2)) == "claimed"
    for until in (AT, AT - timedelta(hours=1), AT + timedelta(days=15)):
        with pytest.raises(TooLong):
            acts.snooze(taken, ONE, AT, until, "the lorry is not here")


PEOPLE = st.sampled_from([ONE, TWO, THREE])
step = st.tuples(
    st.sampled_from(
        ["claim", "release", "assign", "dispose", *ADVERSE, "reopen", "decline", "snooze"]
    ),
    PEOPLE,
    PEOPLE,
)


def acted(case: Case, action: str, actor: Actor, other: Actor) -> Case:
    """The case after an act; a code of a disposition is its end by it."""
    later = AT + timedelta(hours=1)
    simple: dict[str, Any] = {
        "claim": lambda: acts.claim(case, actor, AT),
        "release": lambda: acts.release(case, actor, AT),
        "assign": lambda: acts.assign(case, actor, AT, other),
        "reopen": lambda: acts.reopen(case, actor, AT, "new facts"),
        "decline": lambda: acts.decline(case, actor, AT, "no proof"),
        "snooze": lambda: acts.snooze(case, actor, AT, later, "later"),
        "dispose": lambda: acts.dispose(case, actor, AT, NOTHING),
    }
    adverse = replace(FOUND, code=action)  # type: ignore[arg-type]  # a code
    return simple.get(action, lambda: acts.dispose(case, actor, AT, adverse))()[0]


CONFIRMED_AND_OPENED_AGAIN = [
    ("claim", ONE, ONE),
    (ADVERSE[0], ONE, ONE),
    ("claim", TWO, TWO),
    (ADVERSE[0], TWO, TWO),
    ("reopen", ONE, ONE),
    ("reopen", TWO, TWO),
]


@given(st.lists(step, max_size=25))
@example([*CONFIRMED_AND_OPENED_AGAIN, ("claim", THREE, ONE), (ADVERSE[0], THREE, ONE)])
def test_whatever_is_tried_no_adverse_end_rests_on_one_person(steps: list[Any]) -> None:
    case, words = Case("c"), set()
    for action, actor, other in steps:
        before = case
        try:
            case = acted(case, action, actor, other)
        except Conflict:
            continue
        if before.is_ended_adversely and not case.is_ended_adversely:
            assert before.reopening is not None
            assert before.reopening.proposed_by != actor
        if case.status == "open":
            words = set() if case.proposed is None else words
        elif action in ADVERSE:
            words.add((actor, action))
        if case.is_ended_adversely and case.disposition is not None:
            assert len({who for who, code in words if code == case.disposition.code}) == 2
        assert (case.status == "closed") == (case.disposition is not None)


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
        assert (case.status, case.owner, case.disposition, case.proposed) == ("open", *[None] * 3)


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


def test_pages_of_the_queue_show_every_case_once_the_earliest_due_first(
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
    assert [case["due_at"] for case in seen] == sorted(case["due_at"] for case in seen)


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

    assert post(reviewed, case_id, "claim", one).json()["status"] == "claimed"
    proposed = post(reviewed, case_id, "dispositions", one, **disposed(FOUND)).json()
    assert (proposed["status"], proposed["disposition"]) == ("second_review", None)
    assert _labels(reviewed) == []
    assert post(reviewed, case_id, "claim", one).status_code == 409
    post(reviewed, case_id, "claim", two)
    done = post(reviewed, case_id, "dispositions", two, **disposed(FOUND)).json()

    assert done["disposition"] == "confirmed_smuggling_goods"
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
    body = {**disposed(FOUND), **stated, "inspected_at": began}

    post(reviewed, case_id, "claim", one)
    wrong = post(reviewed, case_id, "dispositions", one, **body | {"examination": "documents"})
    unknown = post(reviewed, case_id, "dispositions", one, **body | {"offences": "piracy"})
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert "examination was of documents alone" in wrong.json()["detail"]
    for by in (one, two):
        post(reviewed, case_id, "claim", by)
        assert post(reviewed, case_id, "dispositions", by, **body).status_code == 200

    (label,) = _labels(reviewed)
    assert (label["offences"], label["found_items"]) == ("document_fraud tobacco", 48_000)
    assert datetime.fromisoformat(label["inspected_at"]) == datetime.fromisoformat(began)


@pytest.mark.parametrize("code", UNSEEN)
def test_what_nobody_looked_into_gets_no_label(reviewed: Service, code: Any) -> None:
    case_id = open_case(reviewed)
    one = reviewed.key("review")
    post(reviewed, case_id, "claim", one)

    answer = post(reviewed, case_id, "dispositions", one, **disposed(replace(NOTHING, code=code)))

    assert answer.json()["status"] == "closed"
    assert _labels(reviewed) == []


@pytest.mark.parametrize("probability", [0.003, 0.3, 1.0])
def test_a_label_says_what_was_found_and_how_likely_it_was_to_be_looked_for(
    reviewed: Service, probability: float
) -> None:
    record = reviewed.services.decisions.record(open_case(reviewed)) or ""
    drawn = {"lane": "control", "lane_reason": "random", "selection_probability": probability}
    decision = Decision.model_validate_json(record).model_copy(update=drawn)

    results = RESULTS | dict.fromkeys(ONLY_OF_RESCUE)
    assert MEANING.keys() == results.keys()
    for code, result in results.items():
        label = label_of(decision, replace(NOTHING, code=code), "account:one", AT)  # type: ignore[arg-type]  # a code
        assert (label and label[0].result) == result
        if label and result not in OF_DOCUMENTS:
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
def test_a_disposition_without_its_reasons_is_refused(
    reviewed: Service, wrong: dict[str, str | None]
) -> None:
    case_id = open_case(reviewed)
    one = reviewed.key("review")
    post(reviewed, case_id, "claim", one)
    given = {name: said for name, said in (disposed(NOTHING) | wrong).items() if said is not None}

    answer = post(reviewed, case_id, "dispositions", one, **given)

    assert answer.status_code == 422
    assert post(reviewed, case_id, "claim", one).json()["status"] == "claimed"
    shortest = disposed(NOTHING) | {"text": "ten charac"}
    assert post(reviewed, case_id, "dispositions", one, **shortest).json()["status"] == "closed"


@pytest.mark.faults
@pytest.mark.parametrize("act", ["claim", "dispositions"])
def test_of_many_at_once_one_wins_and_the_others_are_told(reviewed: Service, act: str) -> None:
    rounds, at_once = count(4, 200), count(6, 64)
    for number in range(rounds):
        case_id = open_case(reviewed, f"S-{number}")
        keys = [reviewed.key("review") for _ in range(at_once)]
        if act == "dispositions":
            keys = keys[:1] * at_once
            post(reviewed, case_id, "claim", keys[0])
        body = disposed(NOTHING) if act == "dispositions" else {}

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
    post(reviewed, case_id, "dispositions", one, **disposed(NOTHING))

    events = reviewed.services.cases.events(case_id)

    assert [event.action for event in events] == ["claim", "note", "dispose"]
    assert json.loads(events[0].changed)["status"] == ["open", "claimed"]
    assert json.loads(events[2].changed)["disposition"][1]["code"] == NOTHING.code
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
    assert post(reviewed, case_id, "dispositions", machine, **disposed(FOUND)).status_code == 403
    beside = (scope for scope in get_args(Scope) if scope not in {"review", "rescue"})
    everything_else = reviewed.key(*beside)
    acted = (
        "claim release assign snooze document-requests notes dispositions reopen decline".split()
    )
    for act in acted:
        assert post(reviewed, case_id, act, everything_else).status_code == 403, act
    assert reviewed.client.get("/v1/queue", headers=everything_else).status_code == 403
    reviewed.client.get("/v1/queue", headers=reviewed.key("review"))
    assert reviewed.services.cases.events(case_id) == []
