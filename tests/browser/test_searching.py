"""A reviewer finds a case by a container: by keyboard, without JavaScript, on a phone."""

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site
from tests.browser.page_faults import barriers, is_wider_than_the_window
from tests.browser.test_reviewing_a_case import account, home, sign_in
from tests.serving.bodies import shipment

__all__ = ["home"]


def test_a_case_is_found_by_keyboard_and_without_javascript(
    page: Page, site: Site, browser: Browser
) -> None:
    site.score(shipment(container_number="MSCU1234567"), "k")
    sign_in(page, site, account(site, "one"))
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    page.wait_for_load_state("load")  # by then the page's script hears keys

    page.keyboard.press("/")
    expect(page.get_by_label("Search cases")).to_be_focused()
    page.keyboard.type("mscu 123/")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Container MSCU1234567")).to_be_visible()
    page.goto(f"{site.address}/console/notices")
    page.wait_for_load_state("load")
    page.keyboard.press("Control+k")  # from a page without a box
    expect(page.get_by_label("Search cases")).to_be_focused()
    page.keyboard.type("mscu 12")
    page.keyboard.press("Control+k")  # selects what was typed
    page.keyboard.type("mscu 123/")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Search cases")).to_have_value("mscu 123/")
    assert barriers(page, within="main") == []
    page.set_viewport_size({"width": 320, "height": 700})
    assert not is_wider_than_the_window(page)
    page.get_by_text("Save this view").click()
    page.get_by_label("Name", exact=True).fill("that container")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"{site.address}/console/queue")
    page.get_by_role("link", name="that container").click()
    assert barriers(page, within="main") == []
    assert not is_wider_than_the_window(page)
    page.get_by_role("link", name="Shipment S-1").click()
    expect(page.get_by_role("main")).to_contain_text("Shipment S-1")

    plain = browser.new_context(java_script_enabled=False)
    without = plain.new_page()
    sign_in(without, site, "one")
    expect(without.get_by_role("heading", name="Queue")).to_be_visible()
    without.get_by_label("Search cases").fill("nobody")
    without.get_by_role("button", name="Search").click()
    expect(without.get_by_text("No case that you may see names this")).to_be_visible()
    plain.close()
