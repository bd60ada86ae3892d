"""Both sides of every bound of a gate, on figures written by hand, and what its sentence says."""

from dataclasses import FrozenInstanceError, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from training.confidence_intervals import Estimate
from training.evaluation.evaluation_report import EvaluationReport, GroupFigures, ProxyFigures
from training.fit.influence import InfluenceFigures
from training.gates import gates
from training.gates.canaries import Canaries, CanaryShift
from training.gates.verdict import Verdict
from training.gates.waiver import Waiver
from training.leakage.finding import LeakageFinding
from training.model.manifest import Manifest

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
UNKNOWN = Estimate(None)


def manifest(calibration: str = "equal", **metrics: Estimate) -> Manifest:
    """What gates read of a manifest, and no more."""
    return Manifest.model_construct(
        metrics=metrics, parameters={"selection": {"calibration": calibration}}
    )


def report(**parts: Any) -> EvaluationReport:
    return EvaluationReport.model_construct(**parts)


@pytest.mark.parametrize(
    ("precision", "prevalence", "is_passed"),
    [
        (Estimate(0.3, 0.11, 0.5), Estimate(0.1), True),
        (Estimate(0.3, 0.1, 0.5), Estimate(0.1), False),
        (Estimate(0.3), Estimate(0.1), False),
        (Estimate(0.3, 0.11, 0.5), UNKNOWN, False),
        (UNKNOWN, UNKNOWN, False),
    ],
)
def test_the_lower_bound_of_precision_lies_above_drawing_by_lot(
    precision: Estimate, prevalence: Estimate, is_passed: bool
) -> None:
    asked = manifest(precision_at_5pct=precision, prevalence=prevalence)

    assert (gates.better_than_random(asked).verdict == "passed") is is_passed


def test_precision_and_the_lot_are_spelt_out() -> None:
    known = manifest(precision_at_5pct=Estimate(0.3, 0.11, 0.5), prevalence=Estimate(0.1))
    half = manifest(precision_at_5pct=Estimate(0.3, 0.11), prevalence=UNKNOWN)

    assert gates.better_than_random(known).reason == (
        "precision at 5 % is 0.300 (0.110 to 0.500); want its lower bound above the 0.100 of "
        "drawing by lot"
    )
    assert gates.better_than_random(half).reason == (
        "precision at 5 % is 0.300; want its lower bound above the unknown of drawing by lot"
    )


@pytest.mark.parametrize(
    ("error", "by_chance", "is_passed"),
    [(0.05, 0.01, True), (0.0501, 0.01, False), (0.07, 0.07, True), (0.06, None, False)],
)
def test_a_calibration_error_may_lie_on_its_bound(
    error: float, by_chance: float | None, is_passed: bool
) -> None:
    asked = manifest(ece=Estimate(error), ece_by_chance=Estimate(by_chance))

    assert (gates.calibrated(asked).verdict == "passed") is is_passed


def test_a_calibration_error_is_spelt_out_with_what_it_is_among() -> None:
    figures = {"weighted_ece": Estimate(0.06), "weighted_ece_by_chance": Estimate(0.07)}

    assert gates.calibrated(manifest("inverse_probability", **figures)).reason == (
        "the weighted calibration error is 0.060; want at most 0.070 "
        "(chance alone gives up to 0.070)"
    )


def test_a_warning_shuts_no_gate_and_is_counted() -> None:
    shuffled, pair = (
        LeakageFinding(check=check, is_refusal=False, features=("x",), evidence="x")  # type: ignore[arg-type]  # names of checks
        for check in ("shuffled labels", "pair lookup")
    )

    verdict = gates.free_of_leaks(report(leakage=(shuffled, pair, pair)))

    assert verdict == Verdict("leakage", True, "no check refuses; 2 pairs of columns are warned of")


def group(name: str, labelled: int, confirmed: int, **figures: Estimate) -> GroupFigures:
    usual = dict.fromkeys(("prevalence", "referred", "precision", "false_referral"), UNKNOWN)
    return GroupFigures(
        by="mode", group=name, labelled=labelled, confirmed=confirmed, **(usual | figures)
    )


