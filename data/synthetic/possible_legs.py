"""Legs that geography allows: over land only where border crossings lead, by sea between ports."""

from functools import cache

import numpy as np
import numpy.typing as npt

from features.reference.geography import country_of, place_kinds, place_table
from synthetic.chance import Flags, Ints

# Their ports lie on rivers.
LANDLOCKED = ("AT", "BO", "BY", "CH", "CZ", "HU", "LU", "MK", "PY", "RS", "SK")
OVER_LAND = ("road", "rail")


def is_possible(modes: npt.ArrayLike, origins: npt.ArrayLike, destinations: npt.ArrayLike) -> Flags:
    """Return whether each leg can be travelled by its mode.

    Islands of a country count as joined to its mainland.

    >>> is_possible(["road", "sea", "road"], ["IST", "IST", "USNYC"], ["SOF", "SOF", "DEHAM"])
    array([ True, False, False])
    """
    mode, ends = np.asarray(modes), (np.asarray(origins), np.asarray(destinations))
    kinds = [place_kinds(end) for end in ends]
    is_joined = landmasses(ends[0]) == landmasses(ends[1])
    at_ports = (kinds[0] == "port") & (kinds[1] == "port")
    on_rivers = np.isin(country_of(ends[0]), LANDLOCKED) | np.isin(country_of(ends[1]), LANDLOCKED)
    return np.asarray(
        np.select(
            [np.isin(mode, OVER_LAND), mode == "sea", mode == "inland_waterway", mode == "air"],
            [
                is_joined,
                at_ports & ~on_rivers,
                at_ports & is_joined,
                (kinds[0] == "airport") & (kinds[1] == "airport"),
            ],
            default=False,
        ).astype(np.bool_)
    )


def landmasses(codes: npt.ArrayLike) -> Ints:
    """Return a number per place, equal for places of countries joined by listed crossings."""
    names, rows = np.unique(country_of(codes).astype(str), return_inverse=True)
    joined = _joined_countries()
    # A country without crossings is a landmass of its own.
    alone = max(joined.values()) + 1 + np.arange(len(names))
    return np.array([joined.get(c, own) for c, own in zip(names, alone, strict=True)])[rows]


@cache
def _joined_countries() -> dict[str, int]:
    """Return the number of the landmass of each country with a crossing."""
    joined: dict[str, set[str]] = {}
    for row in place_table().to_pylist():
        if row["kind"] == "crossing":
            ends = {row["country"], row["other_country"]}
            group = set().union(ends, *(joined.get(end, set()) for end in ends))
            joined |= dict.fromkeys(group, group)
    number = {id(group): i for i, group in enumerate(joined.values())}
    return {country: number[id(group)] for country, group in joined.items()}
