"""Keys of a home that are rotated: what the former one signed or wrapped is proven as before."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from features.errors import KeyMissing, TidegateError
from features.home_keys import (
    KEY_FILES,
    LOG,
    PSEUDONYMS,
    SIGNING,
    keys_in_pem,
    make_keys,
    private_key,
    public_pem,
    read_key,
)
from features.signed_documents import is_signature
from serving.access.actors import Actor
from serving.access.pseudonyms import Pseudonyms
from serving.errors import LogUnavailable
from serving.integrity.audit_log import AuditEvent
from serving.integrity.checkpoints import public_key_of, public_keys_of
from serving.integrity.log_check import check_log
from serving.integrity.witness_comparison import WitnessReadings
from serving.storage.engine import open_database
from serving.storage.keys.data_keys import DataKeys
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.keys.key_rotation import ROTATED, rotate_key, trusted_log_keys
from serving.storage.repositories.audit_repository import AuditRepository
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.database_identity import InstallationRepository
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.tables.audit import audit_events
from serving.storage.tables.keys import installation_keys
from tests.counts import count
from tests.kills import is_killed_at
from tests.serving.conftest import NOW
from tests.serving.databases import database, keys_of
from tests.serving.storage.test_engines import entry

BY, WEEK = Actor("cli:1000@host", "ada"), timedelta(days=7)


def rotated(where: Path | str, name: str) -> None:
    engine = database(where)
    rotate_key(engine, keys_of(where), name, BY, at=NOW, overlap=WEEK)
    engine.dispose()


@pytest.mark.parametrize("name", ROTATED)
def test_a_rotated_key_is_another_and_the_database_knows_it(where: Path | str, name: str) -> None:
    database(where).dispose()
    before = read_key(keys_of(where), name)

    rotated(where, name)

    assert read_key(keys_of(where), name) != before
    known = InstallationRepository(database(where)).all_keys()
    former, current = [each for each in known if each.name == name]
    assert (former.retires_at, current.retires_at) == ((NOW + WEEK).isoformat(), None)
    assert current.adopted_by == former.fingerprint
    with database(where).connect() as connection:
        (event,) = connection.execute(
            select(audit_events).where(audit_events.c.action == "rotate_key")
        )
    assert (event.action, event.object_id, event.actor) == ("rotate_key", name, BY.identity)
    assert before.hex() not in repr(event.details) + repr(known)


@pytest.mark.parametrize("name", ROTATED)
def test_the_former_key_is_refused_where_it_comes_back(where: Path | str, name: str) -> None:
    database(where).dispose()
    before = read_key(keys_of(where), name)
    rotated(where, name)
    (keys_of(where) / KEY_FILES[name]).write_bytes(before)

    with pytest.raises(TidegateError, match=KEY_FILES[name]):
        database(where)


def grow(where: Path | str) -> CheckpointRepository:
    """Let there be something that no checkpoint speaks of."""
    engine = database(where)
    AuditRepository(engine).append(AuditEvent(NOW, BY, "read", "queue", "all"))
    return CheckpointRepository(engine)


def test_old_checkpoints_verify_by_the_key_that_signed_them(where: Path | str) -> None:
    database(where).dispose()
    keys = keys_of(where)
    noted = public_key_of(keys)
    grow(where).seal(private_key(keys, LOG), NOW)
    for _ in range(2):
        rotated(where, LOG)
        grow(where).seal(private_key(keys, LOG), NOW)

    assert len(public_key_of(keys).splitlines()) == 3
    for trusted in (public_key_of(keys), trusted_log_keys(database(where), noted)):
        by_id = {line[:16]: line for line in trusted.splitlines()}
        check = check_log(CheckpointRepository(database(where)), [], by_id, by_newest=False)
        assert (check.why, check.verdict.checked) == (None, 3)


def test_nothing_signed_by_a_former_key_counts_after_its_end(where: Path | str) -> None:
    database(where).dispose()
    keys = keys_of(where)
    former = private_key(keys, LOG)
    rotated(where, LOG)
    newest = grow(where).seal(former, NOW + WEEK - timedelta(seconds=1))
    assert newest is not None

    with pytest.raises(LogUnavailable, match="signs this log no more"):
        grow(where).seal(former, NOW + WEEK)
    late = replace(newest, signed_at=(NOW + WEEK).isoformat()).signed(former)
    testimonies = WitnessReadings(public_keys_of(keys))
    testimonies.add("a witness", [newest.as_json(), late.as_json()])
    (contradiction,) = testimonies.contradictions
    assert "line 2 was not signed by this log's key" in contradiction.why


def test_a_key_of_nobody_signs_no_checkpoint(where: Path | str, tmp_path: Path) -> None:
    make_keys(tmp_path / "other" / "keys")
    stranger = private_key(tmp_path / "other" / "keys", LOG)

    with pytest.raises(LogUnavailable, match="signs this log no more"):
        grow(where).seal(stranger, NOW)


def test_an_adoption_that_was_forged_leads_to_no_key(where: Path | str, tmp_path: Path) -> None:
    keys = keys_of(where)
    database(where).dispose()
    noted = public_key_of(keys)
    rotated(where, LOG)
    with database(where).begin() as connection:
        (row,) = connection.execute(
            select(installation_keys).where(installation_keys.c.adoption.is_not(None))
        )
        forged = {**json.loads(row.adoption), "at": "2020-01-01T00:00:00+00:00"}
        connection.execute(
            update(installation_keys)
            .where(installation_keys.c.fingerprint == row.fingerprint)
            .values(adoption=json.dumps(forged))
        )

    assert row.public_key not in trusted_log_keys(database(where), noted)


def test_models_sealed_by_a_former_key_verify_and_a_strangers_do_not(
    where: Path | str, tmp_path: Path
) -> None:
    keys = keys_of(where)
    database(where).dispose()
    former = private_key(keys, SIGNING).sign(b"manifest")
    rotated(where, SIGNING)
    current = private_key(keys, SIGNING).sign(b"manifest")
    public = keys_in_pem((keys / "signing.pub").read_bytes())

    for signature in (former, current):
        assert is_signature(signature, b"manifest", public)
        assert not is_signature(signature, b"another", public)
    stranger = private_key(tmp_path / "other" / "keys", SIGNING)
    assert not is_signature(stranger.sign(b"manifest"), b"manifest", public)


def test_a_public_key_that_somebody_added_is_gone_at_the_next_opening(
    where: Path | str, tmp_path: Path
) -> None:
    database(where).dispose()
    file = keys_of(where) / "signing.pub"
    before = file.read_bytes()
    stranger = private_key(tmp_path / "other" / "keys", SIGNING)
    file.write_bytes(before + public_pem(stranger.public_key()))

    database(where).dispose()

    assert file.read_bytes() == before


def test_former_names_of_a_party_are_led_back(where: Path | str) -> None:
    database(where).dispose()
    names = [Pseudonyms.kept_in(keys_of(where)).of("P-1")]
    for _ in range(2):
        rotated(where, PSEUDONYMS)
        names.insert(0, Pseudonyms.kept_in(keys_of(where)).of("P-1"))

    assert len(set(names)) == 3
    assert Pseudonyms.kept_in(keys_of(where)).every_name_of("P-1") == tuple(names)


def test_every_data_key_is_wrapped_anew_and_the_former_wrapping_key_is_gone(
    where: Path | str,
) -> None:
    log = DecisionRepository(database(where))
    log.append([entry(1)])
    wrapping = DataKeys(log._engine).wrapping
    (before,) = wrapping.ids()

    DatabaseErasure(log._engine).rewrap(rewrapping())

    (after,) = wrapping.ids()
    assert after != before
    assert DecisionRepository(database(where)).record("d-1") == "record 1"


def rewrapping() -> AuditEvent:
    return AuditEvent(NOW, BY, "rotate_key", "key", "wrapping")


@pytest.mark.faults
@pytest.mark.parametrize("name", [*ROTATED, "wrapping"])
def test_a_rotation_that_is_killed_at_any_call_is_finished_or_never_was(
    tmp_path: Path, name: str
) -> None:
    def act(where: Path) -> Callable[[], None]:
        if name != "wrapping":
            return lambda: rotated(where, name)
        return lambda: DatabaseErasure(database(where)).rewrap(rewrapping())

    for number in range(1, 1_000, count(13, 1)):
        where = tmp_path / f"{name}-{number}" / "tidegate.db"
        first = open_database(where, is_service=False)
        DecisionRepository(first).append([entry(1)])
        first.dispose()
        was_killed = is_killed_at(number, act(where))
        engine = database(where)
        assert DecisionRepository(engine).record("d-1") == "record 1"
        grow(where).seal(private_key(keys_of(where), LOG), NOW)
        act(where)()
        engine = database(where)
        assert DecisionRepository(engine).record("d-1") == "record 1"
        check = check_log(
            CheckpointRepository(engine), [], public_keys_of(keys_of(where)), by_newest=False
        )
        assert (check.why, check.verdict.checked) == (None, 1)
        if not was_killed:
            break

    assert number > 10


def test_a_key_that_was_lost_is_not_rotated(where: Path | str) -> None:
    database(where).dispose()
    (keys_of(where) / KEY_FILES[LOG]).unlink()

    with pytest.raises(KeyMissing):
        rotated(where, LOG)


def test_a_host_that_missed_a_rotation_is_told_to_copy_the_keys_anew(tmp_path: Path) -> None:
    first, second = tmp_path / "first" / "keys", tmp_path / "second" / "keys"
    engine = open_database(tmp_path / "log.db", is_service=False, keys=first)
    shutil.copytree(first.parent, second.parent)
    rotate_key(engine, first, LOG, BY, at=NOW, overlap=NOW - NOW)
    engine.dispose()

    with pytest.raises(TidegateError, match=r"is a former key .* Copy HOME/keys anew"):
        open_database(tmp_path / "log.db", is_service=False, keys=second)
