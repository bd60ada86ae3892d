"""Reviewers at work in a real browser: queue, case, decision, race, and keyboard."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from serving.access.accounts import new_account
from serving.access.roles import Role
from serving.app import utc_now
from tests.browser.conftest import Site
from tests.serving.bodies import shipment

PASSWORD = "a password for tests"
PLAN = """
[[watched]]
kind = "company"
value = "c-0012"
list = "asked for by another office"
reason = "see their message"
"""


@pytest.fixture
def home(home: Path) -> Path:
    """A home in which the example shipment goes to inspection, whatever its score."""
    (home / "lanes.toml").write_text(PLAN)
    return home


def account(site: Site, name: str, role: Role = "reviewer") -> str:
    site.services.accounts.add_account(new_account(name, PASSWORD, role, (), utc_now()))
    return name


def sign_in(page: Page, site: Site, name: str) -> None:
    page.goto(f"{site.address}/console")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def labels(site: Site) -> list[dict[str, Any]]:
    kept = site.services.records.all()
    return [json.loads(row.body) for row in kept if row.kind == "outcomes"]


def test_a_reviewer_claims_the_first_case_reads_its_reasons_and_decides(
    page: Page, site: Site
) -> None:
    site.score(shipment(), "k")
    sign_in(page, site, account(site, "one"))

    page.get_by_role("button", name="Take the next case").click()
    expect(page.get_by_role("heading", name="This case is yours")).to_be_visible()
    expect(page.locator("#lead-facts")).to_have_text(re.compile("What stands out|In short"))
    expect(page.get_by_text("asked for by another office").first).to_be_visible()
    page.get_by_text("All that was declared, for and against").click()
    expect(page.get_by_role("heading", name="What speaks for a closer look")).to_be_visible()
    checked = page.locator(".check").first.get_by_role("button", name="cleared")
    checked.click()
    expect(checked).to_have_attribute("aria-pressed", "true")
    page.get_by_role("radio", name="Inspect").check()
    page.get_by_role("button", name="Order it").click()
    expect(page.get_by_text("Ordered: inspect the goods")).to_be_visible()
    page.get_by_label("Result and reason").select_option("nothing_found as_declared")
    page.get_by_label("How sure are you?").select_option("high")
    page.get_by_label("Comment, at least").fill("opened and counted, all as declared")
    page.get_by_role("button", name="State the result").click()

    expect(page.get_by_role("heading", name="Closed")).to_be_visible()
    (label,) = labels(site)
    assert (label["subject_id"], label["result"]) == ("S-1", "not_confirmed")
    page.get_by_role("link", name="Unassigned").click()
    expect(page.get_by_text("Nothing waits here")).to_be_visible()


def test_by_keyboard_alone_a_case_is_taken_and_ended(page: Page, site: Site) -> None:
    site.score(shipment(), "k")
    sign_in(page, site, account(site, "one"))

    expect(page.get_by_role("link", name="inflatable boats")).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="This case is yours")).to_be_visible()
    page.keyboard.press("l")
    expect(page.locator("textarea:focus")).to_be_visible()
    page.keyboard.type("nothing calls for a closer look")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("heading", name="Closed")).to_be_visible()
    assert labels(site) == []


def test_filters_narrow_the_queue(page: Page, site: Site) -> None:
    site.score(shipment(), "k")
    sign_in(page, site, account(site, "one"))

    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Mode").select_option("air")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Nothing waits here. Other filters may show more.")).to_be_visible()
    page.get_by_label("Mode").select_option("sea")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="inflatable boats")).to_be_visible()
    page.get_by_role("link", name="Clear").click()
    page.get_by_role("link", name="Mine").click()
    expect(page.get_by_text("Nothing waits here")).to_be_visible()


def test_the_second_reviewer_is_refused_and_a_supervisor_sees_both(
    page: Page, site: Site, browser: Browser
) -> None:
    answer = site.score(shipment(), "k")
    address = f"{site.address}/console/cases/{answer['decision_id']}"
    sign_in(page, site, account(site, "one"))
    other = browser.new_context().new_page()
    sign_in(other, site, account(site, "two"))
    page.goto(address)
    other.goto(address)

    page.get_by_role("button", name="Assign to me").click()
    other.get_by_role("button", name="Assign to me").click()

    expect(page.get_by_role("heading", name="This case is yours")).to_be_visible()
    expect(other.get_by_role("alert")).to_contain_text("Another reviewer has this case")
    chief = browser.new_context().new_page()
    sign_in(chief, site, account(site, "chief", "supervisor"))
    chief.goto(address)
    expect(chief.get_by_role("heading", name="With one")).to_be_visible()
    chief.get_by_text("What happened with this case").click()
    expect(chief.locator(".instants").last).to_contain_text("two")
    for opened in (other, chief):
        opened.context.close()
