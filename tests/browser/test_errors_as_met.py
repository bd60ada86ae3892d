"""Errors as people meet them: what happened, what to do next, the way on, and no word lost."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.exc import OperationalError

from serving.errors import ServingError
from serving.review.acts.claim import claim
from tests.browser.busy_site import FIRST, TIME_ZONE, BusySite
from tests.browser.page_faults import faults_of
from tests.serving.bodies import shipment
from tests.serving.calls import heard
from tests.serving.conftest import NOW

WORDS = "seen at the gate,\nwith two seals"


@dataclass
class Desk:
    """A page of a reader, and what can go wrong behind it."""

    page: Page
    site: BusySite
    patch: pytest.MonkeyPatch

    def new_case(self) -> str:
        """Open a case of its own, with the fold of less usual acts open; its id."""
        number = len(self.site.named)
        case_id = self.site.site.score(shipment(shipment_id=f"S-{number}"), f"own-{number}")
        self.site.named[f"own-{number}"] = case_id["decision_id"]
        self.page.goto(self.site.address(f"/console/cases/{case_id['decision_id']}"))
        self.page.get_by_text("Remind me, hand over, escalate, add a note").click()
        return str(case_id["decision_id"])

    def write_note(self) -> None:
        """Write a note, and send it."""
        self.page.get_by_label("Note").fill(WORDS)
        self.page.get_by_role("button", name="Add note").click()

    def note(self) -> str:
        """What stands in the field of a note."""
        return self.page.get_by_label("Note").input_value()


@pytest.fixture
def desk(browser: Browser, busy_site: BusySite, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The desk of a reviewer."""
    with busy_site.visitor(browser, "reviewer", locale="en") as context:
        yield Desk(context.new_page(), busy_site, monkeypatch)


def opens(path: str) -> Callable[[Desk], None]:
    """To go to an address."""

    def go(desk: Desk) -> None:
        desk.page.goto(desk.site.address(path))

    return go


def make_busy(desk: Desk) -> None:
    """Let as many requests be there as one may have."""

    def refuse(*_: object) -> None:
        raise ServingError(
            "this caller has as many requests here as one may have at a time",
            code="too-often",
            retry_after_s=7,
        )

    desk.patch.setattr("serving.console.browser_session.admit", refuse)


def comes_too_often(desk: Desk) -> None:
    """To come while it is busy."""
    make_busy(desk)
    desk.page.goto(desk.site.address("/console/queue"))


def fail(_: str | None) -> None:
    """Let no call to the database succeed."""
    raise OperationalError("a call", None, ConnectionError("gone"))


def finds_no_database(desk: Desk) -> None:
    """To come while the database answers nothing."""
    with heard(fail, desk.site.site.services.decisions._engine):
        desk.page.goto(desk.site.address("/console/queue"))


def sends_a_large_file(desk: Desk) -> None:
    """To attach more than a file may have."""
    desk.new_case()
    most = desk.site.site.services.settings.max_attachment_bytes
    file = {"name": "scan.txt", "mimeType": "text/plain", "buffer": b"x" * (most + 10_000)}
    if not desk.page.locator("#file").is_visible():
        desk.page.get_by_text("Files").first.click()
    desk.page.locator("#file").set_input_files(files=[file])  # type: ignore[list-item]  # a payload
    desk.page.get_by_role("button", name="Attach", exact=True).click()


MET: dict[str, tuple[Callable[[Desk], None], str, str, str]] = {
    "403": (
        opens("/console/audit"),
        "This is not open to you",
        "ask whoever keeps the accounts",
        "Go on with your work",
    ),
    "404": (
        opens("/console/cases/unknown"),
        "Page not found",
        "Check the address, or search",
        "Go on with your work",
    ),
    "413": (sends_a_large_file, "This is too large", "something smaller", "Back to the page"),
    "422": (
        opens("/console/cases/{closed}/letter/consignee?language=one-that-is-too-long"),
        "This cannot be taken as it is",
        "change what is named here",
        "Go on with your work",
    ),
    "429": (comes_too_often, "Too many requests at once", "Try again in 7 s", "Try again"),
    "503": (
        finds_no_database,
        "This does not work for the moment",
        "Try again in 5 s",
        "Try again",
    ),
}
"""By status: how it is met, what happened, what to do next, and the link that does it."""


@pytest.mark.parametrize("status", MET)
def test_the_page_of_an_error_says_what_happened_and_what_to_do_next(
    desk: Desk, status: str
) -> None:
    meet, happened, next_step, way_on = MET[status]

    meet(desk)

    expect(desk.page.get_by_role("heading", level=1)).to_have_text(happened)
    expect(desk.page.get_by_text(next_step)).to_be_visible()
    assert faults_of(desk.page) == []
    if status != "503":  # of whom nobody can say who they are
        expect(desk.page.get_by_role("navigation", name="Pages")).to_be_visible()
    desk.patch.undo()
    desk.page.get_by_role("main").get_by_role("link", name=way_on).click()
    expect(desk.page.get_by_role("navigation", name="Pages")).to_be_visible()
    assert "/console/" in desk.page.url


