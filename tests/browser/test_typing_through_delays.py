"""Officers type faster than answers come: no letter is lost, and none is taken for a command."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from serving.access.accounts import new_account
from serving.access.sessions import Session
from serving.app import utc_now
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.claim import claim
from serving.review.acts.note import note_case
from serving.settings import Settings
from tests.browser.served_site import Site, served
from tests.browser.test_clearing_the_queue import arriving
from tests.browser.test_reviewing_a_case import PASSWORD, PLAN
from tests.counts import count
from tests.serving.people import reviewer

SCRIPTS = count(5, 200)
MAX_DELAY_S = count(0.4, 2.0)
COMMENT = "every paper agrees with the declaration, and the seal is unbroken in each picture"
WORDS = COMMENT.replace(",", "").split()
READING = {"read", "justify", "download"}
JUDGED = {"1": "look", "2": "let_go", "3": "unsure"}
ORDERED = {"l": "release", "h": "hold", "i": "inspect", "d": "check_documents"}
OFFICER, OTHER = reviewer("officer"), reviewer("other")


@dataclass
class Desk:
    """A served desk whose answers are late, and a page of an officer at it."""

    site: Site
    page: Page
    delays: list[float] = field(default_factory=lambda: [0.0, 0.0])
    cases: list[str] = field(default_factory=list)
    office: str = ""

    def open(self, *, others: int = 2) -> str:
        """Open a new case beside the list of its office, which has no more than a few; its id."""
        self.office = f"office-{len(self.cases)}"
        for _ in range(1 + others):
            self.arrive()
        case_id = self.cases[-1]
        filters = f"tab=unassigned&office={self.office}"
        self.page.goto(f"{self.site.address}/console/cases/{case_id}?{filters}")
        self.page.wait_for_load_state()
        return case_id

    def arrive(self) -> None:
        """Let a case arrive that stands above all earlier ones in the list."""
        number = len(self.cases)
        body = arriving(number)
        due_at = utc_now() + timedelta(hours=3000 - number)
        body["journey"]["due_at"] = due_at.isoformat()
        body["shipment"]["office_id"] = self.office
        self.cases.append(self.site.score(body, f"typed-{number}")["decision_id"])

    def late(self, before: float, after: float) -> None:
        """Let each later request wait before it is done, and its answer after it."""
        self.delays[:] = before, after

    def settle(self) -> None:
        """Wait until no request of the page is under way."""
        expect(self.page.locator("[inert]")).to_have_count(0)
        self.late(0, 0)

    def acts(self, case_id: str) -> list[tuple[str, str, str]]:
        """What the officer did with a case: the act, what was ordered, and the words."""
        cases = self.site.services.cases
        _, case = cases.case(OFFICER, case_id)
        kinds = case.action.kind if case.action else ""
        proposed = case.proposal.action.kind if case.proposal and case.proposal.action else ""
        return [
            (event.action, (kinds or proposed) if "action" in event.action else "", event.text)
            for event in cases.events(case_id)
            if event.action not in READING and OFFICER.actor.is_holder(event.by)
        ]

    def comment(self) -> str:
        """What stands in the comment, or in the note where the case has no comment any more."""
        action = self.page.locator("#action-text")
        return (action if action.count() else self.page.locator("#note")).input_value()

    def field_in_focus(self) -> str:
        """The id of the element with the focus."""
        return str(self.page.evaluate("document.activeElement.id"))


@pytest.fixture(scope="module")
def late_site(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A service that answers the console late, where the test says so."""
    home = Path(shutil.copytree(trained_home, tmp_path_factory.mktemp("late") / "home"))
    (home / "lanes.toml").write_text(PLAN)
    with served(Settings(home=home)) as site:
        for name in ("officer", "other"):
            site.services.accounts.add_account(
                new_account(name, PASSWORD, "reviewer", (), utc_now())
            )
        desk = Desk(site, None)  # type: ignore[arg-type]  # each test has a page of its own
        answer = site.app.middleware_stack
        assert answer is not None

        async def answer_late(scope: Any, receive: Any, send: Any) -> None:
            is_late = scope["type"] == "http" and scope["path"].startswith("/console/")
            before, after = desk.delays if is_late and "static" not in scope["path"] else (0, 0)

            async def send_late(message: Any) -> None:
                if message["type"] == "http.response.start":
                    await asyncio.sleep(after)
                await send(message)

            await asyncio.sleep(before)
            await answer(scope, receive, send_late)

        site.app.middleware_stack = answer_late
        yield desk


