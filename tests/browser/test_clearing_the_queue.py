"""The figures of reviewing: loads and keys a case, clicks of a hand-over, words, and barriers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from serving.app import utc_now
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.reviewer import Reviewer
from tests.browser.conftest import Site
from tests.browser.page_faults import barriers
from tests.browser.test_reviewing_a_case import account, home, sign_in
from tests.counts import count
from tests.serving.bodies import shipment
from tests.serving.review.cases.stated import FOUND, agree_by, end_by

__all__ = ["home"]

EVERYTHING = CaseAccess(frozenset(), is_rescue=False)
EVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
URGENT, CLEARED = 20, count(8, 20)
MAX_KEYS, MAX_CLICKS, MAX_WORDS = 4, 6, 350


def arriving(number: int) -> dict[str, Any]:
    """A shipment that can still be stopped, for some hours."""
    body = shipment(shipment_id=f"S-{number}", gross_mass_kg=300.0 + 90 * number)
    body["journey"]["due_at"] = (utc_now() + timedelta(hours=5 + number)).isoformat()
    return body


@pytest.mark.faults
def test_the_twenty_most_urgent_are_cleared_without_a_load_by_four_keys_each(
    page: Page, site: Site
) -> None:
    for number in range(URGENT + 4):
        site.score(arriving(number), f"k{number}")
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, site, account(site, "one"))
    page.wait_for_load_state()
    rows = page.locator(".rows tbody tr")
    bottoms = rows.evaluate_all("rows => rows.map(row => row.getBoundingClientRect().bottom)")
    assert len([bottom for bottom in bottoms if bottom <= 900]) >= URGENT
    loads: list[str] = []
    page.on("load", lambda: loads.append(page.url))

    pressed = 0
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    for number in range(CLEARED):
        expect(page.locator("#case-title")).to_be_focused()
        case_id = page.locator("#open-case").get_attribute("data-case")
        if number == 0:
            words = page.locator("#open-case").inner_text().split()
            assert 100 < len(words) <= MAX_WORDS
        keys = ["2", "l"] if number % 4 == 0 else ["1", "i"]
        page.keyboard.press(keys[0])
        expect(page.get_by_text("You said first:")).to_be_visible()
        page.keyboard.press(keys[1])
        if keys[1] == "l":
            page.keyboard.type("as declared in every paper")
            page.keyboard.press("Control+Enter")
        else:
            page.keyboard.press("Enter")
        pressed += len(keys) + (2 if keys[1] == "l" else 1)
        expect(page.locator(f'#open-case:not([data-case="{case_id}"])')).to_be_visible()

    assert loads == []
    assert pressed / CLEARED <= MAX_KEYS
    acts = site.services.case_load.acts_between(("order_action",), EVER, EVERYTHING)
    assert len({act.event.case_id for act in acts}) == CLEARED
    expect(page.locator(".act-done")).to_contain_text("ordered to")
    page.keyboard.press("u")
    expect(page.locator("#done")).to_contain_text("undone")
    page.go_back()
    expect(page.locator("#case-title")).to_be_visible()
    assert loads == []


def test_what_shares_a_payer_with_a_confirmed_case_is_handed_over_by_six_clicks(
    page: Page, site: Site
) -> None:
    confirmed, *others = [
        site.score(arriving(number), f"k{number}")["decision_id"] for number in range(5)
    ]
    one, two = (_reviewer(site, account(site, name)) for name in ("one", "two"))
    end_by(site.services.cases, two, confirmed, utc_now(), FOUND)
    agree_by(site.services.cases, one, confirmed, utc_now(), FOUND)
    sign_in(page, site, "one")

    clicks = [
        lambda: page.get_by_role("link", name="Closed").click(),
        lambda: page.locator(f"[data-case='{confirmed}'] a").click(),
        lambda: page.get_by_role("heading", name="Linked cases").click(),
        lambda: page.locator("#hand-over [name=which]").select_option("party c-0012"),
        lambda: page.locator("#hand-over [name=to]").select_option("two"),
        lambda: page.get_by_role("button", name="Hand over", exact=True).click(),
    ]
    for click in clicks:
        click()

    assert len(clicks) <= MAX_CLICKS
    expect(page.get_by_text("4 cases handed to two.")).to_be_visible()
    rows = (site.services.case_store.case(each, EVERYTHING) for each in others)
    assert {row.owner_name for row in rows if row} == {"two"}


def _reviewer(site: Site, name: str) -> Reviewer:
    found = site.services.accounts.find(name)
    assert found is not None
    return Reviewer.from_caller(found.caller())


@pytest.mark.faults
def test_no_page_of_reviewing_has_a_barrier_or_a_text_that_is_cut(page: Page, site: Site) -> None:
    """At each width each text is whole; axe looks at the narrowest, in full runs at each."""
    case_id = site.score(arriving(1), "k1")["decision_id"]
    site.score(arriving(2), "k2")
    account(site, "two")
    sign_in(page, site, account(site, "one"))
    seen: dict[str, list[str]] = {}

    def look(at: str, is_scanned: bool) -> None:
        seen[at] = _cut(page) + (barriers(page) if is_scanned or count(False, True) else [])

    for width in (320, 390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        is_narrowest = width == 320
        for path in ("queue", f"cases/{case_id}"):
            page.goto(f"{site.address}/console/{path}")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two
                look(f"{path} {scheme} {width}", is_narrowest)
        if width < 1024:
            page.get_by_role("button", name="Decide").click()
            look(f"acts {width}", is_narrowest)
            page.get_by_role("button", name="Close", exact=True).click()
        for part in page.locator("details").all():
            part.evaluate("each => { each.open = true }")
        look(f"unfolded {width}", width == 1440)
        page.evaluate("document.documentElement.dir = 'rtl'")
        seen[f"right to left {width}"] = _cut(page)

    assert {path: found for path, found in seen.items() if found} == {}


def test_all_of_it_works_by_links_and_forms_without_a_script(browser: Browser, site: Site) -> None:
    first = site.score(arriving(1), "k1")["decision_id"]
    site.score(arriving(2), "k2")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site, account(site, "one"))

    page.locator(".rows .what a").first.click()
    shown = page.locator("#open-case").get_attribute("data-case")
    page.get_by_role("button", name="Look closer").click()
    expect(page.get_by_text("You said first:")).to_be_visible()
    page.get_by_role("radio", name="Inspect").check()
    page.get_by_role("button", name="Order it").click()

    expect(page.locator(".act-done")).to_contain_text("ordered to inspect the goods")
    assert page.locator("#open-case").get_attribute("data-case") != shown
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Unassigned")).to_be_visible()
    assert shown in (first, page.locator("#open-case").get_attribute("data-case"))
    context.close()


def _cut(page: Page) -> list[str]:
    """The elements whose text is wider than they are and not to be scrolled to; the page too."""
    page.wait_for_load_state("load")
    cut: list[str] = page.evaluate(
        """() => {
          const all = [...document.querySelectorAll("main *:not(svg *, .hidden, .map, .map *)")];
          const cut = all.filter((each) => ["hidden", "clip"].includes(getComputedStyle(each)
            .overflowX) && each.scrollWidth > each.clientWidth + 1 && each.innerText);
          const page = document.documentElement;
          const isWide = page.scrollWidth > page.clientWidth;
          return [...cut.map((each) => each.outerHTML.slice(0, 120)), ...(isWide ? ["page"] : [])];
        }"""
    )
    return cut
