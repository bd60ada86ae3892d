"""Realistic inspections: selection, result and delay.

Offices can inspect few subjects. Some are tipped off (`tips.py`). Of the others, some are drawn at
random, and a legacy rule gives points for signs that officers were once taught; of those not
selected, some attract an officer's attention. Draw and rule have a probability; the recorded one is
that of selection by either of them. Tips and discretion have none.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.records import SubjectKind
from synthetic.chance import Flags, Floats, Ints, share
from synthetic.scenario import Scenario
from synthetic.seasons import is_weekend, traffic_on
from synthetic.signs import Signs

NOT_SELECTED, RANDOM, INTELLIGENCE, RULE, DISCRETION = range(5)
SELECTED_BY = ("", "random", "intelligence", "rule", "discretion")
INCONCLUSIVE = 0.03
# A ship's or a train's cargo is searched less completely than a lorry or a few parcels, by lane.
LANE_SENSITIVITY = np.array([0.85, 1.0, 1.05, 0.85, 0.9, 1.1])
# With twice the traffic for each inspector, a third less is found.
HASTE = 0.6
WEEKEND_STAFF = 0.4
DELAY_SPREAD = 0.7
MAX_DELAY_DAYS = 120.0
USUAL_CAPACITY = 0.07

POINTS: dict[SubjectKind, dict[str, float]] = {
    "shipment": {
        "late_manifest": 1.0,
        "vague_description": 1.0,
        "container_check_failed": 1.5,
        "missing_packing_list": 0.7,
        "undervalued": 1.2,
        "third_party_payer": 1.0,
        "cash": 1.3,
        "seal_mismatch": 1.3,
        "expired_permit": 1.3,
        "mass_mismatch": 0.8,
        "critical_amendment": 1.0,
        "structuring": 1.0,
    },
    "route": {
        "late_manifest": 1.0,
        "off_hours": 0.7,
        "missing_checklist": 0.8,
        "expired_transit": 1.5,
        "one_way_hire": 1.2,
        "position_gap": 0.9,
        "cash": 1.3,
        "extra_stop": 0.8,
        "third_party_payer": 0.8,
        "empty_run": 0.7,
        "fan_in": 1.0,
    },
}
ENOUGH_POINTS = 1.95


@dataclass(frozen=True)
class InspectionSelection:
    """The way each subject was selected (NOT_SELECTED … DISCRETION), with any probability."""

    by: Ints
    probability: Floats


def selected(
    rng: np.random.Generator,
    kind: SubjectKind,
    scenario: Scenario,
    *,
    signs: Signs,
    office_share: Floats,
    tip_probability: Floats,
) -> InspectionSelection:
    """Select subjects; `office_share` is the share of rule hits that the office can inspect."""
    draws = rng.random((len(office_share), 4))
    capacity = scenario.inspection_capacity / USUAL_CAPACITY
    points = sum(signs[name] * value for name, value in POINTS[kind].items())
    by_rule = np.clip(np.where(points >= ENOUGH_POINTS, office_share, 0.002) * capacity, 0, 1)
    tipped = np.clip(tip_probability * capacity, 0, 1)
    noticed = np.clip((0.006 + 0.014 * signs["off_hours"] + 0.006 * signs["cash"]) * capacity, 0, 1)
    # In order of precedence: tips are acted on before draws and rules, discretion comes last.
    by = np.select(
        [
            draws[:, 1] < tipped,
            draws[:, 0] < scenario.random_inspections,
            draws[:, 2] < by_rule,
            draws[:, 3] < noticed,
        ],
        [INTELLIGENCE, RANDOM, RULE, DISCRETION],
        NOT_SELECTED,
    )
    # The union of both ways: weighting by 1 / probability needs the chance of either.
    by_either = 1 - (1 - scenario.random_inspections) * (1 - by_rule)
    return InspectionSelection(by, np.where(np.isin(by, (RANDOM, RULE)), by_either, np.nan))


def found(rng: np.random.Generator, truth: Flags, sensitivity: Floats) -> Ints:
    """Return the result of inspecting each: 1 confirmed, 0 not confirmed, -1 inconclusive."""
    draws = rng.random((len(truth), 2))
    result = (truth & (draws[:, 0] < sensitivity)).astype(np.int64)
    return np.where(draws[:, 1] < INCONCLUSIVE, -1, result)


def sensitivity(
    scenario: Scenario, usual: Floats | float, lane: Ints, at_day: Floats | Ints
) -> Floats:
    """Return the chance that an inspection finds what is there.

    It is lower where a cargo is hard to search, and on days with much traffic for each inspector.
    """
    busy = traffic_on(scenario, at_day) / np.where(is_weekend(at_day), WEEKEND_STAFF, 1.0)
    differs = LANE_SENSITIVITY[lane] * np.maximum(busy, 0.1) ** -HASTE
    return np.clip(usual * differs**scenario.sensitivity_spread, 0.0, 0.98)


def delay_days(
    rng: np.random.Generator, scenario: Scenario, *, is_evidence: Flags, slowness: Floats
) -> Floats:
    """Return days from inspection to known result.

    What was found, or could not be told on the spot, goes to a laboratory and to court; that
    nothing was found is written down in the same week. `slowness` is that of each office.
    """
    usual = np.where(is_evidence, scenario.evidence_days, scenario.cleared_days)
    days = usual * slowness * np.exp(DELAY_SPREAD * rng.standard_normal(len(usual)))
    return np.clip(days, 1.0, MAX_DELAY_DAYS)


def office_slowness(scenario: Scenario, seed: int, offices: pa.Array) -> Floats:
    """Return the lasting factor of each office on the days until its results are known."""
    coded = offices.dictionary_encode()
    names = np.array([zlib.crc32(name.encode()) for name in coded.dictionary.to_pylist()], np.int64)
    # Even on a log scale, with the standard deviation that the scenario sets.
    even = np.sqrt(12.0) * (share(seed, names, 71) - 0.5)
    return np.asarray(np.exp(scenario.office_delay_spread * even)[coded.indices.to_numpy()])
