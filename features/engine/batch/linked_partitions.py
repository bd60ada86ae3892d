"""Linked records, spread over partitions by their subject and made into events beside it."""

import numpy as np

from features.engine.batch.gather import SUBJECT_ROW, gather, gather_rows, is_every_row
from features.engine.batch.partitions import Partitions
from features.engine.batch.record_blocks import RecordBlocks
from features.engine.batch.sort_by_key import KeyGroups
from features.engine.batch.sources import LinkedSource
from features.engine.columns import NO_INSTANT, Column, Columns, Places, length
from features.engine.numba_cache import compiled
from features.engine.string_table import NO_TEXT, STRING_TABLE

FILE_ROW = "row_of_file"
"""The column of a record that says which row of its file it is."""


class LinkedPartitions:
    """The records of one source, partitioned by the subjects that each was known before."""

    def __init__(self, source: LinkedSource, subjects: Columns, partitions: Partitions) -> None:
        self.source = source
        self._partitions = partitions
        self._subjects = subjects
        self._places = Places(subjects["subject_id"])
        self._rows_before = 0

    def __len__(self) -> int:
        return len(self._partitions)

    def add(self, block: Columns) -> None:
        """Keep the records of a block that were known before their subject's instant."""
        source = self.source
        row = self._places.of(block[source.subject_field])
        name, value = source.only or ("", "")
        partition = _partition_of_known(
            block[source.known_from],
            row,
            block.get(name, _NO_KINDS),
            STRING_TABLE.code(value) if name else NO_TEXT,
            self._subjects["declared_at"],
            self._subjects_per_partition,
        )
        kept = source.fields - {name, source.subject_field}
        records = {field: block[field] for field in sorted(kept)}
        rows = np.arange(self._rows_before, self._rows_before + len(row))
        self._rows_before += len(row)
        self._partitions.add(records | {SUBJECT_ROW: row, FILE_ROW: rows}, partition)

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
        linked[source.subject_field] = gather(subjects["subject_id"], row)
        if source.text_id is not None:
            linked[source.text_id] = missing_texts(len(row))
        events = source.derive(subjects, linked)
        return among, Places(subjects["subject_id"]).of(events["subject_id"]), events

    @property
    def _subjects_per_partition(self) -> int:
        return max(1, -(-length(self._subjects) // len(self)))

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


def missing_texts(count: int) -> Column:
    """A column of texts, all missing: for ids that are not read, since nothing needs them."""
    return np.full(count, NO_TEXT, np.int32)


_NO_KINDS = np.zeros(0, np.int32)


@compiled(nogil=True)
def _partition_of_known(
    known_at: Column,
    row: Column,
    kinds: Column,
    kind: int,
    instants: Column,
    subjects_per_partition: int,
) -> Column:
    """The partition of each record of the kind that is known before its row's instant; else -1."""
    partition = np.full(len(row), -1, np.int32)
    for at in range(len(row)):
        if row[at] < 0 or known_at[at] == NO_INSTANT or (len(kinds) and kinds[at] != kind):
            continue
        if known_at[at] < instants[row[at]]:
            partition[at] = row[at] // subjects_per_partition
    return partition
