"""A rescuer, a supervisor and an auditor at work in a real browser; no barriers on their pages."""

from playwright.sync_api import Page, expect

from serving.access.actors import Actor
from serving.app import utc_now
from serving.integrity.audit_log import AuditEvent
from tests.browser.conftest import Site
from tests.browser.page_faults import barriers, is_wider_than_the_window
from tests.browser.test_reviewing_a_case import account, sign_in
from tests.counts import count
from tests.serving.bodies import route, shipment

SIZES = ((390, 844), (1440, 900))


def require_no_barrier(page: Page, where: str) -> None:
    """At both widths nothing is cut off, and axe finds nothing but the notice of a trial.

    Axe looks at the narrow page, and in full runs at the wide one as well.
    """
    for number, (width, height) in enumerate(SIZES):
        page.set_viewport_size({"width": width, "height": height})
        assert not is_wider_than_the_window(page), (where, width)
        if number < count(1, 2):
            found = [each for each in barriers(page) if "['.trial']" not in each]
            assert found == [], (where, width)


def press(page: Page, key: str) -> None:
    """Press a key once the page has its scripts."""
    page.wait_for_load_state("load")
    page.keyboard.press(key)


def test_a_rescuer_finds_who_waits_acts_and_ends_it(page: Page, site: Site) -> None:
    crowd = {"certified_capacity": 12, "persons_on_board": 41, "mmsi": "247000111"}
    for number in (1, 2):
        assert (
            site.score(route(journey_id=f"J-{number}", **crowd), f"k{number}")["lane"] == "rescue"
        )
    sign_in(page, site, account(site, "watch", "rescue"))

    expect(page.get_by_role("heading", name="Nobody acts yet 1")).to_be_visible()
    require_no_barrier(page, "board")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="2 reports").click()
    require_no_barrier(page, "incident")
    press(page, "a")
    expect(page.get_by_text("watch said that they act").first).to_be_visible()
    press(page, "c")
    page.get_by_label("What became of the people").select_option("people_helped")
    page.get_by_label("How that is known").select_option("seen_on_scene")
    page.get_by_label("How sure are you?").select_option("high")
    page.get_by_label("Comment, at least").fill("all of them are on board of a tanker")
    page.get_by_role("button", name="End the rescue").click()

    expect(page.get_by_text("People were helped and brought to safety")).to_be_visible()
    press(page, "q")
    expect(page.get_by_role("heading", name="Somebody acts 0")).to_be_visible()
    expect(page.get_by_role("heading", name="Nobody acts yet 0")).to_be_visible()


def test_how_good_last_month_was_and_how_alike_offices_takes_two_clicks(
    page: Page, site: Site
) -> None:
    site.score(shipment(), "k")
    sign_in(page, site, account(site, "chief", "supervisor"))

    page.get_by_role("link", name="Supervision").click()
    page.get_by_role("link", name="Last month").click()

    for question in ("How good was it?", "Are offices alike?"):
        expect(page.get_by_role("heading", name=question)).to_be_visible()
    require_no_barrier(page, "supervision")
    page.goto(f"{site.address}/console/supervision/cases?which=waiting")
    require_no_barrier(page, "cases behind a figure")


def read_often(site: Site) -> None:
    """Let there be more events than a page of the audit log has."""
    case_id = "298b9280-c7d6-4dbc-b33f-fa8e7478b2bf"
    reader, now = Actor("account:maria.mustermann", "maria.mustermann"), utc_now()
    event = AuditEvent(now, reader, "read", "case", case_id, {"purpose": "inspection"})
    site.services.audit_log.append(*[event] * 60)


def test_an_auditor_follows_a_person_and_takes_the_events_away(page: Page, site: Site) -> None:
    read_often(site)
    sign_in(page, site, account(site, "auditor", "auditor"))
    page.goto(f"{site.address}/console/audit")
    require_no_barrier(page, "audit log")
    assert page.evaluate("document.documentElement.scrollHeight") < 6_500, "seven screens"
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="auditor", exact=True).nth(1).click()

    expect(page.get_by_label("Who")).to_have_value("account:auditor")
    for file in ("CSV", "NDJSON"):
        with page.expect_download() as taken:
            page.get_by_role("link", name=file, exact=True).click()
        assert taken.value.suggested_filename == f"audit-events.{file.lower()}"


def test_an_admin_reads_what_an_act_does_before_it_is_done(page: Page, site: Site) -> None:
    account(site, "maria", "reviewer")
    sign_in(page, site, account(site, "root", "admin"))
    page.goto(f"{site.address}/console/accounts")
    require_no_barrier(page, "accounts")
    page.get_by_role("link", name="maria").click()
    require_no_barrier(page, "an account")
    page.goto(f"{site.address}/console/accounts/maria/disable")
    require_no_barrier(page, "what an act does")
    page.get_by_role("button", name="Disable it").click()
    expect(page.get_by_role("row", name="maria")).to_contain_text("disabled")

    page.get_by_role("link", name="Revoke the key Post Hamburg").click()
    expect(page.get_by_text("Nothing brings the key back")).to_be_visible()
    require_no_barrier(page, "what revoking a key does")
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_role("row", name="Post Hamburg")).to_contain_text("ended")
