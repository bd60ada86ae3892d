"""The hottest keys of a world at their full size, as a world of its own.

    python experiments/2026-11-27-cumulative-rows/hottest.py FOLDER NEW_FOLDER

Of the records of FOLDER: payments of the three hottest payers and payees, all shipments that were
inspected with their outcomes (the key of everybody), and the journeys of the 20 busiest corridors.
What costs most per event is there as in the whole world, and can be made in a tenth of the time.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

CORRIDOR = ["origin", "destination", "mode"]


def main() -> None:
    """Write the records."""
    source, target = Path(sys.argv[1]) / "records", Path(sys.argv[2]) / "records"
    target.mkdir(parents=True)

    def read(name: str) -> pa.Table:
        return pq.read_table(source / f"{name}.parquet")

    def write(name: str, table: pa.Table) -> None:
        pq.write_table(table, target / f"{name}.parquet")
        print(name, table.num_rows)

    payments = read("transactions")
    payers, payees = _hottest(payments, "payer_id"), _hottest(payments, "payee_id")
    is_hot = pc.or_(pc.is_in(payments["payer_id"], payers), pc.is_in(payments["payee_id"], payees))
    write("transactions", payments.filter(pc.fill_null(is_hot, False)))
    outcomes = read("outcomes")
    outcomes = outcomes.filter(pc.equal(outcomes["subject_kind"], "shipment"))
    write("outcomes", outcomes)
    shipments = read("shipments")
    ids = outcomes["subject_id"].combine_chunks()
    write("shipments", shipments.filter(pc.is_in(shipments["shipment_id"], ids)))
    journeys = read("journeys")
    corridor = pc.binary_join_element_wise(*(journeys[name] for name in CORRIDOR), "|")
    counts = pa.table({"corridor": corridor}).group_by("corridor").aggregate([([], "count_all")])
    busiest = counts.sort_by([("count_all", "descending")])[:20]["corridor"].combine_chunks()
    write("journeys", journeys.filter(pc.is_in(corridor, busiest)))
    for name in ("documents", "legs", "positions", "oracle"):
        shutil.copy(source / f"{name}.parquet", target)


def _hottest(table: pa.Table, column: str) -> Any:
    counts = table.group_by(column).aggregate([([], "count_all")])
    return counts.sort_by([("count_all", "descending")])[:3][column].combine_chunks()


if __name__ == "__main__":
    main()
