"""Subjects are scored again when something becomes known of them: bounded, once, as one case."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from fastapi.testclient import TestClient

from features.rescoring_rules import RescoringRules
from serving.app import create_app
from serving.audit.decision import Decision
from serving.audit.replay import replayed
from serving.models.kill_switch import record_switch
from serving.review.cases.case_of_decision import case_of_decision
from serving.review.cases.case_records import CaseAccess
from serving.scoring.rescoring import Rescoring
from serving.settings import Settings
from serving.storage.tables.review import cases
from serving.storage.verification.log_verification import verify_decision_log
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service

STARTS = itertools.count(0, 1_000)
EVERYONE = CaseAccess(frozenset(), is_rescue=False)


@dataclass
class Tide:
    """A service whose background worker is off, and a worker with a clock of our own."""

    service: Service
    rules: RescoringRules = field(default_factory=RescoringRules)
    now: datetime = NOW

    def score(self, body: dict[str, Any]) -> Decision:
        answer = self.service.score(body, self.service.key("score"))
        assert answer.status_code == 200, answer.text
        return self.decision(answer.json()["decision_id"])

    def decision(self, decision_id: str) -> Decision:
        record = self.service.services.decisions.record(decision_id)
        assert record is not None
        return Decision.model_validate_json(record)

    def send(self, **records: Any) -> Any:
        answer = self.service.client.post(
            "/v1/records", json=records, headers=self.service.key("ingest")
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def run(self) -> int:
        services = self.service.services
        worker = Rescoring(
            services.rescoring.queue,
            services.records,
            services.batcher,
            self.rules,
            lambda: self.now,
            is_masked=services.cases.masking.hides,
        )
        return worker.score_due()

    def decisions(self) -> list[Decision]:
        records = self.service.services.decisions.records()
        return [Decision.model_validate_json(record) for record in records if record]

    def cases(self) -> dict[str, Any]:
        store = self.service.services.case_store
        store.open_new(case_of_decision)
        ids = {one.rescores or one.decision_id for one in self.decisions()}
        found = {case_id: store.case(case_id, EVERYONE) for case_id in ids}
        return {case_id: case for case_id, case in found.items() if case}


@pytest.fixture
def tide(home: Path) -> Iterator[Tide]:
    with started(home) as made:
        yield made


class started:
    """A service over a home, without a worker."""

    def __init__(self, home: Path, **changed: Any):
        settings = Settings(home=home, **changed)
        self.app = create_app(settings, clock=lambda: NOW)
        self.client = TestClient(self.app, raise_server_exceptions=False)
        self.home = home

    def __enter__(self) -> Tide:
        client = self.client.__enter__()
        services = self.app.state.services
        services.rescoring.stop()
        return Tide(Service(client, services, self.home, posted=next(STARTS)))

    def __exit__(self, *error: object) -> None:
        self.client.__exit__(None, None, None)


def payment(number: int, known_at: str, **changed: Any) -> dict[str, Any]:
    return {
        "transaction_id": f"T-{number}",
        "subject_kind": "shipment",
        "subject_id": "S-1",
        "payer_id": "c-0099",
        "payee_id": "c-0007",
        "amount": 9_500.0,
        "currency": "EUR",
        "method": "cash",
        "purpose": "release",
        "paid_at": known_at,
        "known_at": known_at,
        **changed,
    }


LATER = "2026-11-24T11:00:00Z"


def test_a_later_payment_scores_the_shipment_again_as_a_decision_of_the_same_case(
    tide: Tide,
) -> None:
    first = tide.score(shipment())
    answer = tide.send(transactions=[payment(2, LATER)])

    assert answer["not_scored"] == []
    assert tide.run() == 1
    before, again = tide.decisions()

    assert before == first
    assert (again.rescores, again.lane_before) == (first.decision_id, first.lane)
    assert again.because == ("transactions/T-2",)
    assert again.as_of == datetime(2026, 11, 24, 11, 0, 0, 1, tzinfo=UTC)
    assert (again.subject_id, again.office_id) == (first.subject_id, first.office_id)
    assert again.vector != first.vector


@pytest.mark.parametrize("body", [shipment(), route()], ids=["shipment", "route"])
def test_a_transit_that_opened_over_its_limit_scores_its_subject_again(
    tide: Tide, body: dict[str, Any]
) -> None:
    first = tide.score(body)
    opened = {
        "event_id": "E-1",
        "subject_kind": first.subject_kind,
        "subject_id": first.subject_id,
        "kind": "transit_opened",
        "occurred_at": "2026-11-20T07:00:00Z",
        "known_at": LATER,
        "time_limit_at": "2026-11-22T11:00:00Z",
    }
    tide.send(events=[opened])

    assert tide.run() == 1
    assert first.vector["transit_overdue_days"] is None
    again = tide.decisions()[-1]
    assert again.because == ("events/E-1",)
    assert again.vector["transit_overdue_days"] == pytest.approx(2)


def test_the_vector_is_that_of_a_call_with_the_same_instant_and_records(
    tide: Tide, tmp_path: Path
) -> None:
    tide.score(shipment())
    tide.send(transactions=[payment(2, LATER)])
    tide.run()
    again = tide.decisions()[-1]
    body = shipment()
    body["transactions"].append(payment(2, LATER))
    body["as_of"] = "2026-11-24T11:00:00.000001Z"

    called = tide.score(body)

    assert called.vector == again.vector
    assert (called.rescores, called.because) == (again.rescores, ())


def test_the_same_records_again_score_nothing_again(tide: Tide) -> None:
    tide.score(shipment())
    for _ in range(3):
        tide.send(transactions=[payment(2, LATER)])
        tide.run()

    assert len(tide.decisions()) == 2
    assert tide.service.services.rescoring.queue.due(tide.now + timedelta(days=1), 9) == []


def test_between_two_scores_of_a_subject_lies_the_least_time(tide: Tide) -> None:
    tide.rules = RescoringRules(least_between=timedelta(minutes=90))
    tide.score(shipment())
    tide.send(transactions=[payment(2, "2026-11-24T10:00:10Z")])
    assert tide.run() == 1
    tide.send(transactions=[payment(3, "2026-11-24T11:35:00Z"), payment(4, "2026-11-24T11:40:00Z")])
    assert tide.run() == 0
    tide.now = NOW + timedelta(hours=1)

    assert tide.run() == 1
    assert [one.as_of and one.as_of.isoformat() for one in tide.decisions()] == [
        None,
        "2026-11-24T11:30:00+00:00",
        "2026-11-24T13:00:00+00:00",
    ]
    assert tide.decisions()[-1].because == ("transactions/T-3", "transactions/T-4")


def test_a_subject_is_scored_again_so_often_at_most_and_not_long_after_it_was_due(
    tide: Tide,
) -> None:
    tide.rules = RescoringRules(most_per_subject=2)
    tide.score(shipment())
    for number, hour in enumerate((10, 11, 12, 13), start=2):
        tide.send(transactions=[payment(number, f"2026-11-24T{hour}:30:00Z")])
        tide.now = NOW + timedelta(days=1)
        tide.run()
    assert len(tide.decisions()) == 3

    tide.score(route())
    late = {"journey_id": "J-2", "latitude": 1.0, "longitude": 1.0}
    tide.now = NOW + timedelta(days=60)
    tide.send(positions=[{**late, "observed_at": "2026-12-20T10:00:00Z"}])
    assert tide.run() == 0


def test_who_waited_until_its_days_were_over_is_scored_no_more_though_the_record_came_in_time(
    tide: Tide,
) -> None:
    tide.score(shipment())
    tide.send(transactions=[payment(2, LATER)])
    tide.now = NOW + timedelta(days=60)

    assert tide.run() == 0
    assert tide.service.services.rescoring.queue.due(tide.now + timedelta(days=999), 9) == []


def test_what_became_known_before_the_declaration_and_came_later_is_counted_too(
    tide: Tide,
) -> None:
    tide.score(shipment())
    tide.send(transactions=[payment(2, "2026-11-24T09:00:00Z")])

    assert tide.run() == 1
    again = tide.decisions()[-1]
    assert again.as_of == datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
    assert again.because == ("transactions/T-2",)


def test_records_of_unknown_subjects_are_kept_and_count_once_they_are_scored(tide: Tide) -> None:
    answer = tide.send(transactions=[payment(2, LATER)])
    assert answer["not_scored"] == ["/transactions/0"]
    assert tide.run() == 0

    tide.score(shipment())

    assert tide.run() == 1
    assert tide.decisions()[-1].because == ("transactions/T-2",)
    assert tide.run() == 0


def test_what_was_accepted_and_not_yet_scored_again_is_after_a_restart(home: Path) -> None:
    with started(home) as tide:
        tide.score(shipment())
        tide.send(transactions=[payment(2, LATER)])
    with started(home) as tide:
        assert tide.run() == 1
    with started(home) as tide:
        assert tide.run() == 0
        assert len(tide.decisions()) == 2


def test_a_service_scores_again_by_itself(service: Service) -> None:
    tide = Tide(service)
    tide.score(shipment())
    tide.send(transactions=[payment(2, LATER)])

    until(lambda: len(tide.decisions()) == 2)
    assert tide.decisions()[-1].caller_id == "tidegate-rescoring"


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.1)


def score_again_once_by_three(tide: Tide) -> None:
    """Let three workers find the same subject: it is decided about once more, and no more later."""
    workers = [Thread(target=tide.run) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    tide.now += timedelta(hours=1)
    tide.run()
    assert len(tide.decisions()) == 2


def test_two_workers_at_once_make_one_decision(tide: Tide) -> None:
    tide.score(shipment())
    tide.send(transactions=[payment(2, LATER)])
    score_again_once_by_three(tide)


def test_an_instant_before_that_of_the_newest_decision_is_refused(tide: Tide) -> None:
    tide.score({**shipment(), "as_of": "2026-11-24T11:00:00Z"})

    early = tide.service.score(
        {**shipment(), "as_of": "2026-11-24T10:30:00Z"}, tide.service.key("score")
    )
    undeclared = tide.service.score(
        {**shipment(), "as_of": "2026-11-24T09:59:59Z"}, tide.service.key("score")
    )

    assert early.status_code == 409
    assert undeclared.status_code == 422
    assert len(tide.decisions()) == 1


def test_a_score_as_of_a_day_to_come_keeps_no_later_one_out(
    tide: Tide, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:  # as an earlier release, or a wrong clock, took it
        earlier.setattr("serving.future_declarations.MAX_AHEAD", timedelta(days=365 * 200))
        tide.score({**shipment(), "as_of": "2199-12-31T00:00:00Z"})
    tide.send(transactions=[payment(2, LATER)])
    tide.now = NOW + timedelta(hours=1)

    assert tide.run() == 1
    assert tide.decisions()[-1].as_of == tide.now
    later = (tide.now + timedelta(seconds=1)).isoformat()
    assert tide.score({**shipment(), "as_of": later}).unscored is None


def test_a_decision_that_scores_again_is_replayed_and_the_log_is_whole(tide: Tide) -> None:
    tide.score(shipment())
    tide.send(transactions=[payment(2, LATER)])
    tide.run()
    champion = tide.service.services.models.champion("shipment")

    assert replayed(tide.decisions()[-1], champion).is_identical
    assert verify_decision_log(tide.service.services.decisions._engine).is_whole


def test_a_subject_that_was_drawn_stays_drawn_in_one_case_of_one_probability(home: Path) -> None:
    with started(home, control_probability=0.999) as tide:
        first = tide.score(shipment())
        tide.send(transactions=[payment(2, LATER)])
        tide.run()
        again = tide.decisions()[-1]

        assert (first.lane, again.lane) == ("control", "control")
        assert again.lane_probabilities["control"] == pytest.approx(
            (1 - again.lane_probabilities["inspect"]) * 0.999
        )
        assert again.selection_probability >= first.selection_probability
        ((case_id, case),) = tide.cases().items()
        assert (case_id, case.decision_id) == (first.decision_id, again.decision_id)
        assert tide.service.services.cases.decision(case_id) == again
        assert [one.action for one in tide.service.services.case_store.events(case_id)] == [
            "score_again"
        ]


def test_a_subject_that_was_released_and_then_is_listed_has_a_case_of_its_first_decision(
    home: Path,
) -> None:
    with started(home, control_probability=1e-9) as tide:
        first = tide.score(shipment())
    assert first.lane == "release"
    (home / "lanes.toml").write_text(LISTED)
    with started(home, control_probability=1e-9) as tide:
        assert tide.cases() == {}
        tide.send(transactions=[payment(2, LATER)])
        tide.run()

        ((case_id, case),) = tide.cases().items()
        assert (case_id, case.lane) == (first.decision_id, "inspect")
        assert tide.decisions()[-1].lane_before == "release"


LISTED = """edition = "1"

