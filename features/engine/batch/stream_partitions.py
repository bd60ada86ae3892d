"""Events of all subjects, spread over partitions by the keys of the windows that reduce them."""

from collections.abc import Callable, Sequence

from features.engine.batch.amendments import Amendments
from features.engine.batch.linked_partitions import missing_texts
from features.engine.batch.partitions import Partitions
from features.engine.batch.shared_keys import (
    by_first_column,
    columns_of_windows,
    partitions_of_keys,
)
from features.engine.batch.sources import EventStream
from features.engine.columns import Columns, length
from features.engine.windows.lifetimes import COUNTS_UNTIL
from features.engine.windows.window_declaration import Window


class StreamPartitions:
    """Events of one stream, stored once for every first key column of its windows.

    Events of one key are in one partition, whatever further columns the key has.
    """

    def __init__(
        self,
        stream: EventStream,
        windows: Sequence[Window],
        create: Callable[[str], Partitions],
        amendments: Amendments,
    ) -> None:
        self.stream = stream
        self._amendments = amendments
        self._rows_before = 0
        self._windows = by_first_column(windows)
        self._partitions = {by: create("-".join((stream.name, *by))) for by in self._windows}

    def add(self, block: Columns) -> None:
        """Derive the events of a block of records and store the columns that windows read."""
        events = events_of_block(self.stream, block, self._amendments, self._rows_before)
        self._rows_before += length(block)
        for first, partitions in self._partitions.items():
            always = {"known_at", COUNTS_UNTIL} & events.keys()
            read = sorted({*columns_of_windows(self._windows[first]), *always})
            kept = {name: events[name] for name in read}
            partitions.add(kept, partitions_of_keys(events, first, len(partitions)))

    def windows(self) -> list[tuple[Partitions, list[Window]]]:
        """Return partitions with the windows that are computed from them."""
        return [(self._partitions[first], windows) for first, windows in self._windows.items()]


def events_of_block(
    stream: EventStream, block: Columns, amendments: Amendments, rows_before: int
) -> Columns:
    """Return the events of a block of records that follows `rows_before` others in its file."""
    more = {} if stream.text_id is None else {stream.text_id: missing_texts(length(block))}
    if amendments:
        more[COUNTS_UNTIL] = amendments.until_of(rows_before, length(block))
    return stream.derive(block | more)
