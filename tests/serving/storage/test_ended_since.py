"""A restore of a backup from before an erasure: nothing that was erased comes back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from serving.access.actors import Actor
from serving.audit.retention_log import RetentionAct
from serving.cli.main import app as tidegate
from serving.errors import Erased
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.tag import Tagging, tag_case
from serving.settings import Settings
from serving.storage.backup.backup_writer import write_backup
from serving.storage.backup.home_restore import Restored, RestoreRequest, restore_home
from serving.storage.engine import open_database
from serving.storage.newest_instants import newest_instants
from serving.storage.repositories.retention_repository import RetentionRepository
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.verification.log_verification import verify_decision_log
from tests.serving.audit.conftest import file_place
from tests.serving.audit.installation import LATER, PERIODS, Installation, seal
from tests.serving.canaries import decided, ended
from tests.serving.conftest import NOW
from tests.serving.people import reviewer
from tests.serving.review.cases.test_case_opening_worker import open_due
from tests.serving.storage.test_ship_journeys import decide

__all__ = ["file_place"]

BY = Actor("cli:1000@host", "ada")
SOON = LATER - timedelta(days=1)


def backed_up(home: Path) -> Path:
    archive = home.parent / "backup.tgz"
    write_backup(Settings(home=home), archive, BY, NOW)
    return archive


def restored(archive: Path, former: Path | None) -> tuple[Installation, Restored]:
    """The home that is made of it, and what was said."""
    settings = Settings(home=archive.parent / "new")
    before = Settings(home=former) if former else None
    found = restore_home(archive, settings, RestoreRequest(BY, "a drill", LATER, before))
    return Installation(settings), found


def wrapping_keys(home: Path) -> set[str]:
    return {file.name for file in (home / "keys" / "data").rglob("*.key")}


def test_what_was_erased_since_the_backup_is_erased_again_and_what_was_kept_is_there(
    file_place: Installation,
) -> None:
    home = file_place.settings.home
    with file_place.serving() as service:
        erased_id = decided(service)
        held_id = decided(service, shipment_id="canary-held")
        for case_id in (erased_id, held_id):
            ended(service, case_id)
    with file_place.serving(SOON) as service:
        newer_id = decided(service, shipment_id="canary-newer")
    for case_id in (erased_id, held_id):
        seal(file_place, case_id)
    archive, wrapped_under = backed_up(home), wrapping_keys(home)
    file_place.retention().hold("shipment", "canary-held", "ada", "a court asks", SOON)
    certificate = file_place.erased()

    new, found = restored(archive, home)

    assert found.ended.erased is not None
    assert vars(found.ended.erased) == certificate["destroyed"]
    with pytest.raises(Erased):
        new.record(erased_id)
    for staying in (held_id, newer_id):
        assert new.record(staying) == file_place.record(staying)
    assert wrapping_keys(new.settings.home).isdisjoint(wrapped_under)
    assert [act.action for act in new.retention().acts.all()] == ["hold", "erase_again"]
    for file in (home / "records").iterdir():
        assert (new.settings.records / file.name).read_bytes() == file.read_bytes()
    for accounts in (home / "accounts", new.settings.accounts_of_cases):
        assert [account.name for account in accounts.iterdir()] == [held_id]
    engine = new.engine()
    assert (verify_decision_log(engine).is_whole, verify_audit_log(engine).is_whole) == (True, True)
    with engine.connect() as connection:
        left = text("SELECT count(*) FROM answers WHERE decision_id = :id")
        assert connection.scalar(left, {"id": erased_id}) == 0


@pytest.fixture
def small_home(tmp_path: Path) -> Path:
    """A home with a database in which somebody is held; nothing serves it."""
    home = tmp_path / "home"
    acts_of(home).append(act("hold", {"subject_kind": "shipment", "subject": "first"}))
    return home


def acts_of(home: Path) -> RetentionRepository:
    return RetentionRepository(open_database(home / "tidegate.db", is_service=False))


def act(action: str, details: dict[str, object], day: int = 1) -> RetentionAct:
    at = NOW + timedelta(days=day)
    return RetentionAct(at.isoformat(), action, "ada", "so", details)  # type: ignore[arg-type]  # one of the actions


def test_masking_and_holds_are_as_they_were(small_home: Path) -> None:
    archive, before = backed_up(small_home), acts_of(small_home)
    before.append(act("mask", {"before": "2026-05-01"}, 2))
    before.append(act("hold", {"subject_kind": "shipment", "subject": "second"}, 3))
    before.append(act("lift", {"hold": 1}, 4))

    new, found = restored(archive, small_home)

    acts = new.retention().acts
    assert acts.masked_before() == "2026-05-01"
    assert [each.details["subject"] for each in acts.holds()] == ["second"]
    assert [each.action for each in found.ended.acts] == ["mask", "hold", "lift"]


def test_what_was_masked_since_is_found_by_nothing_and_what_is_held_since_is(
    file_place: Installation,
) -> None:
    with file_place.serving() as service:
        names = ("canary-masked", "canary-held")
        case_ids = {name: decided(service, shipment_id=name) for name in names}
        for case_id in case_ids.values():
            tagging = Tagging.from_texts(add=["Tobacco"])
            tag_case(ActRequest(service.services.cases, reviewer("one"), case_id, NOW), tagging)
    decide(file_place.engine(), "J-masked")
    archive, home = backed_up(file_place.settings.home), file_place.settings.home
    before = file_place.retention()
    before.hold("shipment", "canary-held", "ada", "a court asks", SOON)
    before.mask("ada", "daily", SOON)

    new, _ = restored(archive, home)

    held = {case_ids["canary-held"]}
    for place in (file_place, new):
        assert found_by(place, "case_terms") == found_by(place, "case_tags") == held
        with place.engine().connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM ship_journeys")) == 0


def found_by(place: Installation, table: str) -> set[str]:
    """The cases that rows of a table find."""
    with place.engine().connect() as connection:
        return {*connection.scalars(text(f"SELECT case_id FROM {table}"))}


def test_what_was_masked_and_is_held_since_is_looked_at_to_be_found_again(
    file_place: Installation,
) -> None:
    with file_place.serving() as service:
        case_id = decided(service)
        open_due(service.services.cases, NOW)
    before = file_place.retention()
    before.mask("ada", "daily", SOON)
    archive = backed_up(file_place.settings.home)
    before.hold("shipment", "canary-shipment", "ada", "a court asks", SOON)

    new, _ = restored(archive, file_place.settings.home)

    with new.serving(LATER) as service:
        open_due(service.services.cases, LATER)
    assert found_by(new, "case_terms") == {case_id}


def test_what_a_wrong_clock_dated_stays_overruled_and_of_its_day(small_home: Path) -> None:
    archive, before = backed_up(small_home), acts_of(small_home)
    dated = {"stated": "2026-05-02", "overruled": {"decision": "2036-05-02T10:00:00+00:00"}}
    before.append(act("overrule", dated, 2))

    new, found = restored(archive, small_home)

    (carried,) = new.retention().acts.all("overrule")
    assert (carried.at, carried.details) == (act("overrule", dated, 2).at, dated)
    assert [each.action for each in found.ended.acts] == ["overrule"]
    assert verify_audit_log(new.engine()).is_whole


def test_an_older_home_than_the_backup_takes_nothing_back(small_home: Path) -> None:
    older = restored(backed_up(small_home), None)[0].settings.home
    older = older.rename(older.with_name("older"))
    acts_of(small_home).append(act("mask", {"before": "2026-05-01"}, 2))
    (small_home.parent / "backup.tgz").unlink()

    new, found = restored(backed_up(small_home), older)

    assert new.retention().acts.masked_before() == "2026-05-01"
    assert found.ended.acts == ()


def restore(archive: Path, *given: str) -> str:
    new = str(archive.parent / "new")
    done = CliRunner().invoke(tidegate, ["restore", str(archive), "--home", new, *given])
    assert done.exit_code == 0, done.exception
    return " ".join(done.output.split())


def test_where_nobody_knows_what_was_erased_what_is_over_is_masked_and_proposed(
    small_home: Path,
) -> None:
    (small_home / "retention.toml").write_text(PERIODS)
    today = datetime.now(UTC).date()

    told = restore(backed_up(small_home), "--today", today.isoformat())

    acts = acts_of(small_home.parent / "new")
    assert acts.masked_before() == (today - timedelta(days=180)).isoformat()
    (proposal,) = acts.all("propose")
    assert f"tidegate retention erase {proposal.number} --by" in told


def test_a_clock_that_nobody_vouches_for_prepares_nothing_and_the_words_say_so(
    small_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (small_home / "retention.toml").write_text(PERIODS)
    long_ago = {"decision": NOW - timedelta(days=99)}
    monkeypatch.setattr("serving.storage.newest_instants.newest_instants", lambda *_: long_ago)

    told = restore(backed_up(small_home))

    assert "--today" in told
    assert acts_of(small_home.parent / "new").all("mask", "propose") == []


def test_the_clock_of_a_restore_does_not_vouch_for_itself(small_home: Path) -> None:
    archive = backed_up(small_home)

    new, _ = restored(archive, None)

    assert LATER not in newest_instants(new.engine(), []).values()
