"""What is wrong with how an answer says what it says, found from it and the catalogue alone.

A card is called a sign where the value that heads it shows it, a fact that was measured heads it,
no rest outweighs what is named, figures have two digits, and the one estimate lies in its range.
What speaks for a closer look is less common than one in ten, is no share of fewer than five earlier
events, and says what to check.
"""

import re
from collections.abc import Iterator
from typing import Any

from features.catalogue import feature_named
from features.definition import Feature, SuspiciousSide, Unit
from features.indicators import INDICATORS

NEW = {"J04": 3, "J05": 2, "D25": 3, "D30": 2, "D31": 1}
"""By indicator of something new or seldom the most that is still so, in counts."""

NEW_DAYS, NEW_SHARE = 31, 0.25
MANY = {"T03": 5, "T05": 5, "J02": 2, "J31": 4, "J37": 2, "T15": 2, "D44": 3, "D02": 2, "T10": 2}
"""By indicator of too many the fewest that are many."""

SLEEPS_DAYS, LATE_HOURS, MIN_APART = 90, 24, 0.2
NEARLY_ALIKE = 0.1
"""Figures as near as this may have the same first two digits."""

OF_FINDINGS = ("J35", "N01", "N02", "N08")
FOUND = re.compile(r"^Inspected .*: ([\d,]+) of ([\d,]+)")
FIGURE = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w.])")

OF_PAST = re.compile(r"^Earlier .*: ([\d,]+) of ([\d,]+)")
NAMED = re.compile(
    "(carrier|conveyance|consign(or|ee)|declarant|forwarder|container|pay(er|ee))_confirmed_rate"
)
"""Rates of a party or thing, whose finds the page names one by one."""

SELDOM, MIN_EVENTS = 0.1, 5

NOT_SHOWN, LEADS, OUTWEIGHS, DIGITS, RANGE, COMMON, FEW, UNCHECKED = (
    "is called a sign that its value does not show",
    "is headed by what is missing",
    "outweighs a named part",
    "has more than two digits",
    "lies outside of its own range",
    "is as common as one in ten",
    "rests on fewer than five events",
    "says nothing to check",
)


def untrue_words(answer: dict[str, Any]) -> Iterator[str]:
    """A sentence for each thing that is said wrongly, beside `untrue_reasons`."""
    if not answer["reasons"]:
        return
    said = [
        *_signs(answer),
        *_checks(answer),
        *_rests(answer),
        *_digits(answer),
        *_estimate(answer),
    ]
    yield from (f"{answer['subject_id']}: {fault}" for fault in said)


def _signs(answer: dict[str, Any]) -> Iterator[str]:
    for reason in answer["reasons"]:
        lead = reason["evidence"][0]
        if lead["value"] is None or "not known" in lead["sentence"]:
            yield f"{reason['indicator']} {LEADS}"
        elif not reason["words"].startswith(lead["sentence"].removesuffix(")")):
            yield f"{reason['indicator']} {LEADS}, or by another fact than its words"
        elif reason["sign_of"] is not None and not _is_shown(reason, lead):
            yield f"{reason['sign_of']!r} {NOT_SHOWN}: {lead['sentence']}"


def _checks(answer: dict[str, Any]) -> Iterator[str]:
    for reason in answer["reasons"]:
        if reason["effect"] == "against":
            continue
        if not reason["check"]:
            yield f"{reason['indicator']} {UNCHECKED}"
        for seen in reason["evidence"]:
            if seen["contribution"] > 0 and _as_far_out(seen) > SELDOM + 1e-9:
                yield f"{seen['sentence']} ({seen['usual']}) {COMMON}"
            if seen["contribution"] > 0 and _counts_few(seen):
                yield f"{seen['sentence']} {FEW}"


def _as_far_out(seen: dict[str, Any]) -> float:
    """The share of the peers whose values are as far out; 0 if all that is known is that it is."""
    compared = seen["comparison"]
    share, percentile = compared["share"] or 0.0, compared["percentile"]
    if percentile is None:
        return float(share)
    equal = share / 2 if compared["how"] == "about_the_same" else 0.0
    return float(min(percentile, 100 - percentile) / 100 + equal)


