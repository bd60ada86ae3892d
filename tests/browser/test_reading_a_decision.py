"""A reviewer signs in and reads why a shipment is on the list, as a person would."""

import pytest
from playwright.sync_api import Browser, Page, expect

from serving.access.accounts import new_account
from serving.app import utc_now
from serving.explanation.formatting import readable
from tests.browser.conftest import Site
from tests.browser.page_faults import is_wider_than_the_window
from tests.serving.bodies import shipment


def sign_in(page: Page, site: Site) -> None:
    if site.services.accounts.find("reader") is None:
        account = new_account("reader", "a password for tests", "auditor", (), utc_now())
        site.services.accounts.add_account(account)
    page.goto(f"{site.address}/console")
    page.get_by_label("Name").fill("reader")
    page.get_by_label("Password").fill("a password for tests")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Decisions", exact=True)).to_be_visible()


def say_why(page: Page) -> None:
    """Say why a case is read, where the page asks whoever did not bring it."""
    if page.get_by_role("heading", name="Why do you read this case?").count():
        page.get_by_label("Which request, audit or case").fill("the audit of November")
        page.get_by_role("button", name="Read it").click()


@pytest.mark.parametrize("screen", [(1280, 900), (390, 844)], ids=["desk", "phone"])
def test_a_reviewer_signs_in_reads_a_decision_and_leaves(
    page: Page, site: Site, screen: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": screen[0], "height": screen[1]})
    answer = site.score(shipment(declared_value=420.0), "k")

    sign_in(page, site)
    page.get_by_role("link", name="Shipment S-1").click()
    page.wait_for_load_state()
    say_why(page)

    expect(page).to_have_url(f"{site.address}/console/decisions/{answer['decision_id']}")
    expect(page.get_by_role("heading", name="What speaks for a closer look")).to_be_visible()
    expect(page.get_by_role("heading", name="What speaks against")).to_be_visible()
    expect(page.get_by_text("the packing list: too few cases to say")).to_be_visible()
    assert not is_wider_than_the_window(page)

    reason = page.locator(".reason.for .seen a").first
    feature = (reason.get_attribute("href") or "").rpartition("/")[2]
    reason.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(readable(feature))
    expect(page.get_by_text("features/families/")).to_be_visible()
    assert not is_wider_than_the_window(page)

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.goto(f"{site.address}/console/decisions")
    expect(page.get_by_label("Password")).to_be_visible()


def test_the_sum_of_the_score_can_be_checked_by_eye(page: Page, site: Site) -> None:
    answer = site.score(shipment(), "k")
    sign_in(page, site)
    page.goto(f"{site.address}/console/decisions/{answer['decision_id']}")
    say_why(page)

    cells = page.locator(".sum td.number:nth-child(3)").all_inner_texts()
    *parts, total = [float(text.replace("−", "-")) for text in cells]

    assert abs(sum(parts) - total) < 0.0005 * len(cells)
    assert abs(total - answer["log_odds"]) < 0.0005


def test_more_on_an_indicator_opens_without_scripts(page: Page, site: Site) -> None:
    answer = site.score(shipment(declared_value=420.0), "k")
    sign_in(page, site)
    page.goto(f"{site.address}/console/decisions/{answer['decision_id']}")
    say_why(page)

    more = page.locator("details").first
    expect(more.locator(".seen").first).to_be_hidden()
    more.locator("summary").click()

    expect(more.locator(".seen").first).to_be_visible()


def test_every_page_can_be_used_with_the_keyboard_alone(page: Page, site: Site) -> None:
    site.score(shipment(), "k")
    page.goto(f"{site.address}/console")

    site.services.accounts.add_account(
        new_account("reader", "a long password", "auditor", (), utc_now())
    )
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("reader")
    page.keyboard.press("Tab")
    page.keyboard.type("a long password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Decisions", exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("link", name="Shipment S-1").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Shipment S-1")).to_be_visible()


def test_a_wrong_password_is_told_so(browser: Browser, site: Site) -> None:
    page = browser.new_page()
    page.goto(f"{site.address}/console/sign-in")
    expect(page.get_by_label("Name")).to_be_focused()
    page.get_by_label("Name").fill("nobody")
    page.get_by_label("Password").fill("nonsense")

    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_role("alert")).to_be_visible()
    page.close()
