"""From which amount cash is reported: the table, and a deployer's own."""

from pathlib import Path

import numpy as np
import pytest

from features.errors import TidegateError
from features.reference.reporting_limits import (
    VARIABLE,
    read_limits,
    reporting_limit,
    reporting_limits,
)


def test_a_limit_is_in_the_units_of_its_currency_and_missing_where_none_is_known() -> None:
    assert reporting_limit("EUR") == 10_000
    assert reporting_limit("JPY") == 1_000_000
    assert np.isnan(reporting_limit("XPF"))


def test_a_deployers_limits_win_currency_by_currency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "limits.csv").write_text("currency,limit,rule\nEUR,3000,a law\nXPF,9,another\n")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "limits.csv"))
    reporting_limits.cache_clear()

    found = [reporting_limit(currency) for currency in ("EUR", "XPF", "USD")]
    reporting_limits.cache_clear()

    assert found == [3_000, 9, 10_000]


@pytest.mark.parametrize("row", ["EUR,", "EUR,much", "EUR,0", "EUR,inf", "EURO,9", ",9"])
def test_a_row_that_cannot_be_meant_is_refused(tmp_path: Path, row: str) -> None:
    (tmp_path / "limits.csv").write_text(f"currency,limit,rule\n{row},a law\n")

    with pytest.raises(TidegateError, match="row 1"):
        read_limits(tmp_path / "limits.csv")


def test_a_file_that_is_not_there_or_of_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "limits.csv").write_text("money,much\nEUR,9\n")

    with pytest.raises(TidegateError, match="want `currency"):
        read_limits(tmp_path / "limits.csv")
    with pytest.raises(TidegateError, match="cannot be read"):
        read_limits(tmp_path / "none.csv")
