"""The call and the form of every declared act: each is taken once and refused once."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_args

from serving.access.roles import Scope
from serving.review.acts.act_declaration import CaseAct
from serving.review.acts.all_acts import ACTS
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.review.acts.test_bulk_acts import decide, served
from tests.serving.review.cases.stated import NOTHING, body_of, form_of, post
from tests.serving.review.cases.test_teams import sign_in

__all__ = ["served"]

Step = tuple[str, str, dict[str, Any]]
"""Who does which act, with which body."""

LATER = (NOW + timedelta(hours=4)).isoformat()
CLAIMED: tuple[Step, ...] = (("one", "claim", {}),)
HOLD = {"kind": "hold", "text": "the papers do not agree"}
RELEASE = {"kind": "release", "text": "nothing calls for a look"}
INSPECTED: tuple[Step, ...] = (*CLAIMED, ("one", "actions", {"kind": "inspect"}))
HELD: tuple[Step, ...] = (
    *CLAIMED,
    ("one", "actions", HOLD),
    ("two", "claim", {}),
    ("two", "actions", HOLD),
)


@dataclass(frozen=True)
class Example:
    """An act that is taken: the steps before it, its body, its form where that differs.

    `status` is that of the case afterwards.
    """

    status: str
    body: dict[str, Any]
    before: tuple[Step, ...] = ()
    by: str = "one"
    form: dict[str, str] | None = None


EXAMPLES = {
    "claim": Example("assigned", {}),
    "release": Example("open", {}, CLAIMED),
    "assignments": Example("assigned", {"to": "two"}),
    "waits": Example(
        "waiting",
        {"until": LATER, "waiting_for": "reply", "text": "the carrier will answer"},
        CLAIMED,
        form={"hours": "4", "waiting_for": "reply", "text": "the carrier will answer"},
    ),
    "escalations": Example("open", {"text": "the ship leaves soon"}),
    "notes": Example("open", {"text": "the seal was changed"}),
    "judgements": Example("open", {"judged_as": "look"}),
    "actions": Example("action_ordered", {"kind": "inspect"}, CLAIMED),
    "results": Example(
        "closed",
        body_of(NOTHING),
        INSPECTED,
        form={**body_of(NOTHING), "code": f"{NOTHING.code} {NOTHING.reason}"},
    ),
    "agreements": Example("action_ordered", {}, HELD, by="two"),
    "disagreements": Example("action_proposed", {"text": "not for this reason"}, HELD, by="two"),
    "undo": Example("open", {}, CLAIMED),
    "reopen": Example("open", {"text": "a message came"}, (*CLAIMED, ("one", "actions", RELEASE))),
    "tags": Example("open", {"add": ["late papers"]}, form={"add": "late papers"}),
    "marks": Example("open", {}, form={"indicator": "D07", "verdict": "right"}),
}


def recorded(service: Service, case_id: str, act: CaseAct) -> bool:
    """Whether the newest act on a case is an event that the act declares."""
    acted = [e for e in service.services.cases.events(case_id) if e.action != "read"]
    return acted[-1].action in act.records


def test_every_act_has_an_example() -> None:
    assert EXAMPLES.keys() == ACTS.keys()


def test_every_call_is_taken_and_refused(served: Service) -> None:
    people = {name: served.person(name, "review") for name in ("one", "two")}
    others = served.key(*(scope for scope in get_args(Scope) if scope not in {"review", "rescue"}))
    for number, (name, act) in enumerate(ACTS.items()):
        if not act.has_call:
            continue
        example, case_id = EXAMPLES[name], decide(served, number)
        for who, before, body in example.before:
            assert post(served, case_id, before, people[who], **body).status_code == 200, name

        by = people[example.by]
        assert post(served, case_id, name, others, **example.body).status_code == 403, name
        assert post(served, "no-case", name, by, **example.body).status_code == 404, name
        assert post(served, case_id, name, by, no_such_field=1).status_code == 422, name
        taken = post(served, case_id, name, by, **example.body)

        assert (taken.status_code, taken.json()["status"]) == (200, example.status), name
        assert recorded(served, case_id, act), name


def test_every_form_is_taken_and_refused(served: Service) -> None:
    def send(who: str, case_id: str, name: str, fields: dict[str, Any]) -> Any:
        form = form_of(served, case_id, sign_in(served, who), **fields)
        address = f"/console/cases/{case_id}/{name}"
        unsigned = form | {"form_token": "another"}
        assert served.client.post(address, data=unsigned, headers=ORIGIN).status_code == 403, name
        answer = served.client.post(address, data=form, headers=ORIGIN, follow_redirects=False)
        return answer.status_code

    for number, (name, act) in enumerate(ACTS.items()):
        example, case_id = EXAMPLES[name], decide(served, number)
        for step in example.before:
            assert send(step[0], case_id, *step[1:]) == 303, (name, step)
        if act.input and not act.is_input_optional:
            assert send(example.by, case_id, name, {}) == 422, name

        fields = example.body if example.form is None else example.form
        assert send(example.by, case_id, name, fields) == 303, name

        assert recorded(served, case_id, act), name
