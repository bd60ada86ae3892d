"""Numbers of a record that no program can make: functions of whole columns, run before it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from features.engine.columns import Column, instant_us
from features.engine.expressions.encode_rows import Row

# By the name of a number the fields that it is made of, and by which function of their columns.
Measured = Mapping[str, tuple[tuple[str, ...], Callable[..., Column]]]


def measures_of(columns: Mapping[str, Any], measured: Measured) -> dict[str, Column]:
    """Every number of records whose fields are given as columns."""
    return {
        name: function(*(columns[field] for field in fields))
        for name, (fields, function) in measured.items()
    }


def with_measures(rows: Sequence[Row], measured: Measured) -> list[Row]:
    """Records as a request brings them, each with its numbers."""
    fields = {field for fields, _ in measured.values() for field in fields}
    columns = {field: [_in_us(row[field]) for row in rows] for field in fields}
    measures = measures_of(columns, measured)
    numbers = zip(*(column.tolist() for column in measures.values()), strict=True)
    return [
        {**row, **dict(zip(measures, own, strict=True))}
        for row, own in zip(rows, numbers, strict=True)
    ]


def _in_us(value: Any) -> Any:
    """A field as columns have it: an instant in microseconds."""
    return instant_us(value) if isinstance(value, datetime) else value
