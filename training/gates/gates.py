"""Gates that a model must pass before it becomes champion: one function each."""

import math

import numpy as np

from training.confidence_intervals import Estimate, difference
from training.data.time_split import TimeWindow
from training.data.training_set import TrainingSet
from training.errors import WindowUnusable
from training.estimation.population_figures import MIN_TO_PLACE
from training.evaluation.evaluation_report import (
    EvaluationReport,
    JointProxyFigures,
    share_name,
)
from training.evaluation.joint_proxy import MIN_ROWS
from training.evaluation.labelled_window import LabelledWindow
from training.evaluation.population_section import sample_of
from training.evaluation.proxies import proxies_above
from training.evaluation.reevaluation import require_unseen, scored_window, unseen_window
from training.evaluation.settled_results import settled_until
from training.fit.booster_predict import Margins
from training.fit.label_influence import InfluenceFigures, allowed_share
from training.gates import comparison_gate, recalibration_gate
from training.gates.calibration_gate import drawn_cases
from training.gates.canaries import Canaries
from training.gates.non_inferiority import enough_in_words, no_worse_by, units_needed
from training.gates.verdict import Verdict, passed_if
from training.model.calibration import log_odds_of
from training.model.counted_cases import Case, CountedCases
from training.model.manifest import Manifest, WindowFigures
from training.model.risk_model import RiskModel
from training.parameters import GATE_SHARE, LeakageParameters, SelectionParameters
from training.ranking import ScoreRanking, roc_auc

# Tolerance between recomputed and recorded log-odds or contributions.
ADDITIVITY = 1e-9

# As a share of the entropy of the region of origin; above half of it, a feature is a label.
MAX_PROXY_SHARE = 0.5

# The same for the score, among subjects found innocent: up to a tenth of the entropy it is a
# tendency that distinguishes neighbours, above it the score distinguishes origins.
MAX_SCORE_SHARE = 0.1

ROUNDING = 1e-6

# Limits that the trainer sets, and may loosen only if two people accept that.
USUAL_LEAKAGE, USUAL_SELECTION = LeakageParameters(), SelectionParameters()

# In log-odds; training with another seed moves canaries by a twentieth of it.
MAX_CANARY_MOVE = 0.5

# Another seed alone moves the interval by .03 with 174 confirmed subjects.
MAX_LOSS_OF_AUC = 0.05

MIN_CONFIRMED_AT_RANDOM = 30
# Bootstrap samples of the subjects, for the interval of a difference.
REDRAWS = 1_000

CANARIES = "canaries"
CANARY_CASES: Case = "canaries in the training set"
CHANCE = 0.5
ROC_AUC = "population_roc_auc"
LIFT = f"population_lift_at_{share_name(GATE_SHARE)}"
SLOPE = "population_calibration_slope"
MORE_DRAWS = "more results of subjects that were drawn with a probability would be enough"
NO_CANARIES = "there are no canaries; `tidegate retrain` chooses them"
NO_CHAMPION = "there is no champion to compare with; once there is one, its successor is compared"
NO_TRAINING_SET = "the training set the model is from is not at hand; give --training-set"


def golden_vectors(model: RiskModel) -> Verdict:
    """Check that the model reproduces its own recorded rows."""
    manifest = model.manifest
    names = [column.name for column in manifest.features]
    rows = np.array(
        [model.encode(dict(zip(names, g.values, strict=True)))[0] for g in manifest.golden]
    )
    margins = Margins.from_text(model.booster_text, threads=1)
    parts, expected = margins.contributions(rows)
    slope = manifest.calibration.slope
    base = slope * expected + manifest.calibration.intercept
    log_odds = log_odds_of(margins.predict(rows), manifest.calibration)
    # Scores, contributions, their sum and the base, because reasons depend on all of them.
    worst = max(
        np.abs(log_odds - [g.log_odds for g in manifest.golden]).max(),
        np.abs(slope * parts - [g.contributions for g in manifest.golden]).max(),
        np.abs(base + (slope * parts).sum(axis=1) - log_odds).max(),
        abs(base - manifest.base_log_odds),
    )
    return Verdict(
        "golden vectors",
        passed_if(bool(worst <= ADDITIVITY)),
        f"{len(manifest.golden)} recorded rows recompute within {worst:.1e}; want {ADDITIVITY:.0e}",
    )


