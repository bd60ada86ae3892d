"""False referrals of each group in all traffic, relative to all subjects.

Referrals are known for every subject; labels are needed only to estimate how many of those referred
would be confirmed. If there are too few, the open cases count against a clear answer: the test that
a group is within the limit assumes that none of them would be confirmed, the test that it is above
assumes that all would be.
"""

from collections.abc import Iterator

import numpy as np
from scipy import special

from training.confidence_intervals import Estimate
from training.estimation.inspected_sample import InspectedSample
from training.estimation.population_figures import confirmed_among
from training.evaluation.evaluation_report import GroupReferrals
from training.evaluation.groups import groupings, masks
from training.evaluation.labelled_window import LabelledWindow
from training.outcomes import Bools
from training.parameters import GATE_SHARE, MAX_FALSE_REFERRAL_RATIO
from training.ranking import Floats, ScoreRanking, inspected_rows

GATED_GROUPINGS = ("mode", "office", "operator", "origin", "region of origin")
# Smaller groups are pooled: on their own they allow no clear answer.
MIN_SUBJECTS = 100


def group_referrals(
    traffic: LabelledWindow, sample: InspectedSample, log_odds: Floats
) -> tuple[GroupReferrals, ...]:
    """Return figures for each group, under the cut that takes the highest 5 % of all subjects.

    `traffic` holds all subjects, `sample` the inspected ones among them. Empty if the sample allows
    no figure of all traffic.
    """
    if sample.refusal is not None:
        return ()
    ranking = ScoreRanking.from_scores(np.zeros(sample.traffic), log_odds)
    referred = inspected_rows(ranking, GATE_SHARE)
    # The share referred among all subjects that would not be confirmed. At least one is assumed,
    # because a ratio to zero has no value.
    confirmed = confirmed_among(sample, referred)
    rightly = min(confirmed.value if confirmed else 0.0, float(referred.sum()))
    usual = max(float(referred.sum()) - rightly, 1.0) / (sample.traffic - rightly)
    return tuple(
        _figures((by, group), mask, referred, sample, usual)
        for by, group, mask in _gated_groups(traffic)
    )


def _gated_groups(traffic: LabelledWindow) -> Iterator[tuple[str, str, Bools]]:
    for by, groups in groupings(traffic).items():
        if by in GATED_GROUPINGS and groups.notna().any():
            for group, mask in masks(groups, MIN_SUBJECTS):
                yield by, group, mask


def _figures(
    name: tuple[str, str], mask: Bools, referred: Floats, sample: InspectedSample, usual: float
) -> GroupReferrals:
    subjects = int(mask.sum())
    value, fewest, most = _false_referrals(sample, referred * mask)
    # A limit above 1 would be no probability.
    allowed = min(MAX_FALSE_REFERRAL_RATIO * usual, 1.0)
    return GroupReferrals(
        by=name[0],
        group=name[1],
        subjects=subjects,
        referred=float(referred[mask].sum()),
        ratio=Estimate(
            None if value is None else value / subjects / usual,
            _plausible_share(fewest, subjects, 0.025, 0.0) / usual,
            _plausible_share(most, subjects, 0.975, 1.0) / usual,
        ),
        largest_ratio=MAX_FALSE_REFERRAL_RATIO,
        p_within=float(np.mean(1 - _beta_below(most + 1, subjects - most, allowed))),
        p_above=float(np.mean(_beta_below(fewest, subjects - fewest + 1, allowed))),
    )


def _beta_below(a: Floats, b: Floats, at: float) -> Floats:
    """Return the beta distribution function at a share, also for degenerate parameters.

    With no false referral all mass lies at 0, and if all subjects are referred falsely at 1; scipy
    returns NaN for both.
    """
    within = special.betainc(np.where(a > 0, a, 1.0), np.where(b > 0, b, 1.0), at)
    return np.where(a <= 0, 1.0, np.where(b <= 0, 0.0, within))


def _false_referrals(
    sample: InspectedSample, referred: Floats
) -> tuple[float | None, Floats, Floats]:
    """Return how many referred subjects would not be confirmed: value, minimum and maximum.

    Known results are hard bounds; the plausible values of an estimate are clipped to them.
    """
    total, known = float(referred.sum()), referred[sample.rows]
    fewest = min(float(known @ (1 - sample.labels)), total)
    most = total - float(known @ sample.labels)
    confirmed = confirmed_among(sample, referred)
    if confirmed is None:
        is_known = most - fewest < 0.5
        return fewest if is_known else None, np.array([fewest]), np.array([most])
    plausible = np.clip(total - confirmed.points, fewest, most)
    return float(np.clip(total - confirmed.value, fewest, most)), plausible, plausible


def _plausible_share(counts: Floats, subjects: int, quantile: float, added: float) -> float:
    """Return a quantile of the share that these counts suggest, after Clopper and Pearson.

    `added` is 1 for an upper end and 0 for a lower one.
    """
    if not added and not counts.any():
        return 0.0
    # A grid of quantiles replaces sampling, so that the result is deterministic.
    grid = (np.arange(100) + 0.5) / 100
    thinned = np.maximum(counts[:: max(len(counts) // 100, 1), None], 1e-9)
    a, b = thinned + added, subjects - thinned + 1 - added
    shares = np.where(b > 0, special.betaincinv(a, np.where(b > 0, b, 1.0), grid), 1.0)
    return float(np.quantile(shares, quantile))
