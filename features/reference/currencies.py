"""Conversion of amounts of money to euro at the rate of the month.

Rates are monthly averages of the European Central Bank's daily reference rates
(`exchange_rates.csv`, from its file of all days as of 30 October 2026). For currencies that it does
not quote, `approximate_rates.csv` holds approximate yearly averages, written down from memory
without a source. A month without a rate uses the last earlier month that has one; instants before
all rates use the first. A deployer's own file in the form of `exchange_rates.csv`, named by
`TIDEGATE_EXCHANGE_RATES`, takes precedence cell by cell, because customs law defines its own
monthly rates. Rates serve comparison only; no amount is ever paid or refunded by them.
"""

import csv
import math
import os
import re
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from features.engine.columns import DAY_US, NO_INSTANT, Column
from features.engine.expressions.arithmetic import looked_up
from features.engine.string_table import STRING_TABLE
from features.errors import TidegateError

# Units of a currency per euro, by month (2025-06) and currency.
Rates = dict[str, dict[str, float]]

VARIABLE = "TIDEGATE_EXCHANGE_RATES"
_FOLDER = Path(__file__).parent
_MONTH = re.compile(r"(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])")
_CURRENCY = re.compile(r"[A-Z]{3}")
_EPOCH = date(1970, 1, 1)


def euro_cents(amounts: Column, currencies: Column, instants: Column) -> Column:
    """Return amounts as whole euro cents at the rates of the months of these instants.

    The result is float64, exact below 2**53; NaN for an unknown currency or missing instant.
    """
    return np.rint(amounts / units_per_eur(currencies, instants) * 100)


def units_per_eur(currencies: Column, instants: Column) -> Column:
    """Return the units of each currency per euro in the month of the instant; NaN if unknown."""
    first = STRING_TABLE.map_numbers(currencies, first_of_currency)
    days = month_of_day()
    # Written with traceable operations, since derived columns are traced into programs.
    day = np.floor_divide(instants, DAY_US).astype(np.float64) - _first_day()
    month = looked_up(days, np.clip(day, 0, len(days) - 1))
    known = np.where(instants == NO_INSTANT, np.nan, month)
    return looked_up(rate_by_month(), first + known)


def round_unit(currency: str) -> float:
    """Return the unit of round amounts: 50 euro, 5 000 yen, 50 000 won; NaN if unknown.

    It is fifty times the power of ten below the last rate per euro, and at least 50.
    """
    if currency not in known_currencies():
        return np.nan
    last = rate_by_month()[int(first_of_currency(currency)) + len(months()) - 1]
    return 50 * 10.0 ** max(math.floor(math.log10(last)), 0)


def known_currencies() -> tuple[str, ...]:
    """Return the currencies that have a rate, in order."""
    return _table()[1]


def first_of_currency(currency: str) -> float:
    """Return the index of a currency's first rate among all rates; NaN if it has none."""
    currencies = known_currencies()
    return currencies.index(currency) * len(months()) if currency in currencies else np.nan


@cache
def months() -> tuple[str, ...]:
    """Return every month from the first to the last that has a rate."""
    first, last = min(_table()[0]), max(_table()[0])
    return tuple(_month_after(first, n) for n in range(_months_between(first, last) + 1))


@cache
def rate_by_month() -> Column:
    """Return the rates of each currency in every month, one currency after the other."""
    found, currencies = _table()
    rates = [_filled([found.get(m, {}).get(c) for m in months()]) for c in currencies]
    return np.array(rates, np.float64).ravel()


@cache
def month_of_day() -> Column:
    """Return the index of the month of each day, from the first day with a rate to the last."""
    spans = [_days_in(month) for month in months()]
    return np.repeat(np.arange(len(spans), dtype=np.float64), spans)