def better_than_random(judged: Manifest | EvaluationReport) -> Verdict:
    """Check that confirmed subjects score higher than others among all traffic.

    ROC-AUC uses every confirmed subject, while precision at 5 % uses a handful. If too few were
    drawn to rank them all, the slope of calibration shows whether risk rises with scores.
    """
    gate = "better than random"
    roc_auc, lift, slope = (
        judged.metrics.get(name, Estimate(None)) for name in (ROC_AUC, LIFT, SLOPE)
    )
    cases = _draws_to_rank(judged, roc_auc)
    if roc_auc.value is None and slope.low is not None and slope.low > 0:
        reason = f"risk rises with the score in all traffic, by a slope of {_spelt(slope)}"
        return Verdict(gate, "passed", f"{reason}; want an interval above 0", cases=cases)
    found = f" (the highest {GATE_SHARE:.0%} hold {_spelt(lift)} times their share)"
    reason = (
        f"ROC-AUC of all traffic is {_spelt(roc_auc)}{found if lift.value is not None else ''}; "
        f"want an interval above {CHANCE:g}"
    )
    if roc_auc.low is None or roc_auc.high is None or roc_auc.low <= CHANCE < roc_auc.high:
        reason = f"{reason}; {_why_unknown(judged) or MORE_DRAWS}"
        return Verdict(gate, "undecided", reason, cases=cases)
    return Verdict(gate, passed_if(roc_auc.low > CHANCE), reason, cases=cases)


def _draws_to_rank(judged: Manifest | EvaluationReport, roc_auc: Estimate) -> CountedCases | None:
    """Return the results that a ranking of all traffic is judged by; None without that section."""
    if isinstance(judged, Manifest) or judged.population is None:
        return None
    figures = judged.population.figures
    if roc_auc.value is not None and roc_auc.low is not None and roc_auc.high is not None:
        gain = Estimate(*(each - CHANCE for each in (roc_auc.value, roc_auc.low, roc_auc.high)))
        needed = units_needed(gain, 0.0, figures.drawn)
    elif figures.effective_size and figures.refusal is None:
        needed = math.ceil(figures.drawn * MIN_TO_PLACE / figures.effective_size)
    else:
        needed = None
    return drawn_cases(judged.population, needed)


def _why_unknown(judged: Manifest | EvaluationReport) -> str | None:
    """Return the reason why an evaluation has no figure of all traffic, or None if it has."""
    if isinstance(judged, Manifest) or judged.population is None:
        return None
    return judged.population.figures.refusal


def free_of_leaks(report: EvaluationReport, asked: LeakageParameters = USUAL_LEAKAGE) -> Verdict:
    """Check that all leakage checks ran and none refused.

    The trainer may not loosen them alone. A score that ranks random draws above all traffic uses
    information about inspections: refused. One that ranks draws otherwise may do so, or a
    probability or result may be wrong: undecided.
    """
    refused = [finding.evidence for finding in report.leakage if finding.is_refusal]
    placed = report.population.draws if report.population else "in place"
    misplaced = [] if placed == "in place" else [_why_unknown(report) or placed]
    refused += misplaced if placed == "above their lot" else []
    if not report.leakage:
        return Verdict(
            "leakage", "refused", "no leakage check was run; train with leakage.is_checked"
        )
    warned = [finding for finding in report.leakage if finding.check == "pair lookup"]
    sound = f"no check refuses; {len(warned)} pairs of columns are warned of"
    if not refused and (loosened := _loosened(asked)):
        return Verdict("leakage", "undecided", f"{sound}, but the experiment {loosened}")
    doubts = [
        finding.evidence
        for finding in report.leakage
        if finding.check in ("single feature", "drawn by lot") and not finding.is_refusal
    ] + misplaced
    if not refused and doubts:
        return Verdict("leakage", "undecided", f"{sound}, but {'; '.join(doubts)}")
    return Verdict("leakage", passed_if(not refused), "; ".join(refused) or sound)