def test_whose_session_ended_while_they_wrote_loses_no_word(desk: Desk) -> None:
    desk.new_case()
    sessions = desk.site.site.services.sessions
    session = sessions.of_holder("account:reviewer", NOW)[0]
    sessions.end_all("account:reviewer", NOW, session.actor)

    desk.write_note()

    expect(desk.page.get_by_text("What you wrote is kept")).to_be_visible()
    assert desk.page.locator("input[name='kept.text']").first.input_value() == WORDS
    assert faults_of(desk.page) == []


def test_whoever_acts_second_is_told_and_sees_how_the_case_stands(desk: Desk) -> None:
    case_id = desk.new_case()
    cases = desk.site.site.services.cases
    cases.act(FIRST, case_id, lambda case: claim(case, FIRST.actor, NOW))

    desk.page.get_by_role("button", name="Assign to me").click()

    alert = desk.page.locator("#refused")
    expect(alert).to_be_focused()
    expect(alert).to_contain_text("Another reviewer has this case")
    expect(alert).to_contain_text("how the case stands now")
    expect(desk.page.get_by_role("heading", name="With ana")).to_be_visible()
    assert faults_of(desk.page) == []


def test_a_comment_on_a_case_that_another_took_meanwhile_is_kept_as_a_note(desk: Desk) -> None:
    case_id = desk.new_case()
    desk.page.get_by_role("radio", name="Release").check(force=True)
    desk.page.get_by_label("Comment").fill(WORDS)
    cases = desk.site.site.services.cases
    cases.act(FIRST, case_id, lambda case: claim(case, FIRST.actor, NOW))

    desk.page.get_by_role("button", name="Order it").click()

    alert = desk.page.locator("#refused")
    expect(alert).to_contain_text("Another reviewer has this case")
    expect(alert).to_contain_text("It is with ana")
    expect(alert).not_to_contain_text("Claim")
    assert desk.note() == WORDS
    assert faults_of(desk.page) == []
    desk.page.get_by_role("button", name="Add note").click()
    expect(desk.page.locator("#refused")).to_be_hidden()
    assert WORDS in [event.text for event in cases.events(case_id)]


@pytest.mark.parametrize("width", [1440, 390])
def test_a_form_with_a_wrong_field_names_it_and_keeps_every_word(desk: Desk, width: int) -> None:
    desk.page.set_viewport_size({"width": width, "height": 844})
    desk.page.goto(desk.site.address("/console/cases/{mine}"))
    if width == 390:
        desk.page.get_by_role("button", name="Decide").click()
    desk.page.get_by_text("Remind me, hand over, escalate, add a note").click()
    desk.page.get_by_label("For how many hours").fill("two days")
    desk.page.get_by_label("Why, or which documents").fill(WORDS)
    desk.page.get_by_role("button", name="Wait", exact=True).click()

    hours = desk.page.get_by_label("For how many hours")
    expect(hours).to_be_focused()
    expect(hours).to_have_value("two days")
    expect(hours).to_have_accessible_description("Say for how many hours.")
    expect(desk.page.get_by_label("Why, or which documents")).to_have_value(WORDS)
    assert faults_of(desk.page) == []


def test_words_stay_while_the_network_is_gone_and_are_sent_once_it_is_back(desk: Desk) -> None:
    desk.new_case()
    desk.page.context.set_offline(True)

    desk.write_note()

    alert = desk.page.get_by_role("alert").filter(has_text="No answer came")
    expect(alert).to_be_visible()
    assert desk.note() == WORDS
    desk.page.context.set_offline(False)
    assert faults_of(desk.page) == []
    desk.page.get_by_role("button", name="Add note").click()
    expect(alert).to_be_hidden()
    desk.page.get_by_text("What happened with this case").click()
    expect(desk.page.get_by_text("with two seals").first).to_be_visible()


@pytest.mark.parametrize("fails", ["the database", "too many requests"])
def test_words_stay_where_the_service_cannot_take_them(desk: Desk, fails: str) -> None:
    desk.new_case()

    if fails == "the database":
        with heard(fail, desk.site.site.services.decisions._engine):
            desk.write_note()
            expect(desk.page.locator("#unanswered")).to_be_visible()
    else:
        make_busy(desk)
        desk.write_note()
    expect(desk.page.locator("#unanswered")).to_contain_text("nothing was changed")
    assert desk.note() == WORDS
    desk.patch.undo()
    assert faults_of(desk.page) == []


def test_a_form_that_came_at_a_busy_moment_is_shown_and_sent_once_more(desk: Desk) -> None:
    desk.page.goto(desk.site.address("/console/account"))
    desk.page.get_by_label("Your clock, shown beside UTC").select_option(TIME_ZONE)
    make_busy(desk)

    desk.page.get_by_role("button", name="Keep it").click()

    expect(desk.page.get_by_text("This was not sent yet")).to_be_visible()
    expect(desk.page.get_by_role("definition")).to_have_text(TIME_ZONE.replace("_", " "))
    assert faults_of(desk.page) == []
    desk.patch.undo()
    desk.page.get_by_role("button", name="Send it").click()
    expect(desk.page.get_by_role("heading", name="Where you are signed in")).to_be_visible()
