"""The section of an evaluation about all traffic, estimated from random draws."""

import numpy as np

from training.confidence_intervals import Estimate, proportion
from training.data.time_split import TimeWindow, in_utc
from training.estimation.calibration_on_traffic import traffic_calibration
from training.estimation.inspected_sample import (
    InspectedSample,
    inspected_sample,
    lot_ranks_above,
    placed_by,
)
from training.estimation.population_figures import (
    UNKNOWN,
    extremes_of,
    population_figures,
    share_found,
)
from training.estimation.sensitivity import sensitivity
from training.evaluation.evaluation_report import Draws, PopulationSection, StatusQuo
from training.evaluation.group_referrals import group_referrals
from training.evaluation.labelled_window import LabelledWindow
from training.evaluation.score_bands import traffic_bands
from training.evaluation.scored_alike import scored_alike
from training.evaluation.settled_results import settled_until, still_to_come
from training.outcomes import Bools, Texts
from training.parameters import GATE_SHARE
from training.ranking import Floats, ScoreRanking, inspected_rows


def population_section(
    everyone: LabelledWindow, log_odds: Floats, window: TimeWindow, shares: tuple[float, ...]
) -> PopulationSection:
    """Return figures of the part of a window old enough for its results to be complete.

    `everyone` holds all subjects of the window, labelled or not, with `log_odds` parallel.
    """
    until = settled_until(everyone.data, window)
    is_settled = everyone.data.declared_at[everyone.rows] < until
    traffic, log_odds = everyone.only(is_settled), log_odds[is_settled]
    by_design = sample_of(traffic)
    sample = scored_alike(
        placed_by(by_design, log_odds),
        traffic.data.frame,
        traffic.rows,
        log_odds,
        _is_inspected(traffic),
    )
    # Only the score can have added a refusal.
    is_elsewhere = sample.refusal != by_design.refusal
    figures = population_figures(sample, log_odds, shares)
    declared_at = traffic.data.declared_at[traffic.rows]
    # Two reasons for a missing result: inconclusive inspections, and results not known yet.
    coming = still_to_come(traffic.data, window, declared_at)
    unknown_share = 1 - (1 - _unknown_share(traffic)) * (1 - coming)
    highest = inspected_rows(
        ScoreRanking.from_scores(np.zeros(len(log_odds)), log_odds), GATE_SHARE
    )
    extremes = extremes_of(sample, highest)
    recall = next(at.recall for at in figures.at_share if at.share == GATE_SHARE)
    return PopulationSection(
        begins=window.figures.begins,
        ends=min(window.figures.ends, in_utc(until)),
        figures=figures,
        calibration=traffic_calibration(sample, log_odds, GATE_SHARE),
        status_quo=status_quo(traffic, sample, log_odds),
        groups=group_referrals(traffic, sample, log_odds),
        unknown_share=unknown_share,
        bounds=tuple(
            sensitivity(figures.prevalence, recall, GATE_SHARE, unknown_share, extremes, coming)
        ),
        bands=traffic_bands(sample, log_odds),
        draws="in place" if not is_elsewhere else _where_drawn(traffic, log_odds),
    )


def _where_drawn(traffic: LabelledWindow, log_odds: Floats) -> Draws:
    outcomes, rows = traffic.data.outcomes, traffic.rows
    ways, probability = outcomes.selected_by[rows], outcomes.selection_probability[rows]
    return "above their lot" if lot_ranks_above(ways, probability, log_odds) else "elsewhere"


def sample_of(traffic: LabelledWindow) -> InspectedSample:
    """Return the inspected subjects of this traffic."""
    outcomes = traffic.data.outcomes
    return inspected_sample(
        traffic.labels,
        outcomes.selected_by[traffic.rows],
        outcomes.selection_probability[traffic.rows],
        traffic.data.together[traffic.rows],
    )


def status_quo(
    traffic: LabelledWindow, sample: InspectedSample, log_odds: Floats
) -> StatusQuo | None:
    """Return the finds of actual inspections, next to as many inspections by the model.

    None if nothing was inspected.
    """
    ways = traffic.data.outcomes.selected_by[traffic.rows]
    is_known = ~np.isnan(traffic.labels)
    inspected, known = int(_is_inspected(traffic).sum()), int(is_known.sum())
    if not inspected:
        return None
    share = inspected / len(traffic.rows)
    confirmed = int(np.nansum(traffic.labels))
    recall = share_found(sample, _would_be_found(ways, traffic.labels))
    by_model = population_figures(sample, log_odds, (share,)).at_share[0]
    return StatusQuo(
        share=share,
        inspected=inspected,
        confirmed=confirmed,
        precision=proportion(confirmed, known),
        recall=recall,
        lift=_times(recall, 1 / share),
        model_precision=by_model.precision,
        model_recall=by_model.recall,
        model_lift=by_model.lift,
    )


def _would_be_found(ways: Texts, labels: Floats) -> float:
    """Return the number confirmed, extrapolated to unknown results.

    Each unknown result counts as the mean of the known ones selected in the same way.
    """
    is_known = ~np.isnan(labels)
    found = 0.0
    for way in sorted({way for way in ways if way is not None}):
        is_of = ways == way
        if (is_of & is_known).any():
            found += float(np.nanmean(labels[is_of])) * int(is_of.sum())
    return found


def _times(estimate: Estimate, factor: float) -> Estimate:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return UNKNOWN
    return Estimate(estimate.value * factor, estimate.low * factor, estimate.high * factor)


def _unknown_share(traffic: LabelledWindow) -> float:
    is_inspected = _is_inspected(traffic)
    if not is_inspected.any():
        return 0.0
    return float(np.isnan(traffic.labels[is_inspected]).mean())


def _is_inspected(traffic: LabelledWindow) -> Bools:
    ways = traffic.data.outcomes.selected_by[traffic.rows]
    return np.array([way is not None for way in ways], dtype=np.bool_)