def _loosened(asked: LeakageParameters) -> str:
    """Describe how an experiment loosened the checks; empty if it did not."""
    ways = [f"accepts {', '.join(asked.accept)}"] if asked.accept else []
    if asked.largest_auc > USUAL_LEAKAGE.largest_auc:
        ways.append(
            f"lets a feature rank alone up to {asked.largest_auc:g} of ROC-AUC, where "
            f"{USUAL_LEAKAGE.largest_auc:g} is usual"
        )
    return " and ".join(ways)


def no_proxy_for_origin(report: EvaluationReport) -> Verdict:
    """Check that neither a feature nor the score can stand in for the origin.

    The score is examined among subjects found innocent, whose risk cannot explain it.
    """
    too_strong = proxies_above(report.proxies, MAX_PROXY_SHARE)
    shown = too_strong or report.proxies[:1]
    listed = "; ".join(f"{proxy.feature} carries {proxy.information_share:.2f}" for proxy in shown)
    joint = report.joint_proxy
    by_score = joint.score_share_of_unconfirmed if joint else None
    is_strong = bool(too_strong) or (by_score is not None and by_score > MAX_SCORE_SHARE)
    is_measured = bool(report.proxies) and by_score is not None
    cleared = report.inspected.labelled - report.inspected.confirmed
    days = (report.window.begins, report.window.ends)
    return Verdict(
        "proxies",
        "refused" if is_strong else "passed" if is_measured else "undecided",
        f"of the information about the region of origin, {listed or 'nothing was measured'}; want "
        f"at most {MAX_PROXY_SHARE:g} in one feature; {_joint_in_words(joint)}",
        cases=CountedCases(
            "inspections that found nothing",
            joint.unconfirmed if joint else cleared,
            MIN_ROWS,
            *days,
        ),
    )


def _joint_in_words(joint: JointProxyFigures | None) -> str:
    if joint is None:
        return "too few subjects name their origin to say what the score tells of it"
    together = (
        f"all features together name the region of {joint.accuracy:.0%} "
        f"({joint.largest_share:.0%} are from the commonest)"
    )
    if joint.score_share_of_unconfirmed is None:
        return f"{together}; too few inspections found nothing to say what the score tells of it"
    return (
        f"the score carries {joint.score_share_of_unconfirmed:.2f} among those that turned out to "
        f"be nothing; want at most {MAX_SCORE_SHARE:g}; {together}"
    )


def no_worse_than_champion(
    model: RiskModel, champion: RiskModel | None, data: TrainingSet | None, attempt: int = 1
) -> Verdict:
    """Check that the model is as good as the champion on the same subjects, within a margin.

    `attempt` is its place among the models judged against this champion, from 1.
    """
    gate = comparison_gate.GATE
    if data is None:
        return Verdict(gate, "undecided", NO_TRAINING_SET if champion else NO_CHAMPION)
    try:
        window = window_unseen_by_both(model, champion or model, data)
    except WindowUnusable as error:
        return Verdict(gate, "undecided", str(error))
    if champion is None:
        return without_champion(data, window)[0]
    of_model, of_champion = (scored_window(m, data, window) for m in (model, champion))
    labels = of_model.subjects(labelled_only=False).labels
    scores = of_model.log_odds, of_champion.log_odds
    return comparison_gate.no_worse(labels, *scores, window.figures, attempt)


def well_recalibrated(
    model: RiskModel, champion: RiskModel | None, data: TrainingSet | None
) -> Verdict:
    """Check that a recalibration of the champion predicts newer results at least as well."""
    gate = recalibration_gate.GATE
    if champion is None or model.manifest.recalibrates != champion.digest:
        reason = "it recalibrates a version that is no longer champion; recalibrate the champion"
        return Verdict(gate, "refused", reason)
    if data is None:
        return Verdict(gate, "undecided", NO_TRAINING_SET)
    try:
        window = window_unseen_by_both(model, champion, data)
    except WindowUnusable as error:
        return Verdict(gate, "undecided", str(error))
    of_model, of_champion = (scored_window(m, data, window) for m in (model, champion))
    traffic = of_model.subjects(labelled_only=False)
    # As in figures of all traffic: what is confirmed may be known later than what is cleared.
    is_settled = data.declared_at[traffic.rows] < settled_until(data, window)
    return recalibration_gate.better_calibrated(
        sample_of(traffic.only(is_settled)),
        of_model.log_odds[is_settled],
        of_champion.log_odds[is_settled],
        window.figures,
    )


