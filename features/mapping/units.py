"""Units in which own tables may state a quantity, with factors to the field's unit.

Three-letter codes are those of UN/ECE Recommendation 20, as used in declarations. Pounds, ounces,
feet, miles and gallons are the international ones of 1959; a nautical mile is 1,852 m.
"""

import re

from features.field_kinds import FieldKind, Money, Quantity
from features.reference.code_lists import CODES

_FACTORS: dict[str, dict[str, float]] = {
    "kg": {
        **{"kg": 1.0, "g": 0.001, "t": 1_000.0, "lb": 0.45359237, "oz": 0.028349523125},
        **{"short ton": 907.18474, "long ton": 1016.0469088},
        **{"KGM": 1.0, "GRM": 0.001, "TNE": 1_000.0, "LBR": 0.45359237, "ONZ": 0.028349523125},
        **{"STN": 907.18474, "LTN": 1016.0469088},
    },
    "m3": {
        **{"m3": 1.0, "dm3": 0.001, "l": 0.001, "hl": 0.1, "ft3": 0.028316846592},
        **{"MTQ": 1.0, "DMQ": 0.001, "LTR": 0.001, "HLT": 0.1, "FTQ": 0.028316846592},
    },
    "kn": {
        **{"kn": 1.0, "km/h": 1 / 1.852, "m/s": 3.6 / 1.852, "mph": 1.609344 / 1.852},
        **{"KNT": 1.0, "KMH": 1 / 1.852, "MTS": 3.6 / 1.852},
    },
    "m": {
        **{"m": 1.0, "km": 1_000.0, "nmi": 1_852.0, "ft": 0.3048, "mi": 1_609.344},
        **{"MTR": 1.0, "KMT": 1_000.0, "NMI": 1_852.0, "FOT": 0.3048},
    },
    "%": {"%": 1.0, "share": 100.0},
    "share of 1": {"share": 1.0, "%": 0.01},
}

_OF_MONEY = {"": 1.0, "k": 1e3, "M": 1e6, "c": 0.01}
_MONEY = re.compile(r"(?P<times>[kMc]?)(?P<currency>[A-Z]{3})")


def factors_of(kind: FieldKind | None) -> dict[str, float]:
    """Return the factor of each unit to the unit of a field's kind; empty if it has no units.

    Amounts may be in a currency, in thousands (`kEUR`), millions (`MEUR`) or hundredths (`cEUR`).
    """
    if isinstance(kind, Money):
        return {
            prefix + currency: factor
            for currency in CODES["currencies"]
            for prefix, factor in _OF_MONEY.items()
        }
    return _FACTORS.get(kind.unit, {}) if isinstance(kind, Quantity) else {}


def currency_of(unit: str) -> str:
    """Return the currency in a unit of money. Raises ValueError for any other unit.

    >>> currency_of("kEUR"), currency_of("JPY")
    ('EUR', 'JPY')
    """
    found = _MONEY.fullmatch(unit)
    if found is None:
        raise ValueError(f"{unit} is no unit of money")
    return found["currency"]
