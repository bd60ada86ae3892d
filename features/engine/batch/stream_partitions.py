"""Events of anyone, spread over partitions by the keys of the windows that reduce them."""

from collections.abc import Callable, Sequence

from features.engine.batch.amendments import Amendments
from features.engine.batch.linked_partitions import missing_texts
from features.engine.batch.partitions import Partitions
from features.engine.batch.shared_keys import by_first_column, columns_of, partitions_of_keys
from features.engine.batch.sources import EventStream
from features.engine.columns import Columns, length
from features.engine.windows.lifetimes import COUNTS_UNTIL
from features.engine.windows.window import Window


class StreamPartitions:
    """The events of one stream, kept once for every first column of its windows' keys.

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
        """Derive the events of a block of records and keep what windows read of them."""
        text_id = self.stream.text_id
        more = {} if text_id is None else {text_id: missing_texts(length(block))}
        if self._amendments:
            more[COUNTS_UNTIL] = self._amendments.until_of(self._rows_before, length(block))
        self._rows_before += length(block)
        events = self.stream.derive(block | more)
        for first, partitions in self._partitions.items():
            always = {"known_at", COUNTS_UNTIL} & events.keys()
            read = sorted({*columns_of(self._windows[first]), *always})
            kept = {name: events[name] for name in read}
            partitions.add(kept, partitions_of_keys(events, first, len(partitions)))

    def windows(self) -> list[tuple[Partitions, list[Window]]]:
        """Partitions with the windows that are computed from them."""
        return [(self._partitions[first], windows) for first, windows in self._windows.items()]