[[watched]]
kind = "company"
value = "c-0012"
list = "wanted"
reason = "file 7"
"""


def test_a_case_that_was_closed_is_not_scored_again(home: Path) -> None:
    with started(home, control_probability=0.999) as tide:
        tide.score(shipment())
        assert len(tide.cases()) == 1
        with tide.service.services.case_store._engine.begin() as connection:
            connection.execute(cases.update().values(status="closed"))
        tide.send(transactions=[payment(2, LATER)])

        assert tide.run() == 0
        assert len(tide.decisions()) == 1


def test_capacity_counts_a_subject_once(home: Path) -> None:
    with started(home, control_probability=0.999) as tide:
        tide.score(shipment())
        tide.send(transactions=[payment(2, LATER)])
        tide.run()
        days = tide.service.services.lanes.recent_load._days_of("DE004600")

        assert days.arrived(NOW.date()) == 1
        assert days.taken(NOW.date(), "control") == 1
    with started(home) as tide:  # what another worker, or a start, reads from the log
        days = tide.service.services.lanes.recent_load._days_of("DE004600")
        assert days.arrived(NOW.date()) == 1
        assert days.taken(NOW.date(), "control") == 1


def test_a_subject_whose_plan_fails_keeps_no_other_waiting(
    tide: Tide, monkeypatch: pytest.MonkeyPatch
) -> None:
    tide.score(shipment())
    tide.score(route())
    leg = {"journey_id": "J-2", "sequence": 9, "origin": "GRPIR", "destination": "ITGOA"}
    tide.send(transactions=[payment(2, LATER)], legs=[leg | {"known_at": LATER}])
    queue = tide.service.services.rescoring.queue
    found = type(queue).earlier

    def failing(self: Any, waiting: Any) -> Any:
        if waiting.subject_kind == "shipment":
            raise RuntimeError
        return found(self, waiting)

    with monkeypatch.context() as patch:
        patch.setattr(type(queue), "earlier", failing)
        assert tide.run() == 1
    assert tide.decisions()[-1].because == ("legs/J-2 9 2026-11-24 11:00:00+00:00",)
    tide.now += timedelta(minutes=2)
    assert tide.run() == 1


CHECKED = """edition = "1"

