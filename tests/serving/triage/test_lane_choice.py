"""One subject's lane, its reason, and its probability of every lane."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.triage.cutoffs import Cutoff
from serving.triage.lane_choice import (
    Draws,
    EarlierSelection,
    LaneCutoffs,
    Placement,
    place,
    place_unscored,
)
from serving.triage.lane_declarations import VISITED
from serving.triage.watch_list_hits import Hit

# At a score of 0.5 a lot below 0.2 is inspected, below 0.6 checked, below 0.9 reviewed.
TIED = LaneCutoffs(
    inspect=Cutoff(0.5, 0.2), document_check=Cutoff(0.5, 0.6), post_review=Cutoff(0.5, 0.9)
)
APART = LaneCutoffs(
    inspect=Cutoff(0.9, 0.0), document_check=Cutoff(0.6, 0.0), post_review=Cutoff(0.3, 0.0)
)
CONTROL = 0.25
LISTED = Hit("watch_list", "inspect", "on a list")
SELECTING = Hit("rule", "inspect", "a rule that selects")
CHECKING = Hit("rule", "document_check", "a rule for documents")


def placed(
    score: float,
    *spoken: Hit,
    tie: float = 0.999,
    control: float = 0.999,
    cuts: LaneCutoffs = TIED,
    is_life_at_risk: bool = False,
) -> Placement:
    return place(
        score,
        cuts,
        Draws(tie, control),
        control_probability=CONTROL,
        is_life_at_risk=is_life_at_risk,
        hits=spoken,
    )


def unscored(*spoken: Hit, control: float = 0.999, is_life_at_risk: bool = False) -> Placement:
    return place_unscored(
        Draws(0.0, control),
        control_probability=CONTROL,
        is_life_at_risk=is_life_at_risk,
        hits=spoken,
    )


@pytest.mark.parametrize(
    ("tie", "lane"),
    [
        (0.0, "inspect"),
        (0.199, "inspect"),
        (0.2, "document_check"),
        (0.599, "document_check"),
        (0.6, "post_review"),
        (0.899, "post_review"),
        (0.9, "release"),
    ],
)
def test_the_lot_of_ties_decides_between_lanes_whose_threshold_a_score_equals(
    tie: float, lane: str
) -> None:
    assert (placed(0.5, tie=tie).lane, placed(0.5, tie=tie).reason) == (lane, "score")


@pytest.mark.parametrize(
    ("score", "lane"),
    [(0.91, "inspect"), (0.9, "document_check"), (0.6, "post_review"), (0.3, "release")],
)
def test_a_score_above_a_threshold_takes_no_lot_and_one_at_it_none_of_nothing(
    score: float, lane: str
) -> None:
    for tie in (0.0, 0.5, 0.999):
        assert placed(score, tie=tie, cuts=APART).lane == lane


@pytest.mark.parametrize(("lot", "is_drawn"), [(0.0, True), (0.2499, True), (0.25, False)])
def test_a_lot_below_the_control_probability_is_drawn(lot: float, is_drawn: bool) -> None:
    rest = [placed(score, cuts=APART, control=lot) for score in (0.0, 0.5, 0.8)]

    for placement in (*rest, placed(0.0, CHECKING, control=lot), unscored(control=lot)):
        assert (placement.lane == "control") is is_drawn
        assert (placement.reason == "random") is is_drawn


def test_what_the_score_selects_is_not_drawn() -> None:
    assert placed(0.5, tie=0.1, control=0.0).lane == "inspect"
    assert placed(0.95, cuts=APART, control=0.0).reason == "score"


def test_the_probabilities_at_a_tie_are_stretches_of_its_lot() -> None:
    assert placed(0.5).probabilities == pytest.approx(
        {
            "inspect": 0.2,
            "control": 0.8 * 0.25,
            "document_check": 0.4 * 0.75,
            "post_review": 0.3 * 0.75,
            "release": 0.1 * 0.75,
        }
    )
    assert placed(0.5).selection_probability == pytest.approx(0.4)


def test_a_hit_for_documents_takes_what_the_score_would_have_left() -> None:
    assert placed(0.5, CHECKING).probabilities == pytest.approx(
        {
            "inspect": 0.2,
            "control": 0.8 * 0.25,
            "document_check": 0.8 * 0.75,
            "post_review": 0,
            "release": 0,
        }
    )


def test_lanes_whose_cuts_cross_take_nothing_twice() -> None:
    crossed = LaneCutoffs(
        inspect=Cutoff(0.1, 0.0), document_check=Cutoff(0.5, 0.0), post_review=Cutoff(0.9, 0.0)
    )

    assert placed(0.3, cuts=crossed).probabilities == {
        "inspect": 1.0,
        "control": 0.0,
        "document_check": 0.0,
        "post_review": 0.0,
        "release": 0.0,
    }


@pytest.mark.parametrize(
    ("spoken", "lane", "reason"),
    [
        ((LISTED,), "inspect", "watch_list"),
        ((SELECTING,), "inspect", "rule"),
        ((CHECKING, SELECTING), "inspect", "rule"),
        ((CHECKING, LISTED), "inspect", "watch_list"),
        ((LISTED, SELECTING), "inspect", "watch_list"),
        ((CHECKING,), "document_check", "rule"),
    ],
)
def test_lists_and_rules_place_whatever_the_score_is_or_whether_there_is_one(
    spoken: tuple[Hit, ...], lane: str, reason: str
) -> None:
    for placement in (placed(0.0, *spoken), unscored(*spoken)):
        assert (placement.lane, placement.reason) == (lane, reason)
        assert placement.hits == spoken
    if lane == "inspect":
        for placement in (placed(0.0, *spoken, control=0.0), unscored(*spoken, control=0.0)):
            assert placement.lane == "inspect"
            assert placement.probabilities == {"inspect": 1.0}


def test_a_score_that_selects_comes_before_a_rule_for_documents_and_is_the_reason() -> None:
    placement = placed(0.95, CHECKING, cuts=APART)

    assert (placement.lane, placement.reason, placement.hits) == ("inspect", "score", (CHECKING,))


def test_of_several_hits_for_documents_the_first_is_the_reason() -> None:
    spoken = (CHECKING, Hit("watch_list", "document_check", "on a list"))

    assert placed(0.0, *spoken).reason == unscored(*spoken).reason == "rule"
    assert placed(0.0, *spoken[::-1]).reason == unscored(*spoken[::-1]).reason == "watch_list"


def test_documents_that_the_score_has_checked_without_a_hit_are_its_doing() -> None:
    assert placed(0.8, cuts=APART).reason == "score"
    assert placed(0.8, CHECKING, cuts=APART).reason == "rule"


@pytest.mark.parametrize("spoken", [(), (LISTED,), (CHECKING,), (SELECTING, LISTED)])
def test_a_life_at_risk_is_a_rescue_whatever_else_is_said(spoken: tuple[Hit, ...]) -> None:
    for placement in (
        placed(0.95, *spoken, control=0.0, is_life_at_risk=True),
        unscored(*spoken, control=0.0, is_life_at_risk=True),
    ):
        assert placement == Placement("rescue", "life_at_risk", {"rescue": 1.0}, spoken)
        assert placement.selection_probability == 1


def test_without_a_score_what_nothing_speaks_of_is_for_the_manual_procedure() -> None:
    assert unscored() == Placement("manual", "no_score", {"control": 0.25, "manual": 0.75})
    assert unscored(control=0.1) == Placement(
        "control", "random", {"control": 0.25, "manual": 0.75}
    )
    assert unscored(CHECKING) == Placement(
        "document_check", "rule", {"control": 0.25, "document_check": 0.75}, (CHECKING,)
    )


def test_someone_looks_in_three_lanes_and_at_most_surely() -> None:
    assert VISITED == ("rescue", "inspect", "control")
    for lane in VISITED:
        assert Placement(lane, "score", {lane: 0.5, "release": 0.5}).selection_probability == 0.5
    unseen = Placement("release", "score", {"document_check": 0.5, "post_review": 0.5})
    assert unseen.selection_probability == 0
    rounded = Placement("inspect", "score", {"inspect": 0.9, "control": 0.1 + 1e-9})
    assert rounded.selection_probability == 1


@given(
    st.floats(0, 1),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from([TIED, APART]),
    st.sampled_from([(), (CHECKING,)]),
)
def test_no_lane_comes_up_that_had_no_probability(
    score: float, tie: float, control: float, cuts: LaneCutoffs, spoken: tuple[Hit, ...]
) -> None:
    placement = placed(score, *spoken, tie=tie, control=control, cuts=cuts)

    assert placement.probabilities[placement.lane] > 0
    assert sum(placement.probabilities.values()) == pytest.approx(1)
    assert min(placement.probabilities.values()) >= 0


STEPS = 20
SHARES = st.integers(0, STEPS).map(lambda share: share / STEPS)


def placed_again(shares: list[float], control: float, draws: Draws) -> list[Placement]:
    """The placements of one subject at several instants, each with its share of a tie."""
    placements: list[Placement] = []
    for share in shares:
        before = placements[-1] if placements else None
        earlier = before and EarlierSelection.of_probabilities(
            before.lane, before.reason, before.probabilities
        )
        drawn = earlier.control if earlier and earlier.control is not None else control
        cutoffs = LaneCutoffs(Cutoff(0.5, share), TIED.document_check, TIED.post_review)
        placements.append(
            place(
                0.5,
                cutoffs,
                draws,
                control_probability=drawn,
                is_life_at_risk=False,
                earlier=earlier,
            )
        )
    return placements


@given(st.lists(SHARES, min_size=1, max_size=5), SHARES)
def test_over_several_instants_the_probability_is_that_of_a_selection_at_any_of_them(
    shares: list[float], control: float
) -> None:
    """Counted over all draws; the control draw falls once and grows no more probable."""
    middles = [(step + 0.5) / STEPS for step in range(STEPS)]
    chains = [
        placed_again(shares, control, Draws(tie, drawn)) for tie in middles for drawn in middles
    ]

    visited = sum(chain[-1].lane in VISITED for chain in chains) / len(chains)

    assert chains[0][-1].selection_probability == pytest.approx(visited)
    assert visited == pytest.approx(1 - (1 - max(shares)) * (1 - control))
    for chain in chains:
        assert sum(chain[-1].probabilities.values()) == pytest.approx(1)
        were_visited = [placement.lane in VISITED for placement in chain]
        assert were_visited == sorted(were_visited), "whoever was selected stays selected"


def test_without_a_model_whoever_was_selected_stays_selected() -> None:
    earlier = EarlierSelection("inspect", "score", inspect=0.4, control=0.1)
    again = [
        place_unscored(
            Draws(tie, 0.999), control_probability=0.1, is_life_at_risk=False, earlier=earlier
        )
        for tie in (0.39, 0.41)
    ]

    assert [placement.lane for placement in again] == ["inspect", "manual"]
    assert again[0].reason == "score"
    assert again[1].selection_probability == pytest.approx(1 - 0.6 * 0.9)
