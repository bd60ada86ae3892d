"""Closed lists of codes, from the standards that define them.

Countries are ISO 3166-1 plus the codes it leaves to users (customs use ZZ for goods of unknown
origin and XK for Kosovo). Currencies are ISO 4217 plus those withdrawn recently enough to occur in
records.
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
# Replaced by the euro in 2026 (Bulgaria) and 2023 (Croatia); older records still hold them.
_WITHDRAWN = {"BGN", "HRK"}

CODES: dict[CodeList, frozenset[str]] = {
    "countries": frozenset({country.alpha_2 for country in pycountry.countries} | _LEFT_TO_USERS),
    "currencies": frozenset({currency.alpha_3 for currency in pycountry.currencies} | _WITHDRAWN),
}
