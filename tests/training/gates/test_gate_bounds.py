"""Both sides of every bound of a gate, on figures written by hand, and what its sentence says."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from training.confidence_intervals import Estimate
from training.evaluation.evaluation_report import (
    EvaluationReport,
    JointProxyFigures,
    PopulationSection,
    ProxyFigures,
)
from training.fit.label_influence import InfluenceFigures
from training.gates import gates
from training.gates.canaries import Canaries, CanaryShift
from training.gates.second_approval import approved_by_another
from training.gates.verdict import Answer, Verdict
from training.leakage.finding import LeakageFinding
from training.model.counted_cases import CountedCases
from training.model.manifest import Manifest, WindowFigures
from training.parameters import LeakageParameters

UNKNOWN = Estimate(None)


def manifest(**metrics: Estimate) -> Manifest:
    """What gates read of a manifest, and no more."""
    return Manifest.model_construct(metrics=metrics)


def report(**parts: Any) -> EvaluationReport:
    window = WindowFigures(begins=DAY, ends=DAY + timedelta(days=100), labelled=300, confirmed=50)
    inspected = SimpleNamespace(labelled=300, confirmed=50)
    known = {"population": None, "window": window, "inspected": inspected}
    return EvaluationReport.model_construct(**(known | parts))


@pytest.mark.parametrize(
    ("roc_auc", "verdict"),
    [
        (Estimate(0.7, 0.501, 0.8), "passed"),
        (Estimate(0.7, 0.5, 0.8), "undecided"),
        (Estimate(0.7, 0.3, 0.8), "undecided"),
        (Estimate(0.4, 0.3, 0.501), "undecided"),
        (Estimate(0.4, 0.3, 0.5), "refused"),
        (Estimate(0.5, 0.5, 0.5), "refused"),
        (Estimate(0.7), "undecided"),
        (UNKNOWN, "undecided"),
    ],
)
def test_the_interval_of_roc_auc_of_all_traffic_lies_above_chance(
    roc_auc: Estimate, verdict: Answer
) -> None:
    asked = manifest(population_roc_auc=roc_auc, roc_auc=Estimate(0.9, 0.8, 1.0))

    assert gates.better_than_random(asked).verdict == verdict


@pytest.mark.parametrize(
    ("slope", "verdict"),
    [
        (Estimate(0.9, 0.001, 1.8), "passed"),
        (Estimate(0.9, 0.0, 1.8), "undecided"),
        (Estimate(-0.9, -1.8, -0.1), "undecided"),
        (UNKNOWN, "undecided"),
    ],
)
def test_a_slope_above_0_tells_enough_where_no_roc_auc_is_known(
    slope: Estimate, verdict: Answer
) -> None:
    asked = manifest(population_calibration_slope=slope)
    beside_chance = manifest(
        population_calibration_slope=slope, population_roc_auc=Estimate(0.7, 0.3, 0.8)
    )

    assert gates.better_than_random(asked).verdict == verdict
    assert gates.better_than_random(beside_chance).verdict == "undecided"


@pytest.mark.parametrize(
    ("roc_auc", "drawn", "refusal", "needed"),
    [
        (Estimate(0.6, 0.45, 0.75), 100, None, 225),
        (Estimate(0.6, 0.55, 0.65), 100, None, 25),
        (Estimate(0.25, 0.2, 0.75), 100, None, 400),
        (Estimate(0.5, 0.4, 0.6), 100, None, None),
        (UNKNOWN, 100, None, 400),
        (UNKNOWN, 100, "wrong probabilities", None),
        (UNKNOWN, 29, "too few", 30),
    ],
)
def test_a_ranking_is_judged_from_enough_draws_on(
    roc_auc: Estimate, drawn: int, refusal: str | None, needed: int | None
) -> None:
    figures = SimpleNamespace(drawn=drawn, refusal=refusal, effective_size=50.0)
    population = PopulationSection.model_construct(
        begins=DAY, ends=DAY + timedelta(days=100), figures=figures
    )
    metrics = {"population_roc_auc": roc_auc}
    asked: Any = SimpleNamespace(metrics=metrics, population=population)

    cases = gates.better_than_random(asked).cases

    assert cases is not None
    assert (cases.known, cases.needed) == (drawn, needed)


def test_what_was_found_at_the_gates_share_is_told_where_it_is_known() -> None:
    area = Estimate(0.7, 0.6, 0.8)
    known = manifest(population_roc_auc=area, population_lift_at_5pct=Estimate(3.0, 1.1, 5.0))

    assert gates.better_than_random(known).reason == (
        "ROC-AUC of all traffic is 0.700 (0.600 to 0.800) (the highest 5% hold 3.000 (1.100 to "
        "5.000) times their share); want an interval above 0.5"
    )
    assert gates.better_than_random(manifest(population_roc_auc=area)).reason == (
        "ROC-AUC of all traffic is 0.700 (0.600 to 0.800); want an interval above 0.5"
    )
    assert gates.better_than_random(manifest()).reason.endswith(
        "more results of subjects that were drawn with a probability would be enough"
    )


def test_a_warning_shuts_no_gate_and_is_counted() -> None:
    shuffled, pair = (
        LeakageFinding(check=check, is_refusal=False, features=("x",), evidence="x")  # type: ignore[arg-type]  # names of checks
        for check in ("shuffled labels", "pair lookup")
    )

    verdict = gates.free_of_leaks(report(leakage=(shuffled, pair, pair)))

    assert verdict == Verdict(
        "leakage", "passed", "no check refuses; 2 pairs of columns are warned of"
    )


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (LeakageParameters(accept=("x", "y")), "but the experiment accepts x, y"),
        (LeakageParameters(largest_auc=1.0), "rank alone up to 1 of ROC-AUC, where 0.95 is usual"),
    ],
)
def test_whoever_trains_does_not_loosen_the_leakage_checks_alone(
    asked: LeakageParameters, says: str
) -> None:
    pair, leak = (
        LeakageFinding(check="pair lookup", is_refusal=is_refusal, features=("x",), evidence="x")
        for is_refusal in (False, True)
    )

    loosened = gates.free_of_leaks(report(leakage=(pair,)), asked)

    assert loosened.verdict == "undecided"
    assert loosened.reason.endswith(says)
    assert gates.free_of_leaks(report(leakage=(pair, leak)), asked).verdict == "refused"
    stricter = LeakageParameters(largest_auc=0.9)
    assert gates.free_of_leaks(report(leakage=(pair,)), stricter).verdict == "passed"


@pytest.mark.parametrize(
    "doubt",
    [
        LeakageFinding(check="drawn by lot", is_refusal=False, features=(), evidence="too few"),
        LeakageFinding(check="single feature", is_refusal=False, features=("y",), evidence="when?"),
    ],
)
def test_leakage_is_undecided_where_a_feature_may_have_been_known_later(
    doubt: LeakageFinding,
) -> None:
    leak = LeakageFinding(check="single feature", is_refusal=True, features=("x",), evidence="x")

    undecided = gates.free_of_leaks(report(leakage=(doubt,)))

    assert undecided.verdict == "undecided"
    assert undecided.reason.endswith(doubt.evidence)
    assert gates.free_of_leaks(report(leakage=(doubt, leak))).verdict == "refused"


@pytest.mark.parametrize(
    ("draws", "verdict"),
    [("in place", "passed"), ("elsewhere", "undecided"), ("above their lot", "refused")],
)
def test_a_score_that_knows_who_was_inspected_leaks(draws: Any, verdict: Answer) -> None:
    pair = LeakageFinding(check="pair lookup", is_refusal=False, features=("x",), evidence="x")
    why = "the score knows who was inspected"
    figures = SimpleNamespace(refusal=why)
    population = PopulationSection.model_construct(draws=draws, figures=figures)
    judged = report(leakage=(pair,), population=population)

    told = gates.free_of_leaks(judged)

    assert told.verdict == verdict
    assert told.reason.endswith(why) is (verdict != "passed")
    assert gates.free_of_leaks(judged, LeakageParameters(accept=("x",))).verdict != "passed"


@pytest.mark.parametrize(("share", "is_passed"), [(0.5, True), (0.5001, False)])
def test_a_feature_may_tell_half_of_the_origin(share: float, is_passed: bool) -> None:
    figures = (
        ProxyFigures(feature="corridor", information_share=share),
        ProxyFigures(feature="x", information_share=0.1),
    )

    verdict = gates.no_proxy_for_origin(report(proxies=figures, joint_proxy=joint(0.05)))

    assert (verdict.verdict == "passed") is is_passed
    assert "corridor carries 0.50" in verdict.reason
    assert "x carries" not in verdict.reason


def joint(score_share: float | None) -> JointProxyFigures:
    return JointProxyFigures(
        subjects=9_000,
        regions=4,
        accuracy=0.74,
        largest_share=0.2,
        score_share=0.15,
        unconfirmed=800,
        score_share_of_unconfirmed=score_share,
    )


@pytest.mark.parametrize(
    ("score_share", "answer"), [(0.1, "passed"), (0.1001, "refused"), (None, "undecided")]
)
def test_a_score_may_tell_a_tenth_of_the_origin_of_those_that_were_nothing(
    score_share: float | None, answer: str
) -> None:
    figures = (ProxyFigures(feature="x", information_share=0.1),)

    verdict = gates.no_proxy_for_origin(report(proxies=figures, joint_proxy=joint(score_share)))

    assert verdict.verdict == answer
    assert "all features together name the region of 74%" in verdict.reason


def test_where_nothing_of_the_origin_was_measured_no_proxy_is_ruled_out() -> None:
    assert gates.no_proxy_for_origin(report(proxies=(), joint_proxy=joint(0.0))).verdict == (
        "undecided"
    )
    figures = (ProxyFigures(feature="x", information_share=0.1),)
    assert gates.no_proxy_for_origin(report(proxies=figures, joint_proxy=None)).verdict == (
        "undecided"
    )


def influence(by: str, largest: float, allowed: float = 0.3, groups: int = 9) -> InfluenceFigures:
    return InfluenceFigures(
        by=by, groups=groups, largest=largest, largest_before=0.9, allowed=allowed
    )


@pytest.mark.parametrize(("by", "usual"), [("author", 0.222), ("office", 0.3)])
def test_whoever_trains_does_not_let_somebody_weigh_more_alone(by: str, usual: float) -> None:
    heavy, light = influence(by, 0.5, allowed=0.99), influence(by, 0.22, allowed=0.99)

    loosened = gates.bounded_influence(report(influence=(heavy,)))

    assert loosened.verdict == "undecided"
    assert loosened.reason.endswith(f"the experiment allows more than {usual:.3f} for one {by}")
    assert gates.bounded_influence(report(influence=(light,))).verdict == "passed"


@pytest.mark.parametrize(("by", "groups", "usual"), [("author", 1, 0.2), ("office", 2, 0.3)])
def test_so_few_that_none_of_them_can_be_bounded_pass_only_where_they_weigh_little(
    by: str, groups: int, usual: float
) -> None:
    heavy, light = (influence(by, largest, 1.0, groups) for largest in (usual + 0.01, usual))

    undecided = gates.bounded_influence(report(influence=(light, heavy)))

    assert undecided.verdict == "undecided"
    assert (
        f"of {groups} nobody's weight can be bounded, and more than {usual:.3f} for one {by}"
        in (undecided.reason)
    )
    assert gates.bounded_influence(report(influence=(light,))).verdict == "passed"
    assert gates.bounded_influence(report(influence=(influence(by, 0.6, 0.67, 3),))).verdict == (
        "passed"
    )


@pytest.mark.parametrize(
    ("largest", "is_passed"),
    [(0.2, True), (0.3, True), (0.3 + 5e-7, True), (0.3 + 1e-6, True), (0.3 + 2e-6, False)],
)
def test_an_office_may_weigh_what_is_allowed_but_for_rounding(
    largest: float, is_passed: bool
) -> None:
    figures = influence("office", largest), influence("author", 0.1)

    verdict = gates.bounded_influence(report(influence=figures)).verdict
    assert verdict == ("passed" if is_passed else "refused")


def test_only_what_weighs_too_much_is_named_and_else_all_that_was_weighed() -> None:
    heavy, light = influence("office", 0.4), influence("author", 0.1)
    of_the_light = (
        "the heaviest author of 9 weighs 0.100 of all, at most 0.300 allowed (0.900 unbounded)"
    )

    shut = gates.bounded_influence(report(influence=(heavy, light)))
    wide = gates.bounded_influence(report(influence=(light,)))
    nothing = gates.bounded_influence(report(influence=()))

    assert shut.reason == of_the_light.replace("author", "office").replace("0.100", "0.400")
    assert wide == Verdict("influence", "passed", of_the_light)
    assert nothing.verdict == "undecided"
    assert nothing.reason.startswith("no label has an author, an office or a place of arrival")


DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class MovedBy(Canaries):
    """Canaries of which it is known how far they moved: confirmed ones, then cleared."""

    figures: tuple[CanaryShift, CanaryShift]

    def shifts(self, *_: object) -> tuple[CanaryShift, CanaryShift]:
        return self.figures


def moved(
    confirmed: float | None, cleared: float | None, *, found: tuple[int, int] = (51, 51)
) -> Canaries:
    """Of a hundred of each sort so many are there, and moved so far; of none nobody knows."""
    pairs = zip((confirmed, cleared), found, strict=True)
    first, second = (CanaryShift(log_odds, there, 100) for log_odds, there in pairs)
    return MovedBy((), (), DAY, (first, second))


@pytest.mark.parametrize(
    ("canaries", "verdict"),
    [
        (moved(-0.5, 0.5), "passed"),
        (moved(9.0, -9.0), "passed"),
        (moved(-0.51, 0.0), "refused"),
        (moved(0.0, 0.51), "refused"),
        (moved(0.0, 0.0, found=(50, 100)), "refused"),
        (moved(0.0, 0.0, found=(100, 50)), "refused"),
        (moved(None, 0.0, found=(0, 100)), "refused"),
        (moved(0.0, None, found=(100, 0)), "refused"),
        (moved(None, None, found=(0, 0)), "refused"),
    ],
)
def test_canaries_move_half_a_log_odds_towards_the_wrong_side_at_most(
    canaries: Canaries, verdict: Answer
) -> None:
    is_there: Any = object()

    asked = gates.steady_canaries(canaries, is_there, is_there, is_there)

    assert (asked.gate, asked.verdict) == ("canaries", verdict)


NONE_CHOSEN = CanaryShift(None, 0, 0)


@pytest.mark.parametrize(
    ("confirmed", "cleared", "verdict"),
    [
        (CanaryShift(0.0, 1, 1), NONE_CHOSEN, "passed"),
        (NONE_CHOSEN, CanaryShift(0.1, 1, 1), "passed"),
        (NONE_CHOSEN, CanaryShift(0.51, 1, 1), "refused"),
        (NONE_CHOSEN, NONE_CHOSEN, "undecided"),
    ],
)
def test_a_sort_of_which_no_canary_was_chosen_is_not_asked_for(
    confirmed: CanaryShift, cleared: CanaryShift, verdict: Answer
) -> None:
    is_there: Any = object()
    canaries = MovedBy((), (), DAY, (confirmed, cleared))

    assert gates.steady_canaries(canaries, is_there, is_there, is_there).verdict == verdict


def test_how_far_canaries_moved_is_spelt_out_and_so_is_what_is_lacking() -> None:
    is_there: Any = object()
    known = moved(-0.1, None, found=(51, 0))

    verdict = gates.steady_canaries(known, is_there, is_there, is_there)
    without = gates.steady_canaries(None, is_there, is_there, is_there)

    assert verdict.reason == (
        "mean log-odds of known confirmed moved by -0.100, over 51 of 100 subjects, of known "
        "cleared by unknown, over 0 of 100, chosen on 2026-01-01; want no more than 0.5 towards "
        "the wrong side, and most of either sort in the training set"
    )
    assert without == Verdict(
        "canaries",
        "undecided",
        "there are no canaries; `tidegate retrain` chooses them",
        cases=CountedCases("canaries in the training set", 0, 1),
    )
    assert verdict.cases == CountedCases("canaries in the training set", 51, 102)


def test_where_there_is_nothing_to_compare_with_no_comparison_is_passed() -> None:
    is_there: Any = object()
    known = moved(0.0, 0.0)
    for champion, data, lacking in (
        (None, None, "there is no champion to compare with"),
        (is_there, None, "give --training-set"),
    ):
        asked = (
            gates.no_worse_than_champion(is_there, champion, data),
            gates.steady_canaries(known, is_there, champion, data),
            gates.holds_on_the_control_lane(is_there, champion, data),
        )
        assert {verdict.verdict for verdict in asked} == {"undecided"}
        assert all(lacking in verdict.reason for verdict in asked)


def test_every_gate_answers_by_its_own_name() -> None:
    known = manifest()
    nothing = report(leakage=(), proxies=(), influence=())

    assert [
        gates.better_than_random(known).gate,
        gates.free_of_leaks(nothing).gate,
        gates.no_proxy_for_origin(nothing).gate,
        gates.bounded_influence(nothing).gate,
        approved_by_another("ada", "grace").gate,
    ] == [
        "better than random",
        "leakage",
        "proxies",
        "influence",
        "approver",
    ]
