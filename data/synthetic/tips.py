"""Tips: how likely somebody talks, by exposure and never by what a movement carries.

Informants know people and firms, not consignments. So a tip depends on how many know: on the size
and age of a network or firm, and on the partners that it fell out with. It names a network, a firm
or a corridor for a week, which is why tips come in clusters and most of them are wrong. Rivals
denounce honest firms in the same way. The rates are our own.
"""

import numpy as np

from features.records import SubjectKind
from synthetic.actors import age_days, varied
from synthetic.chance import Floats, Ints, share
from synthetic.scenario import Scenario

NETWORK, FIRM, CORRIDOR = 301, 302, 303
# The chance that somebody talks about one in a week, and that a tip then points at a movement.
NETWORK_WEEKLY, NETWORK_POINTED = 0.24, 0.5
FIRM_WEEKLY, FIRM_POINTED = 0.004, 0.3
CORRIDOR_WEEKLY, CORRIDOR_POINTED = 0.006, 0.1
INFORMANTS_SPREAD = 0.5
PARTNERS_LOST = 0.3  # more tips after each seizure that made a network move
MATURE_NETWORK_DAYS, MATURE_FIRM_DAYS = 120.0, 365.0
MAX_WEEKLY = 0.6


def tip_probability(scenario: Scenario, exposure: Floats, true_probability: Floats) -> Floats:
    """Return the probability of a tip: `exposure`, unless the scenario has tips know the truth."""
    if scenario.tips_from_truth:
        return np.asarray(0.001 + scenario.tips_from_truth * true_probability**1.3)
    return exposure


def exposure_of_networks(
    scenario: Scenario,
    seed: int,
    kind: SubjectKind,
    *,
    network: Ints,
    corridor: Ints,
    epoch: Ints,
    at: Floats,
    age: Floats,
) -> Floats:
    """Return the probability of a tip about each movement of a network."""
    code = NETWORK + 10 * (kind == "route")
    # Most networks are small and tight; a few are large and leak.
    size = varied(INFORMANTS_SPREAD, share(seed, code, network, 1), share(seed, code, network, 2))
    known = 0.4 + 0.6 * np.minimum(age / MATURE_NETWORK_DAYS, 1.0)
    weekly = NETWORK_WEEKLY * scenario.tips * size * known * (1 + PARTNERS_LOST * epoch)
    talks = share(seed, code, network, 3, _week(at)) < np.minimum(weekly, MAX_WEEKLY)
    return np.maximum(
        np.where(talks, NETWORK_POINTED, 0.0), _of_corridors(scenario, seed, corridor, at)
    )


def exposure_of_firms(
    scenario: Scenario, seed: int, role: int, slot: Ints, corridor: Ints, day: Ints
) -> Floats:
    """Return the probability of a tip about each subject of an honest firm."""
    age = age_days(seed, role, slot, day)
    known = 0.4 + 0.6 * np.minimum(age / MATURE_FIRM_DAYS, 1.0)
    weekly = FIRM_WEEKLY * scenario.tips * known
    talks = share(seed, FIRM, role, slot, _week(day)) < np.minimum(weekly, MAX_WEEKLY)
    return np.maximum(
        np.where(talks, FIRM_POINTED, 0.0), _of_corridors(scenario, seed, corridor, day)
    )


def _of_corridors(scenario: Scenario, seed: int, corridor: Ints, day: Floats | Ints) -> Floats:
    weekly = min(CORRIDOR_WEEKLY * scenario.tips, MAX_WEEKLY)
    talks = share(seed, CORRIDOR, corridor, _week(day)) < weekly
    return np.where(talks, CORRIDOR_POINTED, 0.0)


def _week(day: Floats | Ints) -> Ints:
    return np.asarray(np.floor_divide(day, 7)).astype(np.int64)
