"""Linked records, spread over partitions by their subject and made into events beside it."""

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

# The column of a record that says which row of its file it is.
FILE_ROW = "row_of_file"


class LinkedPartitions:
    """The records of one source, partitioned by the rows of subjects that each was known before.

    A subject may have several rows that follow each other, one for each scoring instant, in order.
    `history` are by source the events of which records have numbers.
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
        """Keep the records of a block that were known before an instant of their subject.

        A record counts for each row of its subject whose instant it was known before, and at which
        nothing was known that ended it.
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
        """From when each record counts, where those that do not say it do."""
        if self.source.known_when_missing is None:
            return instants
        return np.where(instants == NO_INSTANT, self.source.known_when_missing, instants)

    def events(self, at: int, records: RecordBlocks) -> tuple[slice, Column, Columns]:
        """The subjects of a partition, the events of theirs, and which of them each belongs to."""
        source = self.source
        begin = min(at * self._subjects_per_partition, length(self._subjects))
        among = slice(begin, min(begin + self._subjects_per_partition, length(self._subjects)))
        subjects = {name: column[among] for name, column in self._subjects.items()}
        linked = self._partitions.read(at)
        row = linked.pop(SUBJECT_ROW) - np.int32(begin)
        groups = KeyGroups.sort(row, linked[source.known_from], length(subjects))
        order = self._order(groups, row, linked[FILE_ROW], records)
        if not is_every_row(order, len(row)):
            linked, row = gather_rows(linked, order), gather(row, order)
        declared_at = gather(subjects["declared_at"], row)
        linked |= numbers_of_history(source.histories, self._history, linked, declared_at)
        # Rows in the place of ids: a subject's rows differ in what of its records was known.
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
        """The most rows that a subject has."""
        ends = np.append(self._first_rows[1:], length(self._subjects))
        return int(np.max(ends - self._first_rows, initial=1))

    def _row_of(self, place: Column, later: int) -> Column:
        """The row of the so-manieth instant of the subject at each place; -1 where it has none."""
        if self._most_rows == 1:
            return place
        ends = np.append(self._first_rows[1:], length(self._subjects))
        row = self._first_rows[place] + np.int32(later)
        return np.where((place >= 0) & (row < ends[place]), row, np.int32(-1))

    def _order(
        self, groups: KeyGroups, row: Column, file_row: Column, records: RecordBlocks
    ) -> Column:
        """The order of the groups, with records of one subject and instant by their id."""
        order, text_id = groups.order, self.source.text_id
        tied = groups.ties(row)
        if text_id is None or not len(tied):
            return order
        ids = records.texts(self.source.record_file, text_id, file_row[order[tied]])
        ranks = np.unique(np.array(ids, dtype=object), return_inverse=True)[1]
        by_id = np.lexsort((ranks, groups.instants[tied], row[order[tied]]))
        order[tied] = order[tied][by_id]
        return order


def scoring_instants(subjects: Columns) -> Column:
    """Before when linked records must be known: `as_of`, or the declaration without that column."""
    return subjects.get("as_of", subjects["declared_at"])


def missing_texts(count: int) -> Column:
    """A column of texts, all missing: for ids that are not read, since nothing needs them."""
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
    """The partition of each record of the kind that counts at its row's instant; else -1."""
    partition = np.full(len(row), -1, np.int32)
    for at in range(len(row)):
        if row[at] < 0 or known_at[at] == NO_INSTANT or (len(kinds) and kinds[at] != kind):
            continue
        instant = instants[row[at]]
        if known_at[at] < instant and not (len(until) and until[at] < instant):
            partition[at] = row[at] // subjects_per_partition
    return partition
