"""From when the rows of record files are known, where that decides which rows are kept."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from features.records import RECORD_FILES


def known_since(name: str, table: pa.Table, shipments: Callable[[], pa.Table]) -> pa.ChunkedArray:
    """The instant from which each row of the record type `name` is known; null where none says it.

    What is part of a declaration is known with its shipment.
    """
    record = RECORD_FILES[name]
    since = table[record.known_from]
    if "known_at" in table.column_names:
        since = pc.coalesce(table["known_at"], since)
    if not record.is_part_of_declaration or not since.null_count:
        return since
    declared = shipments()
    place = pc.index_in(table["shipment_id"], declared["shipment_id"].combine_chunks())
    return pc.coalesce(since, declared["declared_at"].take(place))
