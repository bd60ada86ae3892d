"""Units in which own tables may state a quantity, with factors to the field's unit.

Three-letter codes are those of UN/ECE Recommendation 20, as used in declarations. Pounds, ounces,
feet, miles and gallons are the international ones of 1959; a nautical mile is 1,852 m.
"""

import re

from features.field_kinds import FieldKind, Money, Quantity
from features.reference.country_and_currency_codes import CODES
from features.reference.trade_units import CUBIC_METRES, KILOGRAMS

_FACTORS: dict[str, dict[str, float]] = {
    "kg": {
        **{"kg": 1.0, "g": KILOGRAMS["GRM"], "t": KILOGRAMS["TNE"], "lb": KILOGRAMS["LBR"]},
        **{"oz": KILOGRAMS["ONZ"], "short ton": KILOGRAMS["STN"], "long ton": KILOGRAMS["LTN"]},
        **{code: KILOGRAMS[code] for code in "KGM GRM TNE LBR ONZ STN LTN".split()},
    },
    "m3": {
        **{"m3": 1.0, "dm3": CUBIC_METRES["DMQ"], "l": CUBIC_METRES["LTR"]},
        **{"hl": CUBIC_METRES["HLT"], "ft3": CUBIC_METRES["FTQ"]},
        **{code: CUBIC_METRES[code] for code in "MTQ DMQ LTR HLT FTQ".split()},
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
        raise ValueError(f"{unit} is not a unit of money")
    return found["currency"]
