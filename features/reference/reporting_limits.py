"""From which amount cash is reported, by its currency.

`reporting_limits.csv` names the rule behind each limit and says in its column `read` where it was
read and when; most were written down from memory. A deployer's own file of the columns
`currency,limit,rule`, named by `TIDEGATE_REPORTING_LIMITS`, wins currency by currency. A currency
stands for the country whose it is; a payment in another country's money is measured by that money's
limit. Some rules say "from", others "above": the figure is taken as the first that is reported.
Limits have no dates: older payments are measured by today's.
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
    """The limit of each currency that has one, in its own units."""
    own = os.environ.get(VARIABLE)
    return read_limits(_OURS) | (read_limits(Path(own)) if own else {})


def reporting_limit(currency: str) -> float:
    """The limit of one currency; NaN where none is known."""
    return reporting_limits().get(currency, np.nan)


def read_limits(path: Path) -> dict[str, float]:
    """The limits of a file; TidegateError, which names the row, where it cannot be read so."""
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