def bounded_influence(report: EvaluationReport) -> Verdict:
    """Check that no author, office or place of arrival has more weight in the fit than allowed."""
    over_bound = [
        influence
        for influence in report.influence
        if influence.largest > influence.allowed + ROUNDING
    ]
    listed = "; ".join(map(_influence_in_words, over_bound or report.influence))
    # The experiment may allow more than usual, which takes a waiver by two people.
    heavy = [each for each in report.influence if each.largest > _usual(each) + ROUNDING]
    if not report.influence:
        return Verdict(
            "influence",
            "undecided",
            "no label has an author, an office or a place of arrival, so nobody's is bounded; "
            "labels that name one would be enough",
        )
    if heavy and not over_bound:
        return Verdict("influence", "undecided", "; ".join([listed, *map(_unbounded, heavy)]))
    return Verdict("influence", passed_if(not over_bound), listed)


def _usual(influence: InfluenceFigures) -> float:
    """Return the usual limit of the heaviest group, without an experiment's exceptions."""
    shares = USUAL_SELECTION.largest_author_share, USUAL_SELECTION.largest_office_share
    share = shares[influence.by != "author"]
    return share if _has_no_bound(influence) else allowed_share(share, influence.groups)


def _has_no_bound(influence: InfluenceFigures) -> bool:
    """Return whether the groups are so few that twice an even share is all the weight."""
    return allowed_share(0.0, influence.groups) >= 1


def _unbounded(influence: InfluenceFigures) -> str:
    usual = f"{_usual(influence):.3f} for one {influence.by}"
    if _has_no_bound(influence):
        return (
            f"of {influence.groups} nobody's weight can be bounded, and more than {usual} lets "
            "them decide what is learnt"
        )
    return f"the experiment allows more than {usual}"


def _influence_in_words(influence: InfluenceFigures) -> str:
    return (
        f"the heaviest {influence.by} of {influence.groups} weighs {influence.largest:.3f} of all, "
        f"at most {influence.allowed:.3f} allowed ({influence.largest_before:.3f} unbounded)"
    )