def read_rates(path: Path) -> Rates:
    """Return the rates in a file: a header `month,USD,...` and a row for each month.

    Raises TidegateError, which names the row and the column, if the file is not of this form.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *lines = list(csv.reader(file)) or [[]]
    except (OSError, UnicodeDecodeError) as error:
        raise TidegateError(f"{path}: cannot be read ({type(error).__name__})") from None
    if header[:1] != ["month"] or not all(map(_CURRENCY.fullmatch, header[1:])):
        raise TidegateError(f"{path}: want a header `month,USD,...` of codes of currencies")
    return {
        _checked_month(path, row, line): _checked_rates(path, row, header, line)
        for row, line in enumerate(lines, 1)
    }


@cache
def _table() -> tuple[Rates, tuple[str, ...]]:
    """Return all rates by month, a deployer's before ours, and the currencies in order."""
    rates = read_rates(_FOLDER / "exchange_rates.csv")
    own = os.environ.get(VARIABLE)
    # Approximate rates fill gaps only: quoted rates take precedence.
    for month, approximate in _approximate(rates).items():
        rates[month] = approximate | rates[month]
    for month, stated in (read_rates(Path(own)) if own else {}).items():
        rates[month] = rates.get(month, {}) | stated
    currencies = {currency for of_month in rates.values() for currency in of_month}
    # Last, so that no file can redefine the euro.
    for of_month in rates.values():
        of_month["EUR"] = 1.0
    return rates, ("EUR", *sorted(currencies - {"EUR"}))


def _approximate(rates: Rates) -> Rates:
    """Return yearly averages of currencies that the ECB does not quote, per euro.

    An average may be stated per unit of another currency; that month's rate converts it.
    """
    with (_FOLDER / "approximate_rates.csv").open(encoding="utf-8", newline="") as file:
        yearly = list(csv.DictReader(file))
    last = max(name for name in yearly[0] if name.isdigit())
    return {
        month: {
            row["currency"]: float(row[min(month[:4], last)]) * {"EUR": 1.0, **of}[row["per"]]
            for row in yearly
        }
        for month, of in rates.items()
    }


def _checked_month(path: Path, row: int, line: list[str]) -> str:
    month = line[0] if line else ""
    if not _MONTH.fullmatch(month):
        raise TidegateError(f"{path}, row {row}, month: {month!r} is none; want one as 2025-06")
    return month


def _checked_rates(path: Path, row: int, header: list[str], line: list[str]) -> dict[str, float]:
    if len(line) != len(header):
        raise TidegateError(f"{path}, row {row}: {len(line)} cells; the header has {len(header)}")
    stated = {name: cell for name, cell in zip(header[1:], line[1:], strict=True) if cell}
    for currency, cell in stated.items():
        if not _is_positive(cell):
            raise TidegateError(
                f"{path}, row {row}, {currency}: {cell!r} is no rate; want the units that a euro"
                " is worth, or nothing"
            )
    return {currency: float(cell) for currency, cell in stated.items()}


def _is_positive(cell: str) -> bool:
    try:
        return 0 < float(cell) < float("inf")
    except ValueError:
        return False


def _filled(rates: list[float | None]) -> list[float]:
    """Return rates with gaps filled from the month before, and the first ones from after."""
    # Months before the first rate start with it.
    last = next(rate for rate in rates if rate is not None)
    filled = []
    for rate in rates:
        last = last if rate is None else rate
        filled.append(last)
    return filled


def _first_day() -> int:
    return (date.fromisoformat(f"{months()[0]}-01") - _EPOCH).days


def _days_in(month: str) -> int:
    begin = date.fromisoformat(f"{month}-01")
    return (date.fromisoformat(f"{_month_after(month, 1)}-01") - begin).days


def _month_after(month: str, many: int) -> str:
    count = int(month[:4]) * 12 + int(month[5:]) - 1 + many
    return f"{count // 12:04}-{count % 12 + 1:02}"


def _months_between(first: str, last: str) -> int:
    return 12 * (int(last[:4]) - int(first[:4])) + int(last[5:]) - int(first[5:])
