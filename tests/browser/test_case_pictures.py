"""The pictures of a case in a real browser: used by keyboard, and there without a script."""

from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Site
from tests.browser.page_faults import barriers
from tests.browser.test_reviewing_a_case import account, home, sign_in
from tests.serving.bodies import shipment

__all__ = ["home"]

LONG_ID = "T-{number}-0123456789-0123456789"
TOO_WIDE = """() => [...document.querySelectorAll(".case-pane .scroll")]
  .filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.ariaLabel)"""
HEARD_AT = "2026-11-20T09:00:00Z"


def heard(number: int) -> dict[str, Any]:
    """The example's journey, heard on both sides of nine hours of silence; two goods items."""
    item = {"number": 1, "commodity_code": "8903100000", "description": "inflatable boats"}
    other = {"number": 2, "commodity_code": "610910", "gross_mass_kg": 3.0, "known_at": HEARD_AT}
    odd = {"description": "outboard engines", "origin_country": "VN"}
    body = shipment(shipment_id=f"S-{number}", items=[item, other | odd])
    body["transactions"][0]["transaction_id"] = LONG_ID.format(number=number)
    body["positions"] = [
        {"journey_id": "J-1", "observed_at": f"2026-11-21T{hour:02}:00:00Z", "source": "ais"}
        | {"latitude": 36.0 + hour / 10, "longitude": 27.0 - hour / 10}
        for hour in (1, 2, 11, 12)
    ]
    return body


def test_map_links_and_payments_are_used_by_mouse_and_keyboard(page: Page, site: Site) -> None:
    case_id = site.score(heard(1), "one")["decision_id"]
    site.score(heard(2), "two")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sign_in(page, site, account(site, "one"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.goto(f"{site.address}/console/cases/{case_id}")
    _unfold(page)

    chart = page.get_by_role("application", name="Map of the route")
    expect(chart.locator("path.heard")).to_have_count(4)
    expect(chart.locator("path.silence")).to_have_count(1)
    before = chart.locator("path.travelled").bounding_box()
    chart.focus()
    page.keyboard.press("-")
    page.wait_for_function(
        "was => 0.7 * was >"
        " document.querySelector('.map path.travelled').getBoundingClientRect().width",
        arg=before["width"] if before else 0,
    )
    page.mouse.move(0, 0)
    page.locator("tr[data-about^='transactions:']").first.focus()
    expect(page.locator("circle.mark.is-lit")).to_have_count(1)
    expect(page.locator(".flow.is-lit")).to_have_count(1)

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name=f"Copy {LONG_ID.format(number=1)}").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#of-keys")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == LONG_ID.format(number=1)
    for width in (1280, 1440, 1920, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(TOO_WIDE) == [], width
    page.set_viewport_size({"width": 1440, "height": 900})

    page.get_by_role("link", name="Show what S-2 shares further").last.click()
    expect(page.get_by_text("Show this case's links only")).to_be_visible()
    assert all(url.startswith(site.address) for url in asked)
    assert _faults(page) == []
    page.emulate_media(color_scheme="dark")
    assert _faults(page) == []


def test_the_pictures_are_there_without_a_script(browser: Browser, site: Site) -> None:
    case_id = site.score(heard(1), "one")["decision_id"]
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site, account(site, "one"))
    page.goto(f"{site.address}/console/cases/{case_id}")
    _unfold(page)

    expect(page.locator(".map-still .silence")).to_have_count(1)
    expect(page.locator(".silences li")).to_contain_text("No report for 9 h: 21 November 2026")
    for picture in ("svg.days", "svg.payments", "svg.map-still"):
        expect(page.locator(picture)).to_be_visible()
    context.close()


def _unfold(page: Page) -> None:
    for part in page.locator("details.part > summary").all():
        part.click()


def _faults(page: Page) -> list[str]:
    return barriers(page, within=".picture")
