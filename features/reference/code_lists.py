"""Closed lists of codes, from the standards that keep them.

Countries are ISO 3166-1 with the codes it leaves to users (customs use ZZ for goods of no known
origin, XK for Kosovo); currencies are ISO 4217 with those withdrawn within living records.
"""

from typing import Literal

import pycountry

CodeList = Literal["countries", "currencies"]

_LEFT_TO_USERS = {
    "AA",
    "ZZ",
    *(f"Q{letter}" for letter in "MNOPQRSTUVWXYZ"),
    *(f"X{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
}
_WITHDRAWN = {"BGN", "HRK"}

CODES: dict[CodeList, frozenset[str]] = {
    "countries": frozenset({country.alpha_2 for country in pycountry.countries} | _LEFT_TO_USERS),
    "currencies": frozenset({currency.alpha_3 for currency in pycountry.currencies} | _WITHDRAWN),
}
