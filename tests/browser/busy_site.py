"""A desk in the middle of its work: something stands on every page of its console."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
from playwright.sync_api import Browser, BrowserContext

from serving.access.accounts import ReadingChoice, new_account
from serving.access.actors import SERVICE
from serving.access.roles import ROLE_SCOPES, Role
from serving.access.sessions import Session
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.attachments import AttachedFile
from serving.review.acts.claim import claim
from serving.review.acts.note import note_case
from serving.review.acts.order import order_action
from serving.review.acts.wait import wait
from serving.review.cases.teams import Team
from tests.browser.served_site import PATIENCE_S, Site
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_supervision_page import keep_report
from tests.serving.people import reviewer
from tests.serving.review.cases.stated import FOUND, INSPECT, NOTHING, agree_by, end_by
from tests.serving.scoring.test_ships import CALLS, OTHER_SHIP, sentence

PASSWORD = "a password for tests"
PLAN = """
[[watched]]
kind = "company"
value = "c-0012"
list = "asked for by another office"
reason = "see their message"
"""
WORDS = "the goods on the pictures are others than those that the papers name"
CROWD = {"certified_capacity": 12, "persons_on_board": 41, "mmsi": "247000111"}
PAYMENT = Path(__file__).parents[1] / "conformance" / "samples" / "iso20022" / "pacs.008.xml"
PAID_AT = "/Envelope/Document/FIToFICstmrCdtTrf/CdtTrfTxInf[1]/IntrBkSttlmAmt"
FIRST, SECOND = reviewer("ana"), reviewer("jan")
TIME_ZONE = "America/Argentina/Buenos_Aires"  # of a long name


@dataclass(frozen=True)
class BusySite:
    """A served home, and what addresses of its pages name."""

    site: Site
    named: dict[str, str]

    @classmethod
    def filled(cls, site: Site, home: Path) -> "BusySite":
        """A site of which people have made use for a while."""
        _make_accounts(site)
        client = httpx2.Client(base_url=site.address, timeout=PATIENCE_S)
        service = Service(client, site.services, home)  # type: ignore[arg-type]  # it is called alike
        named = _cases(site)
        row = site.services.cases.case(FIRST, named["case"])[0]
        for each in site.services.entities.named_by([row]).values():
            named |= {each.kind: each.token}
        site.services.teams.add_team(Team("Night desk", None, ("reviewer",)), NOW, SERVICE)
        keep_report(service)
        named |= {"alert": _call_for_help(service)}
        named |= {"message": _send_payments(service), "place": quote(PAID_AT)}
        return cls(site, named | {"key": "Post Hamburg"})

    def address(self, path: str) -> str:
        """An address of the site, with what it names."""
        return self.site.address + path.format(**self.named)

    @contextmanager
    def visitor(
        self, browser: Browser, role: Role | None, **looks: Any
    ) -> Iterator[BrowserContext]:
        """A browser in which an account of a role is signed in, or nobody."""
        context = browser.new_context(**looks)
        if role is not None:
            cookie = self._cookie(role)
            context.add_cookies([{"name": "tidegate", "value": cookie, "url": self.site.address}])
        yield context
        context.close()

    def caller(self, role: str, language: str) -> httpx2.Client:
        """A client without a browser, signed in likewise, that asks for pages in a language.

        Of no role it is nobody's.
        """
        cookies = {"tidegate": self._cookie(role)} if role else {}
        return httpx2.Client(
            cookies=cookies, headers={"Accept-Language": language}, timeout=PATIENCE_S
        )

    def _cookie(self, role: str) -> str:
        session, cookie = Session.begin(f"account:{role}", NOW, timedelta(hours=8))
        self.site.services.sessions.add_session(session, NOW)
        return cookie


def _make_accounts(site: Site) -> None:
    """One of each role, under its name; they all read by one clock."""
    made = new_account("reviewer", PASSWORD, "reviewer", (), NOW)
    for role in ROLE_SCOPES:
        account = replace(made, name=role, role=role)
        site.services.accounts.add_account(account)
        choice = ReadingChoice(None, TIME_ZONE)
        site.services.accounts.choose_reading(account, choice, NOW, account.actor)


def _cases(site: Site) -> dict[str, str]:
    """A case in each state, by what it is called in addresses."""
    named = {name: site.score(body, name)["decision_id"] for name, body in _bodies()}
    cases, letters, own = site.services.cases, site.services.letters, reviewer("reviewer")
    cases.open_new()
    cases.act(own, named["mine"], lambda case: claim(case, own.actor, NOW))
    order_action(ActRequest(cases, own, named["mine"], NOW), INSPECT)
    until = NOW + timedelta(hours=20)
    cases.act(own, named["waits"], lambda case: claim(case, own.actor, NOW))
    cases.act(
        own,
        named["waits"],
        lambda case: wait(case, own.actor, NOW, until, "documents", WORDS),
    )
    note_case(ActRequest(cases, FIRST, named["case"], NOW), f"@reviewer {WORDS}")
    file = AttachedFile.from_upload("packing list of the goods.txt", b"goods", 10_000)
    cases.attach(FIRST, named["case"], NOW, file, b"goods")
    end_by(cases, FIRST, named["proposed"], NOW, FOUND)
    end_by(cases, FIRST, named["confirmed"], NOW, FOUND)
    agree_by(cases, SECOND, named["confirmed"], NOW, FOUND)
    end_by(cases, FIRST, named["closed"], NOW, NOTHING)
    cases.justify(reviewer("supervisor"), named["confirmed"], NOW, "second_opinion", WORDS)
    letters.write(FIRST, named["closed"], NOW, "consignee", WORDS)
    return named


def _send_payments(service: Service) -> str:
    """A message about the confirmed case and the rescue; its id."""
    one = PAYMENT.read_bytes()
    transfer = one[one.index(b"<CdtTrfTxInf>") : one.index(b"</FIToFICstmrCdtTrf>")]
    another = transfer.replace(b"7a562c67", b"8b673d78").replace(b"AC4711", b"J-rescue")
    answer = service.client.post(
        "/v1/messages/iso20022",
        content=one.replace(transfer, transfer.replace(b"AC4711", b"S-confirmed") + another),
        params={"shipment_pattern": "S-{letters}", "journey_pattern": "J-{letters}"},
        headers=service.key("ingest") | {"Idempotency-Key": "payments"},
    )
    return str(answer.raise_for_status().json()["message_id"])


def _call_for_help(service: Service) -> str:
    """A distress call of a ship that nobody declared; the id of its alert."""
    headers = service.key("ingest") | {"Idempotency-Key": "call"}
    call = sentence(NOW, mmsi=OTHER_SHIP, status=CALLS).encode()
    service.client.post("/v1/messages/ais", content=call, headers=headers).raise_for_status()
    (waiting,) = service.services.distress_alerts.unacknowledged()
    return waiting.decision_id


def _bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in ("case", "mine", "waits", "proposed", "confirmed"):
        yield name, shipment(shipment_id=f"S-{name}", container_number="MSCU6639870")
    yield "closed", shipment(shipment_id="S-closed", consignee_id="c-0444")
    yield "rescue", route(journey_id="J-rescue", **CROWD)
