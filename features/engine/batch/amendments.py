"""Rows of a record file that later versions of their records end, and the instants.

Few records are amended. Only their rows are examined one by one, and a file without amendments is
recognised by the statistics in its footer.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.engine.columns import Column, Columns, columns_of_table, rows
from features.engine.windows.lifetimes import (
    FOREVER,
    NEVER,
    is_first_of_each,
    last_instants,
)

if TYPE_CHECKING:
    from features.records import Record

_NOTHING = np.empty(0, np.int64)


@dataclass(frozen=True)
class Amendments:
    """Rows of a file that amend others or are amended, with the instants until which they count.

    `rows` are indexes in the file, in order. `known_at` is when each became known. A row that
    withdraws its record never counts.
    """

    rows: Column
    known_at: Column
    until: Column

    def __bool__(self) -> bool:
        return len(self.rows) > 0

    def until_of(self, first: int, size: int) -> Column:
        """Return the instant until which each of `size` rows from row `first` on counts.

        The result is empty if there are no amendments.
        """
        return self._spread(self.until, first, np.full(size, FOREVER)) if self else _NOTHING

    def known_of(self, known_at: Column) -> Column:
        """Return the instant each row of the file became known, given those without amendments."""
        return self._spread(self.known_at, 0, known_at.copy()) if self else known_at

    def _spread(self, instants: Column, first: int, over: Column) -> Column:
        begin, end = np.searchsorted(self.rows, (first, first + len(over)))
        over[self.rows[begin:end] - first] = instants[begin:end]
        return over


def no_amendments() -> Amendments:
    """Return amendments for a file whose rows all count for ever."""
    return Amendments(_NOTHING, _NOTHING, _NOTHING)


def fields_of_versions(record: "type[Record]") -> list[str]:
    """Return the fields that identify versions of a record and the instants they became known."""
    told = {"version", "withdrawn", "known_at"} & record.model_fields.keys()
    return sorted({*record.versions_of, record.known_from, *told})


def may_be_amended(footer: pq.FileMetaData, record: "type[Record]") -> bool:
    """Return whether a file may hold amendments, judging by the statistics of its columns."""
    # Without versions any two rows may be results of one inspection, which no statistic shows.
    if "version" not in record.model_fields:
        return True
    late = {"known_at"} if record.known_from != "known_at" else set()
    for name in {"version", "withdrawn", *late} & record.model_fields.keys():
        at = footer.schema.names.index(name)
        for group in range(footer.num_row_groups):
            of_group = footer.row_group(group).column(at).statistics
            if of_group is None or (of_group.has_min_max and of_group.max not in (1, False)):
                return True
    return False


def amendments_of(columns: Columns, record: "type[Record]") -> Amendments:
    """Return the amendments among all rows of a record file, given its `fields_of_versions`."""
    if not record.versions_of:
        return no_amendments()
    known_at = _known_at(columns, record)
    places = _looked_at(columns, record, known_at)
    few, known_at = rows(columns, places), known_at[places]
    version = few.get("version", known_at)
    is_withdrawn = few["withdrawn"] == 1
    until = last_instants(
        [few[name] for name in record.versions_of],
        version,
        known_at,
        is_withdrawn | record.versions_replace,
    )
    # A withdrawal ends other versions but is no fact itself.
    until[is_withdrawn] = NEVER
    is_special = (until != FOREVER) | (known_at != few[record.known_from])
    if "version" in columns and record.versions_replace:
        is_special |= version > 1  # it has the instant of the first
    return Amendments(places[is_special], known_at[is_special], until[is_special])


def as_declared(columns: Columns, record: "type[Record]") -> Columns:
    """Return each subject once, in the version that counted first, in the order of rows.

    Subjects that never counted are left out.
    """
    amendments = amendments_of(columns, record)
    if not amendments:
        return columns
    declared_at = columns[record.known_from]
    known_at, until = amendments.known_of(declared_at), amendments.until_of(0, len(declared_at))
    # A version replaced at the instant it became known never counted.
    lived = np.flatnonzero(until > known_at)
    ids = columns[record.versions_of[0]][lived]
    order = np.lexsort((known_at[lived], ids))
    return rows(columns, np.sort(lived[order[is_first_of_each(ids[order])]]))


def _looked_at(columns: Columns, record: "type[Record]", known_at: Column) -> Column:
    """Return the rows of all records that may be amended or withdrawn.

    These are all rows if the instant of knowledge identifies versions.
    """
    if "version" not in columns:
        return np.arange(len(known_at))
    is_apart = (columns["version"] > 1) | (columns["withdrawn"] == 1)
    is_apart |= known_at != columns[record.known_from]
    of_record = columns[record.versions_of[0]]
    return np.flatnonzero(np.isin(of_record, of_record[is_apart])) if is_apart.any() else _NOTHING


def amendments_of_table(table: pa.Table, record: "type[Record]") -> Amendments:
    """Return the amendments in a table, encoding only the ids of amended records.

    Ids are nearly unique, so encoding all of them would fill the string table.
    """
    if "version" not in table.column_names:
        return amendments_of(columns_of_table(table), record)
    of_record = record.versions_of[0]
    told = columns_of_table(table.drop_columns([*record.versions_of]))
    # Decided by the other columns, so that ids need not be encoded.
    is_apart = (told["version"] > 1) | (told["withdrawn"] == 1)
    is_apart |= _known_at(told, record) != told[record.known_from]
    if not is_apart.any():
        return no_amendments()
    among = pc.unique(table[of_record].filter(pa.array(is_apart)))
    places = np.flatnonzero(pc.is_in(table[of_record], among).to_numpy())
    found = amendments_of(columns_of_table(table.take(pa.array(places))), record)
    return replace(found, rows=places[found.rows])


def _known_at(columns: Columns, record: "type[Record]") -> Column:
    """Return the instant each row became known, for subjects at least the declaration."""
    known_from = columns[record.known_from]
    return np.maximum(columns.get("known_at", known_from), known_from)
