"""Amounts in euro: every rate beside a figure for 2024 from elsewhere than the table itself."""

import numpy as np
import pytest

from features.engine.string_table import STRING_TABLE
from features.reference.currencies import UNITS_PER_EUR, euro_cents

# Euro foreign exchange reference rates of the European Central Bank, averages of 2024.
QUOTED = {
    "EUR": 1.0,
    "AUD": 1.6397,
    "BGN": 1.9558,
    "BRL": 5.8283,
    "CAD": 1.4821,
    "CHF": 0.9526,
    "CNY": 7.7875,
    "CZK": 25.120,
    "DKK": 7.4589,
    "GBP": 0.84662,
    "HKD": 8.4454,
    "HUF": 395.30,
    "IDR": 17_157.7,
    "INR": 90.556,
    "JPY": 163.85,
    "KRW": 1_475.4,
    "MXN": 19.831,
    "MYR": 4.9503,
    "NOK": 11.629,
    "PLN": 4.3058,
    "RON": 4.9746,
    "SEK": 11.4325,
    "SGD": 1.4458,
    "THB": 38.181,
    "TRY": 35.573,
    "USD": 1.0824,
    "ZAR": 19.830,
}
# What a dollar was worth in them in 2024: some are pegged to it, for the others about the average.
PER_DOLLAR = {
    "AED": 3.6725,
    "DZD": 134.0,
    "EGP": 45.3,
    "IQD": 1_310.0,
    "IRR": 42_000.0,
    "LYD": 4.83,
    "MAD": 9.94,
    "NGN": 1_480.0,
    "PKR": 278.6,
    "RSD": 108.2,
    "RUB": 92.6,
    "SAR": 3.75,
    "TND": 3.11,
    "TWD": 32.1,
    "UAH": 40.15,
    "VND": 25_000.0,
}
EXPECTED = QUOTED | {code: rate * QUOTED["USD"] for code, rate in PER_DOLLAR.items()}


def test_every_currency_with_a_rate_is_compared() -> None:
    assert UNITS_PER_EUR.keys() == EXPECTED.keys()


@pytest.mark.parametrize("currency", EXPECTED)
def test_a_rate_is_that_of_2024(currency: str) -> None:
    assert UNITS_PER_EUR[currency] == pytest.approx(EXPECTED[currency], rel=0.005)


def test_an_amount_in_a_currency_without_a_rate_or_in_none_is_missing() -> None:
    assert np.isnan(euro_cents(np.array([9.0, 9.0]), STRING_TABLE.codes(["ISK", None]))).all()


def test_a_missing_amount_is_missing() -> None:
    assert np.isnan(euro_cents(np.array([np.nan]), STRING_TABLE.codes(["EUR"]))).all()
