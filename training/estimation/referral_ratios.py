"""Ratio of how often a group is selected to how often all are, from its counts and results.

Most groups differ by chance, so ratios are shrunken towards 1 by a mixture of two gamma priors, as
in DuMouchel's Gamma Poisson Shrinker for adverse drug reactions (1999).
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from training.confidence_intervals import Estimate
from training.parameters import MAX_REFERRAL_RATIO
from training.ranking import Floats

# Priors of a referral ratio, of mean 1: nineteen in twenty groups lie within a quarter of all, one
# lies anywhere. As shapes of gamma distributions, which are worth so many expected referrals.
LIKE_ALL, ANYWHERE, ANYWHERE_SHARE = 60.0, 1.5, 0.05
# Prior of how risky a group is, as a multiple of all: 0.2 to 2.4, of mean 1.
RISK = 3.0

# Probabilities of being referred too often: beyond the first it is too often, up to the second not.
TOO_OFTEN, NOT_TOO_OFTEN = 0.95, 0.2

# Quantiles of the normal distribution.
_NORMAL = special.ndtri((np.arange(200) + 0.5) / 200)


class ReferredGroup(NamedTuple):
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

    def times(self, multiple: float) -> "ReferredGroup":
        """Return the group with so many times the traffic and results, all alike."""
        numbers = {name: multiple * getattr(self, name) for name in self._fields[:-1]}
        return self._replace(**numbers)


def referral_ratio(group: ReferredGroup) -> Estimate:
    """Return how many times as often the group is referred as all."""
    ratios, chances = _referral_ratios(group)
    order = np.argsort(ratios)
    cumulated = np.cumsum(chances[order])
    low, high = ratios[order][np.searchsorted(cumulated, (0.025, 0.975)).clip(max=len(order) - 1)]
    return Estimate(float(ratios @ chances), float(low), float(high))


def precision_ratio(group: ReferredGroup) -> Estimate:
    """Return how many times as many of those referred would be confirmed as of all referred."""
    ratios, chances = _referral_ratios(group)
    shape, rate = _risk(group, ratios)
    value, ratio = float(chances @ (shape / rate / ratios)), float(chances @ ratios)
    low, high = special.gammaincinv(shape, (0.025, 0.975)) / (float(chances @ rate) * ratio)
    return Estimate(value, float(low), float(high))


def chance_above(group: ReferredGroup) -> float:
    """Return the probability that a group is referred too often for its risk.

    A group that is less risky than all may be referred as often as all.
    """
    ratios, chances = _referral_ratios(group)
    explained = ratios / MAX_REFERRAL_RATIO
    shape, rate = _risk(group, ratios)
    return float(chances @ np.where(explained > 1, special.gammainc(shape, rate * explained), 0.0))


def is_too_wide(share: Estimate, of_all: float) -> bool:
    """Return whether a share may be that of all, but also one that lies beyond the limit."""
    low, high = share.low or 0.0, 1.0 if share.high is None else share.high
    is_far = low < of_all / MAX_REFERRAL_RATIO or high > of_all * MAX_REFERRAL_RATIO
    return is_far and low <= of_all <= high


def _referral_ratios(group: ReferredGroup) -> tuple[Floats, Floats]:
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


def _risk(group: ReferredGroup, ratio: Floats | float) -> tuple[float, Floats]:
    """Return shape and rate of the gamma distribution of a group's risk, given its ratio.

    Precision is risk by ratio: of a group that is referred more often for no reason, fewer of those
    referred are confirmed.
    """
    inverse = 1 / np.asarray(ratio)
    prior = RISK * inverse if group.is_risky_by_experience else RISK
    return RISK + group.confirmed, prior + group.usual * inverse
