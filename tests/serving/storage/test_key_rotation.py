"""API keys give way to others: both live for a while, and the holder stays who it is."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from serving.access.actors import Actor
from serving.access.api_keys import ApiKey, new_key
from serving.access.callers import Caller
from serving.access.errors import NameTaken
from serving.cli.main import app as tidegate
from serving.errors import NotFound
from serving.settings import Settings
from serving.storage.repositories.api_key_repository import ApiKeyRepository
from serving.storage.tables.audit import audit_events
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.databases import database

WEEK = timedelta(days=7)
BY = Actor("cli:1000@host", "ada")


@pytest.fixture
def register(where: Path | str) -> ApiKeyRepository:
    return ApiKeyRepository(database(where))


def made(register: ApiKeyRepository, days: int | None = None) -> ApiKey:
    end = NOW + timedelta(days=days) if days else None
    kept, _ = new_key("border-a", ("score",), ("DE1",), NOW, end, ("risk_assessment",))
    register.add_key(kept)
    return kept


def test_both_keys_live_until_the_overlap_is_over(register: ApiKeyRepository) -> None:
    former = made(register)

    fresh, _ = register.rotate("border-a", NOW, BY, overlap=WEEK)

    old, new = register.find(former.key_id), register.find(fresh.key_id)
    assert old is not None
    assert new is not None
    just_before, just_after = NOW + WEEK - timedelta(seconds=1), NOW + WEEK
    assert (old.is_live(just_before), new.is_live(just_before)) == (True, True)
    assert (old.is_live(just_after), new.is_live(just_after)) == (False, True)


def test_the_holder_is_the_same_caller_through_every_rotation(register: ApiKeyRepository) -> None:
    first = made(register)
    second, _ = register.rotate("border-a", NOW, BY, overlap=WEEK)
    third, _ = register.rotate("border-a", NOW, BY, overlap=WEEK)

    callers = {Caller.from_api_key(key) for key in register.all()}

    assert len({first.key_id, second.key_id, third.key_id}) == 3
    assert len({key.secret_sha256 for key in register.all()}) == 3
    assert callers == {Caller.from_api_key(first)}


def test_a_rotation_never_makes_a_key_live_longer(register: ApiKeyRepository) -> None:
    former = made(register, days=3)

    fresh, _ = register.rotate("border-a", NOW, BY, overlap=WEEK)

    old = register.find(former.key_id)
    assert old is not None
    assert old.expires_at == former.expires_at
    assert fresh.expires_at == NOW + timedelta(days=3)


def test_no_key_comes_of_one_that_has_ended_or_never_was(register: ApiKeyRepository) -> None:
    with pytest.raises(NotFound):
        register.rotate("border-a", NOW, BY, overlap=WEEK)
    made(register, days=3)
    with pytest.raises(NotFound):
        register.rotate("border-a", NOW + WEEK, BY, overlap=WEEK)
    register.revoke("border-a", NOW)
    with pytest.raises(NotFound):
        register.rotate("border-a", NOW, BY, overlap=WEEK)


def test_revoking_a_name_ends_every_key_of_it(register: ApiKeyRepository) -> None:
    made(register)
    register.rotate("border-a", NOW, BY, overlap=WEEK)

    register.revoke("border-a", NOW)

    assert not any(key.is_live(NOW) for key in register.all())


def test_a_name_with_a_current_key_is_taken(register: ApiKeyRepository) -> None:
    made(register)
    register.rotate("border-a", NOW, BY, overlap=WEEK)

    with pytest.raises(NameTaken, match="keys rotate"):
        made(register)


def test_a_rotation_is_in_the_audit_log(register: ApiKeyRepository) -> None:
    former = made(register)
    fresh, shown = register.rotate("border-a", NOW, BY, overlap=WEEK)

    with register._engine.connect() as connection:
        (event,) = connection.execute(
            select(audit_events).where(audit_events.c.action == "rotate_key")
        )
    assert (event.actor, event.object_id) == (BY.identity, former.key_id)
    assert event.details["key_id"] == fresh.key_id
    assert shown.secret not in repr(event.details)


def test_the_last_use_is_noted_to_the_hour(register: ApiKeyRepository) -> None:
    key = made(register)
    assert register.last_uses() == {}

    for minutes in (0, 30, 59, 61):
        register.note_use(key.key_id, NOW + timedelta(minutes=minutes))
        if minutes < 60:
            assert register.last_uses() == {key.key_id: NOW}

    assert register.last_uses() == {key.key_id: NOW + timedelta(minutes=61)}


def test_a_retry_with_the_new_key_gets_the_answer_to_the_old_one(service: Service) -> None:
    kept, shown = new_key("border-a", ("score",), (), NOW)
    service.services.api_keys.add_key(kept)
    first = service.score(shipment(), {"Authorization": f"Bearer {shown}"}, key="same")
    _, other = service.services.api_keys.rotate("border-a", NOW, BY, overlap=WEEK)

    again = service.score(shipment(), {"Authorization": f"Bearer {other}"}, key="same")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert set(service.services.api_keys.last_uses()) == {kept.key_id, other.key_id}


def test_the_commands_rotate_and_say_what_ends(tmp_path: Path) -> None:
    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(tidegate, [*arguments, "--home", str(tmp_path / "home")])
        assert done.exit_code == 0, (done.output, done.exception)
        return done

    def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(run("keys", "list", "--json").stdout)
        return found

    run("keys", "create", "border-a", "--scope", "score", "--days", "10", "--json")
    assert "ends in 9 days: rotate it" in run("keys", "list").stdout
    (api_key,) = [
        each["says"]
        for each in json.loads(
            CliRunner()
            .invoke(
                tidegate, ["doctor", "--json", "--home", str(Settings(home=tmp_path / "home").home)]
            )
            .stdout
        )
        if each["what"] == "api key"
    ]
    assert "border-a ends in 9 days" in api_key

    run("keys", "rotate", "border-a", "--overlap-days", "2", "--days", "90", "--json")
    run("keys", "create", "border-b", "--scope", "score", "--days", "3")
    told = " ".join(run("keys", "rotate", "border-b", "--overlap-days", "7").output.split())
    own_end = next(each["expires_at"] for each in listed() if each["name"] == "border-b")
    assert f"lives until {own_end[:10]}" in told
    run("keys", "revoke", "border-b")
    run("keys", "create", "border-c", "--scope", "score")
    told = run("keys", "rotate", "border-c", "--overlap-days", "0").output
    assert "The former one has ended" in " ".join(told.split())
    run("keys", "revoke", "border-c")

    former, fresh = (each for each in listed() if each["name"] == "border-a")
    assert (former["ends_soon"], fresh["ends_soon"]) == (False, False)
    assert former["holder_id"] == fresh["holder_id"] == former["key_id"]
    assert "a newer key took its place; ends in 1 days" in run("keys", "list").stdout


@pytest.mark.parametrize(
    ("key", "days", "says"),
    [
        ("log", 7, "start all services again before"),
        ("log", 0, "start all services again at once"),
        ("draws", 7, "start all services again: until then each uses"),
        ("pseudonyms", 7, "start all services again: until then each uses"),
        ("subjects", 7, "No service must start again"),
        ("wrapping", 7, "No service must start again"),
        ("signing", 7, "Services go on"),
    ],
)
def test_a_rotation_says_whether_services_must_start_again(
    tmp_path: Path, key: str, days: int, says: str
) -> None:
    home = ["--home", str(tmp_path / "home")]
    assert CliRunner().invoke(tidegate, ["init", *home]).exit_code == 0

    done = CliRunner().invoke(tidegate, ["rotate-key", key, "--overlap-days", str(days), *home])

    assert done.exit_code == 0, done.exception
    assert says in " ".join(done.output.split())
