"""The desk in Arabic: mirrored, whole at every width, and without barriers."""

from playwright.sync_api import Page

from serving.access.accounts import ReadingChoice
from serving.app import utc_now
from tests.browser.conftest import Site
from tests.browser.page_faults import barriers, cut_off, is_wider_than_the_window
from tests.browser.test_reviewing_a_case import account, home, sign_in
from tests.serving.bodies import shipment

__all__ = ["home"]


def left_edge(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box is not None, selector
    return box["x"]


def test_the_desk_in_arabic_is_mirrored_and_nothing_of_it_is_cut(page: Page, site: Site) -> None:
    site.score(shipment(), "k")
    name = account(site, "one")
    kept = site.services.accounts.find(name)
    assert kept is not None
    choice = ReadingChoice("ar", "Asia/Riyadh")
    site.services.accounts.choose_reading(kept, choice, utc_now(), kept.actor)
    sign_in(page, site, name)
    page.wait_for_url("**/console/queue**")

    assert page.locator("html").get_attribute("dir") == "rtl"
    page.set_viewport_size({"width": 1440, "height": 900})
    page.locator(".rows .what a").first.click()
    page.locator("#case-title").wait_for()
    list_edge, case_edge, act_edge = (
        left_edge(page, selector) for selector in (".list-pane", ".case-pane", ".act-pane")
    )
    assert act_edge < case_edge < list_edge, "the list is first, and the first stands on the right"
    case = page.locator("#open-case").get_attribute("data-case")
    for path in ("/console/queue", f"/console/cases/{case}", "/console/account"):
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{site.address}{path}", wait_until="load")
            assert not is_wider_than_the_window(page), (path, width)
            assert cut_off(page) == [], (path, width)
        assert barriers(page) == []
