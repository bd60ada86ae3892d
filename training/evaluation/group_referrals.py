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
from typing import NamedTuple

import numpy as np
from scipy import special

from training.confidence_intervals import Estimate
from training.estimation.inspected_sample import InspectedSample, effective_size
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

# Priors of a referral ratio, of mean 1: nineteen in twenty groups lie within a quarter of all, one
# lies anywhere. As shapes of gamma distributions, which are worth so many expected referrals.
LIKE_ALL, ANYWHERE, ANYWHERE_SHARE = 60.0, 1.5, 0.05
# Prior of how risky a group is, as a multiple of all: 0.2 to 2.4, of mean 1.
RISK = 3.0

# Quantiles of the normal distribution.
_NORMAL = special.ndtri((np.arange(200) + 0.5) / 200)
# Multiples of a group's traffic at which it is asked whether it could be judged.
_MULTIPLES = 2.0 ** np.arange(1, 11)


class _Group(NamedTuple):
    """A group's referrals, and the results of those referred, in independent results.

    `expected` are the referrals if it were referred as often as all, `usual` the confirmed ones of
    `results` if as many were confirmed as of all that are referred.
    """

    referred: float
    expected: float
    results: float
    confirmed: float
    usual: float
    is_risky_by_experience: bool

    def times(self, multiple: float) -> "_Group":
        """Return the group with so many times the traffic and results, all alike."""
        numbers = {name: multiple * getattr(self, name) for name in self._fields[:-1]}
        return self._replace(**numbers)


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


def _group(by: str, mask: Bools, referred: Floats, sample: InspectedSample) -> _Group:
    expected = float(referred.mean() * mask.sum())
    return _Group(
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


def _figures(by: str, name: str, subjects: int, group: _Group) -> GroupReferrals:
    ratios, chances = _referral_ratios(group)
    order = np.argsort(ratios)
    cumulated = np.cumsum(chances[order])
    low, high = ratios[order][np.searchsorted(cumulated, (0.025, 0.975)).clip(max=len(order) - 1)]
    value = float(ratios @ chances)
    return GroupReferrals(
        by=by,
        group=name,
        subjects=subjects,
        referred=group.referred,
        ratio=Estimate(value, float(low), float(high)),
        results=group.results,
        precision_ratio=_precision_ratio(group, ratios, chances),
        largest_ratio=MAX_REFERRAL_RATIO,
        p_above=_chance_above(group),
        chances_of_more={
            round(subjects * multiple): _chance_above(group.times(multiple))
            for multiple in _MULTIPLES
        },
    )


def _referral_ratios(group: _Group) -> tuple[Floats, Floats]:
    """Return plausible ratios of a group's referrals to those of all, and their probabilities."""
    shapes = np.array([LIKE_ALL, ANYWHERE])
    # The likelihood of so many referrals under each prior: negative binomial, but for a constant.
    likelihood = (
        special.gammaln(shapes + group.referred)
        - special.gammaln(shapes)
        - shapes * np.log1p(group.expected / shapes)
        - group.referred * np.log(shapes + group.expected)
    )
    chance = special.softmax(likelihood + np.log([1 - ANYWHERE_SHARE, ANYWHERE_SHARE]))
    # Quantiles of gamma distributions after Wilson and Hilferty: exact ones take a hundred times.
    shape = shapes[:, None] + group.referred
    quantiles = shape * (1 - 1 / (9 * shape) + _NORMAL / (3 * np.sqrt(shape))) ** 3
    ratios = np.maximum(quantiles, 1e-9) / (shapes[:, None] + group.expected)
    return ratios.ravel(), np.repeat(chance / len(_NORMAL), len(_NORMAL))


def _risk(group: _Group, ratio: Floats | float) -> tuple[float, Floats]:
    """Return shape and rate of the gamma distribution of a group's risk, given its ratio.

    Precision is risk by ratio: of a group that is referred more often for no reason, fewer of those
    referred are confirmed.
    """
    inverse = 1 / np.asarray(ratio)
    prior = RISK * inverse if group.is_risky_by_experience else RISK
    return RISK + group.confirmed, prior + group.usual * inverse


def _precision_ratio(group: _Group, ratios: Floats, chances: Floats) -> Estimate:
    shape, rate = _risk(group, ratios)
    value, ratio = float(chances @ (shape / rate / ratios)), float(chances @ ratios)
    low, high = special.gammaincinv(shape, (0.025, 0.975)) / (float(chances @ rate) * ratio)
    return Estimate(value, float(low), float(high))


def _chance_above(group: _Group) -> float:
    """Return the probability that a group is referred too often for its risk.

    A group that is less risky than all may be referred as often as all.
    """
    ratios, chances = _referral_ratios(group)
    explained = ratios / MAX_REFERRAL_RATIO
    shape, rate = _risk(group, ratios)
    return float(chances @ np.where(explained > 1, special.gammainc(shape, rate * explained), 0.0))
