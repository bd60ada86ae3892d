from pathlib import Path

import pytest

from features.ingest.record_files import read_records
from features.ingest.record_summary import summary_of
from tests.features.ingest.test_record_files import NOON, payment, written

ROWS = [
    payment(1, payer_country=None),
    payment(2, amount=2.5, payer_country="DE"),
    payment(3, amount=400.0),
]


@pytest.mark.parametrize("is_parquet", [True, False])
def test_a_summary_counts_what_is_missing_and_how_far_values_reach(
    is_parquet: bool, tmp_path: Path
) -> None:
    written(tmp_path, ROWS)
    if not is_parquet:
        text = read_records(tmp_path, "transactions").to_pandas()
        text["payer_iban_valid"] = None
        (tmp_path / "transactions.parquet").unlink()
        frame = text.assign(paid_at="2026-01-02T12:00:00Z", known_at="2026-01-02T12:00:00Z")
        frame.to_csv(tmp_path / "transactions.csv", index=False)

    told = summary_of(tmp_path)

    columns = told["transactions"]["columns"]
    assert told["transactions"]["rows"] == 3
    assert columns["amount"] == {"missing": 0, "least": 2.5, "most": 400.0}
    assert columns["payer_country"] == {"missing": 2}
    assert columns["payer_id"] == {"missing": 0}
    assert columns["paid_at"]["least"] == NOON.isoformat()
