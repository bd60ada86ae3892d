"""The page of a party in a real browser: reached by clicks, facts over time, and no score."""

import re

from playwright.sync_api import Browser, expect

from tests.browser.busy_site import BusySite
from tests.browser.page_faults import faults_of


def test_a_reviewer_comes_from_a_case_to_a_party_and_on_to_what_it_is_named_with(
    browser: Browser, busy_site: BusySite
) -> None:
    with busy_site.visitor(browser, "reviewer", locale="en") as context:
        page = context.new_page()
        page.goto(busy_site.address("/console/cases/{case}"))
        page.get_by_text("All that was declared, for and against").click()
        page.get_by_role("link", name="c-0012").first.click()

        expect(page.get_by_role("heading", level=1)).to_have_text("Party c-0012")
        assert "c-0012" not in page.url
        expect(page.get_by_text("▲ smuggling confirmed in 1")).to_be_visible()
        expect(page.get_by_role("img", name="Cases by month")).to_be_visible()
        page.get_by_text("Say the same in words").click()
        in_words = page.get_by_role("listitem").filter(has_text="November 2026")
        expect(in_words).to_have_text(re.compile(r"November 2026: \d+ cases"))
        said = page.get_by_role("main").inner_text().lower()
        assert not re.search(r"\bscores?\b|\brisk|probab|percentile|\d %", said)
        assert faults_of(page) == []

        page.get_by_role("row", name="c-0007").get_by_role("link", name="c-0007").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Party c-0007")
        page.get_by_role("link", name="Shipment S-confirmed").click()
        expect(page.get_by_role("heading", name="Why do you read this case?")).to_be_visible()


def test_who_may_not_read_of_an_entity_is_told_so_in_plain_words(
    browser: Browser, busy_site: BusySite
) -> None:
    with busy_site.visitor(browser, "data_scientist", locale="en") as context:
        page = context.new_page()
        page.goto(busy_site.address("/console/entities/party/{party}"))

        expect(page.get_by_role("heading", level=1)).to_have_text("This is not open to you")
        expect(page.get_by_text("ask whoever keeps the accounts")).to_be_visible()
        assert "c-0012" not in page.content()
        assert faults_of(page) == []


def test_an_entity_that_no_case_names_is_not_found(browser: Browser, busy_site: BusySite) -> None:
    with busy_site.visitor(browser, "reviewer", locale="en") as context:
        page = context.new_page()
        page.goto(busy_site.address("/console/entities/party/0123456789abcdef0123456789abcdef"))

        expect(page.get_by_role("heading", level=1)).to_have_text("Page not found")
        expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
