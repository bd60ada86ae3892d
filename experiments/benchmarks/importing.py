"""`tidegate import` beside mere reading: `python -m experiments.benchmarks.importing [--rows N]`.

A table of declarations with units, codes, local times and keyed pseudonyms becomes record files;
beside it, the same file is read by pyarrow and its columns are cast to the types of the records.
Each is run in a process of its own.

Two ways to write faster were tried on a million rows and not taken. Handing the writer texts as
dictionaries saves 0.04 s of 0.52 s, and making them of texts costs 0.43 s. Letting the CSV reader
make them costs 0.07 s for eight columns of few values and 0.32 s for twelve, on 0.47 s of reading:
it would pay only if every step of the mapping worked on distinct values alone. Leaving statistics
out saves 0.12 s, but summaries of record files are read from them.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from experiments.benchmarks.memory import peak_mib
from features.arrow_schema import INSTANT
from features.mapping.import_tables import import_source_tables
from features.mapping.mapping import MappingFile
from features.mapping.source_tables import open_file

SHIPMENTS = """
[tables.declarations]
zone = "Europe/Lisbon"

[shipments]
from = "declarations"
shipment_id = "DECL_NO"
consignor_id = { column = "EXPORTER_NO", pseudonym = "exporters" }
consignee_id = { column = "IMPORTER_NO", pseudonym = "importers" }
declarant_id = { column = "BROKER_NO", pseudonym = "brokers" }
hs_code = "HS6"
goods_description = "GOODS"
origin_country = "ORIGIN"
dispatch_country = "DISPATCH"
destination_country = { constant = "PT" }
office_id = "OFFICE"
gross_mass_kg = { column = "GROSS_LB", unit = "lb" }
net_mass_kg = { column = "NET_LB", unit = "lb" }
packages = "PACKAGES"
declared_value = { column = "VALUE_KEUR", unit = "kEUR" }
tax_rate = "DUTY"
container_number = "CONTAINER"
payment_type = { column = "TERMS", codes = { 1 = "prepaid", 2 = "collect", 3 = "open account" } }
declared_at = { column = "ACCEPTED", format = "%d.%m.%Y %H:%M", at_clock_change = "earlier" }
"""
INVOICES = """
[documents]
from = "declarations"
document_id = "INVOICE_NO"
subject_kind = { constant = "shipment" }
subject_id = "DECL_NO"
kind = { constant = "invoice" }
value = { column = "VALUE_KEUR", unit = "kEUR" }
received_at = { column = "ACCEPTED", format = "%d.%m.%Y %H:%M", at_clock_change = "earlier" }
"""
NUMBERS = ("GROSS_LB", "NET_LB", "VALUE_KEUR", "DUTY")
ROWS_AT_ONCE = 1 << 17


def write_table(folder: Path, rows: int) -> None:
    """Write the table as CSV and as Parquet."""
    random = np.random.default_rng(7)
    csv = parquet = None
    for first in range(0, rows, ROWS_AT_ONCE):
        table = _some(random, first, min(ROWS_AT_ONCE, rows - first))
        csv = csv or pyarrow.csv.CSVWriter(folder / "declarations.csv", table.schema)
        parquet = parquet or pq.ParquetWriter(folder / "declarations.parquet", table.schema)
        csv.write(table)
        parquet.write(table)
    for writer in (csv, parquet):
        if writer:
            writer.close()


def _some(random: np.random.Generator, first: int, rows: int) -> pa.Table:
    minutes = np.datetime64("2026-01-01T00:00") + random.integers(0, 525_600, rows)
    accepted = pa.array(minutes.astype("datetime64[s]"))
    masses = random.lognormal(8, 1, rows)

    def one_of(*words: str) -> list[str]:
        return random.choice(words, rows).tolist()

    def numbered(form: str, most: int) -> list[str]:
        return [form.format(number) for number in (random.zipf(1.3, rows) % most).tolist()]

    return pa.table(
        {
            "DECL_NO": [f"26PT{first + row:012d}" for row in range(rows)],
            "INVOICE_NO": [f"INV-{first + row:09d}" for row in range(rows)],
            "ACCEPTED": pc.strftime(accepted, "%d.%m.%Y %H:%M"),
            "EXPORTER_NO": numbered("X{:07d}", 400_000),
            "IMPORTER_NO": numbered("PT5{:08d}", 80_000),
            "BROKER_NO": numbered("B{:04d}", 3_000),
            "IMPORTER_NAME": numbered("Trader {} Lda", 80_000),
            "HS6": [f"{code:06d}" for code in random.integers(10_000, 980_000, rows).tolist()],
            "GOODS": one_of("inflatable boats", "parts of outboard engines", "cotton shirts"),
            "ORIGIN": one_of("CN", "TR", "VN", "BR", "US"),
            "DISPATCH": one_of("CN", "TR", "NL", "ES"),
            "OFFICE": one_of("PT000010", "PT000040", "PT000055"),
            "GROSS_LB": masses.round(1).astype(str),
            "NET_LB": (masses * 0.9).round(1).astype(str),
            "PACKAGES": random.integers(1, 900, rows).astype(str),
            "VALUE_KEUR": random.lognormal(3, 1, rows).round(3).astype(str),
            "DUTY": one_of("0", "4.7", "12"),
            "CONTAINER": numbered("MSKU{:07d}", 900_000),
            "TERMS": one_of("1", "2", "3"),
        }
    )


def read_and_cast(file: Path) -> None:
    """What any reader must do at least: read the columns and give them their types."""
    if file.suffix == ".csv":
        names = pyarrow.csv.open_csv(file).schema.names
        texts = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
        table = pyarrow.csv.read_csv(file, convert_options=texts)
    else:
        table = pq.read_table(file)
    for name in table.column_names:
        if name in NUMBERS:
            table[name].cast(pa.float64())
        elif name == "PACKAGES":
            table[name].cast(pa.int64())
        elif name == "ACCEPTED":
            naive = pc.strptime(table[name], format="%d.%m.%Y %H:%M", unit="us")
            pc.assume_timezone(
                naive, "Europe/Lisbon", ambiguous="earliest", nonexistent="latest"
            ).cast(INSTANT)


def import_file(file: Path, mapped: str = SHIPMENTS) -> None:
    """The import of the table in a file."""
    (file.parent / "mapping.toml").write_text(mapped)
    mapping = MappingFile.read(file.parent / "mapping.toml")
    source = open_file(file, mapping.table("declarations"))
    report = import_source_tables(
        mapping, {"declarations": [source]}, file.parent / "out", b"k" * 32
    )
    assert not report.refused


def measured(what: str, file: Path) -> tuple[float, float]:
    """CPU seconds and peak MiB of one of the two, in a process of its own."""
    command = [sys.executable, "-m", "experiments.benchmarks.importing", "--only", what, str(file)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    cpu, peak = map(float, said.split())
    return cpu, peak


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", nargs=2)
    given = parser.parse_args()
    if given.only:
        what, file = given.only
        started = time.process_time()
        whole = partial(import_file, mapped=SHIPMENTS + INVOICES)
        works: dict[str, Callable[[Path], object]] = {
            "read": read_and_cast,
            "import": import_file,
            "with_invoices": whole,
        }
        works[what](Path(file))
        print(time.process_time() - started, peak_mib())
        return
    with tempfile.TemporaryDirectory() as folder:
        write_table(Path(folder), given.rows)
        print("| file | what is made | read and cast | import | times | peak of import |")
        print("|---|---|---|---|---|---|")
        for ending in ("csv", "parquet"):
            file = Path(folder, f"declarations.{ending}")
            measured("import", file)  # compiles what is compiled once
            reading, _ = min(measured("read", file) for _ in range(3))
            for what in ("import", "with_invoices"):
                importing, peak = min(measured(what, file) for _ in range(3))
                print(
                    f"| {ending}, {given.rows:,} rows | {what} | {reading:.2f} s | "
                    f"{importing:.2f} s | {importing / reading:.1f} | {peak:.0f} MiB |"
                )


if __name__ == "__main__":
    main()
