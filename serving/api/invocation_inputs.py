"""What MLflow's scoring server takes: vectors by column, as JSON or CSV.

`dataframe_split`, `dataframe_records`, `inputs` (a column each) and `instances` (a row each). The
columns always have names: vectors without them would be read in an order that nobody wrote down.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any

from serving.errors import BodyMalformed, SubmissionRefused
from serving.request_parsing import read_json
from serving.scoring.vectors import is_nan

CSV = "text/csv"
FORMS = "dataframe_split, dataframe_records, inputs or instances"
MISSING = frozenset({"", "NaN", "nan"})  # in CSV


def columns_in_json(body: bytes) -> dict[str, list[Any]]:
    """The values of each column, None where missing; raises BodyMalformed or SubmissionRefused."""
    given = read_json(body, is_nan_taken=True)
    if not isinstance(given, dict) or given.pop("params", None):
        raise SubmissionRefused(f"want an object with {FORMS}, and no params")
    columns: dict[str, list[Any]] = _columns(given)
    return {name: [_known(value) for value in values] for name, values in columns.items()}


def _columns(given: Any) -> Any:
    match given:
        case {"dataframe_split": {"columns": [*names], "data": [*rows]}}:
            return _by_column(names, rows)
        case (
            {"dataframe_records": [{**first}, *_] as records}
            | {"instances": [{**first}, *_] as records}
            | {"inputs": [{**first}, *_] as records}
        ):
            names = list(first)
            if not all(isinstance(row, dict) and set(row) == set(names) for row in records):
                raise SubmissionRefused("want records with the same fields")
            return {name: [row[name] for row in records] for name in names}
        case {"inputs": {**columns}} if all(isinstance(each, list) for each in columns.values()):
            return columns
        case {"inputs": _} | {"instances": _}:
            raise SubmissionRefused("want vectors with a name for each value, as a DataFrame has")
    raise SubmissionRefused(f"want an object with {FORMS}")


def _by_column(names: list[Any], rows: list[Any]) -> dict[str, list[Any]]:
    is_named = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    if not is_named or not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        raise SubmissionRefused("want different column names, and rows with a value for each")
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def _known(value: Any) -> Any:
    return None if is_nan(value) else value


def columns_in_csv(body: bytes) -> dict[str, list[str | None]]:
    """The texts of each column, None where missing; raises BodyMalformed or SubmissionRefused."""
    try:
        names, *rows = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
    except (ValueError, csv.Error):
        raise BodyMalformed("the body is no CSV in UTF-8 with a line of names") from None
    columns = _by_column(names, [row for row in rows if row])
    return {
        name: [None if value in MISSING else value for value in values]
        for name, values in columns.items()
    }


def numbers_in(
    columns: dict[str, list[str | None]], categories: Sequence[str]
) -> dict[str, list[Any]]:
    """Columns of CSV with texts as numbers, but for `categories`; raises SubmissionRefused."""
    try:
        return {
            name: values
            if name in categories
            else [None if value is None else float(value) for value in values]
            for name, values in columns.items()
        }
    except ValueError:
        raise SubmissionRefused("a value is no number") from None
