"""In which language and by which clock a page is read: as chosen, as asked, or as it is set."""

import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from serving.app import create_app
from serving.language import ENGLISH, begin_locale, language_named
from serving.settings import Settings
from serving.web.html import instant_in_words
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.review.supervision.test_supervision_served import sign_in_as

RUSSIAN = """
msgid ""
msgstr "Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 ? 1 : 2);"

msgid "Your account"
msgstr "Ваша учётная запись"

msgid "%(n)s decision"
msgid_plural "%(n)s decisions"
msgstr[0] "%(n)s решение"
msgstr[1] "%(n)s решения"
msgstr[2] "%(n)s решений"

msgid "{instant} UTC"
msgstr "{instant} по UTC"
"""
HEBREW = """
msgid "Your account"
msgstr "החשבון שלך"

msgid "You are signed in with the key %(name)s."
msgstr "%(name)s"

msgid "%(name)s, %(role)s, of all offices."
msgstr "%(name)s %(role)s"
"""


@pytest.fixture
def read(home: Path) -> Iterator[Service]:
    """A service that knows Russian and Hebrew, where everybody's clock is that of Berlin."""
    (home / "languages").mkdir()
    (home / "languages" / "ru.po").write_text(RUSSIAN, encoding="utf-8")
    (home / "languages" / "he.po").write_text(HEBREW, encoding="utf-8")
    settings = Settings(home=home, time_zone="Europe/Berlin")
    with TestClient(create_app(settings, clock=lambda: NOW)) as client:
        yield Service(client, client.app.state.services, home)  # type: ignore[attr-defined]  # FastAPI's


def account_page(service: Service, asked: str = "") -> str:
    return service.client.get("/console/account", headers={"Accept-Language": asked}).text


def test_a_page_is_in_the_language_that_was_chosen_else_in_that_the_browser_asks_for(
    read: Service,
) -> None:
    token = sign_in_as(read, "reviewer")
    assert "<h1>Your account</h1>" in account_page(read)
    assert "<h1>Ваша учётная запись</h1>" in account_page(read, "ru")

    form = {"form_token": token, "language": "he", "time_zone": "Asia/Kolkata"}
    read.client.post("/console/account/reading", data=form, headers=ORIGIN)

    page = account_page(read, "ru")
    assert '<html lang="he" dir="rtl">' in page
    assert "<h1>החשבון שלך</h1>" in page
    assert "\u2068the reviewer\u2069" in page, "a name runs by itself within a line from the right"
    assert "Kolkata" in page
    events = read.services.accounts.events_of("the reviewer", 5)
    assert ("choose_language", "he") in [(e.action, e.details.get("language")) for e in events]


def test_the_own_clock_stands_beside_utc_with_its_day_where_that_is_another(read: Service) -> None:
    token = sign_in_as(read, "reviewer")
    here = re.findall(r"24 November 2026, [^<,]+", account_page(read))
    assert here
    assert all(" UTC (" in said and said.endswith(" in Berlin)") for said in here)

    form = {"form_token": token, "language": "", "time_zone": "Pacific/Kiritimati"}
    read.client.post("/console/account/reading", data=form, headers=ORIGIN)

    (first, *_) = re.findall(r"24 November 2026, [^<]+", account_page(read))
    assert "(25 Nov, " in first
    assert first.endswith("in Kiritimati)")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "24 November 2026, 12:00 UTC (13:00 in Berlin)"),
        ("fr", "24 novembre 2026, 12:00 UTC (13:00 à Berlin)"),
        ("ar", "24 نوفمبر 2026، 12:00"),
    ],
)
def test_day_and_hour_are_joined_as_the_language_joins_them(language: str, said: str) -> None:
    begin_locale(language_named(language), ZoneInfo("Europe/Berlin"))
    try:
        assert instant_in_words(NOW).startswith(said)
    finally:
        begin_locale(ENGLISH)


def test_a_clock_or_a_language_that_is_not_known_is_refused(read: Service) -> None:
    token = sign_in_as(read, "reviewer")
    for chosen in ({"language": "xx"}, {"time_zone": "Europe/Atlantis"}):
        form = {"form_token": token, **chosen}
        answer = read.client.post("/console/account/reading", data=form, headers=ORIGIN)
        assert answer.status_code == 422
    with pytest.raises(ValueError, match="no time zone"):
        Settings(home=read.home, time_zone="Europe/Atlantis")


@pytest.mark.parametrize(("count", "form"), [(1, "1 решение"), (3, "3 решения"), (5, "5 решений")])
def test_a_count_on_a_page_takes_the_form_of_its_language(
    read: Service, count: int, form: str
) -> None:
    for number in range(count):
        read.score(shipment(shipment_id=f"S-{number}"), read.key("score"))
    sign_in_as(read, "auditor")

    page = read.client.get("/console/audit", headers={"Accept-Language": "ru"}).text

    assert form in page


def test_a_paper_is_the_same_whoever_asks_for_it(read: Service) -> None:
    sign_in_as(read, "supervisor")

    papers = {
        read.client.get(
            "/console/supervision/figures.pdf", headers={"Accept-Language": language}
        ).content
        for language in ("en", "ru", "ar")
    }

    assert len(papers) == 1