def _counts_few(seen: dict[str, Any]) -> bool:
    """True if it is a share of fewer than five earlier events, none of which the page names."""
    of_past = OF_PAST.match(seen["sentence"])
    if of_past is None and not (NAMED.match(seen["feature"]) or "partner" in seen["feature"]):
        of_past = FOUND.match(seen["sentence"])
    return of_past is not None and int(of_past[2].replace(",", "")) < MIN_EVENTS


def _is_shown(reason: dict[str, Any], lead: dict[str, Any]) -> bool:
    if reason["effect"] != "for" or reason["sign_of"] != INDICATORS[reason["indicator"]]:
        return False
    feature, value, number = feature_named(lead["feature"]), lead["value"], reason["indicator"]
    if number in OF_FINDINGS:
        return _counts_findings(feature, lead)
    if isinstance(value, str) or feature.unit is Unit.YES_NO:
        return True
    if number in NEW:
        return _is_little(feature, value, NEW[number])
    if number == "D26":
        return bool(value >= SLEEPS_DAYS)
    if number in ("D01", "J26"):
        return bool(value <= LATE_HOURS)
    if feature.unit is Unit.RATIO:
        return _is_apart(feature, value)
    return number not in MANY or value >= MANY[number]


def _counts_findings(feature: Feature, lead: dict[str, Any]) -> bool:
    if feature.unit is Unit.COUNT:
        return bool(lead["value"] >= 1)
    found = FOUND.match(lead["sentence"])
    return found is not None and found[1] != "0"


def _is_little(feature: Feature, value: float, most: int) -> bool:
    is_age = feature.unit in (Unit.DAYS, Unit.DAYS_UP_TO_YEAR)
    limit = NEW_DAYS if is_age else {Unit.SHARE: NEW_SHARE}.get(feature.unit, most)
    return value <= limit


def _is_apart(feature: Feature, value: float) -> bool:
    if feature.warns is SuspiciousSide.LOW:
        return value <= 1 - MIN_APART
    return value >= 1 + MIN_APART or (
        feature.warns is SuspiciousSide.EITHER and value <= 1 - MIN_APART
    )


def _rests(answer: dict[str, Any]) -> Iterator[str]:
    smallest = min(abs(reason["log_odds"]) for reason in answer["reasons"])
    habits = answer["habits"]
    rest = habits["log_odds"] - sum(habits["named"].values())
    for what, size in (("the remainder", answer["remainder"]["log_odds"]), ("habits", rest)):
        if abs(size) > smallest + 1e-12:
            yield f"{what}, {size:+.3f}, {OUTWEIGHS} of {smallest:.3f}"


def _digits(answer: dict[str, Any]) -> Iterator[str]:
    for reason in answer["reasons"]:
        for seen in reason["evidence"]:
            text = f"{seen['sentence']} {seen['usual']}"
            figures = FIGURE.findall(text)
            if any(_has_too_many(figure, figures) for figure in figures):
                yield f"{text!r} {DIGITS}"
            if re.search(r"(?<!\w)[-−]\d|(?<![\d.,])1 (hours|days|minutes|times)\b", text):
                yield f"{text!r} counts oddly"


def _has_too_many(figure: str, others: list[str]) -> bool:
    """Whole numbers are counts; a third digit may tell a figure from one beside it."""
    if "." not in figure:
        return False
    digits = len(figure.replace(",", "").replace(".", "").strip("0"))
    own, *every = (float(each.replace(",", "")) for each in (figure, *others))
    alike = [each for each in every if abs(each - own) < NEARLY_ALIKE * own]
    return digits > 4 or (digits > 2 and len(alike) < 2)


def _estimate(answer: dict[str, Any]) -> Iterator[str]:
    span, estimate = answer["estimate_range"], answer["probability"]
    if not span["low"] <= estimate <= span["high"]:
        yield f"the estimate {estimate} {RANGE}, {span['low']} to {span['high']}"
