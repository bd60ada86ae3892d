"""The set's CSV files -> records of shipments and of outcomes.

Source: Jeong et al., Customs Import Declaration Datasets, arXiv 2208.02484 (2022). Every
declaration was inspected, by choice of officers, so outcomes are `discretion` without a
probability. Nothing says when a result was known; `label_delay` is the assumption.
"""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from features.arrow_schema import arrow_schema
from features.errors import RecordsError
from features.ingest.record_files import write_records
from features.records import RECORD_FILES

LABEL = "Fraud"
LABELS = (LABEL, "Critical Fraud")
COLUMNS = (
    "Declaration ID",
    "Date",
    "Office ID",
    "Process Type",
    "Import Type",
    "Import Use",
    "Payment Type",
    "Declarant ID",
    "Importer ID",
    "Seller ID",
    "Courier ID",
    "HS6 Code",
    "Country of Departure",
    "Country of Origin",
    "Tax Rate",
    "Tax Type",
    "Net Mass",
    "Item Price",
)


def read_declarations(file: Path) -> pd.DataFrame:
    """A CSV of the set, all text; RecordsError names a missing file or column, or a repeated id."""
    if not file.is_file():
        raise RecordsError(f"{file}: no such file")
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    if absent := [name for name in COLUMNS if name not in table.columns]:
        raise RecordsError(f"{file}: the column {absent[0]!r} is missing")
    if (repeated := table["Declaration ID"].duplicated()).any():
        raise RecordsError(f"{file}, row {int(repeated.argmax()) + 1}: its id appeared before")
    return table


def shipments_of(declarations: pd.DataFrame) -> pa.Table:
    """One shipment record per declaration.

    The seller is not always named; such consignors share the pseudonym `unnamed`, since who they
    are is not known. Procedure and use are one code, as they only mean something together.
    """
    procedure = declarations[["Process Type", "Import Type", "Import Use"]].agg("/".join, axis=1)
    return _records(
        "shipments",
        {
            "shipment_id": declarations["Declaration ID"],
            "consignor_id": declarations["Seller ID"].replace("", "unnamed"),
            "consignee_id": declarations["Importer ID"],
            "declarant_id": _or_none(declarations["Declarant ID"]),
            "forwarder_id": _or_none(declarations["Courier ID"]),
            "hs_code": declarations["HS6 Code"].str.zfill(6),
            "origin_country": declarations["Country of Origin"],
            "dispatch_country": declarations["Country of Departure"],
            "destination_country": "KR",
            "office_id": declarations["Office ID"],
            "net_mass_kg": declarations["Net Mass"].astype(float),
            "declared_value": declarations["Item Price"].astype(float),
            "currency": "KRW",
            "tax_rate": declarations["Tax Rate"].astype(float),
            "tax_type": declarations["Tax Type"],
            "payment_type": declarations["Payment Type"],
            "import_type": procedure,
            "declared_at": declared_at(declarations),
        },
    )


def outcomes_of(declarations: pd.DataFrame, label_delay: timedelta) -> pa.Table:
    """One outcome record per labelled declaration, known `label_delay` after it."""
    inspected_at = declared_at(declarations)
    return _records(
        "outcomes",
        {
            "subject_kind": "shipment",
            "subject_id": declarations["Declaration ID"],
            "selected_by": "discretion",
            "inspected_at": inspected_at,
            "known_at": inspected_at + label_delay,
            "result": np.where(declarations[LABEL] == "1", "confirmed", "not_confirmed"),
        },
    )


def declared_at(declarations: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
    """The day of each declaration, at midnight UTC: the set tells no hour."""
    return pd.to_datetime(declarations["Date"], utc=True)


def write_declarations(
    folder: Path, declarations: pd.DataFrame, labelled: pd.DataFrame, label_delay: timedelta
) -> None:
    """Write shipments of all `declarations` and outcomes of the `labelled` ones as record files."""
    folder.mkdir(parents=True)
    write_records(folder, "shipments", shipments_of(declarations))
    write_records(folder, "outcomes", outcomes_of(labelled, label_delay))


def _or_none(texts: "pd.Series[str]") -> "pd.Series[str]":
    return texts.where(texts != "", None)


def _records(name: str, columns: dict[str, object]) -> pa.Table:
    schema = pa.schema(f.with_nullable(True) for f in arrow_schema(RECORD_FILES[name]))
    frame = pd.DataFrame(columns).reindex(columns=schema.names)
    return pa.Table.from_pandas(frame, schema, preserve_index=False)
