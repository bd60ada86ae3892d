"""A clock that falls back or runs ahead makes nothing old; what it dated is listed and kept."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from serving.access.acting import begin_acting
from serving.access.actors import Actor
from serving.audit.erasure import RetainedUnits
from serving.audit.errors import RetentionRefused
from serving.audit.logged_decision import LoggedDecision, StoredAnswer
from serving.audit.retention_periods import RetentionCutoffs
from serving.storage.keys.key_destruction import DatabaseErasure
from serving.storage.log_times import TOLERANCE, logged_at
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.verification.log_verification import verify_decision_log
from serving.storage.verification.outline_comparison import OutlineComparison
from tests.counts import count
from tests.serving.audit.installation import LATER, Installation
from tests.serving.canaries import decided, ended
from tests.serving.conftest import NOW, Service
from tests.serving.databases import database

TEN_YEARS = timedelta(days=3_653)
SOON = NOW + timedelta(hours=1)
AFTER = "2026-11-24T12:00:00+00:00"


@pytest.fixture(autouse=True)
def by_command(nobody_acts: None) -> None:
    """Commands end data."""
    begin_acting(Actor.from_command_line())


def closed(service: Service, **fields: str) -> str:
    """Close a case of a subject declared an hour before the service's clock, however wrong."""
    declared_at = (service.services.clock() - timedelta(hours=1)).isoformat()
    case_id = decided(service, declared_at=declared_at, **fields)
    ended(service, case_id)
    return case_id


def fallen_back(place: Installation, by: timedelta = TEN_YEARS) -> list[str]:
    """Three cases, closed: before the clock fell back, while it was behind, and after that."""
    cases = []
    for number, at in enumerate((NOW, NOW - by, NOW + timedelta(minutes=5))):
        with place.serving(at) as service:
            cases.append(closed(service, shipment_id=f"canary-{number}"))
    return cases


def rows(place: Installation, query: str) -> list[Any]:
    with place.engine().connect() as connection:
        return list(connection.execute(text(query)).all())


def is_masked(place: Installation, scored_at: datetime) -> bool:
    days = place.retention().acts.masked_days()
    return days.counted(scored_at.isoformat()) < days.before


