"""Saved views: private, few, short, audited, and gone with the account or with what they find."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from serving.access.accounts import new_account
from serving.app import create_app
from serving.audit.erasure import ErasureLimits, RetainedUnits
from serving.console.saved_views import read_view
from serving.errors import Conflict, NotFound, Unprocessable
from serving.integrity.audit_log import EventFilter
from serving.review.search.saved_views import MAX_NAME_LENGTH, MAX_VIEWS, checked_name
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.saved_view_repository import SavedViewRepository
from serving.storage.tables.review import saved_views
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import person
from tests.serving.review.supervision.test_supervision_served import sign_in_as

ONE, TWO = person("one"), person("two")
QUEUE = "/console/queue?lane=inspect&office=DE1&older_than_hours=4"
SEARCH = "/console/search?q=MSCU+123&status=closed"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "log.db", is_service=False)
    yield engine
    engine.dispose()


@pytest.fixture
def views(engine: Engine) -> SavedViewRepository:
    return SavedViewRepository(engine)


def test_a_view_is_its_holders_alone_until_they_delete_it(views: SavedViewRepository) -> None:
    view = read_view("  Mine,\n old ", QUEUE)
    views.save(ONE, view, NOW)

    assert [(each.name, each.address) for each in views.of_holder(ONE)] == [("Mine, old", QUEUE)]
    assert views.of_holder(TWO) == []
    with pytest.raises(NotFound):
        views.delete(TWO, view.view_id, NOW)
    views.delete(ONE, view.view_id, NOW)
    assert views.of_holder(ONE) == []


def test_names_are_taken_once_and_views_are_few(views: SavedViewRepository) -> None:
    for number in range(MAX_VIEWS):
        views.save(ONE, read_view(f"view {number}", QUEUE), NOW)
    with pytest.raises(Conflict, match="delete one"):
        views.save(ONE, read_view("one more", QUEUE), NOW)
    views.save(TWO, read_view("view 1", QUEUE), NOW)

    with pytest.raises(Conflict, match="of this name"):
        views.save(TWO, read_view("view 1", SEARCH), NOW)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://elsewhere.example/console/queue",
        "//elsewhere.example/console/queue",
        "/console/accounts",
        "/console/queue?lane=nonsense",
        "/console/search?q=MSC*",
        "/console/search",
        "/console/search?q=" + "a" * 600,
    ],
)
def test_only_filters_of_our_own_pages_are_kept(address: str) -> None:
    with pytest.raises(Unprocessable):
        read_view("name", address)


def test_what_a_page_does_not_filter_by_is_left_out() -> None:
    assert read_view("n", f"{QUEUE}&cursor=abc&to=//x#y").address == QUEUE
    assert read_view("n", SEARCH).symbols == "mscu123"


@pytest.mark.parametrize(
    "name", ["", " ", "a" * (MAX_NAME_LENGTH + 1), "a\x00b", "a\ud800", "a\u202eb"]
)
def test_a_name_is_short_and_can_be_seen(name: str) -> None:
    with pytest.raises(Unprocessable, match="name the view"):
        checked_name(name)


def test_nothing_of_a_view_lies_in_the_clear(engine: Engine, views: SavedViewRepository) -> None:
    views.save(ONE, read_view("the payer", SEARCH), NOW)

    with engine.connect() as connection:
        row = repr(connection.execute(select(saved_views)).one())

    assert not re.search("MSCU|mscu|payer", row)


def test_a_view_ends_with_the_account(engine: Engine, views: SavedViewRepository) -> None:
    accounts = AccountRepository(engine)
    accounts.add_account(new_account("one", "a password for tests", "reviewer", (), NOW))
    views.save(ONE, read_view("mine", QUEUE), NOW)
    views.save(TWO, read_view("mine", QUEUE), NOW)

    accounts.disable("one", NOW)

    assert (views.of_holder(ONE), len(views.of_holder(TWO))) == ([], 1)


def test_a_view_goes_with_what_it_finds_or_with_its_day(
    engine: Engine, views: SavedViewRepository
) -> None:
    erasure = DatabaseErasure(engine)
    views.save(ONE, read_view("a search", SEARCH), NOW)
    views.save(ONE, read_view("a queue", QUEUE), NOW)

    erasure.remove_masked_terms("2026-01-01", RetainedUnits())

    assert [view.name for view in views.of_holder(ONE)] == ["a queue"]
    erasure.sweep(ErasureLimits("2026-11-24", "2026-11-24"))
    assert [view.name for view in views.of_holder(ONE)] == ["a queue"]
    erasure.sweep(ErasureLimits("2026-11-25", "2026-11-25"))
    assert views.of_holder(ONE) == []


@pytest.fixture(scope="module")
def served(trained_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("views") / "home"
    shutil.copytree(trained_home, home)
    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app) as client:
        yield Service(client, app.state.services, home)


def test_a_reviewer_saves_filters_follows_them_and_deletes_them(served: Service) -> None:
    form = {"form_token": sign_in_as(served, "reviewer"), "name": "Old <b>", "address": QUEUE}

    saved = served.client.post("/console/views", data=form, headers=ORIGIN)

    assert str(saved.url).endswith(QUEUE)
    assert "Old &lt;b&gt;</a>" in saved.text
    again = served.client.post("/console/views", data=form, headers=ORIGIN)
    assert (again.status_code, "a view of this name" in again.text) == (409, True)
    foreign = served.client.post(
        "/console/views", data=form, headers={"Origin": "https://x.example"}
    )
    assert foreign.status_code == 403
    view_id = re.findall(r"/console/views/(\w+)/delete", saved.text)[0]
    other = {"form_token": sign_in_as(served, "supervisor"), "address": QUEUE}
    assert "Old &lt;b&gt;" not in served.client.get("/console/queue").text
    address = f"/console/views/{view_id}/delete"
    assert served.client.post(address, data=other, headers=ORIGIN).status_code == 404
    own = other | {"form_token": sign_in_as(served, "reviewer")}
    assert "Old &lt;b&gt;" not in served.client.post(address, data=own, headers=ORIGIN).text
    events = served.services.audit_events.newest(EventFilter(object_kind="view"), 9)
    assert [(each.action, each.object_id) for each in events] == [
        ("delete_view", view_id),
        ("save_view", view_id),
    ]
    assert "Old" not in str(events)
