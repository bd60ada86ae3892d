"""Every page of the console, in every width and look: whole, and without barriers.

A usual run looks at each page once, each in the next of all looks; `make faults` at each in all.
"""

import re
from dataclasses import dataclass
from itertools import groupby, product
from typing import Any

import pytest
from playwright.sync_api import Browser

from serving.access.roles import Role
from serving.console.all_pages import page_routes
from tests.browser.busy_site import BusySite
from tests.browser.page_faults import broken_pictures, faults_of
from tests.counts import count

WIDTHS: dict[str, dict[str, Any]] = {
    "320": {"viewport": {"width": 320, "height": 640}},
    "390": {"viewport": {"width": 390, "height": 844}},
    "1440": {"viewport": {"width": 1440, "height": 900}},
    "1280 at 200 %": {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2},
}
READINGS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "locale": "en"},
    "dark": {"color_scheme": "dark", "locale": "en"},
    "Arabic": {"color_scheme": "light", "locale": "ar"},
    "French": {"color_scheme": "light", "locale": "fr"},
}
LOOKS = {
    f"{width}, {reading}": {**WIDTHS[width], **READINGS[reading]}
    for width, reading in product(WIDTHS, READINGS)
}

NO_PAGES = {
    *(
        "/console",
        "/console/",
        "/console/static",
        "/console/session",
        "/console/supervision/reread",
    ),
    *("/console/queue/new", "/console/notices/count", "/console/rescues/changes"),
    *("/console/oidc", "/console/oidc/callback", "/console/map/{zoom}/{column}/{row}.svg"),
    *("/console/cases/{case_id}/case.pdf", "/console/supervision/figures.pdf"),
    "/console/cases/{case_id}/together",
    *("/console/cases/{case_id}/links.graphml", "/console/entities/{kind}/{token}/links.graphml"),
    *("/console/supervision/cases.csv", "/console/supervision/figures.csv"),
    *("/console/audit/events.csv", "/console/audit/events.ndjson"),
    "/console/cases/{case_id}/attachments/{sha256}",
    "/console/rescues/{case_id}/attachments/{sha256}",
}
"""What leads on, or is a part of a page, a picture or a file."""


@dataclass(frozen=True)
class Visit:
    """A page as whoever has a role reads it, or nobody; `address` where its path has parameters."""

    path: str
    role: Role | None
    address: str = ""

    def __str__(self) -> str:
        return f"{self.address or self.path} {self.role or ''}".removeprefix("/console/").strip()


VISITS = (
    Visit("/console/sign-in", None),
    Visit("/console/sign-in/code", "reviewer"),
    Visit("/console/sign-in/password", "reviewer"),
    Visit("/console/sign-in/second-factor", "reviewer"),
    Visit("/console/confirm", "admin"),
    Visit("/console/account", "reviewer"),
    Visit("/console/queue", "reviewer"),
    Visit("/console/queue", "auditor", "/console/queue?tab=closed"),
    Visit("/console/notices", "reviewer"),
    Visit("/console/search", "reviewer", "/console/search?q=S-closed"),
    Visit("/console/search", "supervisor", "/console/search?q=c-0012"),
    Visit("/console/cases/{case_id}", "reviewer", "/console/cases/{case}"),
    Visit("/console/cases/{case_id}", "reviewer", "/console/cases/{mine}"),
    Visit("/console/cases/{case_id}", "reviewer", "/console/cases/{proposed}?tab=mine"),
    Visit("/console/cases/{case_id}", "supervisor", "/console/cases/{confirmed}"),
    Visit("/console/cases/{case_id}", "auditor", "/console/cases/{closed}"),
    Visit(
        "/console/cases/{case_id}/messages/{message_id}",
        "supervisor",
        "/console/cases/{confirmed}/messages/{message}?place={place}",
    ),
    Visit(
        "/console/rescues/{case_id}/messages/{message_id}",
        "rescue",
        "/console/rescues/{rescue}/messages/{message}",
    ),
    Visit("/console/messages", "supervisor"),
    Visit("/console/cases/{case_id}/links", "reviewer", "/console/cases/{case}/links"),
    Visit("/console/cases/{case_id}/letter", "reviewer", "/console/cases/{closed}/letter"),
    Visit(
        "/console/cases/{case_id}/letter/{audience}",
        "reviewer",
        "/console/cases/{closed}/letter/consignee",
    ),
    Visit("/console/entities/{kind}/{token}", "reviewer", "/console/entities/party/{party}"),
    Visit("/console/entities/{kind}/{token}", "auditor", "/console/entities/container/{container}"),
    Visit("/console/rescues", "rescue"),
    Visit("/console/rescues/{case_id}", "rescue", "/console/rescues/{rescue}"),
    Visit("/console/rescues/alerts/{alert_id}", "rescue", "/console/rescues/alerts/{alert}"),
    Visit("/console/supervision", "supervisor"),
    Visit("/console/supervision/cases", "supervisor", "/console/supervision/cases?which=waiting"),
    Visit(
        "/console/supervision/reread/{case_id}",
        "supervisor",
        "/console/supervision/reread/{closed}",
    ),
    Visit("/console/monitor", "data_scientist"),
    Visit("/console/decisions", "auditor"),
    Visit("/console/decisions/{decision_id}", "supervisor", "/console/decisions/{closed}"),
    Visit("/console/features", "data_scientist"),
    Visit("/console/features/{name}", "reviewer", "/console/features/tare_ratio"),
    Visit("/console/models", "data_scientist"),
    Visit("/console/approvals", "admin"),
    Visit("/console/switches", "supervisor"),
    Visit("/console/audit", "auditor"),
    Visit("/console/accounts", "admin"),
    Visit("/console/accounts/keys/revoke", "admin", "/console/accounts/keys/revoke?name={key}"),
    Visit("/console/accounts/{account}", "admin", "/console/accounts/reviewer"),
    Visit(
        "/console/accounts/{account}/{act}",
        "admin",
        "/console/accounts/reviewer/change?role=supervisor&which=all",
    ),
    Visit("/console/accounts/{account}/{act}", "admin", "/console/accounts/reviewer/disable"),
    Visit("/console/{address:path}", "reviewer", "/console/x"),
    Visit("/docs", None),
    Visit("/problems", None),
    Visit("/problems/{name}", None, "/problems/too-often"),
)


