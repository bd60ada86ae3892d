"""The page of indicators, made of the catalogue: `docs/indicators.md`."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from features.catalogue import features_by_name
from features.definition import Feature, Warns
from features.indicators import INDICATORS, NO_SIGN
from features.publications import PRACTICE

PAGE = Path(__file__).parents[2] / "docs" / "indicators.md"

HEAD = """\
# Indicators

What features are signs of, which features measure each, on which side of usual a value is a sign,
and where that was published. None of the publications was read again for this page; "practice" has
no single source. A feature under no indicator describes a case and is a sign of nothing.
`python -m tests.docs.indicators_page` makes this page; a test holds it to the catalogue.
"""
SIDES = {Warns.HIGH: "more", Warns.LOW: "less", Warns.EITHER: "either side"}
GROUPS = {"J": "Journeys", "D": "Documents and goods", "T": "Transactions", "N": "Networks"}


def page() -> str:
    """The page as it is to stand in the repository."""
    measuring: dict[str | None, list[Feature]] = defaultdict(list)
    for feature in features_by_name().values():
        measuring[feature.indicator].append(feature)
    return "\n".join([HEAD, *_groups(measuring), *_scales(measuring[None])])


def _groups(measuring: dict[str | None, list[Feature]]) -> Iterator[str]:
    for letter, title in GROUPS.items():
        yield f"## {title}\n"
        yield "| | a sign of | measured by | published in |"
        yield "|---|---|---|---|"
        for number, sign in INDICATORS.items():
            if number.startswith(letter) and (own := measuring[number]):
                named = ", ".join(f"`{each.name}` ({SIDES[each.warns]})" for each in own)
                sources = dict.fromkeys(_source(each) for each in own)
                yield f"| {number} | {sign} | {named} | {'; '.join(sources)} |"
        unmeasured = [
            f"{number} {sign}"
            for number, sign in INDICATORS.items()
            if number.startswith(letter) and not measuring[number]
        ]
        if unmeasured:
            yield f"\nMeasured by nothing yet: {'; '.join(unmeasured)}."
        yield ""


def _scales(scales: list[Feature]) -> Iterator[str]:
    yield f"## A sign of {NO_SIGN}\n"
    yield ", ".join(f"`{each.name}`" for each in scales) + ".\n"


def _source(feature: Feature) -> str:
    return "practice" if feature.source == PRACTICE else feature.source


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
