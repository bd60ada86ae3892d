"""TAXII 2.1 as others speak it: the client of OASIS, and a second agency over a socket."""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from requests.exceptions import HTTPError
from taxii2client.v21 import Collection, Server

from serving.access.api_keys import new_key
from serving.access.roles import Scope
from serving.app import create_app
from serving.container import Services
from serving.exchange.node import ExchangeNode, join
from serving.exchange.outgoing_run import deliver_waiting
from serving.exchange.taxii_client import TaxiiPost, store_key
from serving.exchange.taxii_resources import INBOX, OUTBOX
from serving.settings import Settings
from serving.web.routes_on_demand import RoutesOnDemand
from tests.ports import free_port
from tests.serving.conftest import NOW
from tests.serving.databases import keys_of
from tests.serving.exchange.exchanged import DETAILS, DISTRIBUTION, FIELDS
from tests.serving.exchange.nodes import approve, node_at

MEDIA_TYPE = "application/taxii+json;version=2.1"


@dataclass
class Site:
    """South, served on a port, and north, which knows it and has its key."""

    address: str
    services: Services
    south: ExchangeNode
    north: ExchangeNode
    north_at: Path
    key: str

    @property
    def user(self) -> str:
        return self.key.partition(".")[0].removeprefix("tg_")

    def collection(self, collection_id: str) -> Collection:
        url = f"{self.address}/taxii2/exchange/collections/{collection_id}/"
        return Collection(url, user=self.user, password=self.key)

    def ask(self, path: str, **headers: str) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", **headers}
        return httpx2.get(f"{self.address}/taxii2/{path}", headers=headers)

    def post(self, content: bytes) -> Any:
        url = f"{self.address}/taxii2/exchange/collections/{INBOX}/objects/"
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": MEDIA_TYPE}
        return httpx2.post(url, content=content, headers=headers)

    def envelope(self, kind: str = "container", **changed: Any) -> Any:
        """A document of north for south, as an envelope."""
        made = self.north.make(kind, DETAILS[kind], "B2", DISTRIBUTION, NOW, FIELDS.get(kind))
        (sending,) = self.north.send(made.object_id, ("south",), "Olga Officer", NOW)
        return {"objects": [{**(self.north.document_of(sending) or {}), **changed}]}


def key_of(services: Services, *scopes: Scope) -> str:
    kept, shown = new_key(f"key-{len(services.api_keys.all())}", scopes, (), NOW)
    services.api_keys.add_key(kept)
    return str(shown)


