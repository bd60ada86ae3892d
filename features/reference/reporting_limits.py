"""Amounts from which cash must be reported, by currency.

`reporting_limits.csv` names the rule behind each limit. Its column `read` says where and when the
rule was read; most limits were written down from memory. A deployer's own file with the columns
`currency,limit,rule`, named by `TIDEGATE_REPORTING_LIMITS`, takes precedence currency by currency.
A currency stands for its own country, and a payment is compared with the limit of its currency,
wherever it is made. Some rules say "from", others "above"; the figure is treated as the first
amount to report. Limits have no dates: older payments are compared with today's.
"""

import csv
import os
from functools import cache
from pathlib import Path

import numpy as np

from features.errors import TidegateError

VARIABLE = "TIDEGATE_REPORTING_LIMITS"
_OURS = Path(__file__).with_name("reporting_limits.csv")


@cache
def reporting_limits() -> dict[str, float]:
    """Return the limit of each currency that has one, in units of that currency."""
    own = os.environ.get(VARIABLE)
    # The right operand wins, so a deployer's limits replace ours.
    return read_limits(_OURS) | (read_limits(Path(own)) if own else {})


def reporting_limit(currency: str) -> float:
    """Return the limit of one currency; NaN if it is unknown."""
    return reporting_limits().get(currency, np.nan)


def read_limits(path: Path) -> dict[str, float]:
    """Return the limits in a file.

    Raises TidegateError, which names the row, if the file is not of the expected form.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise TidegateError(f"{path}: cannot be read ({type(error).__name__})") from None
    return dict(_limit(path, number, row) for number, row in enumerate(rows, 1))


def _limit(path: Path, number: int, row: dict[str, str]) -> tuple[str, float]:
    try:
        currency, limit = row["currency"], float(row["limit"])
    except (KeyError, TypeError, ValueError):
        raise TidegateError(f"{path}, row {number}: want `currency,limit,rule`") from None
    if len(currency) != 3 or not 0 < limit < np.inf:
        raise TidegateError(f"{path}, row {number}: want a code as EUR and a limit above 0")
    return currency, limit
