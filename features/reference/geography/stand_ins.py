"""Countries and places that can replace others without changing the shape of a route.

Two countries are of one class if they are in the same region and both have a seaport, or neither
has. Across regions only the seaport counts.
"""

from functools import cache

import numpy as np

from features.reference.geography.distances import great_circle_km
from features.reference.geography.places import place_kinds, place_table, positions_of
from features.reference.geography.regions import countries, region_of


@cache
def _coastal() -> frozenset[str]:
    rows = place_table().select(["country", "kind"]).to_pylist()
    return frozenset(row["country"] for row in rows if row["kind"] == "port")


@cache
def _of_kind() -> dict[tuple[str, str], tuple[str, ...]]:
    found: dict[tuple[str, str], list[str]] = {}
    for each in place_table().select(["code", "country", "kind"]).to_pylist():
        found.setdefault((each["country"], each["kind"]), []).append(each["code"])
    return {key: tuple(sorted(codes)) for key, codes in found.items()}


@cache
def class_of(country: str) -> tuple[str, ...]:
    """Return the other countries of its class, alphabetically; empty if it is unknown.

    >>> "ES" in class_of("PT"), "AT" in class_of("PT"), class_of("ZZ")
    (True, False, ())
    """
    known = countries()
    if country not in known:
        return ()
    regions = dict(zip(known, region_of(list(known)).tolist(), strict=True))
    return tuple(
        other
        for other in known
        if other != country
        and regions[other] == regions[country]
        and (other in _coastal()) == (country in _coastal())
    )


@cache
def across_regions(country: str) -> tuple[str, ...]:
    """Return countries of other regions that have a seaport if, and only if, this one has.

    They are in alphabetical order; there are none if the country is unknown.

    >>> "MA" in across_regions("PT"), "ES" in across_regions("PT")
    (True, False)
    """
    known = countries()
    if country not in known:
        return ()
    regions = dict(zip(known, region_of(list(known)).tolist(), strict=True))
    return tuple(
        other
        for other in known
        if regions[other] not in (None, regions[country])
        and (other in _coastal()) == (country in _coastal())
    )


def nearest_in(country: str, code: str) -> str | None:
    """Return the place of the same kind in `country` nearest to `code`; None without one.

    A crossing has two countries, so it cannot be replaced.
    """
    (kind,) = place_kinds([code])
    candidates = _of_kind().get((country, kind or ""), ())
    # A stand-in for one side of a crossing would not border on the other side.
    if not candidates or kind == "crossing":
        return None
    latitude, longitude = positions_of([code])
    theirs = positions_of(list(candidates))
    apart = great_circle_km(latitude, longitude, *theirs)
    return candidates[int(np.nanargmin(apart))]