def written_as_before_this_release(place: Installation) -> None:
    """Let rows be as a release wrote them that dated all by the clock alone."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("decision_repository", "message_repository", "saved_view_repository"):
            patch.setattr(f"serving.storage.repositories.{module}.logged_at", lambda *_: None)
        patch.setattr("serving.storage.encrypted_records.logged_at", lambda *_: None)
        patch.setattr("serving.storage.log_times.logged_at", lambda *_: None)
        fallen_back(place)


def test_the_time_of_the_log_never_goes_back_to_an_earlier_day_or_by_more_than_a_minute() -> None:
    at = datetime.fromisoformat(AFTER)
    for behind in (timedelta(0), TOLERANCE, -timedelta(days=9)):
        assert logged_at((at - behind).isoformat(), AFTER) is None
    for behind in (TOLERANCE + timedelta(microseconds=1), timedelta(days=1), TEN_YEARS):
        assert logged_at((at - behind).isoformat(), AFTER) == AFTER
    midnight = "2026-11-25T00:00:00.000001+00:00"
    assert logged_at("2026-11-24T23:59:59.999999+00:00", midnight) == midnight
    assert logged_at(AFTER, None) is None


def test_a_clock_that_fell_back_makes_no_key_of_an_earlier_day(place: Installation) -> None:
    fallen_back(place)

    days = {
        key_id[:-3] for (key_id,) in rows(place, "SELECT key_id FROM data_keys") if "/" in key_id
    }
    assert days == {"decisions/2026-11", "records/2026-11"}
    assert [
        row.counted >= "2026-11-24"
        for row in rows(place, "SELECT coalesce(logged_at, scored_at) AS counted FROM decisions")
    ] == [True] * 3
    assert all(row.opened_at >= "2026-11-24" for row in rows(place, "SELECT opened_at FROM cases"))
    assert rows(place, "SELECT 1 FROM decisions WHERE scored_at < '2017'")  # as it was answered


def test_what_a_clock_dated_that_fell_back_is_read_verified_and_replayed_as_any_other(
    place: Installation,
) -> None:
    _, behind, _ = fallen_back(place)

    with place.serving(SOON) as service:
        explaining = service.key("explain", "score")
        read = service.client.get(f"/v1/decisions/{behind}", headers=explaining)
        assert read.json()["subject_id"] == "canary-1"
        assert read.json()["scored_at"] == (NOW - TEN_YEARS).isoformat().replace("+00:00", "Z")
    record = place.record(behind)
    assert record is not None
    engine = place.engine()
    comparison = OutlineComparison.where_possible(engine, place.settings.keys)
    assert comparison is not None
    assert verify_decision_log(engine, compare=comparison).is_whole
    assert verify_audit_log(engine, keys=comparison.keys).is_whole


@pytest.mark.parametrize("write", [fallen_back, written_as_before_this_release])
def test_what_a_clock_dated_that_fell_back_is_neither_masked_by_one_person_nor_erased(
    place: Installation, write: Callable[[Installation], object]
) -> None:
    write(place)
    retention = place.retention()

    retention.mask("alpha", "daily", SOON)
    due = retention.due(retention.cutoffs(SOON.date()), SOON)
    number = retention.propose("alpha", "monthly", SOON)
    retention.erase(number, "beta", "as proposed", SOON)

    with place.serving(SOON) as service:
        scoring = service.key("score", "review")
        for (decision_id,) in rows(place, "SELECT decision_id FROM decisions"):
            read = service.client.get(f"/v1/decisions/{decision_id}", headers=scoring).json()
            assert read["subject_id"].startswith("canary-")
            case = service.client.get(f"/v1/cases/{decision_id}", headers=scoring)
            assert case.status_code == 200
            assert "canary" in case.text
    assert due.decisions == due.out_of_order
    assert not rows(place, "SELECT 1 FROM decisions WHERE encrypted IS NULL")
    received = rows(place, "SELECT kind, record_id FROM records WHERE kind = 'documents'")
    assert len(received) == 3
    with place.serving(SOON) as service:
        stored = [each for each in service.services.records.all() if each.kind == "documents"]
        assert len(stored) == 3


@pytest.mark.parametrize("write", [fallen_back, written_as_before_this_release])
def test_what_is_out_of_order_is_listed_until_it_is_overruled_and_then_counts_from_the_entry_before(
    place: Installation, write: Callable[[Installation], object]
) -> None:
    write(place)
    erasure = DatabaseErasure(place.engine())

    (wrong,) = [each for each in erasure.out_of_order(SOON) if each.log == "decisions"]
    assert (wrong.first, wrong.last, wrong.is_ahead, wrong.is_settled) == (2, 2, False, False)
    assert str(wrong) == (
        f"decision 2: dated {NOW - TEN_YEARS:%Y-%m-%d %H:%M}, after an entry of 2026-11-24 12:00"
    )
    assert any(each.log == "audit_events" for each in erasure.out_of_order(SOON))
    number = place.retention().overrule({}, "alpha", "the clock was set back", SOON)

    settled = erasure.out_of_order(SOON)
    assert all(each.is_settled for each in settled)
    with pytest.raises(RetentionRefused, match="none is out of order"):
        place.retention().overrule({}, "alpha", "again", SOON)
    (act,) = [each for each in place.retention().acts.all() if each.number == number]
    assert act.details["out_of_order"][0]["counts_from"] == AFTER
    place.retention().mask("alpha", "daily", SOON)
    assert not is_masked(place, NOW - TEN_YEARS)
    assert place.erased(SOON)["destroyed"]["decisions"] == 0
    place.retention().mask("alpha", "daily", LATER)
    assert is_masked(place, NOW - TEN_YEARS)
    assert place.erased(LATER)["destroyed"]["decisions"] == 3


def test_what_is_out_of_order_outlasts_its_period_until_two_persons_agreed(
    file_place: Installation,
) -> None:
    cases = fallen_back(file_place)

    assert file_place.erased(LATER)["destroyed"]["decisions"] == 2
    assert file_place.record(cases[1])


def test_what_a_clock_dated_that_ran_ahead_is_listed_and_binds_the_next_until_it_is_overruled(
    place: Installation,
) -> None:
    for number, at in enumerate((NOW, NOW + TEN_YEARS, NOW + timedelta(minutes=5))):
        with place.serving(at) as service:
            decided(service, shipment_id=f"canary-{number}")

    found = DatabaseErasure(place.engine()).out_of_order(SOON)
    assert [
        (each.first, each.last, each.is_ahead) for each in found if each.log == "decisions"
    ] == [(2, 3, True)]
    later = {"decision": NOW + TEN_YEARS}
    place.retention().overrule(later, "alpha", "the battery was empty", SOON)
    with place.serving(NOW + timedelta(minutes=6)) as service:
        decided(service, shipment_id="canary-again")

    counted = rows(place, "SELECT coalesce(logged_at, scored_at) FROM decisions ORDER BY seq")
    assert [at[:4] for (at,) in counted] == ["2026", "2036", "2036", "2026"]
    found = DatabaseErasure(place.engine()).out_of_order(SOON)
    assert all(each.is_settled for each in found if each.log == "decisions")


def test_several_workers_whose_clocks_differ_by_seconds_write_in_any_order(
    place: Installation,
) -> None:
    for seconds in (30, 0, 59, 1):
        with place.serving(NOW + timedelta(seconds=seconds)) as service:
            decided(service, shipment_id=f"canary-{seconds}")

    assert not DatabaseErasure(place.engine()).out_of_order(SOON)
    assert not rows(place, "SELECT 1 FROM decisions WHERE logged_at IS NOT NULL")


def test_another_worker_that_is_ahead_is_followed_within_one_transaction(
    file_place: Installation,
) -> None:
    """Two workers of one file: the first has not heard what the second wrote since."""
    with file_place.serving(NOW) as first:
        decided(first, shipment_id="canary-first")
        ahead = first.services.decisions
        assert ahead._newest == AFTER
        ahead._newest = None  # as of a worker that wrote nothing yet
        decided(first, shipment_id="canary-second")

    assert verify_decision_log(file_place.engine()).is_whole


def test_a_changed_time_of_the_log_is_found(file_place: Installation) -> None:
    fallen_back(file_place)
    engine = file_place.engine()
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER decisions_refuse_update"))
        connection.execute(text("UPDATE decisions SET logged_at = NULL WHERE seq = 2"))

    proof = verify_decision_log(engine)
    assert (proof.first_bad, proof.why) == (2, "the column logged_at does not repeat the record")


def test_a_service_that_starts_behind_its_log_says_so(file_place: Installation) -> None:
    with file_place.serving(NOW) as service:
        decided(service)
    for behind, modes in ((timedelta(minutes=2), ["clock_suspect"]), (timedelta(seconds=30), [])):
        with file_place.serving(NOW - behind) as service:
            assert service.client.get("/health/ready").json()["degraded"] == modes


@pytest.mark.faults
def test_whatever_a_clock_says_no_key_is_of_an_earlier_day_and_all_is_read(
    where: Path | str, lots: Random
) -> None:
    """Two workers whose clock jumps at random, each as it likes, between their transactions."""
    workers = [DecisionRepository(database(where)) for _ in range(2)]
    newest, at = "", NOW
    for number in range(count(25, 1_000)):
        jump = lots.choice((1, 30, 90, 86_400, 400 * 86_400)) * lots.choice((-1, 1, 1))
        at = min(at + timedelta(seconds=jump), NOW + TEN_YEARS)
        entries = [entry(f"d-{number}-{each}", at) for each in range(lots.randrange(1, 4))]
        lots.choice(workers).append(entries)
        with workers[0]._engine.connect() as connection:
            counted = connection.execute(text(COUNTED)).all()
        for each in counted[-len(entries) :]:
            assert each.at[:10] >= newest[:10]
            newest = max(newest, each.at)

    engine = workers[0]._engine
    assert verify_decision_log(engine).is_whole
    assert len([record for record in workers[0].records() if record]) == len(counted)
    days = {each.at[:10] for each in counted}
    with engine.connect() as connection:
        keys = connection.scalars(text("SELECT key_id FROM data_keys")).all()
    assert {key.removeprefix("decisions/") for key in keys if key.startswith("decisions/")} == days
    due = RetentionCutoffs("2026-11-01", "2026-11-01", "2026-11-01", "2026-11-01").limits
    wrong = DatabaseErasure(engine).out_of_order(None)
    found = DatabaseErasure(engine).count_due(due, RetainedUnits(out_of_order=wrong))
    assert found.decisions == 0


COUNTED = "SELECT coalesce(logged_at, scored_at) AS at FROM decisions ORDER BY seq"


def entry(name: str, at: datetime) -> tuple[LoggedDecision, StoredAnswer]:
    scored_at = at.isoformat()
    row = LoggedDecision(name, scored_at, "shipment", "S", None, "c", "release", 0.1, name)
    return row, StoredAnswer("c", name, "digest", name, scored_at, b"answer")


@pytest.fixture
def lots() -> Random:
    return Random(44)
