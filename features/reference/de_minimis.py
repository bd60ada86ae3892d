"""Values below which goods pay little duty or none, by the country of destination.

`de_minimis.csv` names the rule behind each limit, in euro at about the rate of 2025. Its column
`read` says where and when the rule was read; the others were written down from memory. A country
that abolished its limit has 0. `EU` stands for every member of the customs union without a row of
its own: since July 2026 its limit separates a flat duty from the tariff. Limits have no dates, so
older consignments are compared with today's.
"""

import csv
from functools import cache
from pathlib import Path

import numpy as np

EU_MEMBERS = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
)


@cache
def de_minimis_limits() -> dict[str, float]:
    """Return the limit of each country in euro; 0 if it was abolished."""
    with Path(__file__).with_name("de_minimis.csv").open(encoding="utf-8", newline="") as file:
        stated = {row["country"]: float(row["limit_eur"]) for row in csv.DictReader(file)}
    of_the_union = stated.pop("EU")
    # A member with a row of its own keeps it.
    return dict.fromkeys(sorted(EU_MEMBERS), of_the_union) | stated


def de_minimis_eur(country: str) -> float:
    """Return the limit of one country in euro; NaN if it is unknown or abolished."""
    # An abolished limit (0) is treated like an unknown one: nothing can be below it.
    return de_minimis_limits().get(country) or np.nan