def steady_canaries(
    canaries: Canaries | None,
    model: RiskModel,
    champion: RiskModel | None,
    data: TrainingSet | None,
) -> Verdict:
    """Check that subjects of known truth keep their scores under the champion."""
    gate = CANARIES
    if champion is None:
        return Verdict(gate, "undecided", NO_CHAMPION)
    if canaries is None:
        return Verdict(gate, "undecided", NO_CANARIES, cases=CountedCases(CANARY_CASES, 0, 1))
    if data is None:
        return Verdict(gate, "undecided", NO_TRAINING_SET)
    confirmed, cleared = canaries.shifts(model, champion, data)
    if not confirmed.chosen + cleared.chosen:
        return Verdict(gate, "undecided", NO_CANARIES, cases=CountedCases(CANARY_CASES, 0, 1))
    shifts = (confirmed, cleared)
    # Only moves in the wrong direction count: confirmed down, cleared up.
    lower, higher = -(confirmed.log_odds or 0.0), cleared.log_odds or 0.0
    is_steady = max(lower, higher) <= MAX_CANARY_MOVE
    return Verdict(
        gate,
        passed_if(is_steady and confirmed.has_most and cleared.has_most),
        f"mean log-odds of known confirmed moved by {_number(confirmed.log_odds)}, over "
        f"{confirmed.found} of {confirmed.chosen} subjects, of known cleared by "
        f"{_number(cleared.log_odds)}, over {cleared.found} of {cleared.chosen}, chosen on "
        f"{canaries.chosen_at:%Y-%m-%d}; want no more than {MAX_CANARY_MOVE:g} towards the "
        "wrong side, and most of either sort in the training set",
        cases=CountedCases(
            CANARY_CASES,
            sum(shift.found for shift in shifts),
            sum(shift.chosen // 2 + 1 for shift in shifts if shift.chosen),
        ),
    )


def holds_on_the_control_lane(
    model: RiskModel, champion: RiskModel | None, data: TrainingSet | None
) -> Verdict:
    """Check that the model ranks newer, randomly drawn subjects as well as the champion.

    Nobody can steer who is drawn, so labels falsified on purpose have no influence there.
    """
    gate = "control lane"
    if data is None:
        return Verdict(gate, "undecided", NO_TRAINING_SET if champion else NO_CHAMPION)
    try:
        window = window_unseen_by_both(model, champion or model, data)
    except WindowUnusable as error:
        return Verdict(gate, "undecided", str(error))
    if champion is None:
        return without_champion(data, window)[1]
    of_model, of_champion = (
        scored_window(m, data, window).subjects(labelled_only=False) for m in (model, champion)
    )
    return no_worse_in_the_control_lane(of_model, of_champion, window.figures)


def without_champion(data: TrainingSet, window: TimeWindow) -> tuple[Verdict, Verdict]:
    """Return the verdicts of both comparisons where there is nothing to compare with."""
    figures = window.figures
    by_lot = int(window.labels[data.outcomes.in_random_lane[window.rows]].sum())
    cases = comparison_gate.confirmed_cases(figures.confirmed, figures), _by_lot(by_lot, figures)
    return (
        Verdict(comparison_gate.GATE, "undecided", NO_CHAMPION, cases=cases[0]),
        Verdict("control lane", "undecided", NO_CHAMPION, cases=cases[1]),
    )


def _by_lot(
    confirmed: int, window: WindowFigures, needed: int | None = MIN_CONFIRMED_AT_RANDOM
) -> CountedCases:
    kind: Case = "confirmed subjects drawn at random"
    return CountedCases(kind, confirmed, needed, window.begins, window.ends)


def window_unseen_by_both(model: RiskModel, champion: RiskModel, data: TrainingSet) -> TimeWindow:
    """Return the window of `data` to evaluate the model on.

    Raises WindowUnusable, also if the champion was fitted on labels of it.
    """
    window = unseen_window(model, data)
    require_unseen(champion, window)
    return window


def no_worse_in_the_control_lane(
    of_model: LabelledWindow, of_champion: LabelledWindow, window: WindowFigures
) -> Verdict:
    """Return the same verdict from all subjects of a window scored by both models."""
    gate = "control lane"
    if comparison_gate.rank_alike(of_model.probability, of_champion.probability):
        return Verdict(gate, "passed", comparison_gate.RANKS_ALIKE)
    is_random = of_model.in_random_lane & ~np.isnan(of_model.labels)
    confirmed = int(of_model.labels[is_random].sum())
    if confirmed < MIN_CONFIRMED_AT_RANDOM:
        return Verdict(
            gate,
            "undecided",
            f"{confirmed} confirmed of {int(is_random.sum())} drawn at random say too little; "
            f"want {MIN_CONFIRMED_AT_RANDOM}",
            cases=_by_lot(confirmed, window),
        )
    gain = gain_of_auc(of_model.only(is_random).ranking(), of_champion.only(is_random).ranking())
    verdict = no_worse_by(gain, MAX_LOSS_OF_AUC)
    reason = (
        f"ROC-AUC differs from the champion's by {gain.value:+.4f} ({gain.low:+.4f} to "
        f"{gain.high:+.4f}) over {int(is_random.sum())} subjects drawn at random, {confirmed} of "
        f"them confirmed; want an interval above {-MAX_LOSS_OF_AUC:g} that does not lie below 0"
    )
    if verdict == "undecided":
        enough = enough_in_words(gain, MAX_LOSS_OF_AUC, confirmed, "confirmed subjects")
        reason = f"{reason}; {enough}"
    needed = units_needed(gain, MAX_LOSS_OF_AUC, confirmed)
    if needed is not None:
        needed = max(needed, MIN_CONFIRMED_AT_RANDOM)
    cases = _by_lot(confirmed, window, needed)
    return Verdict(gate, verdict, reason, cases=cases)


def gain_of_auc(of_model: ScoreRanking, of_champion: ScoreRanking) -> Estimate:
    """Return the model's ROC-AUC minus the champion's on the same subjects."""
    told = difference(
        of_model, of_champion, lambda each: {ROC_AUC: roc_auc(each)}, rounds=REDRAWS, seed=0
    )
    return told[ROC_AUC]


def _spelt(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return _number(estimate.value)
    return f"{_number(estimate.value)} ({estimate.low:.3f} to {estimate.high:.3f})"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
