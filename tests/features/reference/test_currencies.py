"""Amounts in euro: rates of months and years beside figures from elsewhere than the tables."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from features.engine.columns import NO_INSTANT, instant_us
from features.engine.string_table import STRING_TABLE
from features.errors import TidegateError
from features.reference import currencies
from features.reference.currencies import (
    VARIABLE,
    euro_cents,
    known_currencies,
    month_of_day,
    months,
    rate_by_month,
    read_rates,
    units_per_eur,
)

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


def rate(currency: str | None, *instants: datetime) -> list[float]:
    """What a euro was worth at each of these instants."""
    codes = STRING_TABLE.codes([currency] * len(instants))
    return units_per_eur(codes, np.array([instant_us(at) for at in instants])).tolist()


def on(year: int, month: int, day: int = 1, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize("currency", EXPECTED)
def test_the_months_of_2024_have_the_average_of_the_year(currency: str) -> None:
    of_2024 = rate(currency, *(on(2024, month) for month in range(1, 13)))

    assert np.mean(of_2024) == pytest.approx(EXPECTED[currency], rel=0.005)


def test_the_rate_is_that_of_the_month_of_the_instant_to_its_last_microsecond() -> None:
    end_of_january = on(2025, 2).replace(microsecond=0) - datetime.resolution

    assert rate("USD", on(2025, 1), end_of_january) == [1.03537] * 2
    assert rate("USD", on(2025, 2)) == [1.04125]


def test_a_month_without_a_rate_takes_the_one_before_and_what_is_older_than_all_the_first() -> None:
    assert rate("RUB", on(2022, 2)) == [88.891]
    assert rate("HRK", on(2025, 1)) == rate("HRK", on(2022, 12))
    assert rate("USD", on(1999, 1)) == rate("USD", on(2019, 1))
    assert rate("USD", on(2150, 1)) == rate("USD", on(2026, 10))


def test_an_amount_in_a_currency_without_a_rate_or_in_none_is_missing() -> None:
    at = np.array([instant_us(on(2025, 1))] * 2)

    assert np.isnan(euro_cents(np.array([9.0, 9.0]), STRING_TABLE.codes(["XPF", None]), at)).all()


def test_a_missing_amount_or_instant_is_missing() -> None:
    codes, at = STRING_TABLE.codes(["EUR", "EUR"]), np.array([instant_us(on(2025, 1)), NO_INSTANT])

    assert np.isnan(euro_cents(np.array([np.nan, 9.0]), codes, at)).all()


@pytest.fixture
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file of a deployer's own, which is read from now on."""
    cached = (currencies._table, known_currencies, months, rate_by_month, month_of_day)
    clear = [cache.cache_clear for cache in cached if hasattr(cache, "cache_clear")]
    monkeypatch.setenv(VARIABLE, str(tmp_path / "rates.csv"))
    for forget in clear:
        forget()
    yield tmp_path / "rates.csv"
    for forget in clear:
        forget()


def test_a_deployers_rates_win_cell_by_cell_and_may_name_other_currencies(own_file: Path) -> None:
    own_file.write_text("month,USD,XPF\n2025-06,1.25,\n2025-07,,119.3\n2027-01,1.5,\n")

    assert rate("USD", on(2025, 5), on(2025, 6), on(2025, 7)) == [1.1278, 1.25, 1.16769]
    assert rate("USD", on(2026, 12), on(2027, 1)) == [1.12016, 1.5]
    assert rate("XPF", on(2025, 6), on(2025, 7)) == [119.3, 119.3]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "want a header"),
        ("month,dollar\n", "want a header"),
        ("month,USD\n2025-13,1.1\n", "row 1, month: '2025-13'"),
        ("month,USD\n2025-06,1.1\n2025-07\n", "row 2: 1 cells"),
        ("month,USD\n2025-06,0\n", "row 1, USD: '0' is no rate"),
        ("month,USD\n2025-06,nan\n", "row 1, USD: 'nan' is no rate"),
        ("month,USD\n2025-06,1.1.\n", "row 1, USD: '1.1.' is no rate"),
    ],
)
def test_a_file_of_rates_that_cannot_be_meant_is_refused(
    tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / "rates.csv").write_text(text)

    with pytest.raises(TidegateError, match=says):
        read_rates(tmp_path / "rates.csv")


def test_a_file_of_rates_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="cannot be read"):
        read_rates(tmp_path / "none.csv")
