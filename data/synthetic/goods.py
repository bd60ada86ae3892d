"""Traded goods with usual price, tare, density, duty and size of consignment.

The figures are plausible round numbers of our own, not statistics of a customs office.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synthetic.chance import Flags, Floats, Ints

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Goods:
    """One row per kind of goods; money in euros, mass in kilograms, tax in per cent."""

    hs_code: Texts
    description: Texts
    eur_per_kg: Floats
    price_spread: Floats
    net_to_gross: Floats
    kg_per_m3: Floats
    kg_per_package: Floats
    usual_mass_kg: Floats
    tax_percent: Floats
    needs_permit: Flags
    weight: Floats

    def rows(self, hs_codes: tuple[str, ...]) -> Ints:
        """Return the rows of these codes."""
        return np.array([np.flatnonzero(self.hs_code == code)[0] for code in hs_codes])


@cache
def goods() -> Goods:
    """Return the table of goods."""
    with (Path(__file__).parent / "goods.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))

    def numbers(name: str) -> Floats:
        return np.array([float(row[name]) for row in rows])

    return Goods(
        hs_code=np.array([row["hs_code"] for row in rows], dtype=object),
        description=np.array([row["description"] for row in rows], dtype=object),
        eur_per_kg=numbers("eur_per_kg"),
        price_spread=numbers("price_spread"),
        net_to_gross=numbers("net_to_gross"),
        kg_per_m3=numbers("kg_per_m3"),
        kg_per_package=numbers("kg_per_package"),
        usual_mass_kg=numbers("usual_mass_kg"),
        tax_percent=numbers("tax_percent"),
        needs_permit=numbers("needs_permit") > 0,
        weight=numbers("weight"),
    )
