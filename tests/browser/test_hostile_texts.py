"""Whatever text anyone can store is shown as text: none of it runs in a real browser."""

import copy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import BaseModel
from sqlalchemy import update

from features.records import RECORD_FILES
from serving.access.accounts import new_account
from serving.access.actors import SERVICE, Actor
from serving.access.api_keys import new_key
from serving.app import utc_now
from serving.errors import ServingError
from serving.review.acts.assign import assign
from serving.review.acts.attachments import AttachedFile
from serving.review.acts.claim import claim
from serving.review.acts.mark_reason import mark_reason
from serving.review.acts.note import note
from serving.review.acts.order import order
from serving.review.acts.reopen import reopen
from serving.review.acts.state_result import state_result
from serving.review.acts.wait import wait
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_change import CaseChange
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.case_state import Case
from serving.review.cases.reviewer import Reviewer
from serving.storage.engine import open_database
from serving.storage.repositories.account_repository import _insert
from serving.storage.tables.access import api_keys
from serving.storage.write_lock import write_transaction
from serving.web.security_headers import CONTENT_SECURITY_POLICY
from tests.browser.conftest import Site
from tests.serving.bodies import shipment, submission
from tests.serving.review.cases.stated import NOTHING

HOSTILE = (
    "\"'></textarea></title><script>window.ran=1</script><img src=x onerror=window.ran=1>"
    "<svg onload=window.ran=1><a href=javascript:window.ran=1>{{7*7}}"
)
PLAN = f"""
[[watched]]
kind = "company"
value = "c-0012"
list = '''{HOSTILE}'''
reason = '''{HOSTILE}'''
"""
PASSWORD = "a password for tests"
PARTS = {
    "shipment": RECORD_FILES["shipments"],
    "goods_items": RECORD_FILES["goods_items"],
    "journey": RECORD_FILES["journeys"],
    "legs": RECORD_FILES["legs"],
    "documents": RECORD_FILES["documents"],
    "transactions": RECORD_FILES["transactions"],
    "events": RECORD_FILES["events"],
}

ITEM = {"number": 1, "commodity_code": "8903100000"}
EVENT = {
    "event_id": "E-1",
    "kind": "gate_out",
    "occurred_at": "2026-11-20T07:00:00Z",
    "known_at": "2026-11-20T08:00:00Z",
}


@pytest.fixture
def home(home: Path) -> Path:
    """A home whose watch-list is hostile too."""
    (home / "lanes.toml").write_text(PLAN)
    return home


def hostile_body() -> tuple[dict[str, Any], list[str]]:
    """A body with hostile text in every field that takes it, and which those are."""
    body, taking = {**shipment(items=[ITEM]), "events": [EVENT]}, []
    for part, record in PARTS.items():
        for name in record.model_fields:
            tried = copy.deepcopy(body)
            held = tried["shipment"]["items"] if part == "goods_items" else tried[part]
            told = held[0] if isinstance(held, list) else held
            told[name] = HOSTILE
            try:
                submission(tried)
            except ServingError:
                continue
            body, taking = tried, [*taking, f"{part}.{name}"]
    return body, taking


def make_named(site: Site, names: dict[str, str]) -> None:
    """Accounts, by role, and a key under names that only an older release let anybody have."""
    site.services.api_keys.add_key(new_key("desk", ("score",), (), utc_now())[0])
    engine = open_database(site.services.settings.database, is_service=False)
    with write_transaction(engine) as connection:
        connection.execute(update(api_keys).where(api_keys.c.name == "desk").values(name=HOSTILE))
    with write_transaction(
        engine
    ) as connection:  # the names are none that a new account could have
        for role, name in names.items():
            _insert(connection, new_account(name, PASSWORD, role, (), utc_now()), SERVICE)  # type: ignore[arg-type]  # a role


def act_on(site: Site, case_id: str, name: str) -> None:
    """Leave hostile text in every way that a reviewer can."""
    reviewing, now = site.services.cases, utc_now()
    who = Actor(f"account:{name}", name, f"account:{name}")
    reviewer = Reviewer(who, CaseAccess(frozenset(), is_rescue=False))
    file = AttachedFile.from_upload(f"{HOSTILE.replace('/', '')}.txt", HOSTILE.encode(), 10_000)
    ended = replace(NOTHING, text=HOSTILE)
    inspect, hold = CaseAction("inspect", HOSTILE), CaseAction("hold", HOSTILE)
    until = now + timedelta(hours=2)
    reviewing.attach(reviewer, case_id, now, file, HOSTILE.encode())
    for act in (
        lambda case: claim(case, who, now),
        lambda case: note(case, who, now, HOSTILE),
        lambda case: mark_reason(case, who, now, HOSTILE, "wrong"),
        lambda case: wait(case, who, now, until, "documents", HOSTILE),
        lambda case: order(case, who, now, inspect),
        lambda case: state_result(case, who, now, ended),
        lambda case: reopen(case, who, now, HOSTILE),
        lambda case: assign(case, who, now, replace(who, name=HOSTILE)),
        lambda case: assign(case, who, now, who, may_take=True),
        lambda case: order(case, who, now, hold),
    ):
        reviewing.act(reviewer, case_id, _typed(act))


def _typed(act: Any) -> Any:
    def typed(case: Case) -> CaseChange:
        done: CaseChange = act(case)
        return done

    return typed


def test_no_stored_text_runs_on_any_page(page: Page, site: Site) -> None:
    body, taking = hostile_body()
    assert "shipment.goods_description" in taking
    names = {role: f"{role} {HOSTILE}" for role in ("supervisor", "admin", "auditor")}
    make_named(site, names)
    case_id = site.score(body, "k")["decision_id"]
    page.goto(f"{site.address}/console/queue?office={HOSTILE[:60]}")
    for role, paths in {
        "supervisor": [
            "queue",
            f"cases/{case_id}",
            f"cases/{case_id}/letter",
            "supervision",
            "switches",
            f"supervision/reread/{case_id}",
            "decisions",
            f"decisions/{case_id}",
        ],
        "auditor": ["queue", f"cases/{case_id}", "models", "monitor", "accounts"],
        "admin": ["accounts"],
    }.items():
        page.context.clear_cookies()
        page.goto(f"{site.address}/console/sign-in")
        page.get_by_label("Name").fill(names[role])
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.locator(".who")).to_contain_text("<script>")
        for path in paths:
            answer = page.goto(f"{site.address}/console/{path}")
            assert answer is not None
            assert answer.ok, path
            assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY, path
            assert page.evaluate("window.ran") is None, path
            assert page.locator("img[src=x], a[href^=javascript]").count() == 0, path
        if role == "supervisor":
            act_on(site, case_id, names[role])
            for path in paths:
                page.goto(f"{site.address}/console/{path}")
                assert page.evaluate("window.ran") is None, path
    assert page.get_by_text("window.ran=1").count() > 0


def test_the_policy_lets_no_text_of_a_page_run_even_if_one_slipped_through(
    browser: Browser, site: Site
) -> None:
    page = browser.new_context().new_page()  # one that may complain
    page.goto(f"{site.address}/console/sign-in")

    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=ran=1>')")
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'ran=1'}))"
    )
    page.wait_for_timeout(100)

    assert page.evaluate("window.ran") is None
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    page.context.close()


def test_every_record_is_among_those_that_are_tried() -> None:
    assert all(issubclass(record, BaseModel) for record in PARTS.values())
    assert RECORD_FILES.keys() - {"shipments", "journeys", *PARTS} == {"positions", "outcomes"}