def planned() -> list[tuple[Visit, str]]:
    """Each page in the next of all looks, or in every look."""
    return [
        (visit, look)
        for number, visit in enumerate(VISITS)
        for look in count([list(LOOKS)[number % len(LOOKS)]], list(LOOKS))
    ]


@pytest.mark.faults
@pytest.mark.parametrize(("visit", "look"), planned(), ids=str)
def test_a_page_is_whole_and_has_no_barrier(
    browser: Browser, busy_site: BusySite, visit: Visit, look: str
) -> None:
    with busy_site.visitor(browser, visit.role, **LOOKS[look]) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        answer = page.goto(busy_site.address(visit.address or visit.path))
        assert answer is not None
        is_page = visit.path != "/console/{address:path}"
        assert answer.status == (200 if is_page else 404)
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")

        assert faults_of(page) == []
        assert [each for each in complaints if is_page or "404" not in each] == []


@pytest.mark.faults
@pytest.mark.parametrize("language", ["fr", "en", "ar"][: count(1, 3)])
def test_every_number_of_a_picture_is_one_in_every_language(
    busy_site: BusySite, language: str
) -> None:
    pictures: set[str] = set()
    for role, visits in groupby(sorted(VISITS, key=_role), key=_role):
        with busy_site.caller(role, language) as caller:
            for visit in visits:
                html = caller.get(busy_site.address(visit.address or visit.path)).text
                assert f'lang="{language}"' in html
                assert broken_pictures(html) == [], str(visit)
                pictures.update(re.findall(r'<svg class="([a-z-]+)"', html))
    assert {"among", "bar-of", "days", "links"} <= pictures


@pytest.mark.parametrize(
    ("picture", "is_whole"),
    [
        ('<circle cx="94.5" cy="6"/><path d="M0 8H120M25.5 8H86.4"/>', True),
        ('<circle cx="94,5" cy="6"/>', False),
        ('<rect width="٩٤.٥"/>', False),
        ('<path d="M25,5 8H86,4"/>', False),
        ('<path d="M0 8H86,4"/>', False),
        ('<polyline points="1,2 3,4,5"/>', False),
    ],
)
def test_a_number_with_the_marks_of_a_language_is_no_number_of_a_picture(
    picture: str, is_whole: bool
) -> None:
    assert (broken_pictures(f"<svg>{picture}</svg>") == []) == is_whole


def _role(visit: Visit) -> str:
    return visit.role or ""


def paths_read(route: Any) -> set[str]:
    """The path of a route that is read, or those of a router that was included."""
    if hasattr(route, "path"):
        return {route.path} if "GET" in (getattr(route, "methods", None) or ()) else set()
    return {path for inner in route.original_router.routes for path in paths_read(inner)}


def test_every_page_of_the_console_is_looked_at() -> None:
    served = {path for route in page_routes() for path in paths_read(route)}
    pages = {path for path in served if path.startswith(("/console", "/docs", "/problems"))}

    assert pages - NO_PAGES == {visit.path for visit in VISITS}
