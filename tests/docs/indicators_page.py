"""The page of indicators, made of the catalogue and of what was read: `docs/indicators.md`."""

import math
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from features.catalogue import features_by_name
from features.definition import Feature, SuspiciousSide
from features.indicators import CHECKS, INDICATORS, NO_SIGN
from features.publications import PRACTICE, passages
from tests.features.all_history import reasons_for_all_history

PAGE = Path(__file__).parents[2] / "docs" / "indicators.md"

HEAD = """\
# Indicators

What features are signs of, which features measure each, on which side of usual a value is a sign,
and where that was published. *Read* says what the publication says of it, in our words; the copies
are in [what was read](#what-was-read). *Not re-read* means that nobody could read the passage: the
citation stands from memory, check it before you rely on it. "Practice" has no single source.
*Shown from* is the value from which on a card is called that sign; short of it, a value beyond nine
in ten still speaks for a closer look, under the neutral name of its topic. A feature under no
indicator describes a case and is a sign of nothing. *What to check* stands under every reason for a
closer look, with what would clear it.
`python -m tests.docs.indicators_page` makes this page; a test holds it to the catalogue.
"""
SIDES = {
    SuspiciousSide.HIGH: "more",
    SuspiciousSide.LOW: "less",
    SuspiciousSide.EITHER: "either side",
}
GROUPS = {"J": "Journeys", "D": "Documents and goods", "T": "Transactions", "N": "Networks"}


def page() -> str:
    """The page as it is to stand in the repository."""
    measuring: dict[str | None, list[Feature]] = defaultdict(list)
    for feature in features_by_name().values():
        measuring[feature.indicator].append(feature)
    parts = (
        _groups(measuring),
        _scales(measuring[None]),
        _all_history(),
        _what_was_read(measuring),
    )
    return "\n".join([HEAD, *chain.from_iterable(parts)])


def _side(feature: Feature) -> str:
    """The side on which it warns, and from which value on it shows the sign by itself."""
    side = SIDES[feature.warns]
    if feature.shows_from is None:
        return side
    if math.isinf(feature.shows_from):
        return f"{side}, never shown by itself"
    return f"{side}, shown from {feature.shows_from:g}"


def _groups(measuring: dict[str | None, list[Feature]]) -> Iterator[str]:
    for letter, title in GROUPS.items():
        yield f"## {title}\n"
        yield "| | a sign of | measured by | what to check | published in |"
        yield "|---|---|---|---|---|"
        for number, sign in INDICATORS.items():
            if number.startswith(letter) and (own := measuring[number]):
                named = ", ".join(f"`{each.name}` ({_side(each)})" for each in own)
                sources = "; ".join(_cited(source, number) for source in _sources(own))
                yield f"| {number} | {sign} | {named} | {CHECKS[number]} | {sources} |"
        unmeasured = [
            f"{number} {sign}"
            for number, sign in INDICATORS.items()
            if number.startswith(letter) and not measuring[number]
        ]
        if unmeasured:
            yield f"\nMeasured by nothing yet: {'; '.join(unmeasured)}."
        yield ""


def _sources(features: list[Feature]) -> list[str]:
    return list(dict.fromkeys(each.source for each in features))


def _cited(source: str, indicator: str) -> str:
    if source == PRACTICE:
        return "practice"
    found = passages().get((source, indicator))
    if found is None or found.read_on is None:
        return f"{source} (not re-read)"
    return f"{source} (read: {found.passage})"


def _scales(scales: list[Feature]) -> Iterator[str]:
    yield f"## A sign of {NO_SIGN}\n"
    yield ", ".join(f"`{each.name}`" for each in scales) + ".\n"


def _all_history() -> Iterator[str]:
    yield "## Windows without an end\n"
    yield "Other windows over earlier events end after the days that their features' names say.\n"
    for group in reasons_for_all_history().values():
        named = ", ".join(f"`{name}`" for name in group["features"])
        yield f"- {' '.join(group['why'].split())} {named}."
    yield ""


def _what_was_read(measuring: dict[str | None, list[Feature]]) -> Iterator[str]:
    yield "## What was read\n"
    yield "| publication | for | read in | on |"
    yield "|---|---|---|---|"
    rows: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for number in INDICATORS:
        for source in _sources(measuring[number]):
            if source != PRACTICE:
                rows[(source, *_reading(source, number))].append(number)
    for (source, read_in, on), numbers in sorted(rows.items()):
        yield f"| {source} | {', '.join(numbers)} | {read_in} | {on} |"
    yield ""


def _reading(source: str, indicator: str) -> tuple[str, str]:
    found = passages().get((source, indicator))
    if found is None:
        return "nothing was tried", "not re-read"
    if found.read_on is None:
        return f"tried: {found.read_in}", "not re-read"
    return found.read_in, found.read_on.isoformat()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
