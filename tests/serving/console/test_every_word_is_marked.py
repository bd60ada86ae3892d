"""Every word of the console is a message: in a language of brackets nothing stands outside them."""

import re
from collections.abc import Iterator
from typing import Any

from babel import Locale

from features.reference.geography.places import stored_place_name
from serving.access.roles import ROLE_SCOPES
from serving.console.charts.coastline import country_names
from serving.explanation.code_names import goods_in_words
from tests.serving.bodies import ROUTE, SHIPMENT
from tests.serving.conftest import Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.console.test_rescue_board import rescue
from tests.serving.console.test_supervision_page import keep_report
from tests.serving.pseudo_language import CODE, VisibleWords, write_pseudo_language
from tests.serving.review.cases.test_cases_served import open_case, reviewed
from tests.serving.review.supervision.test_supervision_served import ended, sign_in_as

__all__ = ["reviewed"]

ASKED = {**ORIGIN, "Accept-Language": CODE}
NO_PAGES = re.compile(
    r"/console/(static|map)/|\.(csv|graphml|ndjson|pdf)|/attachments/|/features/."
)
LIKE_CODE = re.compile(
    r"\{time\}|\((key|command line)\)|[\w.-]*\d[\w./-]*|\b[A-Z]{2,}\b|\bparty-\w+"
    r"|\b(kg|km|kn|Tidegate|tidegate-\w+|account|testclient)\b"
)
"""Ids, units, abbreviations, and what an account or this client is called in the audit log."""


def texts_in(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        body = [*body.values()]
    if isinstance(body, list):
        for each in body:
            yield from texts_in(each)
    elif isinstance(body, str):
        yield body


def names() -> list[str]:
    """What is no word of ours: what was declared, places, goods, countries and months, accounts."""
    declared = {*texts_in(SHIPMENT), *texts_in(ROUTE)}
    places = {stored_place_name(text) or "" for text in declared}
    goods = {goods_in_words(text).partition(" ")[2] for text in declared if text.isdecimal()}
    locale = Locale.parse(CODE)
    months = {
        month
        for width in ("wide", "abbreviated")
        for month in locale.months["format"][width].values()
    }
    known = declared | places | goods | months | {*locale.territories.values()}
    known |= {country.name for country in country_names()}
    known |= {f"the {role}" for role in ROLE_SCOPES} | {
        *("ada", "asked for by another office", "asked for by", "see their message", "Français"),
        *("tidegate-shipment", "tidegate-route"),
    }
    return sorted((name for name in known if len(name) > 1), key=len, reverse=True)


def unmarked(page: str, data: re.Pattern[str]) -> list[str]:
    return [
        text
        for text in VisibleWords(page).unmarked
        if re.search("[A-Za-z]{2}", LIKE_CODE.sub("", data.sub("", text)))
    ]


def pages_of(service: Service, first: list[str]) -> Iterator[tuple[str, str]]:
    """Every page that a reader comes to by links, once of each kind."""
    waiting, seen = first, set[str]()
    while waiting:
        address = waiting.pop(0).partition("#")[0]
        kind = re.sub(r"=[^&]*", "", re.sub(r"/[\w-]*\d[\w-]*", "/{}", address))
        if kind in seen or not address.startswith("/console") or NO_PAGES.search(address):
            continue
        seen.add(kind)
        page = service.client.get(address, headers=ASKED).text
        waiting += VisibleWords(page).links
        yield kind, page


def test_every_word_of_every_page_is_a_message(reviewed: Service) -> None:
    write_pseudo_language(reviewed.home / "languages")
    case_id = open_case(reviewed, "S-1")
    ended(reviewed, "S-2", reviewed.key("review"))
    rescue(reviewed, "J-1")
    keep_report(reviewed)
    data = re.compile("|".join(map(re.escape, names())))

    faults = set()
    for role in ROLE_SCOPES:
        sign_in_as(reviewed, role)
        first = ["/console", "/console/account", f"/console/cases/{case_id}", "/console/x"]
        first += ["/console/search?q=S-1", "/console/search?q=%", "/console/features/tare_ratio"]
        for kind, page in pages_of(reviewed, first):
            assert f'<html lang="{CODE}" dir="ltr">' in page, kind
            faults |= {(kind, text) for text in unmarked(page, data)}

    assert faults == set()
