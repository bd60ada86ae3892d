"""An open page of a rescuer, on which a distress call comes in: seen, in the tab, and heard."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from serving.app import utc_now
from tests.browser.conftest import Site
from tests.browser.test_days_of_other_roles import require_no_barrier
from tests.browser.test_reviewing_a_case import account, sign_in
from tests.serving.conftest import Service
from tests.serving.scoring.test_ships import CALLS, hear, sentence

TITLE = "Distress call, 38°12′N 26°06′E, 6 min ago"
MAX_INTERVAL_MS = 3_000


def call_for_help(site: Site) -> None:
    """A ship that nobody declared called for help six minutes ago."""
    client = httpx2.Client(base_url=site.address)
    service = Service(client, site.services, site.services.settings.home)  # type: ignore[arg-type]  # it is called alike
    hear(cast(Any, SimpleNamespace(service=service)), sentence(_minutes_ago(6.3), status=CALLS))


def _minutes_ago(minutes: float) -> Any:
    return utc_now() - timedelta(minutes=minutes)


def sound(page: Page) -> Any:
    return page.locator("#rescue-sound")


def test_a_call_comes_onto_an_open_board_red_into_the_tab_and_is_heard_until_somebody_acts(
    page: Page, site: Site
) -> None:
    sign_in(page, site, account(site, "watch", "rescue"))
    expect(
        page.get_by_text("Every rescue that is known here has somebody who acts.")
    ).to_be_visible()
    expect(sound(page)).to_have_attribute("data-state", "off")
    expect(sound(page)).to_contain_text("Sound is off")
    page.get_by_role("button", name="Turn on sound").click()
    expect(sound(page)).to_have_attribute("data-state", "on")

    call_for_help(site)

    news = page.locator("#rescue-news")
    expect(news.get_by_role("link", name=TITLE)).to_be_visible()
    card = page.locator("#board .incident.unheard")
    expect(card.get_by_role("link", name=TITLE)).to_be_visible()
    expect(page.get_by_text("Every rescue that is known here")).to_have_count(0)
    expect(page).to_have_title(re.compile(r"^\(1\) Rescues"))
    expect(sound(page)).to_have_attribute("data-state", "sounding")
    red, green = map(
        int,
        re.findall(r"\d+", str(card.evaluate("e => getComputedStyle(e).borderInlineStartColor")))[
            :2
        ],
    )
    assert red > 2 * green
    require_no_barrier(page, "board with a call")

    card.get_by_role("link", name=TITLE).click()
    expect(page.get_by_role("heading", name=TITLE)).to_be_visible()
    expect(page.get_by_role("cell", name="21 km (11 nautical miles)")).to_be_visible()
    expect(page.locator(".map.is-live")).to_be_visible()
    require_no_barrier(page, "distress call")
    page.get_by_role("button", name="I act on this call").click()

    expect(page.get_by_text("watch said that they act").first).to_be_visible()
    expect(page.locator("#rescue-news a")).to_have_count(0)
    expect(page).to_have_title(re.compile(r"^Distress call"))
    page.mouse.click(5, 5)
    expect(sound(page)).to_have_attribute("data-state", "on")


def test_what_somebody_else_does_ends_the_sound_on_every_page(page: Page, site: Site) -> None:
    call_for_help(site)
    sign_in(page, site, account(site, "watch", "rescue"))
    page.goto(f"{site.address}/console/account")
    page.get_by_role("button", name="Turn on sound").click()
    expect(sound(page)).to_have_attribute("data-state", "sounding")
    (waiting,) = site.services.distress_alerts.unacknowledged()

    site.services.distress_alerts.acknowledge(
        waiting.decision_id,
        site.services.accounts.find("watch").actor,
        utc_now(),  # type: ignore[union-attr]  # it has signed in
    )

    expect(sound(page)).to_have_attribute("data-state", "on")
    expect(page).to_have_title(re.compile(r"^(?!\()"))


@pytest.mark.parametrize("blocked", ["stream", "EventSource", "rescue_news.js"])
def test_a_page_without_a_stream_asks_every_three_seconds(
    browser: Browser, site: Site, blocked: str
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    asked = 0

    def pass_on(route: Route, request: Request) -> None:
        nonlocal asked
        if "text/event-stream" in request.headers.get("accept", ""):
            route.abort()
            return
        asked += 1
        route.continue_()

    if blocked == "EventSource":
        page.add_init_script("delete window.EventSource")
    if blocked == "rescue_news.js":
        page.route("**/rescue_news.js", lambda route: route.abort())
    page.route("**/console/rescues/changes*", pass_on)
    page.clock.install()
    sign_in(page, site, account(site, "watch", "rescue"))
    page.wait_for_load_state("load")
    for _ in range(2):
        with page.expect_response("**/console/rescues/changes*"):
            page.clock.run_for(MAX_INTERVAL_MS)

    call_for_help(site)
    page.clock.run_for(MAX_INTERVAL_MS)
    expect(page.locator("#rescue-news").get_by_role("link", name=TITLE)).to_be_visible()
    assert asked >= 3
    context.close()


def test_without_any_script_the_board_loads_itself_anew_and_no_page_keeps_its_session(
    browser: Browser, site: Site
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site, account(site, "watch", "rescue"))
    refresh = page.locator("noscript meta, meta[http-equiv=refresh]").first

    assert refresh.get_attribute("content") == "15;url=/console/rescues?refresh=1"
    context.close()


def test_a_page_says_that_it_shows_no_new_calls_once_its_session_has_ended(
    browser: Browser, site: Site
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.route("**/console/session", lambda route: route.abort())
    sign_in(page, site, account(site, "watch", "rescue"))
    expect(page.locator("#rescue-news")).to_have_attribute("data-count", "0")

    account_of = site.services.accounts.find("watch")
    assert account_of is not None
    site.services.sessions.end_all("account:watch", utc_now(), account_of.actor)

    expect(page.get_by_text("Your session has ended: new calls do not show here.")).to_be_visible()
    context.close()
