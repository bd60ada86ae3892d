"""Amounts of money on one scale.

The rates are fixed on purpose: a price compared with last year's must not move because an exchange
rate did. They are rounded from the European Central Bank's euro reference rates of 2024 (for
currencies it does not quote, from the yearly averages of the national banks) and serve comparison
only; no amount is ever paid or refunded by them.
"""

import numpy as np

from features.engine.columns import Column
from features.engine.string_table import STRING_TABLE

UNITS_PER_EUR: dict[str, float] = {
    "EUR": 1.0,
    "AED": 3.98,
    "AUD": 1.64,
    "BGN": 1.9558,
    "BRL": 5.83,
    "CAD": 1.48,
    "CHF": 0.953,
    "CNY": 7.79,
    "CZK": 25.1,
    "DKK": 7.46,
    "DZD": 145.0,
    "EGP": 49.0,
    "GBP": 0.847,
    "HKD": 8.45,
    "HUF": 395.0,
    "IDR": 17_160.0,
    "INR": 90.6,
    "IQD": 1_417.0,
    "IRR": 45_500.0,
    "JPY": 164.0,
    "KRW": 1_475.0,
    "LYD": 5.23,
    "MAD": 10.8,
    "MXN": 19.8,
    "MYR": 4.95,
    "NGN": 1_600.0,
    "NOK": 11.6,
    "PKR": 301.0,
    "PLN": 4.31,
    "RON": 4.97,
    "RSD": 117.1,
    "RUB": 100.0,
    "SAR": 4.06,
    "SEK": 11.4,
    "SGD": 1.45,
    "THB": 38.2,
    "TND": 3.37,
    "TRY": 35.6,
    "TWD": 34.7,
    "UAH": 43.5,
    "USD": 1.08,
    "VND": 27_000.0,
    "ZAR": 19.8,
}


def euro_cents(amounts: Column, currencies: Column) -> Column:
    """Amounts as whole euro cents in float64, exact below 2**53; NaN for an unknown currency."""
    rates = STRING_TABLE.map_numbers(currencies, _units_per_eur)
    return np.rint(amounts / rates * 100)


def _units_per_eur(currency: str) -> float:
    return UNITS_PER_EUR.get(currency, np.nan)
