"""The rules that every feature follows, so that its name, meaning and sentences can be trusted.

The catalogue's own features are checked by a test, features of other packages when they are loaded
(`features.plugins`).
"""

import re
from collections.abc import Iterator

from features.definition import Feature, MonotoneConstraint, Peers, Unit
from features.indicators import INDICATORS
from features.persons import describes_a_person

# The end of a name by unit, before a window such as `_30d`.
NAME_OF_UNIT = {
    Unit.COUNT: r"(^|_)(count|journeys|shipments|payments|payers|payees|carriers|consign(or|ee)s)",
    Unit.RATIO: r"_ratio",
    Unit.SHARE: r"_(ratio|rate)",
    Unit.HOURS_BEFORE: r"(_before(_due)?_hours|_lead_hours|^hours_before_.*)",
    Unit.HOURS: r"(_hours|^hours_.*)",
    Unit.DAYS: r"_days",
    Unit.DAYS_UP_TO_YEAR: r"_days",
    Unit.KILOMETRES: r"_km",
    Unit.KNOTS: r"_kn",
    Unit.KILOGRAMS: r"(_|^mass_)kg",
    Unit.KILOGRAMS_PER_M3: r"_kg_per_m3",
    Unit.EURO: r"_eur",
    Unit.EURO_PER_KG: r"_eur_per_kg",
    Unit.PERCENT: r"_percent",
    Unit.HOUR_OF_DAY: r"_hour",
    Unit.YES_NO: r"^(is|has)_.*",
    Unit.CATEGORY: r".*",
}
EXAMPLES = {
    Unit.COUNT: "document_count or consignee_shipments_30d",
    Unit.RATIO: "tare_ratio",
    Unit.SHARE: "cash_payment_ratio",
    Unit.HOURS_BEFORE: "manifest_lead_hours",
    Unit.HOURS: "dwell_hours",
    Unit.DAYS: "consignee_days_since_latest",
    Unit.DAYS_UP_TO_YEAR: "consignee_days_since_latest",
    Unit.KILOMETRES: "direct_distance_km",
    Unit.KNOTS: "fastest_leg_kn",
    Unit.KILOGRAMS: "gross_mass_kg",
    Unit.KILOGRAMS_PER_M3: "density_kg_per_m3",
    Unit.EURO: "declared_value_eur",
    Unit.EURO_PER_KG: "unit_value_eur_per_kg",
    Unit.PERCENT: "tolerance_percent",
    Unit.HOUR_OF_DAY: "departure_hour",
    Unit.YES_NO: "is_cross_border or has_invoice",
}
_WINDOW = r"(_since_latest|_since_first)?(_\d+d)?$"


def broken_rules(feature: Feature) -> Iterator[str]:
    """Yield what is wrong with a feature, and what is wanted instead."""
    yield from _of_name(feature)
    yield from _of_meaning(feature)
    yield from _of_sentence(feature)
    yield from _of_special_sentences(feature)
    yield from _of_reading(feature)


def _of_name(feature: Feature) -> Iterator[str]:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", feature.name):
        yield "its name is not lower case; want lower-case words with `_` between"
    if not re.search(NAME_OF_UNIT[feature.unit] + _WINDOW, feature.name):
        example = EXAMPLES[feature.unit]  # a category may have any name
        yield f"its name does not say its unit, {feature.unit.value}; want one such as {example}"
    days = {window.days for window in feature.windows.values()}
    stated = re.findall(r"_(\d+)d$", feature.name)
    if stated and int(stated[0]) not in days:
        yield f"its name says {stated[0]} days, but no window has so many; want them to agree"
    if not stated and days and None not in days:
        most = max(each for each in days if each is not None)
        yield f"its name does not say its window; want it to end in _{most}d"


def _of_meaning(feature: Feature) -> Iterator[str]:
    what, *verdict = feature.meaning.split(". ")
    if not what or not re.search(r"suspicious|suggest", " ".join(verdict)):
        yield (
            "its docstring does not say which values are suspicious; want what it is, and then a "
            "sentence such as “Much is suspicious.”"
        )
    for field in ("when_missing", "source"):
        if not getattr(feature, field):
            yield f"`{field}` is empty; want a text for readers"
    if feature.indicator is not None and feature.indicator not in INDICATORS:
        yield f"there is no indicator {feature.indicator}; want one of docs/indicators.md"
    if feature.among is Peers.GOODS and feature.subjects != ("shipment",):
        yield "only shipments have a goods code to compare by; want `among=Peers.ALL`"


def _of_sentence(feature: Feature) -> Iterator[str]:
    said = feature.sentence
    if said.endswith("."):
        yield "`sentence` ends in a full stop; want none, as the usual values follow"
    if feature.unit is Unit.YES_NO:
        if "{" in said or feature.sentence_of_none is None:
            yield "it is yes or no; want a `sentence` without a value, and `sentence_of_none`"
    elif said.count("{value}") != 1 and len(feature.said_with) != 2:
        yield "`sentence` does not name the value; want `{value}` in it once"
    if feature.unit is Unit.HOURS and "{value} hour" in said:
        yield "`sentence` names hours, which the value does itself; want `{value}` alone"


def _of_special_sentences(feature: Feature) -> Iterator[str]:
    unit = feature.unit
    if (feature.sentence_of_one is not None) != (unit is Unit.COUNT):
        yield "`sentence_of_one` is for counts, which all have one; want `sentence` of the value 1"
    if "{" in f"{feature.sentence_of_one}{feature.sentence_of_none}":
        yield "`sentence_of_one` and `sentence_of_none` name a value; want the words alone"
    below_zero = feature.sentence_below_zero
    if unit is Unit.HOURS_BEFORE and below_zero is None:
        yield "hours before can be negative; want `sentence_below_zero`"
    if below_zero is not None and (below_zero.count("{value}") != 1 or feature.said_with):
        yield "`sentence_below_zero` does not name the value; want `{value}` in it once"


def _of_reading(feature: Feature) -> Iterator[str]:
    if feature.is_categorical and feature.direction is not MonotoneConstraint.EITHER:
        yield "a category has no direction; want none"
    read = {*feature.columns}
    for window in feature.windows.values():
        read |= {*window.by, *window.matching, window.value or "", window.where or ""}
    for column in sorted(read):
        if describes_a_person(column) or column == "persons_on_board":
            yield f"it reads {column}, which describes persons; want another column"
