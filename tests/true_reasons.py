"""What is untrue in the reasons of an answer, found from it and the catalogue alone."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from features.catalogue import feature_named
from features.definition import Unit, Warns
from tests.features.indicator_labels import reviewed_labels

LABELS = reviewed_labels()
OF_INSPECTED = re.compile(r"\b(\d[\d,]*) of (\d[\d,]*) inspected")


def untrue_reasons(answer: dict[str, Any]) -> Iterator[str]:
    """A sentence for each thing that is wrong with the reasons of `POST /v1/scores`."""
    for reason in answer["reasons"]:
        sign = 1 if reason["effect"] == "for" else -1
        for seen in reason["evidence"]:
            if seen["contribution"] * sign > 0:
                for fault in _faults(seen, reason):
                    yield f"{answer['subject_id']}, {reason['effect']}: {seen['feature']} {fault}"


def _faults(seen: dict[str, Any], reason: dict[str, Any]) -> Iterable[str]:
    feature, value = feature_named(seen["feature"]), seen["value"]
    if value is None:
        yield "is missing"
        return
    if feature.indicator is None or feature.warns is Warns.NEVER:
        yield "is a sign of nothing"
    if LABELS[feature.name] != reason["indicator"]:
        yield f"is a sign of {LABELS[feature.name]} and stands under {reason['indicator']}"
    if _lies_on_the_other_side(seen, feature.warns, feature.unit, reason["effect"]):
        yield f"is {value}, which is on the other side of usual"
    if feature.name.endswith("_confirmed_rate") and not _names_inspections(seen["sentence"]):
        yield f"is a rate that names no inspections: {seen['sentence']}"


def _lies_on_the_other_side(seen: dict[str, Any], warns: Warns, unit: Unit, effect: str) -> bool:
    percentile = seen["comparison"]["percentile"]
    if warns not in (Warns.HIGH, Warns.LOW) or isinstance(seen["value"], str):
        return False
    if unit is Unit.YES_NO:
        is_high, is_low = bool(seen["value"]), not seen["value"]
    elif percentile is None:
        return False
    else:
        is_high, is_low = percentile > 50, percentile < 50
    is_warning = is_high if warns is Warns.HIGH else is_low
    return is_warning != (effect == "for")


def _names_inspections(sentence: str) -> bool:
    counts = OF_INSPECTED.search(sentence)
    return counts is not None and int(counts[2].replace(",", "")) >= 1
