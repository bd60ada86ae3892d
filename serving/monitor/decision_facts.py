"""Extract from the record of a decision what monitoring counts."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import orjson

from features.catalogue import features_by_name
from features.records import SubjectKind
from features.reference.geography.regions import region_of
from features.subject_types import SUBJECT_TYPES
from serving.explanation.formatting import Value
from serving.monitor.stored_rollups import Visit
from serving.triage.lane_declarations import VISITED

UNKNOWN = "(unknown)"

# The feature that counts an operator's earlier subjects, by kind; for shipments within a year.
BEFORE = {kind: each.experience_feature for kind, each in SUBJECT_TYPES.items()}
SIZES = ((1, "new"), (10, "1 to 9 before"), (100, "10 to 99 before"))
MANY_BEFORE = "100 or more before"

# The feature with the days since an operator was first seen, at most a year, by kind.
FIRST_SEEN = {"route": "carrier_days_since_first", "shipment": "consignee_days_since_first"}
AGES = ((30, "seen for less than 30 days"), (180, "seen for 30 to 179 days"))
NEVER_SEEN, OLD = "never seen before", "seen for 180 days or more"

# Lanes whose outcomes are measured: those with an inspection, except rescues.
MEASURED = tuple(lane for lane in VISITED if lane != "rescue")

GROUPED = ("model", "office", "mode", "region", "operator")
DIMENSIONS = ("all", *GROUPED, "undrawn_lane")
# Groups that are compared with all by how often they are selected.
COMPARED = ("operator", "age", "region", "mode", "office")
# As for the groups gate: taken to be as risky as they are selected, until results say otherwise.
RISKY_BY_EXPERIENCE = ("operator", "age")


@dataclass(frozen=True)
class DecisionFacts:
    """The counted fields of one decision.

    `stratum` groups decisions with one probability of inspection: inspected ones by what selected
    them, the rest by their control probability, which is independent of everything else that
    decided. `corridor` joins the countries of departure and arrival.
    """

    decision_id: str
    kind: str
    subject_id: str
    scored_at: str
    stratum: str
    lane: str
    probability: float
    log_odds: float
    groups: dict[str, str]
    corridor: str
    leading_reason: str
    vector: dict[str, Value]

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """Extract the facts from a scored record that `parts_of` parsed."""
        request = orjson.loads(record["request"])
        # Of every feature, as the groups of traffic must not depend on what a model reads.
        kind, vector = record["subject_kind"], record["vector"] | record.get("unread", {})
        origin, departure, arrival = _countries(kind, request)
        return cls(
            decision_id=record["decision_id"],
            kind=kind,
            subject_id=record["subject_id"],
            scored_at=record["scored_at"],
            stratum=stratum_of(record),
            lane=record["lane"],
            probability=record["score"]["probability"],
            log_odds=record["score"]["log_odds"],
            groups={
                "all": "all",
                "model": record["model"]["version"],
                "office": record["office_id"] or UNKNOWN,
                "mode": (request.get("journey") or {}).get("mode") or UNKNOWN,
                "region": _region(origin),
                "operator": _operator(vector.get(BEFORE[kind])),
                "age": _age(vector, FIRST_SEEN[kind]),
                "undrawn_lane": undrawn_lane(record),
            },
            corridor=f"{departure}–{arrival}",
            leading_reason=_leading(_indicators(record)),
            vector=vector,
        )

    def visit(self, seq: int) -> Visit | None:
        """Return the row of a decision that sent someone to inspect; None for others.

        `verify-log` recomputes stored rows and compares them. A release that groups decisions
        otherwise must have a migration rebuild them, as `drawn_shares` does.
        """
        if self.lane not in MEASURED:
            return None
        named = {name: self.groups[name] for name in DIMENSIONS if name != "all"}
        return Visit(
            seq,
            self.decision_id,
            self.kind,
            self.subject_id,
            self.scored_at,
            self.stratum,
            self.lane,
            self.probability,
            **named,
        )


def parts_of(record: str) -> dict[str, Any]:
    """Parse a record without validating it, which is much faster."""
    parts: dict[str, Any] = orjson.loads(record)
    return parts


_ROUNDING, _MAX_UNCERTAIN = 1e-9, 0.95

# Names of strata.
INSPECTED_BY, NOT_INSPECTED = "inspected by {way}", "not inspected, drawn at {share}"


def stratum_of(record: dict[str, Any]) -> str:
    """Return the stratum of a decision's record."""
    if record["lane"] == "inspect":
        return INSPECTED_BY.format(way=record["lane_reason"].replace("_", " "))
    probabilities = record["lane_probabilities"]
    # Ties at the cutoff and the control draw use independent random numbers. Therefore all subjects
    # not selected by the first had the same control probability, whatever their score.
    drawn = probabilities.get("control", 0.0) / max(1 - probabilities.get("inspect", 0.0), 1e-12)
    return NOT_INSPECTED.format(share=drawn_at(drawn))