def fairness(**of_sea: Estimate) -> Verdict:
    """Of 1,350 clean subjects 120 are referred, 4 times which is 0.356; of 200 referred 80 are
    confirmed, 0.35 under which is 0.05.
    """
    road = {"referred": Estimate(0.2), "precision": Estimate(0.2)}
    sea = {"referred": Estimate(0.1), "precision": Estimate(0.6)} | of_sea
    groups = group("road", 500, 50, **road), group("sea", 1_000, 100, **sea), group("rail", 10, 10)
    return gates.fair_to_groups(report(groups=groups))


@pytest.mark.parametrize("low", [0.3, 4 * 120 / 1_350])
def test_a_group_may_be_referred_four_times_the_usual(low: float) -> None:
    assert fairness(false_referral=Estimate(0.5, low, 0.6)) == Verdict(
        "groups",
        True,
        "3 groups by mode, office, operator, origin, region of origin are within limits",
    )


def test_a_group_that_is_referred_oftener_is_named_with_what_was_asked() -> None:
    assert fairness(false_referral=Estimate(0.5, 0.3556, 0.6)) == Verdict(
        "groups",
        False,
        "mode sea: 0.500 (0.356 to 0.600) of clean subjects are referred; want at most 0.356, "
        "4 times the usual",
    )


def test_a_group_that_is_referred_less_rightly_is_named_with_what_was_asked() -> None:
    assert fairness(precision=Estimate(0.6, 0.01, 80 / 200 - 0.35)).verdict == "passed"
    assert fairness(precision=Estimate(0.6, 0.01, 0.0499)) == Verdict(
        "groups",
        False,
        "mode sea: precision is 0.600 (0.010 to 0.050); want 0.050, at most 0.35 under the usual "
        "0.400",
    )


@pytest.mark.parametrize(("share", "is_passed"), [(0.5, True), (0.5001, False)])
def test_a_feature_may_tell_half_of_the_origin(share: float, is_passed: bool) -> None:
    figures = (
        ProxyFigures(feature="corridor", information_share=share),
        ProxyFigures(feature="x", information_share=0.1),
    )

    verdict = gates.no_proxy_for_origin(report(proxies=figures))

    assert (verdict.verdict == "passed") is is_passed
    assert "corridor carries 0.50" in verdict.reason
    assert "x carries" not in verdict.reason


@pytest.mark.parametrize(
    ("gain", "is_passed"),
    [(Estimate(-0.1, -0.2, 0.0), True), (Estimate(-0.1, -0.2, -1e-9), False)],
)
def test_live_traffic_may_speak_of_no_difference(gain: Estimate, is_passed: bool) -> None:
    assert (gates.no_worse_on_live_traffic(gain, 7).verdict == "passed") is is_passed


def influence(by: str, largest: float) -> InfluenceFigures:
    return InfluenceFigures(by=by, groups=3, largest=largest, largest_before=0.9, allowed=0.3)


@pytest.mark.parametrize(
    ("largest", "is_passed"), [(0.2, True), (0.3, True), (0.3 + 5e-7, True), (0.3 + 2e-6, False)]
)
def test_an_office_may_weigh_what_is_allowed_but_for_rounding(
    largest: float, is_passed: bool
) -> None:
    figures = influence("office", largest), influence("author", 0.1)

    assert (gates.bounded_influence(report(influence=figures)).verdict == "passed") is is_passed


def test_only_what_weighs_too_much_is_named_and_else_all_that_was_weighed() -> None:
    heavy, light = influence("office", 0.4), influence("author", 0.1)
    of_the_light = (
        "the heaviest author of 3 weighs 0.100 of all, at most 0.300 allowed (0.900 unbounded)"
    )

    shut = gates.bounded_influence(report(influence=(heavy, light)))
    wide = gates.bounded_influence(report(influence=(light,)))
    nothing = gates.bounded_influence(report(influence=()))

    assert shut.reason == of_the_light.replace("author", "office").replace("0.100", "0.400")
    assert (wide.is_passed, wide.reason) == (True, of_the_light)
    assert (nothing.is_passed, nothing.reason) == (True, "no label has an author or an office")


