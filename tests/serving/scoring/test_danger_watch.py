"""Time that passes shows danger to life by itself, and what a record shows waits for no rule."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select

from features.rescoring_rules import RescoringRules
from features.submission import Submission
from serving.app import create_app
from serving.audit.decision import Decision
from serving.audit.replay import replayed
from serving.audit.retention_log import RetentionAct
from serving.errors import LogUnavailable
from serving.request_parsing import read_submission
from serving.review.cases.case_of_decision import case_of_decision
from serving.review.cases.case_records import CaseAccess
from serving.scoring.rescoring import Rescoring
from serving.settings import Settings
from serving.storage.repositories.record_repository import RecordRepository
from serving.storage.repositories.rescoring_repository import RescoringRepository
from serving.storage.tables.review import cases
from serving.storage.tables.scoring import due_rescorings
from serving.storage.verification.log_verification import verify_decision_log
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.review.cases.stated import HELPED
from tests.serving.review.rescue.test_rescue_calls_served import SECRET, Station, station
from tests.serving.scoring.test_rescoring import STARTS, Tide, payment

OVERDUE_AT = datetime(2026, 11, 25, 13, 0, tzinfo=UTC)


class Overdue(Tide):
    """A service that is told the time, whose threads are off."""

    def __init__(self, service: Service, clock: list[datetime]):
        super().__init__(service)
        self.clock = clock

    def at(self, now: datetime) -> None:
        self.now = self.clock[0] = now

    def waiting(self) -> list[datetime]:
        with self.service.services.decisions._engine.connect() as connection:
            return [*connection.scalars(select(due_rescorings.c.due_at))]

    def first_due(self) -> str:
        """The subject that is scored next, were there time for one alone."""
        queue = self.service.services.rescoring.queue
        (waiting,) = queue.due(self.now, 1)
        earlier = queue.earlier(waiting)
        assert earlier is not None
        return earlier.newest.subject_id

    def call(self) -> None:
        calls = self.service.services.rescue_calls
        assert calls is not None
        calls.deliver_due()


@contextmanager
def started(
    home: Path, where: Path | str = "", to: Station | None = None, **changed: Any
) -> Iterator[Overdue]:
    clock = [NOW]
    changed.setdefault("arrivals_are_reported", True)
    settings = Settings(
        home=home,
        database_url=SecretStr(where) if isinstance(where, str) and where else None,
        rescue_webhook=to.address if to else None,
        rescue_secret=SecretStr(SECRET) if to else None,
        **changed,
    )
    app = create_app(settings, clock=lambda: clock[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serving.outbox.outbox.POLL_INTERVAL_S", 3600.0)
        with TestClient(app, raise_server_exceptions=False) as client:
            services = app.state.services
            services.rescoring.stop()
            yield Overdue(Service(client, services, home, posted=next(STARTS)), clock)


@pytest.fixture
def overdue(home: Path) -> Iterator[Overdue]:
    with started(home) as made:
        yield made


def heard(at: str, **changed: Any) -> dict[str, Any]:
    """A position of the journey near its way."""
    place = {"latitude": 38.2, "longitude": 26.1, "source": "ais"}
    return {"journey_id": "J-2", "observed_at": at, **place, **changed}


def arrived(at: str) -> dict[str, Any]:
    leg = {"journey_id": "J-2", "sequence": 1, "origin": "TRIZM", "destination": "GRPIR"}
    return {**leg, "departed_at": "2026-11-24T11:00:00Z", "arrived_at": at, "known_at": at}


def test_a_craft_of_which_nothing_is_heard_is_a_rescue_when_it_is_overdue_and_called(
    home: Path,
) -> None:
    with station() as to, started(home, to=to) as overdue:
        first = overdue.score(route())
        overdue.at(OVERDUE_AT - timedelta(seconds=1))
        assert overdue.run() == 0
        overdue.at(OVERDUE_AT)

        assert overdue.run() == 1
        overdue.at(OVERDUE_AT + timedelta(days=3))
        assert overdue.run() == 0
        overdue.call()

        assert first.lane != "rescue"
        again = overdue.decisions()[-1]
        assert (again.lane, again.lane_before, again.rescores) == (
            *("rescue", first.lane, first.decision_id),
        )
        assert again.because == ("time_passed",)
        assert again.as_of == OVERDUE_AT
        assert [signal.code for signal in again.danger_signals] == ["L07"]
        assert overdue.waiting() == []
        data = json.loads(to.heard[0][1])["data"]
        assert data["case_id"] == first.decision_id
        assert data["signal"] == "it is 3 hours overdue and was not heard since"


@pytest.mark.parametrize(
    ("records", "is_called"),
    [
        ({"positions": [heard("2026-11-25T10:30:00Z")]}, False),
        ({"legs": [arrived("2026-11-25T08:00:00Z")]}, False),
        ({"positions": [heard("2026-11-25T09:59:00Z")]}, True),  # before it was due
        ({"legs": [arrived("2026-11-25T08:00:00Z") | {"destination": "GRHER"}]}, True),
    ],
)
def test_what_becomes_known_since_cancels_the_alarm_if_it_says_that_they_live(
    overdue: Overdue, records: dict[str, Any], *, is_called: bool
) -> None:
    overdue.score(route())
    overdue.at(OVERDUE_AT - timedelta(hours=2))
    overdue.send(**records)
    overdue.run()
    overdue.at(OVERDUE_AT)
    overdue.run()

    assert ("rescue" in [one.lane for one in overdue.decisions()]) is is_called
    overdue.at(OVERDUE_AT + timedelta(days=9))
    overdue.run()
    assert overdue.waiting() == []


@pytest.mark.parametrize(
    ("heard_at", "is_called"),
    [(None, False), ("2026-11-24T09:59:00Z", False), ("2026-11-24T11:00:00Z", True)],
)
def test_where_arrivals_are_not_reported_silence_counts_of_whoever_was_heard_under_way(
    home: Path, heard_at: str | None, *, is_called: bool
) -> None:
    with started(home, arrivals_are_reported=False) as overdue:
        overdue.score(route())
        if heard_at:
            overdue.send(positions=[heard(heard_at)])
            overdue.run()
        overdue.at(OVERDUE_AT)
        overdue.run()

        assert (overdue.decisions()[-1].lane == "rescue") is is_called


def test_a_ship_and_a_shipment_are_watched_by_nobody(overdue: Overdue) -> None:
    overdue.score(route(conveyance_kind="container_ship", certified_capacity=20))
    on_a_boat = shipment()
    on_a_boat["journey"] |= {"conveyance_kind": "fishing_vessel"}
    overdue.score(on_a_boat)

    assert overdue.waiting() == []


def test_what_was_over_before_it_was_declared_here_is_no_alarm(overdue: Overdue) -> None:
    overdue.at(OVERDUE_AT + timedelta(days=200))
    overdue.score(route())
    assert overdue.waiting() == []
    overdue.send(positions=[heard("2026-11-24T14:00:00Z")])
    overdue.run()
    overdue.run()

    assert [one.lane for one in overdue.decisions() if one.lane == "rescue"] == []
    assert overdue.waiting() == []


def test_an_alarm_outlives_the_service_and_rules_that_score_nothing_again(home: Path) -> None:
    with started(home) as overdue:
        overdue.score(route())
    with started(home, max_rescores_per_subject=0) as overdue:
        overdue.rules = RescoringRules(most_per_subject=0)
        overdue.at(OVERDUE_AT + timedelta(days=1))
        assert overdue.run() == 1
        assert overdue.decisions()[-1].as_of == OVERDUE_AT


@pytest.mark.parametrize(
    ("signs", "waited", "is_called"),
    [
        ([], timedelta(days=14), True),
        ([], timedelta(days=14, seconds=1), False),
        ([heard("2026-11-24T11:00:00Z", is_distress=True)], timedelta(hours=1), True),
        ([heard("2026-11-24T11:00:00Z", is_distress=True)], timedelta(days=70), False),
    ],
)
def test_danger_that_waited_while_the_service_stood_still_is_heard_for_two_weeks_masked_or_not(
    home: Path, where: Path | str, signs: list[Any], waited: timedelta, *, is_called: bool
) -> None:
    with started(home, where) as overdue:
        overdue.score(route())
        if signs:
            overdue.send(positions=signs)
        mask_all(overdue)
        overdue.at((NOW if signs else OVERDUE_AT) + waited)

        assert overdue.run() == is_called
        assert (overdue.decisions()[-1].lane == "rescue") is is_called
        assert overdue.waiting() == []


def test_a_new_call_for_help_is_heard_though_an_older_one_waited_for_too_long(
    overdue: Overdue,
) -> None:
    overdue.score(route())
    overdue.send(positions=[heard("2026-11-24T11:00:00Z", is_distress=True)])
    overdue.at(NOW + timedelta(days=70))
    assert overdue.run() == 0
    overdue.send(positions=[heard("2027-02-02T11:00:00Z", is_distress=True)])

    assert overdue.run() == 1
    assert overdue.decisions()[-1].lane == "rescue"


def mask_all(tide: Tide) -> None:
    """Mask all that was decided, whatever the periods."""
    masking = tide.service.services.cases.masking
    act = RetentionAct(NOW.isoformat(), "mask", "ada", "so", {"before": "2027-01-01"})
    masking.acts.append(act)
    masking.read_again()


def test_an_alarm_is_raised_though_the_case_of_its_subject_ended(home: Path) -> None:
    with started(home, control_probability=0.999) as overdue:
        overdue.score(route())
        store = overdue.service.services.case_store
        store.open_new(case_of_decision)
        with store._engine.begin() as connection:
            connection.execute(cases.update().values(status="closed", owner="ada"))
        overdue.at(OVERDUE_AT)

        assert overdue.run() == 1
        assert overdue.decisions()[-1].lane == "rescue"


def test_a_call_for_help_waits_for_no_rule(overdue: Overdue) -> None:
    overdue.score(route())
    overdue.at(NOW + timedelta(minutes=1))
    overdue.send(positions=[heard("2026-11-24T12:00:30Z")])
    assert overdue.run() == 1
    overdue.send(positions=[heard("2026-11-24T12:00:40Z")])
    assert overdue.run() == 0, "what shows no danger waits for an hour"

    overdue.send(positions=[heard("2026-11-24T12:00:50Z", is_distress=True)])

    assert overdue.run() == 1
    again = overdue.decisions()[-1]
    assert again.lane == "rescue"
    assert "time_passed" not in again.because
    assert len(again.because) == 2
    assert again.as_of == datetime(2026, 11, 24, 12, 0, 50, 1, tzinfo=UTC)


def test_a_call_for_help_is_heard_whatever_the_clock_of_its_sender_says(overdue: Overdue) -> None:
    overdue.score(route())
    overdue.send(positions=[heard("2027-11-24T12:00:50Z", is_distress=True)])

    assert overdue.run() == 1
    assert overdue.decisions()[-1].as_of == NOW
    assert overdue.run() == 0


@pytest.mark.parametrize(
    "ahead",
    [
        route(declared_at="2026-11-24T13:00:00Z"),
        route(declared_at="2030-01-01T00:00:00Z", due_at="2030-02-01T00:00:00Z"),
        route(conveyance_kind="container_ship") | {"as_of": "2199-12-31T00:00:00Z"},
    ],
    ids=["declared in an hour", "declared in years", "scored as of a day to come"],
)
def test_a_call_for_help_waits_for_no_instant_that_lies_ahead_of_the_clock(
    overdue: Overdue, ahead: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:  # as an earlier release, or a wrong clock, took it
        earlier.setattr("serving.future_declarations.MAX_AHEAD", timedelta(days=365 * 200))
        first = overdue.score(ahead)
    overdue.at(NOW + timedelta(minutes=1))
    overdue.send(positions=[heard("2026-11-24T12:00:30Z", is_distress=True)])

    assert overdue.run() == 1
    again = overdue.decisions()[-1]
    assert (again.lane, again.rescores) == ("rescue", first.decision_id)
    assert [signal.code for signal in again.danger_signals] == ["L04"]
    assert overdue.run() == 0


def test_an_amendment_that_shows_danger_is_looked_at_though_it_is_known_years_ahead(
    overdue: Overdue,
) -> None:
    overdue.score(route())
    amended = {"version": 2, "known_at": "2030-01-01T00:00:00Z", "persons_on_board": 40}
    overdue.send(journeys=[route()["journey"] | amended])

    assert overdue.run() == 1
    assert overdue.decisions()[-1].lane == "rescue"


@pytest.mark.parametrize("is_together", [True, False])
def test_a_call_for_help_is_heard_beside_a_plain_position_of_the_same_instant(
    overdue: Overdue, *, is_together: bool
) -> None:
    overdue.score(route())
    overdue.at(NOW + timedelta(minutes=1))
    plain = heard("2026-11-24T12:00:30Z")
    call = plain | {"is_distress": True}
    sent = [[plain, call]] if is_together else [[plain], [call]]
    answers = [overdue.send(positions=each) for each in sent]
    overdue.run()

    assert [each["errors"] for each in answers] == [[]] * len(answers)
    assert overdue.decisions()[-1].lane == "rescue"


def test_whose_life_is_in_danger_is_scored_before_others_that_wait_longer(
    overdue: Overdue,
) -> None:
    for number in (2, 3):
        overdue.score(route(journey_id=f"J-{number}"))
    overdue.send(positions=[heard("2026-11-24T10:30:00Z")])
    overdue.at(NOW + timedelta(seconds=10))
    overdue.send(positions=[heard("2026-11-24T12:00:01Z", journey_id="J-3", is_distress=True)])

    assert overdue.run() == 2
    assert [one.subject_id for one in overdue.decisions()[2:]] == ["J-3", "J-2"]


def test_the_request_of_the_decision_before_is_not_read_for_each_record(overdue: Overdue) -> None:
    many = [heard(f"2026-11-24T11:{second // 60:02}:{second % 60:02}Z") for second in range(90)]
    overdue.score(route() | {"positions": many})
    overdue.send(positions=[heard("2026-11-24T11:30:00Z")])
    reads = []

    def counted(body: bytes) -> Submission:
        reads.append(body)
        return read_submission(body)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serving.audit.decision.read_submission", counted)
        assert overdue.run() == 1
    assert len(reads) < len(many) / 2


def test_routes_come_before_shipments_that_wait_longer(overdue: Overdue) -> None:
    overdue.score(shipment())
    overdue.score(route())
    overdue.send(transactions=[payment(2, "2026-11-24T11:00:00Z")])
    overdue.at(NOW + timedelta(seconds=10))
    overdue.send(positions=[heard("2026-11-24T12:00:01Z", is_distress=True)])

    due = overdue.service.services.rescoring.queue.due(overdue.now, 9)
    assert [one.subject_kind for one in due] == ["route", "shipment"]


def test_a_decision_by_alarm_is_replayed_and_the_log_is_whole(overdue: Overdue) -> None:
    overdue.score(route())
    overdue.at(OVERDUE_AT)
    overdue.run()

    champion = overdue.service.services.models.champion("route")
    assert replayed(overdue.decisions()[-1], champion).is_identical
    assert verify_decision_log(overdue.service.services.decisions._engine).is_whole


def test_of_several_workers_one_decides_over_an_alarm(home: Path, where: Path | str) -> None:
    with started(home, where) as overdue:
        for number in range(5):
            overdue.score(route(journey_id=f"J-{number}"))
        overdue.at(OVERDUE_AT)
        workers = [Thread(target=overdue.run) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        overdue.at(OVERDUE_AT + timedelta(hours=1))
        overdue.run()

        rescues = [one.subject_id for one in overdue.decisions() if one.lane == "rescue"]
        assert sorted(rescues) == [f"J-{number}" for number in range(5)]


class Killed(Exception):
    """The process ended here."""


def test_killed_at_any_step_each_alarm_is_decided_once(home: Path, where: Path | str) -> None:
    with started(home, where) as overdue:
        for number in range(3):
            overdue.score(route(journey_id=f"J-{number}"))
        overdue.at(OVERDUE_AT)
        for step in ("find", "due", "earlier", "remove"):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Rescoring, "_planned", Rescoring._plan)  # a kill is not caught
                patch.setattr(RescoringRepository, step, killed)
                with pytest.raises(Killed):
                    overdue.run()
        overdue.run()

        rescues = [one.subject_id for one in overdue.decisions() if one.lane == "rescue"]
        assert sorted(rescues) == ["J-0", "J-1", "J-2"]
        assert overdue.waiting() == []


def killed(*_: Any) -> Any:
    raise Killed


def test_the_decision_and_its_alarm_become_durable_together_or_not_at_all(
    home: Path, where: Path | str
) -> None:
    with started(home, where) as overdue:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "serving.storage.repositories.decision_repository.queue_rescoring", killed
            )
            answer = overdue.service.score(route(), overdue.service.key("score"))
        assert answer.status_code >= 500
        assert overdue.decisions() == []

        overdue.score(route())
        assert overdue.waiting() == [OVERDUE_AT]


def test_an_alarm_that_cannot_be_planned_now_is_soon(overdue: Overdue) -> None:
    overdue.score(route())
    overdue.at(OVERDUE_AT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RecordRepository, "about", unavailable)
        assert overdue.run() == 0
    overdue.at(OVERDUE_AT + timedelta(seconds=10))

    assert overdue.run() == 1


def unavailable(*_: Any) -> Any:
    raise LogUnavailable("gone for a moment")


def test_a_later_decision_that_asks_for_a_later_look_delays_no_earlier(overdue: Overdue) -> None:
    overdue.score(route())
    overdue.send(positions=[heard("2026-11-24T11:30:00Z")])
    overdue.score(route(due_at="2026-11-27T10:00:00Z"))

    assert overdue.waiting() == [NOW]


def test_a_decision_says_itself_what_it_is_because_of(overdue: Overdue) -> None:
    overdue.score(route())
    overdue.at(NOW + timedelta(hours=26))
    called: Decision = overdue.score(route() | {"as_of": "2026-11-25T14:00:00Z"})

    assert called.lane == "rescue"
    assert called.because == ("time_passed",)


@pytest.mark.parametrize(
    ("is_distress", "heard_at"),
    [
        (True, "2026-11-24T13:20:00Z"),
        (True, "2026-11-24T11:20:00Z"),  # by a clock that is two hours slow
        (False, "2026-11-24T13:20:00Z"),
    ],
)
def test_who_calls_for_help_after_a_rescue_has_ended_is_searched_for_again(
    home: Path, *, is_distress: bool, heard_at: str
) -> None:
    with station() as to, started(home, to=to) as overdue:
        first = overdue.score(route(persons_on_board=41))
        overdue.call()
        overdue.service.services.case_store.open_new(case_of_decision)
        assert (first.lane, len(to.heard)) == ("rescue", 1)
        position = heard("2026-11-24T12:30:00Z")
        overdue.at(NOW + timedelta(hours=1))
        overdue.send(positions=[position])
        assert overdue.run() == 0  # whoever searches sees it

        end_rescue(overdue, first.decision_id)
        overdue.at(NOW + timedelta(minutes=90))
        overdue.send(positions=[heard(heard_at, is_distress=is_distress)])

        assert overdue.run() == is_distress
        overdue.call()
        assert len(to.heard) == 1 + is_distress
        if not is_distress:
            return
        again = overdue.decisions()[-1]
        assert (again.lane, again.rescores) == ("rescue", first.decision_id)
        overdue.service.services.case_store.open_new(case_of_decision)
        opened = overdue.service.services.case_store.case(again.decision_id, RESCUERS)
        assert opened is not None
        assert opened.status == "open"
        assert json.loads(to.heard[1][1])["data"]["case_id"] == again.decision_id
        assert overdue.run() == 0


RESCUERS = CaseAccess(frozenset(), is_rescue=True)


def end_rescue(overdue: Overdue, case_id: str) -> None:
    by = overdue.service.key("rescue")
    for act, body in (("claim", None), ("results", HELPED)):
        answer = overdue.service.client.post(f"/v1/cases/{case_id}/{act}", json=body, headers=by)
        assert answer.status_code == 200, answer.text


def test_who_is_in_danger_comes_before_all_who_waited_longer(overdue: Overdue) -> None:
    for number in range(3):
        overdue.score(route(journey_id=f"J-{number}", due_at=f"2026-11-2{5 + number}T10:00:00Z"))
    overdue.send(positions=[heard("2026-11-24T11:10:00Z", journey_id="J-0")])
    overdue.at(NOW + timedelta(minutes=1))
    call = heard("2026-11-24T12:00:30Z", journey_id="J-2", is_distress=True)
    overdue.send(positions=[call, heard("2026-11-24T12:00:40Z", journey_id="J-1")])
    assert overdue.first_due() == "J-2"

    overdue.run()
    overdue.at(datetime(2026, 11, 25, 14, 0, tzinfo=UTC))
    overdue.send(positions=[heard("2026-11-24T13:00:00Z", journey_id="J-2")])

    assert overdue.first_due() == "J-0"  # silence endangers whoever was due


def test_a_call_whose_plan_fails_still_comes_first_when_it_is_tried_again(overdue: Overdue) -> None:
    for number in range(2):
        overdue.score(route(journey_id=f"J-{number}"))
    overdue.send(positions=[heard("2026-11-24T12:00:00Z", journey_id="J-1", is_distress=True)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RecordRepository, "about", unavailable)
        overdue.run()
    overdue.send(positions=[heard("2026-11-24T11:10:00Z", journey_id="J-0")])
    overdue.at(NOW + timedelta(seconds=10))

    assert overdue.first_due() == "J-1"


def test_a_danger_that_an_amendment_showed_is_looked_for_though_it_was_withdrawn_at_once(
    overdue: Overdue,
) -> None:
    overdue.score(route())
    journey = route()["journey"]
    versions = [
        {"version": 2, "known_at": "2026-11-24T11:00:00Z", "persons_on_board": 40},
        {"version": 3, "known_at": "2026-11-24T11:00:01Z", "withdrawn": True},
    ]
    overdue.send(journeys=[journey | version for version in versions])

    assert overdue.run() == 1
    assert overdue.decisions()[-1].lane == "rescue"
