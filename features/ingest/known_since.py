"""From when the rows of record files are known, where that decides which rows are kept."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from features.records import RECORD_FILES, Record


def known_since(name: str, table: pa.Table, shipments: Callable[[], pa.Table]) -> pa.ChunkedArray:
    """The instant from which each row of the record type `name` is known; null where none says it.

    What is part of a declaration is known with its shipment.
    """
    record = RECORD_FILES[name]
    since = said_known(record, table)
    if not record.is_part_of_declaration or not since.null_count:
        return since
    declared = shipments()
    place = pc.index_in(table["shipment_id"], declared["shipment_id"].combine_chunks())
    return pc.coalesce(since, declared["declared_at"].take(place))


def said_known(record: type[Record], table: pa.Table) -> pa.ChunkedArray:
    """The instant from which each row is known by itself: no declaration before it was made."""
    since = table[record.known_from]
    if "known_at" not in table.column_names:
        return since
    known_at = table["known_at"]
    return pc.coalesce(pc.if_else(pc.greater(known_at, since), known_at, since), since)
