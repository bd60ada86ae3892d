"""Linked records, spread over partitions by subject and turned into events of that subject."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from features.engine.batch.amendments import Amendments
from features.engine.batch.gather import SUBJECT_ROW, gather, gather_rows, is_every_row
from features.engine.batch.paired_windows import numbers_of_history
from features.engine.batch.partitions import Partitions
from features.engine.batch.record_blocks import RecordBlocks
from features.engine.batch.sort_by_key import KeyGroups
from features.engine.batch.sources import LinkedSource
from features.engine.columns import NO_INSTANT, Column, Columns, Places, length
from features.engine.numba_cache import compiled
from features.engine.string_table import NO_TEXT, STRING_TABLE
from features.engine.windows.lifetimes import is_first_of_each

# Column of a record with its row in the file.
FILE_ROW = "row_of_file"


class LinkedPartitions:
    """Records of one source, partitioned by the subject rows that may count them.

    A subject may have several adjacent rows, one for each scoring instant, in order. `history`
    holds by source the events from which values of records are computed.
    """

    def __init__(
        self,
        source: LinkedSource,
        subjects: Columns,
        partitions: Partitions,
        amendments: Amendments,
        history: Mapping[str, Columns],
    ) -> None:
        self.source = source
        self._history = history
        self._amendments = amendments
        self._partitions = partitions
        self._subjects = subjects
        self._as_of = scoring_instants(subjects)
        is_first = is_first_of_each(subjects["subject_id"])
        self._first_rows = np.flatnonzero(is_first).astype(np.int32)
        self._places = Places(subjects["subject_id"][is_first])
        self._rows_before = 0

    def __len__(self) -> int:
        return len(self._partitions)

    def add(self, block: Columns) -> None:
        """Add the records of a block that were known before an instant of their subject.

        A record counts for each row of its subject before whose instant it was known, unless
        something known by then ended it.
        """
        source = self.source
        place = self._places.of(block[source.subject_field])
        name, value = source.only or ("", "")
        kept = source.fields - {name, source.subject_field}
        until = self._amendments.until_of(self._rows_before, len(place))
        file_rows = np.arange(self._rows_before, self._rows_before + len(place))
        self._rows_before += len(place)
        known_from = self._known_from(block[source.known_from])
        records = {field: block[field] for field in sorted(kept)} | {FILE_ROW: file_rows}
        records[source.known_from] = known_from
        kinds, kind = block.get(name, _NO_KINDS), STRING_TABLE.code(value) if name else NO_TEXT
        # One pass per scoring instant: a record is copied to each row of its subject that counts
        # it.
        for later in range(self._most_rows):
            row = self._row_of(place, later)
            partition = _partition_of_known(
                known_from,
                until,
                row,
                kinds,
                kind,
                self._as_of,
                self._subjects_per_partition,
            )
            self._partitions.add(records | {SUBJECT_ROW: row}, partition)

    def _known_from(self, instants: Column) -> Column:
        """Return the instant from which each record counts, with the default for missing ones."""
        if self.source.known_when_missing is None:
            return instants
        return np.where(instants == NO_INSTANT, self.source.known_when_missing, instants)

    def events(self, at: int, records: RecordBlocks) -> tuple[slice, Column, Columns]:
        """Return a partition's range of subjects, the subject row of each event, and the events."""
        source = self.source
        begin = min(at * self._subjects_per_partition, length(self._subjects))
        among = slice(begin, min(begin + self._subjects_per_partition, length(self._subjects)))
        subjects = {name: column[among] for name, column in self._subjects.items()}
        linked = self._partitions.read(at)
        row = linked.pop(SUBJECT_ROW) - np.int32(begin)
        groups = KeyGroups.sort(row, linked[source.known_from], length(subjects))
        order = self._order(groups, row, linked[FILE_ROW], records)
        # Rows that are in order already need no copy.
        if not is_every_row(order, len(row)):
            linked, row = gather_rows(linked, order), gather(row, order)
        declared_at = gather(subjects["declared_at"], row)
        linked |= numbers_of_history(source.histories, self._history, linked, declared_at)
        # Row indexes replace ids: rows of one subject differ in which of its records were known.
        own_rows = np.arange(length(subjects), dtype=np.int32)
        linked[source.subject_field] = row
        if source.text_id is not None:
            linked[source.text_id] = missing_texts(len(row))
        events = source.derive(subjects | {"subject_id": own_rows}, linked)
        return among, events["subject_id"], events

    @property
    def _subjects_per_partition(self) -> int:
        return max(1, -(-length(self._subjects) // len(self)))

    @cached_property
    def _most_rows(self) -> int:
        """Largest number of rows of one subject."""
        ends = np.append(self._first_rows[1:], length(self._subjects))
        return int(np.max(ends - self._first_rows, initial=1))

    def _row_of(self, place: Column, later: int) -> Column:
        """Return the row of each subject's instant number `later`; -1 if it has fewer."""
        if self._most_rows == 1:
            return place
        ends = np.append(self._first_rows[1:], length(self._subjects))
        row = self._first_rows[place] + np.int32(later)
        return np.where((place >= 0) & (row < ends[place]), row, np.int32(-1))

    def _order(
        self, groups: KeyGroups, row: Column, file_row: Column, records: RecordBlocks
    ) -> Column:
        """Return the order of the groups, with records of one subject and instant ordered by id."""
        order, text_id = groups.order, self.source.text_id
        tied = groups.ties(row)
        if text_id is None or not len(tied):
            return order
        # Only tied records need their ids, so only these texts are read from the file.
        ids = records.texts(self.source.record_file, text_id, file_row[order[tied]])
        ranks = np.unique(np.array(ids, dtype=object), return_inverse=True)[1]
        by_id = np.lexsort((ranks, groups.instants[tied], row[order[tied]]))
        order[tied] = order[tied][by_id]
        return order


def scoring_instants(subjects: Columns) -> Column:
    """Return the instants before which linked records must be known.

    They are `as_of`, or the declaration if there is no such column.
    """
    return subjects.get("as_of", subjects["declared_at"])


def missing_texts(count: int) -> Column:
    """Return a column of missing texts, for ids that nothing reads."""
    return np.full(count, NO_TEXT, np.int32)


_NO_KINDS = np.zeros(0, np.int32)


@compiled(nogil=True)
def _partition_of_known(
    known_at: Column,
    until: Column,
    row: Column,
    kinds: Column,
    kind: int,
    instants: Column,
    subjects_per_partition: int,
) -> Column:
    """Return the partition of each record that counts at its row's instant; -1 for others."""
    partition = np.full(len(row), -1, np.int32)
    for at in range(len(row)):
        if row[at] < 0 or known_at[at] == NO_INSTANT or (len(kinds) and kinds[at] != kind):
            continue
        instant = instants[row[at]]
        if known_at[at] < instant and not (len(until) and until[at] < instant):
            partition[at] = row[at] // subjects_per_partition
    return partition
