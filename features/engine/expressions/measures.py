"""Record values that no program can compute: functions of whole columns, run beforehand."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from features.engine.columns import Column, instant_us
from features.engine.expressions.encode_rows import Row

# The fields that each value is computed from, and the function of their columns, by name.
Measured = Mapping[str, tuple[tuple[str, ...], Callable[..., Column]]]


def measures_of(columns: Mapping[str, Any], measured: Measured) -> dict[str, Column]:
    """Return every measured value of records whose fields are given as columns."""
    return {
        name: function(*(columns[field] for field in fields))
        for name, (fields, function) in measured.items()
    }


def with_measures(rows: Sequence[Row], measured: Measured) -> list[Row]:
    """Return request records with their measured values added."""
    fields = {field for fields, _ in measured.values() for field in fields}
    columns = {field: [_in_us(row[field]) for row in rows] for field in fields}
    measures = measures_of(columns, measured)
    numbers = zip(*(column.tolist() for column in measures.values()), strict=True)
    return [
        {**row, **dict(zip(measures, own, strict=True))}
        for row, own in zip(rows, numbers, strict=True)
    ]


def _in_us(value: Any) -> Any:
    """Return a field as columns hold it, with instants in microseconds."""
    return instant_us(value) if isinstance(value, datetime) else value
