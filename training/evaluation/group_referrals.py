"""Referrals of each group of all traffic, beside those of all and what becomes of them.

Who is referred is known of every subject, so referral rates are compared first: the ratio of a
group to all is shrunken towards 1, for most groups differ by chance (a mixture of two gamma priors,
as in DuMouchel's Gamma Poisson Shrinker for adverse drug reactions, 1999). A group may be referred
more often because it is riskier: then as many of those referred are confirmed as of all referred
(Becker's outcome test). Where few results are known, a group is taken to be about as risky as all,
so a ratio that is far too high needs no result to be noticed. Operators that are new or small are
riskier by experience: they are taken to be as risky as they are referred, until results say else.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from training.estimation.inspected_sample import InspectedSample, effective_size
from training.estimation.referral_ratios import (
    ReferredGroup,
    chance_above,
    precision_ratio,
    referral_ratio,
)
from training.evaluation.evaluation_report import GroupReferrals
from training.evaluation.groups import groupings, masks
from training.evaluation.labelled_window import LabelledWindow
from training.outcomes import Bools
from training.parameters import GATE_SHARE, MAX_REFERRAL_RATIO
from training.ranking import Floats, ScoreRanking, inspected_rows

GATED_GROUPINGS = ("mode", "office", "operator", "origin", "region of origin")
RISKY_BY_EXPERIENCE = ("operator",)
# Smaller groups are pooled: on their own they allow no clear answer.
MIN_SUBJECTS = 100

# Multiples of a group's traffic at which it is asked whether it could be judged.
_MULTIPLES = 2.0 ** np.arange(1, 11)


def group_referrals(
    traffic: LabelledWindow, sample: InspectedSample, log_odds: Floats
) -> tuple[GroupReferrals, ...]:
    """Return figures for each group under the cut that takes the highest 5 % of all; worst first.

    `traffic` holds all subjects, `sample` the inspected ones among them. Results of a sample that
    allows no figure of all traffic tell nothing of a group's risk either.
    """
    return referrals_of(_gated_groups(traffic), sample, log_odds)


def referrals_of(
    groups: Iterable[tuple[str, str, Bools]], sample: InspectedSample, log_odds: Floats
) -> tuple[GroupReferrals, ...]:
    """Return the figures of `group_referrals` for groups by grouping, name and mask of traffic."""
    ranking = ScoreRanking.from_scores(np.zeros(sample.traffic), log_odds)
    referred = inspected_rows(ranking, GATE_SHARE)
    found = (
        _figures(by, name, int(mask.sum()), _group(by, mask, referred, sample))
        for by, name, mask in groups
    )
    return tuple(sorted(found, key=lambda each: (-each.p_above, -(each.ratio.value or 0.0))))


def _gated_groups(traffic: LabelledWindow) -> Iterator[tuple[str, str, Bools]]:
    for by, groups in groupings(traffic).items():
        if by in GATED_GROUPINGS and groups.notna().any():
            for group, mask in masks(groups, MIN_SUBJECTS):
                yield by, group, mask


def _group(by: str, mask: Bools, referred: Floats, sample: InspectedSample) -> ReferredGroup:
    expected = float(referred.mean() * mask.sum())
    return ReferredGroup(
        float(referred[mask].sum()),
        expected,
        *_results(mask, referred, sample),
        by in RISKY_BY_EXPERIENCE,
    )


def _results(mask: Bools, referred: Floats, sample: InspectedSample) -> tuple[float, float, float]:
    """Return a group's results among those referred, how many are confirmed, and would be as usual.

    Weights make results stand for traffic. The numbers are in independent results of equal weight,
    fewer if results stand for less of the group than is referred.
    """
    weights = sample.weights * referred[sample.rows]
    own = weights * mask[sample.rows]
    if sample.refusal is not None or not own.any():
        return 0.0, 0.0, 0.0
    represented = min(float(own.sum() / referred[mask].sum()), 1.0)
    results = effective_size(own, sample.together) * represented
    confirmed, usual = own @ sample.labels / own.sum(), weights @ sample.labels / weights.sum()
    return results, results * float(confirmed), results * float(usual)


def _figures(by: str, name: str, subjects: int, group: ReferredGroup) -> GroupReferrals:
    return GroupReferrals(
        by=by,
        group=name,
        subjects=subjects,
        referred=group.referred,
        ratio=referral_ratio(group),
        results=group.results,
        precision_ratio=precision_ratio(group),
        largest_ratio=MAX_REFERRAL_RATIO,
        p_above=chance_above(group),
        chances_of_more={
            round(subjects * multiple): chance_above(group.times(multiple))
            for multiple in _MULTIPLES
        },
    )
