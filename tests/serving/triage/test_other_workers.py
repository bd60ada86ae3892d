"""What other workers placed, read from a real log: each once, and nothing of one's own twice."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from serving.audit.logged_decision import LoggedDecision, StoredAnswer
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.placement_repository import PlacementRepository
from serving.triage.other_workers import (
    POLL_INTERVAL_S,
    READ_AT_START,
    OtherWorkers,
    recent_placement,
)
from serving.triage.placement_log import LoggedPlacement
from serving.triage.recent_load import RecentLoad, RecentPlacement
from tests.serving.databases import database

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Shared:
    """A database that workers share."""

    def __init__(self, folder: Path) -> None:
        self.engine = database(folder / "log.db")
        self.log = DecisionRepository(self.engine)
        self.placed_log = PlacementRepository(self.engine)
        self.count = 0

    def append(
        self, subject_id: str, at: datetime = AT, kind: str = "shipment", **logged: Any
    ) -> None:
        """A decision that inspects a subject of the office A."""
        self.count += 1
        decision = LoggedDecision(
            decision_id=f"d-{self.count}",
            scored_at=at.isoformat(),
            subject_kind=kind,
            subject_id=subject_id,
            office_id="A",
            caller_id="caller",
            lane="inspect",
            probability=0.5,
            record="{}",
            **logged,
        )
        key = f"k-{self.count}"
        answer = StoredAnswer("caller", key, "digest", decision.decision_id, at.isoformat(), b"")
        self.log.append([(decision, answer)])

    def others(self, **settings: Any) -> OtherWorkers:
        return OtherWorkers(self.placed_log, AT, **({"poll_interval_s": 0.0} | settings))


@pytest.fixture
def shared(tmp_path: Path) -> Shared:
    return Shared(tmp_path)


def taken(recent: RecentLoad) -> int:
    """How many a memory has in the lane of inspection."""
    return recent.workday("A", "inspect", 10, AT).taken


def test_a_row_is_remembered_as_what_it_says() -> None:
    row = LoggedPlacement(7, "route", "J-1", "A", AT.isoformat(), None, "manual")

    assert recent_placement(row) == RecentPlacement("route", "A", AT, None, "manual")


def test_what_ranked_a_subject_is_remembered_where_harm_was_weighed(shared: Shared) -> None:
    assert recent_placement(
        LoggedPlacement(7, "route", "J-1", "A", AT.isoformat(), 0.5, "inspect", ranked_by=1.25)
    ) == (RecentPlacement("route", "A", AT, 1.25, "inspect"))
    for lasting in ({}, {"ranked_by": 1.25}):
        shared.append("S-1", lasting=lasting)

    rows = shared.placed_log.after(0)

    assert [row.ranked_by for row in rows] == [None, 1.25]
    assert shared.placed_log.since(AT) == rows
    assert [recent_placement(row).ranked_by for row in rows] == [0.5, 1.25]


def test_a_memory_begins_with_fourteen_whole_days_and_what_came_before_them(
    shared: Shared,
) -> None:
    assert timedelta(days=15) == READ_AT_START
    for age in (READ_AT_START + timedelta(seconds=1), READ_AT_START, timedelta(0)):
        shared.append("S-1", AT - age)

    others = shared.others()

    assert [each.at for each in others.recent_placements()] == [AT - READ_AT_START, AT]
    assert others.recent_placements() == []


def test_what_a_memory_began_with_is_not_read_again(shared: Shared) -> None:
    shared.append("S-1")
    others = shared.others()
    recent = RecentLoad.of_placements(others.recent_placements())

    others.count_into(recent)

    assert taken(recent) == 1


def test_what_was_there_before_is_not_read_where_no_memory_began_with_it(shared: Shared) -> None:
    shared.append("S-1", AT - timedelta(days=20))
    others, recent = shared.others(), RecentLoad()
    assert others.recent_placements() == []

    others.count_into(recent)

    assert recent.scores("shipment", "A") is None
    assert taken(recent) == 0


def test_what_others_place_is_read_once(shared: Shared) -> None:
    others, recent = shared.others(), RecentLoad()
    for number in (1, 2, 3):
        shared.append(f"S-{number}")
        others.count_into(recent)
        others.count_into(recent)
        assert taken(recent) == number


def test_an_own_placement_is_not_counted_when_the_log_tells_of_it(shared: Shared) -> None:
    others, recent = shared.others(), RecentLoad()
    others.record_own("shipment", "S-1", AT)
    shared.append("S-1")
    others.count_into(recent)
    assert taken(recent) == 0

    shared.append("S-1")
    others.count_into(recent)
    assert taken(recent) == 1


def test_the_first_placement_in_an_empty_log_is_counted(shared: Shared) -> None:
    others, recent = shared.others(), RecentLoad()
    assert others.recent_placements() == []

    shared.append("S-1")
    others.count_into(recent)

    assert taken(recent) == 1


def test_own_placements_that_the_log_told_of_make_room_for_others(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.triage.other_workers.MAX_AWAITED", 2)
    others, recent = shared.others(), RecentLoad()
    others.record_own("shipment", "S-1", AT)
    shared.append("S-1")
    others.count_into(recent)

    for subject_id in ("S-2", "S-3"):
        others.record_own("shipment", subject_id, AT)
    for subject_id in ("S-2", "S-3"):
        shared.append(subject_id)
    others.count_into(recent)

    assert taken(recent) == 0


def test_of_three_alike_two_of_which_are_own_one_is_counted(shared: Shared) -> None:
    others, recent = shared.others(), RecentLoad()
    for _ in range(2):
        others.record_own("shipment", "S-1", AT)
    for _ in range(3):
        shared.append("S-1")

    others.count_into(recent)

    assert taken(recent) == 1


@pytest.mark.parametrize(
    ("kind", "subject_id", "at"),
    [
        ("route", "S-1", AT),
        ("shipment", "S-2", AT),
        ("shipment", "S-1", AT + timedelta(microseconds=1)),
    ],
)
def test_another_kind_subject_or_instant_is_not_ones_own(
    shared: Shared, kind: str, subject_id: str, at: datetime
) -> None:
    others, recent = shared.others(), RecentLoad()
    others.record_own("shipment", "S-1", AT)

    shared.append(subject_id, at, kind)
    others.count_into(recent)

    assert taken(recent) == 1


def test_the_log_is_read_when_its_time_has_come_and_not_before(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now_s=0.0)
    monkeypatch.setattr(
        "serving.triage.other_workers.time", SimpleNamespace(monotonic=lambda: clock.now_s)
    )
    others, recent = shared.others(poll_interval_s=0.25), RecentLoad()
    seen = []
    for number, now_s in enumerate((0.0, 0.125, 0.25, 0.375, 0.625)):
        shared.append(f"S-{number}")
        clock.now_s = now_s
        others.count_into(recent)
        seen.append(taken(recent))

    assert seen == [1, 1, 3, 3, 5]
    assert POLL_INTERVAL_S == 0.2


def test_where_the_log_fails_what_is_known_has_to_do(shared: Shared) -> None:
    others, recent = shared.others(), RecentLoad()
    shared.append("S-1")
    others.count_into(recent)
    with shared.engine.begin() as connection:
        connection.execute(text("ALTER TABLE decisions RENAME TO gone"))

    others.count_into(recent)

    assert taken(recent) == 1


def test_placements_that_were_never_logged_are_not_waited_for_without_end(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.triage.other_workers.MAX_AWAITED", 2)
    others, recent = shared.others(), RecentLoad()
    for number in (1, 2, 3):
        others.record_own("shipment", f"S-{number}", AT)
    for number in (1, 2, 3):
        shared.append(f"S-{number}")

    others.count_into(recent)

    assert taken(recent) == 2


def test_as_many_are_waited_for_as_may_be(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.triage.other_workers.MAX_AWAITED", 2)
    others, recent = shared.others(), RecentLoad()
    for number in (1, 2):
        others.record_own("shipment", f"S-{number}", AT)
        shared.append(f"S-{number}")

    others.count_into(recent)
    assert taken(recent) == 0

    # What came in the log is waited for no more, and makes room.
    for number in (3, 4):
        others.record_own("shipment", f"S-{number}", AT)
        shared.append(f"S-{number}")
    others.count_into(recent)
    assert taken(recent) == 0
