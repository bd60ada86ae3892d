"""The list of messages: what came, from whom, and which cases it led to."""

import re

import pytest

from serving.access.accounts import new_account
from serving.console import message_list
from tests.serving.api.test_messages import sample, send, watched
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_message_page import OFFICES, manifest
from tests.serving.console.test_pages import ORIGIN
from tests.serving.review.supervision.test_supervision_served import PASSWORD

__all__ = ["manifest", "watched"]

Manifest = tuple[Service, dict[str, str], str]


def as_supervisor(service: Service, *offices: str) -> None:
    """Sign in as the supervisor of some offices; of all without any."""
    name = "-".join(("supervisor", *offices))
    service.services.accounts.add_account(new_account(name, PASSWORD, "supervisor", offices, NOW))
    service.client.cookies.clear()
    form = {"name": name, "password": PASSWORD}
    service.client.post("/console/sign-in", data=form, headers=ORIGIN)


def rows_of(service: Service, query: str = "") -> list[str]:
    """The rows of the list."""
    page = service.client.get(f"/console/messages{query}")
    assert page.status_code == 200, page.text
    return re.findall(r"<tr><th scope=\"row\">.*?</tr>", page.text, re.DOTALL)


def send_positions(service: Service) -> str:
    """The id of a message about ships that have no case."""
    answer = send(service, service.key("ingest", "score"), sample("ais"), "ais", key="ships")
    return str(answer.json()["message_id"])


def test_each_office_lists_its_messages_with_its_cases_and_all_offices_every_one(
    manifest: Manifest,
) -> None:
    service, cases, message_id = manifest
    send_positions(service)

    for shipment_id, office_id in OFFICES.items():
        as_supervisor(service, office_id)
        (row,) = rows_of(service)
        links = re.findall(r'href="([^"]+)"', row)
        assert links == [f"/console/cases/{cases[shipment_id]}/messages/{message_id}"]
        assert "caller-" in row  # the name of the key
        assert "CC26000117" in row
    as_supervisor(service)
    whole, ships = sorted(rows_of(service), key=lambda row: "positions" in row)
    assert "positions: 3" in ships  # who called for help is shown to rescuers alone
    assert re.findall(r"/console/cases/([^/]+)/messages/", whole)[:2] == [*cases.values()]


def test_messages_are_found_by_format_and_by_what_they_are_about(manifest: Manifest) -> None:
    service, _, _ = manifest
    send_positions(service)
    as_supervisor(service)

    assert len(rows_of(service, "?format=ais")) == 1
    assert len(rows_of(service, "?subject_id=AC4712")) == 1
    assert "edifact" in rows_of(service, "?subject_id=AC4712&format=edifact")[0]
    assert rows_of(service, "?subject_id=AC4712&format=ais") == []
    assert rows_of(service, "?subject_id=unknown") == []
    for wrong in ("?format=fax", "?before=yesterday"):
        assert service.client.get(f"/console/messages{wrong}").status_code == 422


def test_pages_follow_each_other_without_a_gap(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, _, _ = manifest
    for number in range(4):  # all at the same instant
        body = sample("ais").replace(b"\n", b"\n" * (number + 1))
        send(service, service.key("ingest", "score"), body, "ais", key=f"ships-{number}")
    as_supervisor(service)
    whole = rows_of(service)
    monkeypatch.setattr(message_list, "PAGE_SIZE", 2)

    address, found = "/console/messages", []
    while address:
        page = service.client.get(address).text
        found += re.findall(r"<tr><th scope=\"row\">.*?</tr>", page, re.DOTALL)
        older = re.search(r'href="([^"]+)">Older messages', page)
        address = older[1].replace("&amp;", "&") if older else ""

    assert found == whole
    assert len(found) == 5