[[rules]]
name = "every parcel"
feature = "mass_kg"
above = 0.0
lane = "document_check"
reason = "whatever has a mass"
"""


@pytest.mark.parametrize("becomes", ["release", "manual"])
def test_a_case_whose_subject_is_scored_lower_or_not_at_all_later_tells_of_that_score(
    home: Path, becomes: str
) -> None:
    (home / "lanes.toml").write_text(CHECKED)
    with started(home, control_probability=1e-9) as tide:
        first = tide.score(shipment())
        tide.cases()
    (home / "lanes.toml").unlink()
    with started(home, control_probability=1e-9) as tide:
        if becomes == "manual":
            switches = tide.service.services.switch_events
            record_switch(
                switches, "shipment", is_on=False, by="ada", because="nothing fits today", at=NOW
            )
            tide.service.services.kill_switch.refresh()
        tide.send(transactions=[payment(2, LATER)])
        tide.run()
        tide.cases()
        assert (first.lane, tide.decisions()[-1].lane) == ("document_check", becomes)

        client, by = tide.service.client, tide.service.key("review")
        case = client.get(f"/v1/cases/{first.decision_id}", headers=by)
        events = client.get("/v1/events", headers=by)

        told = {"document_check", becomes}
        assert (case.status_code, events.status_code) == (200, 200)
        assert {score["lane"] for score in case.json()["scores"]} == told
        assert {event["lane"] for event in events.json()["events"]} == told


def test_whoever_submitted_a_subject_lists_its_later_scores_too_and_nobody_else_does(
    tide: Tide,
) -> None:
    tide.score(shipment())
    mine, other = tide.service.key("score"), tide.service.key("score")
    tide.service.score(shipment(shipment_id="S-9"), mine)
    tide.send(transactions=[payment(2, LATER), payment(3, LATER, subject_id="S-9")])
    assert tide.run() == 2
    again = next(one for one in tide.decisions() if one.rescores and one.subject_id == "S-9")

    def listed(caller: dict[str, str]) -> list[str]:
        page = tide.service.client.get("/v1/decisions", headers=caller).json()
        return [each["decision_id"] for each in page["decisions"]]

    assert listed(mine) == [again.decision_id, again.rescores]
    assert listed(other) == []
