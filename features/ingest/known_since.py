"""Find the instant from which each row of a record file is known."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from features.records import RECORD_FILES, Record


def known_since(name: str, table: pa.Table, shipments: Callable[[], pa.Table]) -> pa.ChunkedArray:
    """Return the instant from which each row of a record type is known; null if unknown.

    Parts of a declaration are known with their shipment.
    """
    record = RECORD_FILES[name]
    since = known_by_own_fields(record, table)
    if not record.is_part_of_declaration or not since.null_count:
        return since
    declared = shipments()
    place = pc.index_in(table["shipment_id"], declared["shipment_id"].combine_chunks())
    return pc.coalesce(since, declared["declared_at"].take(place))


def known_by_own_fields(record: type[Record], table: pa.Table) -> pa.ChunkedArray:
    """Return the instant from which each row is known by its own fields.

    A declaration is never known before it was made.
    """
    since = table[record.known_from]
    if "known_at" not in table.column_names:
        return since
    known_at = table["known_at"]
    return pc.coalesce(pc.if_else(pc.greater(known_at, since), known_at, since), since)