@dataclass(frozen=True)
class MovedBy(Canaries):
    """Canaries of which it is known how far they moved."""

    figures: CanaryShift

    def shift(self, *_: object) -> CanaryShift:
        return self.figures


@pytest.mark.parametrize(
    ("moved", "is_passed"),
    [
        (CanaryShift(-0.5, 0.5, 51, 49), True),
        (CanaryShift(9.0, -9.0, 51, 49), True),
        (CanaryShift(-0.51, 0.0, 51, 49), False),
        (CanaryShift(0.0, 0.51, 51, 49), False),
        (CanaryShift(None, 0.1, 51, 49), True),
        (CanaryShift(0.1, None, 51, 49), True),
        (CanaryShift(None, 0.51, 51, 49), False),
        (CanaryShift(0.0, 0.0, 50, 50), False),
        (CanaryShift(0.0, 0.0, 1, 0), True),
        (CanaryShift(None, None, 0, 0), False),
    ],
)
def test_canaries_move_half_a_log_odds_towards_the_wrong_side_at_most(
    moved: CanaryShift, is_passed: bool
) -> None:
    is_there: Any = object()

    verdict = gates.steady_canaries(MovedBy((), (), moved), is_there, is_there, is_there)

    assert (verdict.verdict == "passed") is is_passed


def test_how_far_canaries_moved_is_spelt_out_and_so_is_what_is_lacking() -> None:
    is_there: Any = object()
    known = MovedBy((), (), CanaryShift(-0.1, None, 51, 49))

    verdict = gates.steady_canaries(known, is_there, is_there, is_there)
    alone = gates.steady_canaries(None, is_there, None, None)

    assert verdict.reason == (
        "mean log-odds of known confirmed moved by -0.100, of known cleared by unknown, over 51 of "
        "100 subjects; want no more than 0.5 towards the wrong side, and most subjects at hand"
    )
    assert alone == Verdict("canaries", True, "nothing to compare: there are no canaries")
    for champion, data in ((None, is_there), (is_there, None)):
        assert gates.steady_canaries(known, is_there, champion, data).reason.endswith(
            "there are no champion or training set"
        )
        lane = gates.holds_on_the_control_lane(is_there, champion, data)
        assert (lane.is_passed, lane.reason) == (
            True,
            "there is no champion or training set to compare with",
        )


def test_a_gate_is_open_where_it_is_passed_or_waived_and_a_waiver_leaves_it_unpassed() -> None:
    times = NOON, NOON + timedelta(days=60)
    waiver = Waiver.given(("groups",), "sha256:", "grace", "The office opened in May.", times)
    passed, refused = Verdict("groups", True, "fair"), Verdict("groups", False, "unfair")

    waived = refused.waived(waiver)

    assert passed.waived(waiver) == passed
    assert waived == Verdict("groups", False, f"unfair; {waiver.in_words}", is_waived=True)
    assert [v.is_open for v in (passed, refused, waived)] == [True, False, True]
    assert [v.answer for v in (passed, refused, waived)] == ["passed", "refused", "waived"]


def test_what_a_gate_said_does_not_change() -> None:
    verdict = Verdict("groups", False, "unfair")

    with pytest.raises(FrozenInstanceError):
        verdict.is_passed = True


def test_every_gate_answers_by_its_own_name() -> None:
    known = manifest(
        precision_at_5pct=UNKNOWN, prevalence=UNKNOWN, ece=UNKNOWN, ece_by_chance=UNKNOWN
    )
    nothing = report(leakage=(), groups=(), proxies=(), influence=())

    assert [
        gates.better_than_random(known).gate,
        gates.calibrated(known).gate,
        gates.free_of_leaks(nothing).gate,
        gates.fair_to_groups(nothing).gate,
        gates.no_proxy_for_origin(nothing).gate,
        gates.bounded_influence(nothing).gate,
        gates.no_worse_on_live_traffic(UNKNOWN, 7).gate,
        gates.approved_by_another("ada", "grace").gate,
    ] == [
        "better than the lot",
        "calibration",
        "leakage",
        "groups",
        "proxies",
        "influence",
        "live traffic",
        "approver",
    ]
