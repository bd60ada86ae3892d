"""Tags: normalised, few, of no person; they find a case for those who see it, and no longer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from serving.access.accounts import new_account
from serving.app import create_app
from serving.audit.erasure import ErasureLimits, RetainedUnits
from serving.audit.retention_log import RetentionAct
from serving.errors import Unprocessable
from serving.integrity.audit_log import EventFilter
from serving.review.acts.tag import (
    MAX_TAG_LENGTH,
    MAX_TAGS,
    Tagging,
    checked_tag,
    normalised_tag,
    tag,
)
from serving.review.acts.undo import undo
from serving.review.cases.case_opening_worker import open_due
from serving.review.cases.case_state import Case
from serving.settings import Settings
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.tables.review import case_events, case_tags, cases
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import ONE
from tests.serving.refusals import refused_with
from tests.serving.review.cases.stated import post
from tests.serving.review.cases.test_cases_served import PLAN
from tests.serving.review.cases.test_teams import sign_in
from tests.serving.review.supervision.test_supervision_served import PASSWORD

OFFICE = "DE1"


@given(st.text(max_size=60))
def test_what_is_normalised_stays_as_it_is(text: str) -> None:
    assert normalised_tag(normalised_tag(text)) == normalised_tag(text)


def test_what_differs_in_case_blanks_and_forms_of_letters_is_one_tag() -> None:
    written = (
        "Late papers",
        " LATE  papers",
        "late\u00a0papers",
        "\uff2cate papers",
        "late\npapers",
    )

    assert {checked_tag(each) for each in written} == {"late papers"}


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "--", "x" * (MAX_TAG_LENGTH + 1), "a\u202eb", "a\x00b", "a\ud800"),
        *("nationality", "driver nationality", "date of birth", "PASSPORT 12", "Ethnic: group"),
    ],
)
def test_what_is_no_tag_or_says_something_of_a_person_is_refused(text: str) -> None:
    with pytest.raises(Unprocessable):
        checked_tag(text)


def test_a_case_has_few_tags_each_once_and_tagging_is_undone_whole() -> None:
    many = Tagging(tuple(f"tag {number}" for number in range(MAX_TAGS)))
    tagged, _ = tag(Case("c", tags=("tag 3",)), ONE, NOW, many)
    assert sorted(tagged.tags) == sorted(many.add)
    with refused_with("too-many-tags"):
        tag(tagged, ONE, NOW, Tagging(("one more",)))

    changed, event = tag(tagged, ONE, NOW, Tagging(("one more",), ("tag 3", "tag of no case")))
    assert len(changed.tags) == MAX_TAGS
    assert undo(changed, ONE, NOW, event, tagged)[0] == tagged


@pytest.fixture
def served(home: Path) -> Iterator[Service]:
    """A service with two reviewers of an office."""
    (home / "lanes.toml").write_text(PLAN)
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        service = Service(client, client.app.state.services, home)  # type: ignore[attr-defined]  # a FastAPI
        for name in ("one", "two"):
            account = new_account(name, PASSWORD, "reviewer", (OFFICE,), NOW)
            service.services.accounts.add_account(account)
        yield service


def decide(service: Service, number: int = 1, office_id: str = OFFICE) -> str:
    body = shipment(shipment_id=f"S-{number}", office_id=office_id)
    return str(service.score(body, service.key("score")).json()["decision_id"])


def found(service: Service, by: dict[str, str], tag: str, path: str = "cases") -> list[str]:
    answer = service.client.get(f"/v1/{path}", params={"tag": tag}, headers=by).json()
    return [case["case_id"] for case in answer["cases"]]


def test_a_case_is_found_by_its_tags_until_they_are_removed(served: Service) -> None:
    tagged, other, abroad = decide(served, 1), decide(served, 2), decide(served, 3, "DE2")
    one = served.key("review", offices=(OFFICE,))

    answer = post(served, tagged, "tags", one, add=["Late Papers", "north"]).json()
    post(served, other, "tags", one, add=["south"])
    post(served, abroad, "tags", served.key("review"), add=["north", "far away"])

    assert answer["tags"] == ["late papers", "north"]
    for path in ("cases", "queue"):
        assert found(served, one, "LATE papers", path) == [tagged]
        assert found(served, one, "north", path) == [tagged]
        assert found(served, one, "late", path) == []
    assert {*found(served, served.key("review"), "north")} == {tagged, abroad}
    in_use = served.client.get("/v1/tags", headers=one).json()["tags"]
    assert in_use == ["late papers", "north", "south"]
    assert post(served, tagged, "tags", one, remove=["North"]).json()["tags"] == ["late papers"]
    assert found(served, one, "north") == []
    shown = served.client.get(f"/v1/cases/{tagged}", headers=one).json()
    assert shown["tags"] == ["late papers"]
    assert found(served, served.key("rescue"), "late papers") == []


def test_tagging_is_an_event_of_the_case_and_of_the_audit_log_once(served: Service) -> None:
    case_id, one = decide(served), served.key("review")

    for _ in range(2):
        assert post(served, case_id, "tags", one, add=["north"]).status_code == 200
    refused: list[dict[str, Any]] = [
        {},
        {"add": []},
        {"add": ["nationality"]},
        {"add": ["north", "-"]},
        {"add": [f"tag {number}" for number in range(MAX_TAGS + 1)]},
        {"tags": ["north"]},
    ]
    for body in refused:
        answer = served.client.post(f"/v1/cases/{case_id}/tags", json=body, headers=one)
        assert answer.status_code == 422, body
    full = post(served, case_id, "tags", one, add=[f"tag {number}" for number in range(MAX_TAGS)])
    assert full.status_code == 409

    told = [each for each in served.services.cases.events(case_id) if each.action == "tag"]
    assert [each.changed for each in told] == ['{"tags":[[],["north"]]}']
    audited = served.services.audit_events.newest(EventFilter(action="tag"), 9)
    assert [event.object_id for event in audited] == [case_id]


def test_several_cases_are_tagged_at_once_and_each_that_cannot_be_is_told(served: Service) -> None:
    chosen, one = [decide(served, number) for number in range(3)], served.key("review")
    full = [f"tag {number}" for number in range(MAX_TAGS)]
    post(served, chosen[0], "tags", one, add=full)

    def act(**tags: Any) -> Any:
        body = {"act": "tag", "case_ids": chosen, "tags": tags}
        return served.client.post("/v1/bulk-acts", headers=one, json=body)

    answer = act(add=["north"]).json()
    assert answer["done"] == chosen[1:]
    assert [each["case_id"] for each in answer["refused"]] == [chosen[0]]
    assert {*found(served, one, "north")} == {*chosen[1:]}
    assert act(remove=["north", "tag 0"]).json()["done"] == chosen
    assert found(served, one, "north") == []
    assert act(add=["gender"]).status_code == 422
    assert act().status_code == 422


def test_tags_are_set_offered_filtered_by_and_removed_by_plain_forms(served: Service) -> None:
    case_id, other = decide(served, 1), decide(served, 2)
    token = sign_in(served, "one")

    def send(path: str, **form: str) -> Any:
        data = {"form_token": token} | form
        return served.client.post(f"/console/{path}", data=data, headers=ORIGIN)

    page = send(f"cases/{case_id}/tags", add="Late <b>papers").text
    assert '<a href="/console/queue?tag=late%20%3Cb%3Epapers">late &lt;b&gt;papers</a>' in page
    assert "none → late &lt;b&gt;papers" in page
    assert '<option value="late &lt;b&gt;papers">' in served.client.get("/console/queue").text
    refused = send(f"cases/{case_id}/tags", add="nationality")
    assert refused.status_code == 422
    assert "This tag would describe a person" in refused.text

    listed = served.client.get("/console/queue", params={"tag": "LATE <b>papers"}).text
    assert f'data-case="{case_id}"' in listed
    assert f'data-case="{other}"' not in listed
    assert "Filters: some cases are not shown" in listed
    boxes = {f"case_{each}": "true" for each in (case_id, other)}
    assert "2 cases tagged." in send("queue/together", act="tag", tag="north", **boxes).text
    assert (
        "2 cases without the tag now."
        in send("queue/together", act="untag", tag="north", **boxes).text
    )
    gone = send(f"cases/{case_id}/tags", remove="late <b>papers").text
    assert "queue?tag=" not in gone


def test_whoever_only_reads_sees_tags_and_changes_none(served: Service) -> None:
    case_id = decide(served)
    post(served, case_id, "tags", served.key("review"), add=["north"])
    account = new_account("looks", PASSWORD, "auditor", (), NOW)
    served.services.accounts.add_account(account)
    sign_in(served, "looks")
    form = {"code": "audit", "text": "a yearly audit of cases"}
    token = sign_in(served, "looks")
    address = f"/console/cases/{case_id}"
    served.client.post(f"{address}/justify", data={"form_token": token} | form, headers=ORIGIN)

    page = served.client.get(address).text

    assert "queue?tag=north" in page
    assert 'name="remove"' not in page


def engine_of(service: Service) -> Engine:
    engine: Engine = service.services.case_store._engine
    return engine


def test_nothing_of_a_tag_lies_in_the_clear(served: Service) -> None:
    case_id = decide(served)
    post(served, case_id, "tags", served.key("review"), add=["operation canary"])

    with engine_of(served).connect() as connection:
        for table in (cases, case_events, case_tags):
            assert "canary" not in repr(connection.execute(select(table)).all())
        assert len(connection.execute(select(case_tags)).all()) == 1


def test_of_a_masked_case_no_tag_is_shown_and_none_finds_it(
    served: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id, one = decide(served), served.key("review")
    post(served, case_id, "tags", one, add=["north"])
    monkeypatch.setattr(type(served.services.masking), "covers", lambda *_: True)

    assert found(served, one, "north") == found(served, one, "north", "queue") == []
    assert served.client.get("/v1/cases", headers=one).json()["cases"][0]["tags"] == []
    assert post(served, case_id, "claim", one).json()["tags"] == []


def test_masking_and_erasure_delete_what_cases_were_found_by(served: Service) -> None:
    kept = Tagging(("north",))
    masked, erased = decide(served, 1), decide(served, 2)
    one = served.key("review")
    for case_id in (masked, erased):
        post(served, case_id, "tags", one, add=[*kept.add])
    erasure = DatabaseErasure(engine_of(served))

    def rows() -> int:
        with engine_of(served).connect() as connection:
            return len(connection.execute(select(case_tags)).all())

    assert erasure.remove_masked_terms("2026-01-01", RetainedUnits()) == 0
    assert rows() == 2
    erasure.remove_masked_terms("2027-01-01", RetainedUnits())
    assert rows() == 0
    erasure.index_again()
    open_due(served.services.cases, NOW)
    assert {*found(served, one, "north")} == {masked, erased}

    for case_id in (masked, erased):
        post(served, case_id, "claim", one)
        ended = post(served, case_id, "actions", one, kind="release", text="all is as declared")
        assert ended.json()["status"] == "closed"
    limits = ErasureLimits(decisions="2027-01-01", records="2027-01-01")
    act = RetentionAct(NOW.isoformat(), "erase", "cli:1@here", "their time is over", {})
    erasure.erase(limits, lambda _: RetainedUnits(), act)
    erasure.sweep(limits)
    assert rows() == 0
    assert served.client.get("/v1/tags", headers=one).json()["tags"] == []
