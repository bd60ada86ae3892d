"""Many cases at once in the list: chosen by keys and clicks, acted on in place, told of by name."""

from playwright.sync_api import Page, expect

from serving.app import utc_now
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.claim import claim
from serving.review.acts.note import note_case
from serving.review.acts.tag import Tagging, tag_case
from serving.review.cases.case_records import CaseFilter
from serving.review.cases.teams import Team
from tests.browser.conftest import Site
from tests.browser.page_faults import barriers, is_wider_than_the_window
from tests.browser.test_clearing_the_queue import EVERYTHING, arriving
from tests.browser.test_reviewing_a_case import account, home, sign_in
from tests.serving.people import CHIEF, reviewer
from tests.serving.review.cases.stated import give_to

__all__ = ["home"]


def test_rows_are_chosen_by_keys_and_clicks_and_acted_on_together(page: Page, site: Site) -> None:
    for number in range(6):
        site.score(arriving(number), f"k{number}")
    one, two = (account(site, name) for name in ("one", "two"))
    site.services.teams.add_team(Team("Night", None, (one,)), utc_now(), CHIEF)
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, site, one)
    page.wait_for_load_state()
    boxes, bar = page.locator(".choose"), page.locator("#together")
    assert boxes.count() == 6
    expect(bar).to_be_hidden()

    for key in ("j", "x", "j", "j", "Shift+X"):
        page.keyboard.press(key)
    expect(page.locator(".choose:checked")).to_have_count(3)
    expect(bar).to_be_visible()
    page.keyboard.press("x")
    expect(page.locator(".choose:checked")).to_have_count(2)
    boxes.nth(3).click()
    boxes.nth(5).click(modifiers=["Shift"])
    expect(page.locator(".choose:checked")).to_have_count(5)
    assert barriers(page) == []

    lost = page.locator(".rows tbody tr").nth(0).get_attribute("data-case") or ""
    rival = reviewer(two)
    site.services.cases.act(rival, lost, lambda case: claim(case, rival.actor, utc_now()))
    bar.get_by_label("Hand over to").select_option("Night")
    bar.get_by_role("button", name="Hand over").click()
    told = page.locator(".together-told")
    expect(told).to_contain_text("4 cases handed over. 1 not:")
    expect(told).to_contain_text("another reviewer has this case")
    assert not is_wider_than_the_window(page)
    assert barriers(page) == []
    page.get_by_role("link", name="Inbox").click()
    expect(page.locator(".rows tbody tr")).to_have_count(4)
    rows = site.services.case_store.list_cases(EVERYTHING, CaseFilter(), 10)
    assert sorted(row.team or "" for row in rows) == ["", "", *["Night"] * 4]


def test_a_bell_leads_to_what_one_is_told(page: Page, site: Site) -> None:
    first, second = (site.score(arriving(n), f"k{n}")["decision_id"] for n in range(2))
    one, two = (account(site, name) for name in ("one", "two"))
    cases, now, by = site.services.cases, utc_now(), reviewer(two)
    give_to(cases, by, first, now, reviewer(one))
    note_case(ActRequest(cases, by, second, now), "<b>@one</b>: look at the seal")
    sign_in(page, site, one)
    bell = page.get_by_role("link", name="Notices: 2 not read")

    expect(bell).to_be_visible()
    bell.click()
    expect(page.get_by_text("two mentioned you")).to_be_visible()
    for width in (320, 390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two
            assert barriers(page) == []
            assert not is_wider_than_the_window(page)
    page.locator(f".notices a[href*='{first}']").click()
    page.get_by_role("heading", name="What happened with this case").click()
    expect(page.get_by_role("link", name="Notices: 1 not read")).to_be_visible()
    page.goto(f"{site.address}/console/queue?tab=unassigned")
    page.locator(f"[data-case='{second}'] a").click()
    expect(page.get_by_role("link", name="Notices: none not read")).to_be_visible()
    page.get_by_role("heading", name="What happened with this case").click()
    expect(page.locator("strong.mention")).to_have_text("@one")
    expect(page.get_by_text("<b>@one</b>: look at the seal")).to_be_visible()


def test_tags_are_set_and_removed_in_place_and_lead_to_the_cases_that_have_them(
    page: Page, site: Site
) -> None:
    first, second = (site.score(arriving(n), f"k{n}")["decision_id"] for n in range(2))
    one = account(site, "one")
    tag_case(
        ActRequest(site.services.cases, reviewer(one), second, utc_now()), Tagging(("late papers",))
    )
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, site, one)
    page.goto(f"{site.address}/console/cases/{first}?tab=unassigned")
    page.get_by_text("Add a tag").click()
    expect(page.locator("#tags-to-add option")).to_have_attribute("value", "late papers")
    page.locator("#add-tag").fill("Late  PAPERS")
    page.keyboard.press("Enter")
    tags = page.get_by_role("list", name="Tags")
    expect(tags).to_contain_text("late papers")
    for width in (320, 390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert not is_wider_than_the_window(page)
        assert barriers(page) == []

    tags.get_by_role("link", name="late papers").click()
    expect(page.locator(".rows tbody tr")).to_have_count(2)
    page.locator(f"[data-case='{second}'] a").click()
    page.get_by_role("button", name="Remove the tag late papers").click()
    expect(tags).to_be_hidden()
    page.locator(".choose").first.click()
    page.locator("#together").get_by_label("Tag").fill("north")
    assert barriers(page) == []
    page.keyboard.press("Enter")
    expect(page.locator("#together")).to_be_visible()
    page.get_by_role("button", name="Set tag").click()
    expect(page.locator(".together-told")).to_have_text("1 case tagged.")
