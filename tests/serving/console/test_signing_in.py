"""Signing in over HTTP: guesses wait, victims do not, and a first password opens nothing else."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any

import pyotp
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from serving.access.accounts import Account, new_account, with_first_password
from serving.access.passwords import is_outdated
from serving.access.roles import Role
from serving.access.sign_in_delays import MAX_KNOWN_BROWSERS
from serving.access.sign_in_threads import FairThreads
from serving.app import create_app
from serving.container import Services
from serving.settings import Settings
from tests.serving.conftest import NOW
from tests.serving.console.test_pages import ORIGIN

PASSWORD, OWN = "a password for tests", "harbour at four in the morning"
TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@dataclass
class Office:
    """A service at an instant that moves, and browsers at addresses of their own."""

    app: Any
    services: Services
    now: list[datetime]
    browsers: dict[str, TestClient] = field(default_factory=dict)

    def browser(self, address: str = "192.0.2.7") -> TestClient:
        if address not in self.browsers:
            self.browsers[address] = TestClient(
                self.app, client=(address, 50_000), raise_server_exceptions=False
            )
        return self.browsers[address]

    def wait(self, **span: float) -> None:
        self.now[0] += timedelta(**span)

    def add(self, name: str, role: Role = "reviewer", password: str = PASSWORD) -> Account:
        account = new_account(name, password, role, (), self.now[0])
        self.services.accounts.add_account(account)
        return account

    def sign_in(
        self, name: str, password: str = PASSWORD, address: str = "192.0.2.7", **more: str
    ) -> Any:
        form = {"name": name, "password": password, **more}
        return self.browser(address).post("/console/sign-in", data=form, headers=ORIGIN)

    def post(self, path: str, address: str = "192.0.2.7", **form: str) -> Any:
        """Send a form of the console with the token of the session."""
        browser = self.browser(address)
        session = self.session(address)
        data = {"form_token": session.form_token if session else "none", **form}
        return browser.post(f"/console{path}", data=data, headers=ORIGIN)

    def session(self, address: str = "192.0.2.7") -> Any:
        cookie = self.browser(address).cookies.get("tidegate", default="")
        return self.services.sessions.find(cookie, self.now[0])

    def told(self) -> list[tuple[str, str, dict[str, Any]]]:
        """What was done, in order; what somebody read is in the same log."""
        with self.services.accounts._engine.connect() as connection:
            query = "SELECT action, object_id, details FROM audit_events ORDER BY seq"
            rows = connection.execute(text(query)).all()
        return [(row[0], row[1], json.loads(row[2])) for row in rows if row[0] != "read"]


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home)


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    now = [NOW]
    app = create_app(settings, clock=lambda: now[0])
    with TestClient(app):
        yield Office(app, app.state.services, now)


def test_where_too_many_sign_in_the_form_says_so_and_keeps_where_to_go(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.add("maria")
    strangers = FairThreads("none", 1, 0)
    monkeypatch.setattr(strangers, "_idle", 0)
    monkeypatch.setattr(office.services.sign_in_threads, "_strangers", strangers)

    full = office.sign_in("maria", to="/console/models")

    assert (full.status_code, full.headers["Retry-After"]) == (503, "1")
    assert "try again in a moment" in full.text
    assert 'value="/console/models"' in full.text


def test_guesses_wait_longer_each_time_and_the_right_one_waits_too(office: Office) -> None:
    office.add("maria")
    statuses = [office.sign_in("maria", f"wrong {n}").status_code for n in range(5)]
    delayed = office.sign_in("maria")

    assert statuses == [401] * 5
    assert delayed.status_code == 429
    assert delayed.headers["Retry-After"] == "1"
    assert "try again in 1 second." in delayed.text
    office.wait(seconds=1)
    assert office.sign_in("maria", "wrong again").status_code == 401
    assert office.sign_in("maria").headers["Retry-After"] == "2"
    office.wait(seconds=2)
    assert office.sign_in("maria").url.path == "/console/queue"


def test_a_right_password_from_an_address_that_has_not_failed_is_let_in(office: Office) -> None:
    office.add("maria")
    for number in range(60):
        office.sign_in("maria", "wrong", address=f"198.51.100.{number % 9}")
        office.wait(seconds=1)

    assert office.sign_in("maria", address="192.0.2.7").url.path == "/console/queue"
    assert office.sign_in("maria", address="198.51.100.1").status_code == 429


def test_one_address_that_tries_many_names_waits_for_all_of_them(office: Office) -> None:
    office.add("maria")
    statuses = [office.sign_in(f"name {n}", "wrong").status_code for n in range(30)]

    assert statuses == [401] * 20 + [429] * 10
    assert office.sign_in("maria").status_code == 429
    assert office.sign_in("maria", address="192.0.2.8").status_code == 200


def test_who_shares_an_address_with_a_guesser_signs_in_from_a_known_browser(
    office: Office,
) -> None:
    office.add("maria")
    office.sign_in("maria")
    hers = office.browser()
    office.browsers["192.0.2.7"] = TestClient(office.app, client=("192.0.2.7", 50_001))
    for number in range(40):
        office.sign_in(f"name {number}", "wrong")
        office.sign_in("maria", "wrong")

    assert office.sign_in("maria").status_code == 429
    form = {"name": "maria", "password": PASSWORD}
    answer = hers.post("/console/sign-in", data=form, headers=ORIGIN)
    assert answer.url.path == "/console/queue"


def test_an_attempt_that_must_wait_takes_no_place_and_a_known_browser_has_its_own(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.add("maria")
    office.add("paul")
    office.sign_in("maria")
    for number in range(25):
        office.sign_in(f"name {number}", "wrong", address="198.51.100.1")
    strangers = FairThreads("none", 1, 0)
    monkeypatch.setattr(strangers, "_idle", 0)
    monkeypatch.setattr(office.services.sign_in_threads, "_strangers", strangers)

    assert office.sign_in("another", "wrong", address="198.51.100.1").status_code == 429
    assert office.sign_in("paul").status_code == 503  # her cookie is not his
    assert office.sign_in("maria", address="192.0.2.8").status_code == 503
    assert office.sign_in("maria").url.path == "/console/queue"
    cookie = office.browser().cookies["tidegate-known"]
    begun, _, signature = cookie.rpartition(".")
    for forged in (f"{begun}x.{signature}", f"{begun}.{signature[:-1]}x", "x", "..", ""):
        office.browser().cookies.clear()
        office.browser().cookies.set("tidegate-known", forged)
        assert office.sign_in("maria").status_code == 503
    office.browser().cookies.clear()
    office.browser().cookies.set("tidegate-known", cookie)
    assert office.sign_in("maria").url.path == "/console/queue"
    office.wait(days=91)
    assert office.sign_in("maria").status_code == 503


def test_one_known_browser_does_not_take_the_places_of_others(office: Office) -> None:
    threads, may_end = office.services.sign_in_threads, threading.Event()

    async def never() -> None:
        await asyncio.Event().wait()

    async def flood() -> list[bool]:
        hold, seen = partial(may_end.wait, 10), []
        tasks = []
        for _ in range(3):
            seen.append(threads.has_place_for("maria"))
            if seen[-1]:
                tasks.append(asyncio.create_task(threads.run_known("maria", hold, never)))
                await asyncio.sleep(0)
        seen.append(threads.has_place_for("paul"))
        may_end.set()
        await asyncio.gather(*tasks)
        return [*seen, threads.has_place_for("maria")]

    assert asyncio.run(flood()) == [True, True, False, True, True]


def test_a_browser_is_known_once_and_few_browsers_of_one_account_are(office: Office) -> None:
    office.add("maria")
    for _ in range(3):
        office.sign_in("maria")

    def known() -> list[str]:
        with office.services.accounts._engine.connect() as connection:
            query = text("SELECT cookie_sha256 FROM known_browsers")
            return list(connection.scalars(query))

    assert len(known()) == 2  # the browser and its address
    for number in range(40):
        office.services.sign_ins.know("maria", f"cookie {number}", NOW, address=f"192.0.2.{number}")
    assert sum(row.startswith("network ") for row in known()) == MAX_KNOWN_BROWSERS
    assert len(known()) == 2 * MAX_KNOWN_BROWSERS


def test_who_signed_in_at_a_sprayed_address_before_does_not_wait_and_others_wait_seconds(
    office: Office,
) -> None:
    office.add("maria")
    office.add("paul")
    office.sign_in("maria")
    office.browsers.clear()
    for number in range(26):
        office.sign_in(f"name {number}", "wrong")
        office.wait(seconds=20)

    office.sign_in("last", "wrong")
    assert 10 < int(office.sign_in("paul").headers["Retry-After"]) <= 20
    assert office.sign_in("maria").url.path == "/console/queue"
    office.wait(seconds=20)
    assert office.sign_in("paul").url.path == "/console/queue"


def test_unknown_names_are_answered_as_wrong_passwords_are(office: Office) -> None:
    office.add("maria")
    office.services.accounts.disable(office.add("ended").name, NOW)
    pages = {}
    for address, name in enumerate(("maria", "nobody", "ended", "x" * 5_000, "MARIA")):
        answers = [office.sign_in(name, "wrong", f"192.0.2.{address}") for _ in range(7)]
        pages[name] = [(each.status_code, each.text) for each in answers]

    assert [status for status, _ in pages["maria"]] == [401] * 5 + [429] * 2
    assert len({str(each) for each in pages.values()}) == 1


def test_every_sign_in_and_refusal_is_told_with_its_cause_and_no_password(office: Office) -> None:
    office.add("maria")
    elsewhere = replace(
        office.add("oidc"), name="elsewhere", subject="https://login.example 1", password_hash=""
    )
    office.services.accounts.add_account(elsewhere)
    first, password = with_first_password(office.add("first"), NOW - timedelta(hours=73))
    office.services.accounts.set_password(first, NOW, first.actor)
    office.sign_in("maria", "wrong")
    office.sign_in("my secret password")
    office.sign_in("elsewhere")
    office.sign_in("first", password)
    office.sign_in("maria")
    office.post("/sign-out")

    told = [
        event for event in office.told() if event[0] not in ("create_account", "reset_password")
    ]
    refusals = [details["cause"] for action, _, details in told if action == "refuse_sign_in"]
    assert refusals == [
        "wrong_password",
        "unknown_name",
        "signs_in_elsewhere",
        "first_password_expired",
    ]
    assert [action for action, _, _ in told[-2:]] == ["sign_in", "sign_out"]
    assert told[-2][1:] == ("maria", {"address": "192.0.2.7", "browser": "a browser"})
    assert "secret" not in str(told)


def test_a_first_password_opens_nothing_but_the_page_that_changes_it(office: Office) -> None:
    account, first = with_first_password(office.add("maria", "supervisor"), NOW)
    assert len(first) * 6 >= 128  # bits, of base64
    office.services.accounts.set_password(account, NOW, account.actor)

    page = office.sign_in("maria", first, to="/console/supervision")
    assert page.url.path == "/console/sign-in/password"
    for path in ("queue", "supervision", "account", "switches", "sign-in/second-factor"):
        assert office.browser().get(f"/console/{path}").url.path == "/console/sign-in/password"
    assert "A password of your own" in office.post("/switches", kind="route").text
    # Whoever handed it over would have the codes of the account, and its holder would have none.
    assert "A password of your own" in office.post("/sign-in/second-factor", one_time_code="1").text
    assert office.services.second_factors.find("maria") is None
    for fields, why in (
        ({"new_password": "short"}, "at least 12"),
        ({"new_password": "password1234"}, "first that are tried"),
        ({"new_password": first}, "present password"),
        ({"new_password": OWN, "new_password_again": "another one"}, "not the same"),
        ({"password": "wrong", "new_password": OWN}, "opens nothing"),
    ):
        form = {"password": first, "new_password_again": fields["new_password"], **fields}
        assert why in office.post("/sign-in/password", **form).text

    done = office.post(
        "/sign-in/password",
        password=first,
        new_password=OWN,
        new_password_again=OWN,
        to="/console/supervision",
    )

    assert done.url.path == "/console/supervision"
    assert office.sign_in("maria", first, "192.0.2.9").status_code == 401
    assert office.sign_in("maria", OWN, "192.0.2.9").url.path == "/console/queue"


def test_a_password_counts_as_it_was_typed(office: Office) -> None:
    office.add("maria", password="  spaces around it  ")

    assert office.sign_in("maria", "spaces around it").status_code == 401
    assert office.sign_in("maria", "  spaces around it  ").status_code == 200


def test_changing_ones_password_asks_the_present_one_and_ends_other_sessions(
    office: Office,
) -> None:
    office.add("maria")
    office.sign_in("maria")
    office.sign_in("maria", address="192.0.2.8")
    before = office.session()
    form = {"new_password": OWN, "new_password_again": OWN}

    refused = office.post("/account/password", password="wrong", **form)
    assert (refused.status_code, office.session("192.0.2.8") is not None) == (401, True)
    office.post("/account/password", password=PASSWORD, **form)

    assert office.session("192.0.2.8") is None
    assert office.session().cookie_sha256 != before.cookie_sha256
    assert office.browser().get("/console/account").url.path == "/console/account"
    assert office.sign_in("maria", OWN, "192.0.2.9").status_code == 200


def test_a_hash_of_weaker_or_other_parameters_is_made_anew(office: Office) -> None:
    from argon2 import PasswordHasher

    former = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4).hash(PASSWORD)
    office.services.accounts.add_account(
        replace(new_account("maria", PASSWORD, "reviewer", (), NOW), password_hash=former)
    )

    office.sign_in("maria")

    account = office.services.accounts.find("maria")
    assert account is not None
    assert not is_outdated(account.password_hash)
    assert account.password_hash != former
    assert office.sign_in("maria").status_code == 200


def enrolled(office: Office, to: str = "") -> tuple[pyotp.TOTP, list[str]]:
    """Set up a second factor for whoever is signed in; what makes codes, and recovery codes."""
    page = office.browser().get("/console/sign-in/second-factor", params={"to": to})
    (secret,) = re.findall(r'<code class="secret">([A-Z2-7]{32})</code>', page.text)
    assert "<svg " in page.text
    maker = pyotp.TOTP(secret)
    assert office.post("/sign-in/second-factor", one_time_code="000000").status_code == 422
    shown = office.post("/sign-in/second-factor", one_time_code=maker.at(office.now[0]), to=to)
    codes = re.findall(r'<code class="secret">([A-Z0-9-]{35})</code>', shown.text)
    assert len(codes) == 10
    return maker, codes


def test_with_a_second_factor_a_password_alone_opens_nothing(office: Office) -> None:
    office.add("maria")
    office.sign_in("maria")
    maker, codes = enrolled(office)
    used = maker.at(office.now[0])
    office.browser().cookies.clear()

    page = office.sign_in("maria", to="/console/decisions")
    assert page.url.path == "/console/sign-in/code"
    for path in ("queue", "account", "sign-in/password", "sign-in/second-factor"):
        assert office.browser().get(f"/console/{path}").url.path == "/console/sign-in/code"
    former = office.session()
    assert office.post("/sign-in/code", one_time_code=used).status_code == 401
    office.wait(seconds=60)
    right = maker.at(office.now[0])
    done = office.post("/sign-in/code", one_time_code=right, to="/console/decisions")

    assert done.url.path == "/console/decisions"
    assert office.session().cookie_sha256 != former.cookie_sha256
    other = "192.0.2.8"
    office.sign_in("maria", address=other)
    assert office.post("/sign-in/code", other, one_time_code=right).status_code == 401
    assert office.post("/sign-in/code", other, one_time_code=codes[0]).url.path == "/console/queue"
    office.sign_in("maria", address="192.0.2.9")
    again = office.post("/sign-in/code", "192.0.2.9", one_time_code=codes[0])
    assert again.status_code == 401


def test_codes_are_not_guessed_from_however_many_addresses(office: Office) -> None:
    office.add("maria")
    office.sign_in("maria")
    enrolled(office)
    statuses = []
    for number in range(12):
        address = f"198.51.100.{number}"
        office.sign_in("maria", address=address)
        statuses.append(office.post("/sign-in/code", address, one_time_code="000000").status_code)

    assert statuses == [401] * 5 + [429] * 7


@pytest.fixture
def strict(home: Path) -> Iterator[Office]:
    now = [NOW]
    app = create_app(Settings(home=home, second_factor_roles="admin,auditor"), lambda: now[0])
    with TestClient(app):
        yield Office(app, app.state.services, now)


def test_a_role_that_must_have_a_second_factor_sets_one_up_before_anything_else(
    strict: Office,
) -> None:
    strict.add("chief", "admin")
    strict.add("maria")

    assert strict.sign_in("maria", address="192.0.2.8").url.path == "/console/queue"
    assert strict.sign_in("chief").url.path == "/console/sign-in/second-factor"
    assert strict.browser().get("/console/accounts").url.path == "/console/sign-in/second-factor"
    enrolled(strict, "/console/accounts")
    assert strict.browser().get("/console/accounts").url.path == "/console/accounts"
    assert strict.post("/account/second-factor/remove").status_code == 409


def test_without_a_setting_all_need_a_second_factor_in_live_use_and_none_in_a_trial() -> None:
    assert all(Settings(is_live=True).asks_second_factor(role) for role in ("reviewer", "admin"))
    assert not Settings().asks_second_factor("admin")
    assert not Settings(is_live=True, second_factor_roles="none").asks_second_factor("admin")
    with pytest.raises(ValueError, match="second_factor_roles"):
        Settings(second_factor_roles="administrator")


def test_an_admin_resets_password_and_second_factor_of_others_and_it_is_told(
    office: Office,
) -> None:
    office.add("chief", "admin")
    office.add("maria")
    office.sign_in("maria", address="192.0.2.8")
    office.browsers["192.0.2.7"] = office.browser("192.0.2.8")
    enrolled(office)
    office.browsers["192.0.2.7"] = TestClient(office.app, client=("192.0.2.7", 1))
    office.sign_in("chief")

    shown = office.post("/accounts/password", name="maria")
    office.post("/accounts/second-factor", name="maria")
    (first,) = re.findall(r'class="secret">([^<]+)<', shown.text)

    assert office.session("192.0.2.8") is None
    assert office.sign_in("maria", first, "192.0.2.8").url.path == "/console/sign-in/password"
    told = [event[:2] for event in office.told()]
    assert ("reset_password", "maria") in told
    assert ("reset_second_factor", "maria") in told
    for path in ("password", "second-factor", "sessions", "disable"):
        assert office.post(f"/accounts/{path}", name="chief").status_code == 403


def test_a_session_lasts_with_use_ends_by_rest_and_ends_in_any_case(office: Office) -> None:
    office.add("maria")
    office.sign_in("maria")
    for _ in range(3):
        office.wait(minutes=29)
        assert office.browser().get("/console/queue").url.path == "/console/queue"
    office.wait(minutes=29)
    look = {"HX-Request": "true"}  # the page asks by itself whether there is anything new
    assert office.browser().get("/console/queue/new", headers=look).status_code == 200
    assert office.browser().get("/console/session").json() == {"seconds": 60, "longest": 36_240}
    office.wait(minutes=1)
    assert office.browser().get("/console/queue").url.path == "/console/sign-in"

    office.sign_in("maria")
    for _ in range(24):
        office.wait(minutes=29)
        office.browser().get("/console/queue")
    assert office.session() is not None
    office.wait(minutes=24)
    assert office.browser().get("/console/queue").url.path == "/console/sign-in"


def test_what_was_written_comes_back_after_signing_in_again_and_is_sent_then(
    office: Office,
) -> None:
    office.add("maria", "admin")
    office.sign_in("maria")
    token = office.session().form_token
    office.wait(hours=1)
    form = {"form_token": token, "name": "paul", "role": "reviewer", "offices": "DE004600"}
    written = {**form, "text": 'long words, "quoted"\nand <b>more</b>'}
    browser = office.browser()

    page = browser.post("/console/accounts", data=written, headers=ORIGIN)
    carried = dict(re.findall(r'name="(action|kept\.\w+)" value="([^"]*)"', page.text))
    assert (page.status_code, "kept" in page.text) == (401, True)
    assert "kept.form_token" not in carried
    carried["kept.text"] = written["text"]
    again = office.sign_in("maria", **carried)

    assert "long words, &#34;quoted&#34;\nand &lt;b&gt;more&lt;/b&gt;" in again.text
    assert 'action="/console/accounts"' in again.text
    assert office.services.accounts.find("paul") is None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', again.text))
    browser.post("/console/accounts", data=fields, headers=ORIGIN)
    assert office.services.accounts.find("paul") is not None


@pytest.mark.parametrize(
    "action", ["https://example.org/", "//example.org", "/v1/cases", "/console/sign-in", "/"]
)
def test_a_form_is_carried_to_our_own_pages_only(office: Office, action: str) -> None:
    office.add("maria")

    page = office.sign_in("maria", **{"action": action, "kept.text": "words"})

    assert page.url.path == "/console/queue"


def test_a_form_from_elsewhere_is_not_kept(office: Office) -> None:
    foreign = {"Origin": "https://example.org", "Sec-Fetch-Site": "cross-site"}

    page = office.browser().post("/console/accounts", data={"text": "words"}, headers=foreign)

    assert "words" not in page.text


def test_sessions_are_listed_in_coarse_words_and_ended_one_by_one_or_all(office: Office) -> None:
    office.add("maria")
    for number, agent in enumerate(("Firefox/140.0 (Windows)", "Chrome/140 (Linux)", "curl")):
        office.browser(f"192.0.2.{number}").headers["User-Agent"] = f"Mozilla/5.0 {agent}"
        office.sign_in("maria", address=f"192.0.2.{number}")
    mine = "192.0.2.0"

    page = office.browser(mine).get("/console/account").text
    assert "Firefox on Windows" in page
    assert "Chrome on Linux" in page
    assert "192.0.2.2" in page
    other = office.session("192.0.2.1")
    office.post("/account/sessions/end", mine, session_id=other.session_id)
    assert [office.session(f"192.0.2.{n}") is None for n in range(3)] == [False, True, False]
    office.post("/account/sessions/end", mine, which="others")
    assert [office.session(f"192.0.2.{n}") is None for n in range(3)] == [False, True, True]


def test_nobody_ends_the_sessions_of_another_but_an_admin(office: Office) -> None:
    office.add("maria")
    office.add("paul")
    office.add("chief", "admin")
    office.sign_in("maria", address="192.0.2.1")
    office.sign_in("paul", address="192.0.2.2")
    hers = office.session("192.0.2.1").session_id

    office.post("/account/sessions/end", "192.0.2.2", session_id=hers)
    assert office.post("/accounts/sessions", "192.0.2.2", name="maria").status_code == 403
    assert office.session("192.0.2.1") is not None
    office.sign_in("chief")
    office.post("/accounts/sessions", name="maria")
    assert office.session("192.0.2.1") is None
    assert office.session("192.0.2.2") is not None


ACTS = (
    *("", "/change", "/password", "/second-factor", "/sessions", "/disable", "/enable"),
    *("/keys", "/keys/revoke"),
)


@pytest.mark.parametrize("act", ACTS)
def test_acts_on_accounts_and_keys_ask_again_after_some_minutes_and_come_back(
    office: Office, act: str
) -> None:
    office.add("chief", "admin")
    office.add("maria")
    office.sign_in("chief")
    office.wait(minutes=11)
    before = len(office.told())

    page = office.post(f"/accounts{act}", name="maria", role="reviewer", may_score="yes")

    assert page.status_code == 401
    assert "Is it you?" in page.text
    assert [action for action, _, _ in office.told()[before:]] == ["refuse"]
    carried = dict(re.findall(r'name="(action|kept\.\w+)" value="([^"]*)"', page.text))
    former = office.session()
    wrong = office.post("/confirm", password="wrong", **carried)
    assert "opens nothing here" in wrong.text
    again = office.post("/confirm", password=PASSWORD, **carried)
    assert f'action="/console/accounts{act}"' in again.text
    assert 'name="name" value="maria"' in again.text
    assert office.session().cookie_sha256 != former.cookie_sha256
    done = office.post(f"/accounts{act}", name="maria", role="reviewer", may_score="yes")
    assert "Is it you?" not in done.text


WORDS = 'as the report of "the shed" says, <b>twice</b>, and at more length than one line of a form'
TAKE_TWO = [
    ("/cases/01J/results", {"code": "goods_found hidden_space", "text": WORDS}),
    ("/cases/01J/results", {"code": "other_offence other", "text": WORDS}),
    ("/cases/01J/actions", {"kind": "hold", "text": WORDS}),
    ("/cases/01J/actions", {"kind": "refer agency", "text": WORDS}),
    ("/cases/01J/agreements", {"text": WORDS}),
    ("/cases/01J/disagreements", {"text": WORDS}),
    ("/cases/01J/reopen", {"text": WORDS}),
    ("/cases/01J/letter/release", {"audience": "carrier", "text": WORDS}),
    ("/cases/01J/letter/confirm", {"days": "3"}),
    ("/switches", {"to": "on", "models": "all", "because": WORDS}),
]
TAKE_ONE = [
    ("/cases/01J/results", {"code": "nothing_found as_declared", "text": WORDS}),
    ("/cases/01J/actions", {"kind": "inspect", "text": WORDS}),
    ("/cases/01J/actions", {"kind": "refer rescue", "text": WORDS}),
    ("/cases/01J/notes", {"text": WORDS}),
    ("/cases/01J/letter/write", {"audience": "carrier", "text": WORDS}),
    ("/switches", {"to": "off", "models": "all", "because": WORDS}),
]


def test_acts_of_two_persons_ask_who_is_there_and_lose_nothing_that_was_written(
    office: Office,
) -> None:
    office.add("chief", "supervisor")
    office.sign_in("chief")
    for act, form in TAKE_TWO:
        assert office.post(act, **form).status_code != 401, act
        office.wait(minutes=11)

        page = office.post(act, **form)

        assert page.status_code == 401, act
        assert "Is it you?" in page.text
        carried = dict(re.findall(r'name="(action|kept\.\w+)" value="([^"]*)"', page.text))
        kept = {name: unescape(text) for name, text in carried.items()}
        again = office.post("/confirm", password=PASSWORD, **kept)
        assert f'action="/console{act}"' in again.text
        assert all(text in unescape(again.text) for text in form.values())


def test_what_one_person_may_do_asks_nobody_again(office: Office) -> None:
    office.add("chief", "supervisor")
    office.sign_in("chief")
    office.wait(minutes=11)
    for act, form in TAKE_ONE:
        assert office.post(act, **form).status_code != 401, act


def test_a_code_proves_it_too_and_counts_once(office: Office) -> None:
    office.add("chief", "admin")
    office.sign_in("chief")
    maker, _ = enrolled(office)
    office.wait(minutes=11)

    assert "Is it you?" in office.post("/accounts/sessions", name="x").text
    proof = maker.at(office.now[0])
    office.post("/confirm", one_time_code=proof)
    assert "Is it you?" not in office.post("/accounts/sessions", name="x").text
    office.wait(minutes=11)
    assert "not right now" in office.post("/confirm", one_time_code=proof).text


def test_a_planted_first_factor_secret_is_not_the_one_that_counts(office: Office) -> None:
    office.add("maria")
    office.sign_in("maria")
    seen = office.browser().get("/console/sign-in/second-factor").text
    (secret,) = re.findall(r'<code class="secret">([A-Z2-7]{32})</code>', seen)

    maker, _ = enrolled(office)

    assert maker.secret != secret