@pytest.fixture
def desk(browser: Browser, late_site: Desk) -> Iterator[Desk]:
    """The desk of an officer who has signed in, with a fresh page."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en")
    begun, cookie = Session.begin("account:officer", utc_now(), timedelta(hours=8))
    late_site.site.services.sessions.add_session(begun, utc_now())
    context.add_cookies([{"name": "tidegate", "value": cookie, "url": late_site.site.address}])
    late_site.page = context.new_page()
    complaints: list[str] = []
    late_site.page.on("pageerror", lambda error: complaints.append(str(error)))
    yield late_site
    late_site.late(0, 0)
    context.close()
    assert complaints == []


def pause(page: Page, seconds: float) -> None:
    if seconds:
        page.wait_for_timeout(1000 * seconds)


@dataclass(frozen=True)
class Script:
    """What an officer types, how fast, and how it ends."""

    judged: str
    judged_pause_s: float
    order: str
    text: str
    letter_ms: int
    end: str
    end_pause_s: float
    typed_on: str

    @classmethod
    def of(cls, random: Random) -> "Script":
        """A random one."""
        order = random.choice("llhid")
        words = random.choices(WORDS, k=random.randint(3, 9))
        return cls(
            judged=random.choice(["", *JUDGED, *JUDGED]),
            judged_pause_s=random.choice([0, 0, 0.05, MAX_DELAY_S]),
            order=order,
            text=" ".join(words) if order in "lh" else "",
            letter_ms=random.choice([0, 10, 40]),
            end=random.choice(["send", "send", "send twice", "type on", "leave", "interrupted"]),
            end_pause_s=random.choice([0, MAX_DELAY_S]),
            typed_on=" ".join(random.choices(WORDS, k=4)),
        )

    def type_at(self, desk: Desk, case_id: str) -> None:
        """Press the keys; a colleague who interrupts has added a note before the last."""
        keyboard = desk.page.keyboard
        if self.judged:
            keyboard.press(self.judged)
            pause(desk.page, self.judged_pause_s)
        keyboard.press(self.order)
        keyboard.type(self.text, delay=self.letter_ms)
        if self.end == "interrupted":
            note_case(
                ActRequest(desk.site.services.cases, OTHER, case_id, utc_now()),
                "the carrier has called",
            )
        if not self.is_sent:
            pause(desk.page, self.end_pause_s)
        if self.end != "leave":
            keyboard.press("Control+Enter")
        if self.end == "send twice":
            keyboard.press("Control+Enter")
        if self.end == "type on":
            keyboard.type(self.typed_on, delay=self.letter_ms)

    @property
    def is_sent(self) -> bool:
        """Whether an order is to be on record in the end."""
        return self.end in ("send", "send twice", "type on")

    @property
    def meant(self) -> list[tuple[str, str, str]]:
        """The acts that are to be on record."""
        said = [("judge", "", JUDGED[self.judged])] if self.judged else []
        act = "propose_action" if self.order == "h" else "order_action"
        return said + ([(act, ORDERED[self.order], self.text)] if self.is_sent else [])


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(SCRIPTS))
def test_what_is_typed_through_late_answers_is_done_as_meant_or_stands_in_the_form(
    desk: Desk, seed: int
) -> None:
    random = Random(seed)
    script, case_id = Script.of(random), desk.open(others=1)
    others = {each: desk.acts(each) for each in desk.cases[-3:] if each != case_id}
    desk.late(random.uniform(0, MAX_DELAY_S / 2), random.uniform(0, MAX_DELAY_S / 2))

    script.type_at(desk, case_id)
    desk.settle()

    # The judgement of an interrupted officer came before the note, or was refused with it.
    possible = ([], script.meant) if script.end == "interrupted" else (script.meant,)
    assert desk.acts(case_id) in possible
    assert {each: desk.acts(each) for each in others} == others
    if not script.is_sent:
        assert desk.page.locator("#open-case").get_attribute("data-case") == case_id
        assert desk.comment() == script.text


def test_the_focus_and_the_comment_outlive_every_answer_about_the_same_case(desk: Desk) -> None:
    case_id = desk.open()
    desk.late(0.2, 0.2)

    desk.page.keyboard.press("c")
    desk.page.keyboard.press("l")
    desk.page.keyboard.type(COMMENT, delay=10)
    expect(desk.page.get_by_role("heading", name="This case is yours")).to_be_visible()
    desk.settle()

    assert desk.comment() == COMMENT
    assert desk.field_in_focus() == "action-text"
    expect(desk.page.get_by_role("radio", name="Release")).to_be_checked()
    desk.page.keyboard.press("Control+Enter")
    expect(desk.page.locator("#done")).to_contain_text("ordered to release")
    assert [act for act, _, _ in desk.acts(case_id)] == ["assign", "order_action"]


def test_a_first_judgement_changes_the_score_and_the_history_and_no_form(desk: Desk) -> None:
    case_id = desk.open()
    desk.page.locator("#action-text").fill("half a")
    desk.page.evaluate("document.querySelector('#action-text').isTheSame = true")
    desk.page.get_by_text("What happened with this case").click()
    desk.page.locator("#case-title").focus()
    desk.late(0.2, 0)

    desk.page.keyboard.press("1")
    desk.page.locator("#action-text").press_sequentially(" comment")
    expect(desk.page.get_by_text("You said first:")).to_be_visible()

    assert desk.page.evaluate("document.querySelector('#action-text').isTheSame")
    expect(desk.page.locator(f"#event-list-{case_id}")).to_contain_text("look")
    expect(desk.page.get_by_text("How the score adds up")).to_be_visible()
    assert desk.field_in_focus() == "action-text"
    assert desk.comment() == "half a comment"


TYPE_ON = """() => {
  const press = () => {
    for (const key of ["2", "h", "c", "r", "n", "u"])
      document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  };
  document.addEventListener("htmx:beforeOnLoad", press);
  document.addEventListener("htmx:afterSettle", press);
}"""
"""Keys at the last moment of one case and at the first of the next, as by one who types on."""


def test_keys_while_a_case_is_replaced_are_ignored_in_view_and_reach_no_case(desk: Desk) -> None:
    case_id = desk.open()
    desk.late(0.2, 0.2)
    desk.page.evaluate(TYPE_ON)

    desk.page.keyboard.press("i")
    desk.page.keyboard.press("Enter")
    desk.page.keyboard.type("1hcrnu")
    expect(desk.page.locator("#of-keys")).to_contain_text("Not taken")
    desk.page.locator(f"#open-case:not([data-case='{case_id}'])").wait_for()
    desk.settle()

    assert [act for act, _, _ in desk.acts(case_id)] == ["order_action"]
    assert all(desk.acts(each) == [] for each in desk.cases[-3:] if each != case_id)
    expect(desk.page.locator("#open-case .order input:checked")).to_have_count(0)
    pause(desk.page, 0.7)
    desk.page.keyboard.press("h")
    assert desk.field_in_focus() == "action-text"


def test_a_half_written_comment_stays_with_its_case_and_a_changed_case_asks_for_a_new_choice(
    desk: Desk,
) -> None:
    case_id = desk.open()
    desk.page.keyboard.press("l")
    desk.page.keyboard.type(COMMENT)
    other = desk.page.locator(f".rows tr[data-case='{desk.cases[-2]}'] .what a")
    own = desk.page.locator(f".rows tr[data-case='{case_id}'] .what a")

    other.click()
    desk.page.locator(f"#open-case[data-case='{desk.cases[-2]}']").wait_for()
    expect(desk.page.locator("#of-keys")).to_contain_text("stays there")
    assert desk.comment() == ""
    own.click()
    desk.page.locator(f"#open-case[data-case='{case_id}']").wait_for()
    assert desk.comment() == COMMENT
    expect(desk.page.get_by_role("radio", name="Release")).to_be_checked()

    other.click()
    desk.page.locator(f"#open-case[data-case='{desk.cases[-2]}']").wait_for()
    note_case(
        ActRequest(desk.site.services.cases, OTHER, case_id, utc_now()), "the carrier has called"
    )
    desk.page.go_back()
    desk.page.locator(f"#open-case[data-case='{case_id}']").wait_for()
    assert desk.comment() == COMMENT
    expect(desk.page.locator("#open-case .order input:checked")).to_have_count(0)
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    desk.page.on("dialog", stay)
    desk.page.evaluate("location.reload()")
    pause(desk.page, 0.3)
    assert asked == ["beforeunload"]
    assert desk.comment() == COMMENT


def test_words_for_a_case_that_another_took_are_offered_as_a_note(desk: Desk) -> None:
    case_id = desk.open()
    desk.late(0.3, 0.3)
    cases = desk.site.services.cases
    cases.act(OTHER, case_id, lambda case: claim(case, OTHER.actor, utc_now()))

    desk.page.keyboard.press("2")
    desk.page.keyboard.press("l")
    desk.page.keyboard.type(COMMENT, delay=5)
    expect(desk.page.get_by_role("heading", name="With other")).to_be_visible()
    desk.settle()

    assert desk.page.locator("#note").input_value() == COMMENT
    assert desk.acts(case_id) == []


def test_news_from_behind_takes_neither_focus_nor_words(desk: Desk) -> None:
    desk.open()
    desk.page.clock.install()
    desk.page.reload()
    desk.page.wait_for_load_state()
    desk.page.keyboard.press("l")
    desk.page.keyboard.type("half a ")
    desk.arrive()

    with desk.page.expect_response("**/console/notices/count"):
        desk.page.clock.fast_forward(61_000)
    expect(desk.page.locator("#show-new-cases")).to_be_visible()
    desk.page.keyboard.type("comment")

    assert desk.comment() == "half a comment"
    assert desk.field_in_focus() == "action-text"


def test_a_list_that_is_renewed_after_an_act_keeps_what_was_typed_and_ticked_in_it(
    desk: Desk,
) -> None:
    desk.open()
    desk.page.locator(".choose").nth(1).click()
    desk.page.locator("#together input[name=text]").fill("wait for the carrier")
    desk.page.locator("#case-title").focus()
    desk.late(0.3, 0.3)

    desk.page.keyboard.press("i")
    desk.page.keyboard.press("Enter")
    desk.page.locator("#search").click()
    desk.page.keyboard.type("MSCU 66 hold", delay=40)
    expect(desk.page.locator("#done")).to_contain_text("ordered to inspect")
    desk.settle()
    desk.page.keyboard.type("!")

    assert desk.page.locator("#search").input_value() == "MSCU 66 hold!"
    assert desk.page.locator("#together input[name=text]").input_value() == "wait for the carrier"
    expect(desk.page.locator(".choose:checked")).to_have_count(1)