def undrawn_lane(record: dict[str, Any]) -> str:
    """Return the lane that the decision would have had without the control draw.

    For a tie, which is drawn as well, this is the likeliest lane.
    """
    if record["lane"] != "control":
        return str(record["lane"])
    others = {
        lane: share for lane, share in record["lane_probabilities"].items() if lane not in MEASURED
    }
    return max(others, key=lambda lane: others[lane], default="release")


def drawn_at(probability: float) -> str:
    """Round a probability to 1, 1.5, 2 … 9.5 times a power of ten.

    An office's probability changes a little every day, and rounding keeps the number of strata
    small. Only 1 is rounded to 1, since a drawn case that stands for others is never certain.

    >>> drawn_at(0.01), drawn_at(0.0132), drawn_at(0.15), drawn_at(0.07), drawn_at(0.99)
    ('0.01', '0.015', '0.15', '0.07', '0.95')
    """
    mantissa, exponent = f"{probability:.9e}".split("e")
    rounded = float(f"{round(2 * float(mantissa)) / 2}e{exponent}")
    is_certain = probability > 1 - _ROUNDING
    return f"{rounded if is_certain else min(rounded, _MAX_UNCERTAIN):.2g}"


def _countries(kind: SubjectKind, request: dict[str, Any]) -> tuple[str | None, str, str]:
    """Return the countries of origin, departure and arrival."""
    subject_type = SUBJECT_TYPES[kind]
    subject = request[subject_type.submission_field]
    origin = subject[subject_type.origin_field]
    departure, arrival = subject[subject_type.departure_field], subject[subject_type.arrival_field]
    return origin and origin[:2], departure[:2], arrival[:2]


def _region(country: str | None) -> str:
    return region_of(np.array([country], object)).tolist()[0] or UNKNOWN


def _operator(before: Value) -> str:
    if not isinstance(before, float | int):
        return UNKNOWN
    return next((name for end, name in SIZES if before < end), MANY_BEFORE)


def _age(vector: Mapping[str, Value], feature: str) -> str:
    if feature not in vector:
        return UNKNOWN
    days = vector[feature]
    if not isinstance(days, float | int):
        return NEVER_SEEN
    return next((name for end, name in AGES if days < end), OLD)


def _indicators(record: Mapping[str, Any]) -> dict[str, float]:
    """Return the exact sum of each indicator, from stored reasons or else from contributions."""
    if record["reasons"] is not None:
        stated: dict[str, float] = record["reasons"]["indicators"]
        return stated
    known, by_indicator = features_by_name(), defaultdict[str, list[float]](list)
    for name, part in zip(record["vector"], record["score"]["contributions"], strict=True):
        feature = known.get(name)
        if feature is not None and feature.indicator:
            by_indicator[feature.indicator].append(part)
    return {name: math.fsum(own) for name, own in sorted(by_indicator.items())}


def _leading(indicators: dict[str, float]) -> str:
    """Return the strongest indicator for a closer look; "none" without one."""
    name = max(indicators, key=lambda each: indicators[each], default="none")
    return name if indicators.get(name, 0.0) > 0 else "none"
