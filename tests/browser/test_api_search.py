"""Whoever builds against the service finds calls, fields and codes of the API as they type."""

from playwright.sync_api import Browser, expect

from tests.browser.busy_site import BusySite
from tests.browser.page_faults import barriers, is_wider_than_the_window


def test_calls_fields_and_codes_are_found_as_one_types(
    browser: Browser, busy_site: BusySite
) -> None:
    with busy_site.visitor(browser, None, viewport={"width": 390, "height": 900}) as context:
        page = context.new_page()
        page.goto(busy_site.address("/docs?q=no+such+words+anywhere"))
        told, box = page.get_by_role("status"), page.get_by_label("Search calls")
        expect(told).to_have_text("Nothing on this page has all of these words.")
        page.wait_for_load_state("load")  # by then the page's script hears keys

        page.keyboard.press("/")
        page.keyboard.type("person_field")
        expect(told).to_have_text("Calls: 0, fields: 0, problems and codes: 1")
        assert page.get_by_role("heading", level=2).all_inner_texts() == ["Fault codes"]
        assert page.url.endswith("/docs?q=person_field")
        box.fill("gross_mass_kg SubmittedShipment")
        expect(told).to_have_text("Calls: 0, fields: 1, problems and codes: 0")
        assert page.locator("dt:visible").all_inner_texts() == ["gross_mass_kg"]
        assert barriers(page, within="main") == []
        assert not is_wider_than_the_window(page)

        box.fill("score one subject durable")
        expect(page.locator("#Submission")).to_be_hidden()
        page.locator("#score_subject").get_by_role("link", name="Submission").click()
        expect(box).to_have_value("")
        expect(page.locator("#Submission")).to_be_in_viewport()