@pytest.fixture(scope="module")
def site(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = Path(shutil.copytree(trained_home, tmp_path_factory.mktemp("south") / "home"))
    app = create_app(Settings(home=home), clock=lambda: NOW)
    services: Services = app.state.services
    join(services.stores, home / "keys", "south", "Ada Admin", NOW)
    south = ExchangeNode.opened(services.stores, home / "keys")
    north_at = tmp_path_factory.mktemp("north") / "north.db"
    north, key, port = node_at(north_at, "north"), key_of(services, "exchange"), free_port()
    holder = key.partition(".")[0].removeprefix("tg_")
    approve(south, north, key_holder=holder)
    inbox = f"http://127.0.0.1:{port}/taxii2/exchange/collections/{INBOX}/"
    approve(north, south, address=inbox)
    store_key(keys_of(north_at), "south", key)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Site(f"http://127.0.0.1:{port}", services, south, north, north_at, key)
    server.should_exit = True
    thread.join(10)


def test_the_client_of_oasis_finds_the_collections(site: Site) -> None:
    server = Server(f"{site.address}/taxii2/", user=site.user, password=site.key)
    (root,) = server.api_roots

    assert server.default.url == root.url
    assert root.versions == [MEDIA_TYPE]
    assert {each.title: (each.can_read, each.can_write) for each in root.collections} == {
        "inbox": (False, True),
        "outbox": (True, False),
    }


def test_the_client_of_oasis_hands_an_object_over_once_and_reads_the_status(site: Site) -> None:
    envelope = site.envelope()
    (document,) = envelope["objects"]
    status = site.collection(INBOX).add_objects(envelope)

    assert (status.status, status.success_count, status.failures) == ("complete", 1, [])
    held = site.south.exchange.held(document["id"])
    assert held is not None
    assert (held.originator, held.received_from) == ("north", "north")
    asked = site.ask(f"exchange/status/{status.id}/").json()
    assert asked["successes"] == [{"id": document["id"], "version": document["modified"]}]
    again = site.collection(INBOX).add_objects(envelope)
    assert [each["message"].partition(":")[0] for each in again.failures] == ["replayed"]


def test_the_client_of_oasis_reads_what_is_meant_for_it_in_order(site: Site) -> None:
    sent = []
    for kind in ("container", "typology", "vessel", "container"):
        made = site.south.make(kind, DETAILS[kind], "B2", DISTRIBUTION, NOW, FIELDS.get(kind))
        site.south.send(made.object_id, ("north",), "Olga Officer", NOW)
        sent.append(made.object_id)
    wanted = [sent[0], sent[1], sent[3]]  # the vessel waits for a second person
    outbox = site.collection(OUTBOX)

    assert [each["id"] for each in outbox.get_objects()["objects"]] == wanted
    assert [each["id"] for each in outbox.get_manifest()["objects"]] == wanted
    first = outbox.get_objects(limit=2)
    assert (len(first["objects"]), first["more"]) == (2, True)
    rest = outbox.get_objects(limit=2, next=first["next"])
    assert [each["id"] for each in rest["objects"]] == [sent[3]]
    assert "more" not in rest
    (typology,) = outbox.get_objects(type="attack-pattern")["objects"]
    assert outbox.get_object(sent[1])["objects"] == [typology]
    assert outbox.object_versions(sent[1])["versions"] == [typology["modified"]]
    assert outbox.get_objects(added_after="2026-12-24T00:00:00.000Z") == {}
    with pytest.raises(HTTPError, match="404"):
        outbox.get_object(sent[2])
    # What was read is what north takes in.
    site.north.take_in(typology, "south", NOW)


def test_an_agency_delivers_and_recalls_over_a_socket(site: Site) -> None:
    made = site.north.make("container", DETAILS["container"], "B2", DISTRIBUTION, NOW)
    site.north.send(made.object_id, ("south",), "Olga Officer", NOW)
    partners = {each.name: each for each in site.north.partners.all()}
    post = TaxiiPost(partners, keys_of(site.north_at))
    deliver_waiting(site.north, post, NOW)
    held = site.south.exchange.held(made.object_id)
    assert held is not None
    assert held.recalled_at is None

    site.north.recall(made.object_id, "Olga Officer", NOW)
    assert deliver_waiting(site.north, post, NOW).delivered == 1
    held = site.south.exchange.held(made.object_id)
    assert held is not None
    assert held.recalled_at == NOW
    assert "MSKU9070323" not in json.dumps(held.document)


def test_who_may_call(site: Site) -> None:
    others = {
        401: f"Bearer tg_{'0' * 12}.{'x' * 43}",
        403: f"Bearer {key_of(site.services, 'score')}",
    }
    for status, authorization in others.items():
        assert site.ask("", Authorization=authorization).status_code == status
    # A key with the scope, and of no partner.
    stranger = key_of(site.services, "exchange")
    assert site.ask("", Authorization=f"Bearer {stranger}").status_code == 403
    with pytest.raises(HTTPError, match="401"):
        Server(f"{site.address}/taxii2/", user="another", password=site.key).title  # noqa: B018
    assert site.ask("").status_code == 200


def test_50_megabytes_are_refused_before_they_are_read(site: Site) -> None:
    before = len(site.south.exchange.all_held())

    assert site.post(b'{"objects": [' + b" " * 50_000_000 + b"]}").status_code == 413
    assert len(site.south.exchange.all_held()) == before


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"objects": [1]}', 400),
        (b'{"objects": [], "objects": []}', 400),
        (json.dumps({"objects": [{}] * 101}).encode(), 400),
    ],
)
def test_a_wrong_envelope_is_refused(site: Site, content: bytes, status: int) -> None:
    assert site.post(content).status_code == status


def test_each_refusal_of_an_envelope_is_named(site: Site) -> None:
    whole = site.envelope()["objects"][0]
    objects = [{**whole, "passport": "x"}, {**whole, "created": "x"}, {"id": [1]}, whole]
    answer = site.post(json.dumps({"objects": objects}).encode()).json()
    names = [each["message"].partition(":")[0] for each in answer["failures"]]

    assert names == ["names-a-person", "malformed", "malformed"]
    assert answer["success_count"] == 1


def test_a_service_of_no_exchange_answers_as_if_there_was_none(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastapi.testclient import TestClient

    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app, base_url="http://localhost") as client:
        key = {"Authorization": f"Bearer {key_of(app.state.services, 'exchange')}"}
        assert client.get("/taxii2/", headers=key).status_code == 404
    monkeypatch.setitem(__import__("sys").modules, "stix2", None)
    for name in [each for each in __import__("sys").modules if "serving.exchange" in each]:
        monkeypatch.delitem(__import__("sys").modules, name)
    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/taxii2/").json()["title"] == client.get("/none").json()["title"]
        assert not any("/taxii2" in getattr(each, "path", "") for each in app.routes)
        assert not any(isinstance(each, RoutesOnDemand) for each in app.routes)
