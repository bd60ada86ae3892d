"""One's own account in a real browser: a second factor, sessions, a warning, and words kept."""

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from serving.app import utc_now
from serving.settings import Settings
from tests.browser.conftest import Site
from tests.browser.page_faults import barriers, is_wider_than_the_window
from tests.browser.test_reviewing_a_case import PASSWORD, account, home, sign_in
from tests.counts import count
from tests.serving.bodies import shipment

__all__ = ["home"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A session that ends soon."""
    return settings.model_copy(update={"session_minutes": 1})


def wrong_on(page: Page) -> list[str]:
    """The serious faults of the page, and whether it runs over its edge."""
    is_wide = is_wider_than_the_window(page)
    return [*barriers(page, is_serious=True), *(["wider than the window"] if is_wide else [])]


@pytest.mark.faults
@pytest.mark.parametrize("screen", [(390, 844), (1280, 900)][: count(1, 2)])
def test_a_second_factor_is_set_up_from_its_picture_and_asked_for_ever_after(
    page: Page, site: Site, screen: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": screen[0], "height": screen[1]})
    faults = {}
    sign_in(page, site, account(site, "maria"))
    page.get_by_role("link", name="maria").click()
    expect(page.get_by_role("heading", name="Where you are signed in")).to_be_visible()
    for folded in page.locator("details").all():
        folded.evaluate("each => { each.open = true }")
    faults["account"] = wrong_on(page)
    page.get_by_role("link", name="Set up a second factor").click()
    expect(page.locator(".qr svg")).to_be_visible()
    box = page.locator(".qr svg").bounding_box()
    assert box is not None
    assert box["width"] == box["height"] > 150
    faults["second factor"] = wrong_on(page)
    maker = pyotp.TOTP(page.locator("code.secret").inner_text())
    page.get_by_label("Code", exact=True).fill(maker.at(utc_now()))
    page.get_by_role("button", name="Use it from now on").click()
    expect(page.locator(".codes")).to_be_visible()
    faults["recovery codes"] = wrong_on(page)
    recovery = page.locator(".codes code").first.inner_text()
    page.get_by_role("link", name="I have them: go on").click()
    expect(page.get_by_text("10 recovery codes are left")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()

    sign_in(page, site, "maria")
    expect(page.get_by_label("Code", exact=True)).to_be_visible()
    faults["code"] = wrong_on(page)
    page.get_by_label("Code", exact=True).fill(recovery)
    page.get_by_role("button", name="Go on").click()

    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    assert {name: found for name, found in faults.items() if found} == {}


def test_a_session_says_before_it_ends_and_goes_on_when_asked(page: Page, site: Site) -> None:
    page.clock.install()
    sign_in(page, site, account(site, "maria"))
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    page.wait_for_load_state("load")  # by then the page's script counts from its own time
    notice = page.get_by_role("alert").filter(has_text="your session ends at")
    expect(notice).to_be_hidden()

    page.clock.fast_forward(35_000)

    expect(notice).to_be_visible()
    assert wrong_on(page) == []
    page.get_by_role("button", name="Stay signed in").click()
    expect(notice).to_be_hidden()


def test_words_that_were_written_before_a_session_ended_are_sent_after_signing_in_again(
    browser: Browser, site: Site
) -> None:
    page = browser.new_context().new_page()  # which may complain of the 401 that it is to see
    case_id = site.score(shipment(), "k")["decision_id"]
    sign_in(page, site, account(site, "maria"))
    page.goto(f"{site.address}/console/cases/{case_id}")
    page.get_by_role("button", name="Assign to me").click()
    expect(page.get_by_role("heading", name="This case is yours")).to_be_visible()
    page.get_by_text("Remind me, hand over, escalate, add a note").click()
    page.get_by_label("Note").fill('seen at the gate,\nwith "two" seals')
    session = site.services.sessions.of_holder("account:maria", utc_now())[0]
    site.services.sessions.end_all("account:maria", utc_now(), session.actor)

    page.locator("form:has(#note) button").click()
    expect(page.get_by_text("What you wrote is kept")).to_be_visible()
    assert wrong_on(page) == []
    page.get_by_label("Name").fill("maria")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("Comment")).to_have_value('seen at the gate,\nwith "two" seals')
    assert wrong_on(page) == []
    page.get_by_role("button", name="Send it", exact=True).click()

    page.get_by_text("What happened with this case").click()
    expect(page.get_by_text('with "two" seals').first).to_be_visible()
    expect(page.get_by_role("heading", name="This case is yours")).to_be_visible()
    page.context.close()
