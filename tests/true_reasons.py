"""What is untrue in the reasons of an answer, found from it and the catalogue alone."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from features.catalogue import feature_named
from features.definition import Feature, SuspiciousSide, Unit
from tests.features.indicator_labels import reviewed_labels

LABELS = reviewed_labels()
OWN_RECORDS = {
    "documents": "document_count",
    "legs": "leg_count",
    "positions": "longest_silence_hours",
    "transactions": "payment_count",
}
"""By source of a subject's own records the feature that is 0 or missing where none is known."""

HISTORY_OF = {
    "carrier_id": "carrier_days_since_first",
    "consignee_id": "consignee_days_since_first",
    "consignor_id": "consignor_days_since_first",
    "hs_code": "unit_value_to_goods_ratio_365d",
    "conveyance_id": "conveyance_days_since_latest",
    "latest_payer_id": "payer_payments",
    "latest_payee_id": "payee_payments",
}
"""By key of a history the feature that is 0 or missing where the key has none."""

INSPECTED = {
    "carrier_id": "carrier_confirmed_rate",
    "consignee_id": "consignee_confirmed_rate",
    "consignor_id": "consignor_confirmed_rate",
    "container_number": "container_confirmed_rate",
    "forwarder_id": "forwarder_confirmed_rate",
    "latest_payer_id": "payer_confirmed_rate",
    "latest_payee_id": "payee_confirmed_rate",
}
"""By key of inspection results the feature that is missing where none of the key is known."""

MISSING_WITHOUT = ("events", "goods_items")
"""Sources of a subject's own records without which whatever counts them is missing, and never 0."""

MISSING_WITHOUT_PARTNERS = (
    "unlinked_pair_count",
    "route_unlinked_pair_count",
    "network_new_member_ratio",
    "route_network_new_member_ratio",
)
"""Features of pairs and of networks, which are missing, and never 0, where no partner is known."""

NEVER_SEEN_OTHERWISE = ("container_number", "seal_number")
"""Keys of which a count of 0 is all that is known."""

LABEL = "and stands under"
MAX_OF_RATES = "riskiest_item_confirmed_rate"
"""Of several items' rates the largest alone is known, and not what it rests on (ADR 0020)."""

RATE = "is a rate that names no inspections"
OF_INSPECTED = re.compile(r"\b[Ii]nspected .*: (\d[\d,]*) of (\d[\d,]*)")


def untrue_reasons(answer: dict[str, Any]) -> Iterator[str]:
    """A sentence for each thing that is wrong with the reasons of `POST /v1/scores`."""
    values = {part["feature"]: part["value"] for part in answer["contributions"]}
    for reason in answer["reasons"]:
        sign = 1 if reason["effect"] == "for" else -1
        for seen in reason["evidence"]:
            if seen["contribution"] * sign > 0:
                for fault in (*_faults(seen, reason), *_absences(seen, reason, values)):
                    yield f"{answer['subject_id']}, {reason['effect']}: {seen['feature']} {fault}"


def _faults(seen: dict[str, Any], reason: dict[str, Any]) -> Iterable[str]:
    feature, value = feature_named(seen["feature"]), seen["value"]
    if value is None:
        yield "is missing"
        return
    if feature.indicator is None or feature.warns is SuspiciousSide.NEVER:
        yield "is a sign of nothing"
    if LABELS[feature.name] != reason["indicator"]:
        yield f"is a sign of {LABELS[feature.name]} {LABEL} {reason['indicator']}"
    if _lies_on_the_other_side(seen, feature.warns, feature.unit, reason["effect"]):
        yield f"is {value}, which is on the other side of usual"
    if reason["effect"] == "for" and _is_on_the_other_side_of_1(feature, value, seen):
        yield f"is {value} times what is usual or possible, and said to be too much or too little"
    is_rate = feature.name.endswith("_confirmed_rate") and feature.name != MAX_OF_RATES
    if is_rate and not _names_inspections(seen["sentence"]):
        yield f"{RATE}: {seen['sentence']}"


def _absences(
    seen: dict[str, Any], reason: dict[str, Any], values: dict[str, Any]
) -> Iterator[str]:
    """What comforts and is 0 because nothing is known that could have been counted."""
    feature = feature_named(seen["feature"])
    keys = [window.by for window in feature.windows.values() if window.by]
    if reason["effect"] != "against" or seen["value"] or not keys or _reads_its_goods(feature):
        return
    if feature.name in MISSING_WITHOUT_PARTNERS:
        return
    if not any(_is_known(window.source, window.by, values) for window in feature.windows.values()):
        yield f"comforts by a 0 of which nothing is known: {seen['sentence']}"


def _reads_its_goods(feature: Feature) -> bool:
    """Whether a 0 says that the goods themselves are others."""
    return feature.name == "is_first_boat_equipment"


def _is_known(source: str, key: tuple[str, ...], values: dict[str, Any]) -> bool:
    if key == ("subject_id",) and source in MISSING_WITHOUT:
        return True
    if key == ("subject_id",):
        return bool(values[OWN_RECORDS[source]])
    if source.endswith("_outcomes") and len(key) == 1 and key[0] in INSPECTED:
        return values[INSPECTED[key[0]]] is not None
    if any(part in NEVER_SEEN_OTHERWISE for part in key):
        return False
    if key == ("consignor_id", "consignee_id"):
        return bool(values["party_pair_shipments"])
    return all(bool(values[HISTORY_OF[part]]) for part in key if part in HISTORY_OF)


def _lies_on_the_other_side(
    seen: dict[str, Any], warns: SuspiciousSide, unit: Unit, effect: str
) -> bool:
    percentile = seen["comparison"]["percentile"]
    if warns not in (SuspiciousSide.HIGH, SuspiciousSide.LOW) or isinstance(seen["value"], str):
        return False
    if unit is Unit.YES_NO:
        is_high, is_low = bool(seen["value"]), not seen["value"]
    elif percentile is None:
        return False
    else:
        is_high, is_low = percentile > 50, percentile < 50
    is_warning = is_high if warns is SuspiciousSide.HIGH else is_low
    return is_warning != (effect == "for")


def _is_on_the_other_side_of_1(feature: Feature, value: Any, seen: dict[str, Any]) -> bool:
    if feature.unit is not Unit.RATIO:
        return False
    is_much = {SuspiciousSide.HIGH: True, SuspiciousSide.LOW: False}.get(
        feature.warns, (seen["comparison"]["percentile"] or 0) > 50
    )
    return bool(value <= 1 if is_much else value >= 1)


def _names_inspections(sentence: str) -> bool:
    counts = OF_INSPECTED.search(sentence)
    return counts is not None and int(counts[2].replace(",", "")) >= 1
