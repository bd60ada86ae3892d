"""Summarise a folder of records: rows, missing values and value ranges, by column.

The summary is stored with a training set, so that readers of a model's figures know its data.
Parquet files are summarised from their footers; ids and free text have no range.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.arrow_schema import INSTANT, arrow_schema
from features.ingest.record_files import read_record_file, record_file_of
from features.records import RECORD_FILES

SUMMARY = "records.json"
SET_ASIDE = "set_aside.json"

Extent = dict[str, Any]


def summary_of(records: Path) -> dict[str, Any]:
    """Return `rows` and `columns` per record type; a column has `missing`, `least` and `most`.

    Rows that `features.ingest.quarantine` set aside are counted under `set_aside`.
    """
    tables = {
        name: _of_file(file, name)
        for name in RECORD_FILES
        if (file := record_file_of(records, name))
    }
    aside = records / SET_ASIDE
    return tables | {"set_aside": json.loads(aside.read_text()) if aside.exists() else []}


def _of_file(file: Path, name: str) -> dict[str, Any]:
    if file.suffix == ".parquet" and (summary := _summary_of_footer(file, name)):
        return summary
    table = read_record_file(file, name)
    columns = {field.name: _extent(table[field.name], field) for field in table.schema}
    return {"rows": len(table), "columns": columns}


def _summary_of_footer(file: Path, name: str) -> dict[str, Any] | None:
    """Return a summary from the statistics of all row groups; None if any are missing."""
    footer = pq.read_metadata(file)
    groups = [footer.row_group(i) for i in range(footer.num_row_groups)]
    columns: dict[str, Extent] = {}
    for place, column in enumerate(footer.schema.names):
        statistics = [group.column(place).statistics for group in groups]
        if any(statistic is None or statistic.null_count is None for statistic in statistics):
            return None
        extent: Extent = {"missing": sum(statistic.null_count for statistic in statistics)}
        field = arrow_schema(RECORD_FILES[name]).field(column)
        known = [statistic for statistic in statistics if statistic.has_min_max]
        if _has_range(field) and known:
            extent["least"] = _plain(min(statistic.min for statistic in known))
            extent["most"] = _plain(max(statistic.max for statistic in known))
        columns[column] = extent
    return {"rows": footer.num_rows, "columns": columns}


def _extent(column: pa.ChunkedArray, field: pa.Field) -> Extent:
    extent: Extent = {"missing": column.null_count}
    if _has_range(field) and column.null_count < len(column):
        reach = pc.min_max(column).as_py()
        extent |= {"least": _plain(reach["min"]), "most": _plain(reach["max"])}
    return extent


def _has_range(field: pa.Field) -> bool:
    is_number = pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
    return field.type == INSTANT or bool(is_number)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
