"""Several workers fill a lane once, and what a challenger would select is looked at more often."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from serving.audit.decision import Decision
from serving.audit.logged_decision import LoggedDecision, StoredAnswer
from serving.scoring.assessment import challenger_score
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.placement_repository import PlacementRepository
from serving.triage.control_draws import DrawGenerator
from serving.triage.disagreement import ChallengerScore
from serving.triage.lane_choice import Placement
from serving.triage.lanes import Lanes, PlacementRequest
from serving.triage.other_workers import OtherWorkers
from serving.triage.recent_load import RecentLoad, RecentPlacement
from serving.triage.triage_plan import OfficeCapacity, TriagePlan
from tests.serving.bodies import shipment
from tests.serving.conftest import Service
from tests.serving.databases import database
from tests.serving.triage.test_lanes_served import AT, SHARES
from tests.serving.world import promote, train_and_promote

REFERENCE = np.linspace(0, 1, 201).tolist()
OFFICE = OfficeCapacity(inspect_per_day=12, document_check_per_day=30, control_per_day=6)
PER_DAY, DAYS, TOGETHER = 150, 8, 4


def worker(others: OtherWorkers | None) -> Lanes:
    return Lanes(
        plan=TriagePlan(offices={"A": OFFICE}),
        shares=SHARES,
        draws=DrawGenerator(b"a seed for this test"),
        control_floor=0.005,
        other_workers=others,
        recent_load=RecentLoad.of_placements(others.recent_placements() if others else ()),
    )


def logged(case: PlacementRequest, placement: Placement) -> tuple[LoggedDecision, StoredAnswer]:
    at = case.at.isoformat()
    row = LoggedDecision(
        decision_id=case.subject_id,
        scored_at=at,
        subject_kind=case.kind,
        subject_id=case.subject_id,
        office_id=case.office_id,
        caller_id="caller",
        lane=placement.lane,
        probability=case.probability,
        record="{}",
    )
    return row, StoredAnswer("caller", case.subject_id, "digest", case.subject_id, at, b"")


@pytest.mark.parametrize("are_told", [True, False])
def test_two_workers_on_one_database_fill_a_lane_to_its_capacity_once(
    where: Path | str, are_told: bool
) -> None:
    log = DecisionRepository(database(where, is_service=False))
    placed = PlacementRepository(log._engine)
    workers = [
        worker(OtherWorkers(placed, AT, poll_interval_s=0) if are_told else None) for _ in range(2)
    ]
    chance, waiting, taken = np.random.default_rng(7), [], 0
    for number in range(PER_DAY * (DAYS + 2)):
        at = AT + timedelta(days=number / PER_DAY)
        score = round(float(chance.beta(1, 20)), 3)
        case = PlacementRequest("shipment", f"S-{number}", "A", at, score)
        placement = workers[int(chance.integers(2))].place(case, REFERENCE)
        taken += placement.lane == "inspect" and at >= AT + timedelta(days=2)
        waiting.append(logged(case, placement))
        if len(waiting) == TOGETHER:
            log.append(waiting)
            waiting = []

    capacity = OFFICE.inspect_per_day * DAYS
    if are_told:
        assert taken == pytest.approx(capacity, rel=0.1)
    else:
        assert taken > 1.5 * capacity


def test_a_worker_that_starts_in_the_afternoon_knows_what_the_morning_took(
    where: Path | str,
) -> None:
    log = DecisionRepository(database(where, is_service=False))
    first = worker(OtherWorkers(PlacementRepository(log._engine), AT, poll_interval_s=0))
    for number in range(300):
        at = AT + timedelta(minutes=number)
        case = PlacementRequest("shipment", f"S-{number}", "A", at, (number % 50) / 100)
        log.append([logged(case, first.place(case, REFERENCE))])

    second = worker(OtherWorkers(PlacementRepository(log._engine), at, poll_interval_s=0))

    assert second.recent_load.scores("shipment", "A") == first.recent_load.scores("shipment", "A")
    ask = ("A", "inspect", 12, at)
    assert second.recent_load.workday(*ask) == first.recent_load.workday(*ask)


def test_what_was_placed_before_midnight_and_heard_of_after_counts_for_its_day() -> None:
    recent = RecentLoad()
    late = RecentPlacement("shipment", "A", AT - timedelta(seconds=1), 0.5, "inspect")
    recent.count(RecentPlacement("shipment", "A", AT, 0.5, "inspect"))
    recent.count(late)
    recent.count(RecentPlacement("shipment", "A", AT + timedelta(seconds=1), 0.5, "inspect"))

    assert recent.workday("A", "inspect", 10, AT + timedelta(seconds=2)).taken == 2


def challenged(number: int, chance: np.random.Generator) -> PlacementRequest:
    """A subject about which champion and challenger say what has nothing to do with each other."""
    said, other = chance.random(2).round(3).tolist()
    rival = ChallengerScore(other, REFERENCE)
    return PlacementRequest("shipment", f"S-{number}", None, AT, said, challenger=rival)


def test_where_a_challenger_would_select_control_is_likelier_and_never_impossible() -> None:
    lanes, chance = replace(worker(None), disputed_control=0.25), np.random.default_rng(3)
    for number in range(2_000):
        case = challenged(number, chance)
        placement = lanes.place(case, REFERENCE)
        undecided = 1 - placement.probabilities["inspect"]
        if undecided == 0:
            continue
        assert case.challenger is not None
        is_disputed = case.challenger.would_select(SHARES.inspect)
        drawn = placement.probabilities["control"] / undecided
        assert drawn == pytest.approx(0.25 if is_disputed else 0.005)
        assert sum(placement.probabilities.values()) == pytest.approx(1)


def test_weights_by_the_stored_probability_find_the_rate_that_is_really_there() -> None:
    lanes = replace(worker(None), control_floor=0.1, disputed_control=0.4)
    chance = np.random.default_rng(5)
    total = weighted = plain = looked = 0.0
    for number in range(40_000):
        case = challenged(number, chance)
        assert case.challenger is not None
        is_bad = chance.random() < 0.02 + 0.5 * (case.challenger.probability > 0.97)
        placement = lanes.place(case, REFERENCE)
        total += is_bad
        if placement.lane in ("inspect", "control"):
            weighted += is_bad / placement.selection_probability
            plain += is_bad
            looked += 1

    assert weighted == pytest.approx(total, rel=0.2)
    assert plain / looked > 1.5 * total / 40_000


def test_no_share_left_and_no_challenger_raise_nothing() -> None:
    assert not ChallengerScore(1.0, REFERENCE).would_select(0.0)
    assert ChallengerScore(1.0, REFERENCE).would_select(0.02)
    assert not ChallengerScore(0.5, REFERENCE).would_select(0.02)


def test_a_service_asks_the_challenger_before_it_chooses_a_lane(service: Service) -> None:
    champions = service.services.models
    lanes = service.services.lanes
    assert challenger_score(champions, "shipment", {}) is None
    model = train_and_promote(service.home, "shipment", "2", seed=8)
    first = champions.champion("shipment").model
    promote(service.home, "shipment", "1", first)
    promote(service.home, "shipment", "2", model, role="challenger")
    champions.refresh()

    seen: dict[str, float] = {}
    for number in range(40):
        body = shipment(shipment_id=f"S-{number}", declared_value=100.0 + 700 * number)
        answer = service.score(body, service.key("score")).json()
        record = service.services.decisions.record(answer["decision_id"])
        assert record is not None
        decision = Decision.model_validate_json(record)
        rival = challenger_score(champions, "shipment", decision.vector)
        assert rival is not None
        (full,) = champions.challengers("shipment").values()
        row, _ = full.model.encode(decision.vector)
        assert full.scorer.score(row.reshape(1, -1)).probability[0] == rival.probability
        undecided = 1 - decision.lane_probabilities.get("inspect", 0.0)
        if undecided:
            drawn = decision.lane_probabilities["control"] / undecided
            is_disputed = rival.would_select(lanes.shares.inspect)
            seen["disputed" if is_disputed else "agreed"] = drawn
            assert drawn == pytest.approx(0.10 if is_disputed else 0.01)

    assert seen
