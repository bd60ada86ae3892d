"""The lanes of an installation put together: whose scores, which shares, which probability."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from serving.audit.logged_decision import LoggedDecision, StoredAnswer
from serving.settings import Settings
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.placement_repository import PlacementRepository
from serving.triage.capacity import Shares
from serving.triage.control_draws import DrawGenerator
from serving.triage.disagreement import ChallengerScore
from serving.triage.lane_choice import Placement, place, place_unscored
from serving.triage.lanes import Lanes, PlacementRequest
from serving.triage.other_workers import OtherWorkers
from serving.triage.raised_control_draws import CurrentExploration, Exploration
from serving.triage.recent_load import RecentLoad, RecentPlacement
from serving.triage.triage_plan import OfficeCapacity, TriagePlan
from serving.triage.watch_list_hits import Hit
from tests.serving.databases import database

AT = datetime(2026, 3, 4, tzinfo=UTC)
FLOOR = 0.01
USUAL = Shares(inspect=0.02, document_check=0.06, post_review=0.10)
DRAW = DrawGenerator(b"a seed for this test")
REFERENCE = [0.9 + n / 10_000 for n in range(1_000)]
OWN = [n / 200 for n in range(200)]
CHECKING = Hit("rule", "document_check", "a rule for documents")


def seen(count: int = 200, **of: Any) -> list[RecentPlacement]:
    """Two whole days at the office A: a hundred shipments a day, their scores from 0 up."""
    before = RecentPlacement("shipment", "A", AT - timedelta(days=3), None, "release")
    days = (AT - timedelta(days=2), AT - timedelta(days=1))
    return [
        replace(before, **of),
        *(replace(before, at=days[n % 2], ranked_by=n / 200, **of) for n in range(count)),
    ]


def room(capacity: int) -> float:
    """The share of a hundred a day for a lane that took nothing for days, and has one left over."""
    return (0.98 * capacity + capacity / 3) / 100


def lanes(recent: list[RecentPlacement] | None = None, **office: int) -> Lanes:
    capacity = {"inspect_per_day": 10, "document_check_per_day": 30} | office
    return Lanes(
        plan=TriagePlan(offices={"A": OfficeCapacity(**capacity)}),
        shares=USUAL,
        draws=DRAW,
        control_floor=FLOOR,
        disputed_control=0.25,
        recent_load=RecentLoad.of_placements(seen() if recent is None else recent),
    )


def case(probability: float | None = 0.5, **changed: Any) -> PlacementRequest:
    return replace(PlacementRequest("shipment", "S-1", "A", AT, probability), **changed)


def expected(
    shares: Shares, scores: list[float], control: float, case: PlacementRequest
) -> Placement:
    """The placement by these shares of these scores."""
    assert case.probability is not None
    return place(
        case.probability,
        shares.cutoffs(scores, control),
        DRAW.of_subject(case.kind, case.subject_id),
        control_probability=control,
        is_life_at_risk=case.is_life_at_risk,
        hits=case.hits,
    )


@pytest.mark.parametrize("score", [0.0, 0.45, 0.5, 0.55, 0.6, 0.8, 0.9, 0.95])
def test_an_office_with_a_plan_takes_of_its_own_scores_what_its_day_can_hold(
    score: float,
) -> None:
    placement = lanes(control_per_day=9).place(case(score), REFERENCE)

    # Nine of the ninety that are not inspected on a usual day are drawn.
    by_hand = expected(Shares(room(10), room(30), 0.1), OWN, 0.1, case(score))
    assert placement.lane == by_hand.lane
    assert placement.probabilities == pytest.approx(by_hand.probabilities)


@pytest.mark.parametrize("score", [0.0, 0.9, 0.95, 0.99, 0.9999])
@pytest.mark.parametrize(
    ("recent", "office_id"),
    [(seen(199), "A"), (seen(office_id="B"), "A"), (seen(kind="route"), "A"), ([], None)],
)
def test_without_scores_of_its_own_an_office_takes_the_usual_shares_of_the_reference(
    recent: list[RecentPlacement], office_id: str | None, score: float
) -> None:
    asked = case(score, office_id=office_id)

    placement = lanes(recent, control_per_day=9).place(asked, REFERENCE)

    assert placement == expected(USUAL, REFERENCE, FLOOR, asked)


def test_an_office_without_a_plan_takes_the_usual_shares_of_its_own_scores() -> None:
    recent = seen(office_id="B")
    for score in (0.5, 0.9, 0.985):
        asked = case(score, office_id="B")
        placement = lanes(recent, control_per_day=9).place(asked, REFERENCE)
        assert placement == expected(USUAL, OWN, FLOOR, asked)


@pytest.mark.parametrize(
    ("office", "shares", "control"),
    [
        # More is to be checked than inspections leave, and nothing is left for reviews.
        ({"inspect_per_day": 60}, (room(60), 1 - room(60), 0.0), FLOOR),
        ({"inspect_per_day": 45}, (room(45), room(30), 1 - room(45) - room(30)), FLOOR),
        ({"inspect_per_day": 60, "control_per_day": 4}, (room(60), 1 - room(60), 0.0), 0.1),
        ({"inspect_per_day": 75, "control_per_day": 1}, (room(75), 1 - room(75), 0.0), 0.04),
        ({"inspect_per_day": 200, "control_per_day": 1}, (1.0, 0.0, 0.0), 1.0),
        ({"inspect_per_day": 100, "control_per_day": 0}, (1.0, 0.0, 0.0), FLOOR),
        ({"inspect_per_day": 0, "control_per_day": 5}, (0.0, room(30), 0.1), 0.05),
    ],
)
def test_lanes_together_take_no_more_than_all_and_control_what_is_not_selected(
    office: dict[str, int], shares: tuple[float, float, float], control: float
) -> None:
    for score in (0.0, 0.2, 0.39, 0.5):
        placement = lanes(**office).place(case(score), REFERENCE)
        by_hand = expected(Shares(*shares), OWN, control, case(score))
        assert placement.lane == by_hand.lane
        assert placement.probabilities == pytest.approx(by_hand.probabilities)


def test_each_lane_closes_by_what_it_took_itself_today() -> None:
    def probabilities(full: Any, score: float) -> dict[Any, float]:
        recent = [*seen(), *[RecentPlacement("route", "A", AT, 0.5, full)] * 9]
        installed = lanes(recent, inspect_per_day=2, document_check_per_day=3)
        return installed.place(case(score), REFERENCE).probabilities

    assert probabilities("inspect", 0.995)["inspect"] == 0
    assert probabilities("document_check", 0.995)["inspect"] == 1
    assert probabilities("inspect", 0.98)["document_check"] > 0.5
    assert probabilities("document_check", 0.98)["document_check"] == 0


def probability_of(lane: Any, recent: list[RecentPlacement], **office: int) -> float:
    """The mean probability of a lane over all scores, each the first subject of its day."""
    asked = (case(n / 200) for n in range(200))
    placements = (lanes(recent, **office).place(each, REFERENCE) for each in asked)
    return sum(placement.probabilities[lane] for placement in placements) / 200


def test_a_lane_takes_by_the_score_what_certain_placements_leave() -> None:
    def inspected(lane: Any) -> float:
        listed = [replace(each, ranked_by=0.0, lane=lane) for each in seen(10)]
        return probability_of("inspect", [*listed, *seen()], inspect_per_day=20)

    # Eleven of 212 were certain; the 211 scores are those asked for and eleven of 0.
    open_to_all = (19.6 + 20 / 3) / 105
    assert inspected("release") == pytest.approx(open_to_all * 211 / 200)
    assert inspected("inspect") == pytest.approx((open_to_all - 11 / 212) * 211 / 200)


def test_what_inspections_left_to_the_check_of_documents_was_checked_by_its_score() -> None:
    recent = [
        replace(each, lane="document_check") if 0.5 <= (each.ranked_by or 0) < 0.6 else each
        for each in seen()
    ]

    checked = probability_of(
        "document_check", recent, inspect_per_day=20, document_check_per_day=10
    )

    # Ten a day were checked, where 9.8 are aimed at: 0.4 too many in two days.
    assert checked == pytest.approx((9.8 - 0.4 / 3) / 100, abs=1e-6)


def test_what_is_placed_is_remembered_where_when_and_in_which_lane() -> None:
    installed = lanes([])
    asked = case(0.95, is_life_at_risk=True)
    installed.place(asked, REFERENCE)
    installed.place(replace(asked, probability=None), REFERENCE)

    assert installed.recent_load.workday("A", "rescue", 10, AT).taken == 2
    installed.recent_load.count(RecentPlacement("shipment", "A", AT, 0.5, "release"))
    for _ in range(198):
        installed.place(asked, REFERENCE)
    assert installed.recent_load.scores("shipment", "A") == [0.5] + [0.95] * 199


def test_the_use_of_capacity_is_told_by_lane_where_a_whole_day_is_known() -> None:
    inspected = [replace(each, lane="inspect") for each in seen(20)]

    assert lanes(inspected).capacity_used(AT) == {"inspect": 20 / 20, "document_check": 0}
    assert lanes(inspected, document_check_per_day=0).capacity_used(AT) == {"inspect": 1}
    assert lanes([]).capacity_used(AT) == {}


@pytest.mark.parametrize("probability", [0.0, None])
def test_hits_and_a_life_at_risk_count_with_a_score_and_without(
    probability: float | None,
) -> None:
    undrawn = case(probability, subject_id="S-3")
    checked = lanes().place(replace(undrawn, hits=(CHECKING,)), REFERENCE)
    rescued = lanes().place(replace(undrawn, is_life_at_risk=True), REFERENCE)

    assert (checked.lane, checked.reason, checked.hits) == ("document_check", "rule", (CHECKING,))
    assert rescued.lane == "rescue"


@pytest.mark.parametrize(
    ("shares", "floor", "control"),
    [(USUAL, 0.01, 0.03), (Shares(0.7, 0.1, 0.1), 0.5, 1.0)],
)
def test_without_a_score_the_lot_takes_what_the_score_would_have_taken(
    shares: Shares, floor: float, control: float
) -> None:
    installed = replace(lanes([]), shares=shares, control_floor=floor)

    placement = installed.place(case(None), REFERENCE)

    assert placement == place_unscored(
        DRAW.of_subject("shipment", "S-1"), control_probability=control, is_life_at_risk=False
    )


@pytest.mark.parametrize(
    ("said", "floor", "control"),
    [
        (REFERENCE[980], 0.01, 0.25),
        (REFERENCE[979], 0.01, 0.01),
        (REFERENCE[980], 0.4, 0.4),
    ],
)
def test_what_a_challenger_would_select_is_drawn_more_often_and_never_less(
    said: float, floor: float, control: float
) -> None:
    installed = replace(lanes([]), control_floor=floor)
    asked = case(0.0, challenger=ChallengerScore(said, REFERENCE))

    assert installed.place(asked, REFERENCE).probabilities["control"] == pytest.approx(control)


def test_where_nothing_is_said_of_disputes_a_challenger_changes_nothing() -> None:
    assert Lanes(TriagePlan(), USUAL, DRAW, FLOOR).disputed_control == 0


def test_a_challenger_selects_by_the_share_that_the_office_has_today() -> None:
    asked = case(0.0, challenger=ChallengerScore(REFERENCE[900], REFERENCE))

    assert lanes().place(asked, REFERENCE).probabilities["control"] == 0.25
    assert lanes(inspect_per_day=7).place(asked, REFERENCE).probabilities["control"] == FLOOR


def test_exploring_raises_the_draw_of_its_kind() -> None:
    def newest(kind: str) -> Exploration | None:
        began, ends = (AT + timedelta(days=n) for n in (-1, 1))
        return Exploration(kind, began, ends, 3.0, "a test") if kind == "shipment" else None

    installed = replace(lanes([]), exploration=CurrentExploration(newest))

    assert installed.place(case(0.0), REFERENCE).probabilities["control"] == 3 * FLOOR
    of_route = installed.place(case(0.0, kind="route"), REFERENCE)
    assert of_route.probabilities["control"] == FLOOR
    unscored = installed.place(case(None), REFERENCE)
    assert unscored.probabilities["control"] == pytest.approx(3 * FLOOR + 0.02)


def test_an_installation_reads_its_plan_shares_draw_and_probabilities(tmp_path: Path) -> None:
    (tmp_path / "lanes.toml").write_text('edition = "of this test"')
    settings = Settings(
        home=tmp_path,
        inspect_share=0.03,
        control_probability=0.07,
        disputed_control_probability=0.3,
    )
    ends = AT + timedelta(days=1)
    exploration = Exploration("shipment", AT, ends, 2.0, "a test")

    installed = Lanes.from_settings(settings, newest_exploration=lambda _: exploration)

    assert installed.plan == TriagePlan.read(settings.plan)
    assert installed.plan.digest == (
        "sha256:" + hashlib.sha256(b'edition = "of this test"').hexdigest()
    )
    assert installed.shares == Shares.from_settings(settings)
    assert installed.draws == DrawGenerator.from_folder(settings.keys)
    assert (installed.control_floor, installed.disputed_control) == (0.07, 0.3)
    assert installed.exploration.factor("shipment", AT) == 2
    assert Lanes.from_settings(settings).exploration.factor("shipment", AT) == 1


def test_an_installation_knows_what_others_placed_and_does_not_count_its_own_twice(
    tmp_path: Path,
) -> None:
    engine = database(tmp_path / "log.db")
    log = DecisionRepository(engine)

    def logged(subject_id: str) -> None:
        row = LoggedDecision(
            decision_id=f"d-{subject_id}",
            scored_at=AT.isoformat(),
            subject_kind="shipment",
            subject_id=subject_id,
            office_id="A",
            caller_id="caller",
            lane="rescue",
            probability=0.5,
            record="{}",
        )
        answer = StoredAnswer("caller", subject_id, "digest", row.decision_id, row.scored_at, b"")
        log.append([(row, answer)])

    logged("S-before")
    others = OtherWorkers(PlacementRepository(engine), AT, poll_interval_s=0.0)
    installed = Lanes.from_settings(Settings(home=tmp_path), others)
    assert installed.recent_load.workday("A", "rescue", 10, AT).taken == 1
    logged("S-other")
    installed.place(case(0.5, is_life_at_risk=True), REFERENCE)
    logged("S-1")
    installed.place(case(0.5, subject_id="S-2", is_life_at_risk=True), REFERENCE)

    assert installed.recent_load.workday("A", "rescue", 10, AT).taken == 4


def test_harm_moves_a_subject_among_the_scores_of_its_office_and_is_what_is_remembered() -> None:
    usual = PlacementRequest("shipment", "S-1", "A", AT, 0.6)
    for ratio, lane in ((1.0, False), (1.66, True)):
        office = lanes()

        placement = office.place(replace(usual, harm_ratio=ratio), REFERENCE)

        assert (placement.lane == "inspect") is lane
        scores = office.recent_load.scores("shipment", "A") or []
        assert 0.6 * ratio in scores


def test_without_a_score_harm_ranks_nothing() -> None:
    unscored = PlacementRequest("shipment", "S-1", "A", AT, None, harm_ratio=5.0)

    assert unscored.ranked_by is None
    assert lanes().place(unscored, REFERENCE) == lanes().place(
        replace(unscored, harm_ratio=1.0), REFERENCE
    )
