"""Order of a whole table by one column, chosen at its head (`sorts.html`).

An order is `table.column`, with a leading `-` for the highest first. A column is an attribute of
the rows, or a path of attributes; only those that the page offers are read.
"""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Annotated, TypeVar

from pydantic import Field

from serving.console.pages import templates

Row = TypeVar("Row")
SortOrder = Annotated[str, Field(max_length=64, pattern=r"^-?[a-z_.]*$")]


def in_order(rows: Iterable[Row], sort: str, table: str, columns: Sequence[str]) -> list[Row]:
    """Return the rows of a table in the chosen order; rows without a value come last.

    An order of another table, or by a column that is not offered, changes nothing.
    """
    found, (of_table, _, column) = list(rows), sort.removeprefix("-").partition(".")
    if of_table != table or column not in columns:
        return found
    value = attrgetter(column)
    known = [row for row in found if value(row) is not None]
    known.sort(key=value, reverse=sort.startswith("-"))
    return [*known, *(row for row in found if value(row) is None)]


templates.filters["in_order"] = in_order
