"""Export all records of a home as record files: from files, from decisions, and received.

A record is identified by its id: records in files take precedence, and of several others the first
one counts. Erased records are not exported.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_schema import arrow_schema
from features.ingest.contract import CURRENCY_OF
from features.ingest.known_since import known_since
from features.ingest.record_files import read_records, write_records
from features.linked_records import LINKED_RECORD_TYPES
from features.records import RECORD_FILES, Outcome
from features.submission import Submission, SubmittedShipment
from serving.access.pseudonyms import Pseudonyms
from serving.audit.decision import Decision
from serving.history.received_records import SUBJECT_KIND_OF, ReceivedRecord, pages_of

if TYPE_CHECKING:
    from serving.storage.repositories.decision_repository import DecisionRepository
    from serving.storage.repositories.record_repository import RecordRepository

PAGE_SIZE = 2_000
# The pseudonym kind of people who reported an outcome: they are no parties.
AUTHOR = "author"

# Keyed pseudonyms of the people who reported an outcome, by kind and id of its subject, time of
# inspection and time from which it was known.
Authors = dict[tuple[str, str, datetime, datetime], str]


@dataclass(frozen=True)
class HomeRecords:
    """The sources of a home's records; `files` is a folder, which may be missing."""

    files: Path
    log: "DecisionRepository"
    records: "RecordRepository"
    pseudonyms: Pseudonyms

    def write(self, folder: Path, until: datetime) -> tuple[dict[str, int], Authors]:
        """Write what was known before `until` as record files; return their counts and the authors.

        Raises RecordsError for invalid files, and LogUnavailable.
        """
        received, authors = self._received()
        counts = {}
        for name in RECORD_FILES:
            table = _once(name, [*self._from_files(name), *received[name]])
            # Reads what is written already: other records can be known since their shipment was.
            since = known_since(name, table, partial(read_records, folder, "shipments"))
            table = table.filter(pc.less(since, pa.scalar(until, since.type)))
            write_records(folder, name, table)
            counts[name] = len(table)
        return counts, authors

    def _from_files(self, name: str) -> list[pa.Table]:
        return [read_records(self.files, name)] if self.files.is_dir() else []

    def _received(self) -> tuple[dict[str, list[pa.Table]], Authors]:
        """Return tables of decided and received records, and the authors of outcomes."""
        tables: dict[str, list[pa.Table]] = {name: [] for name in RECORD_FILES}
        authors: Authors = {}
        for rows in pages_of(self.records.all(kinds=SUBJECT_KIND_OF), PAGE_SIZE):
            _add(tables, _by_name(rows))  # first: decisions about them came later
        for page in pages_of(self.log.records(), PAGE_SIZE):
            kept = (record for record in page if record is not None)
            decided = [Decision.model_validate_json(record).submission for record in kept]
            _add(tables, _rows_of_submissions(decided))
        for rows in pages_of(self.records.all(), PAGE_SIZE):
            _add(tables, _by_name([row for row in rows if row.kind not in SUBJECT_KIND_OF]))
            authors |= self._authors(rows)
        return tables, authors

    def _authors(self, rows: list[ReceivedRecord]) -> Authors:
        outcomes = (row for row in rows if row.kind == "outcomes")
        authors: Authors = {}
        for row in outcomes:
            outcome = Outcome.model_validate_json(row.body)
            of = outcome.subject_kind, outcome.subject_id
            key = *of, outcome.inspected_at, outcome.known_at
            authors.setdefault(key, self.pseudonyms.of(row.caller_id, AUTHOR))
        return authors


def _rows_of_submissions(submissions: list[Submission]) -> dict[str, list[dict[str, Any]]]:
    """Return the records of submissions as rows of record files."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in RECORD_FILES}
    for submission in submissions:
        about = {"subject_kind": submission.subject_kind, "subject_id": submission.subject_id}
        rows["journeys"] += [submission.journey.model_dump()] if submission.journey else []
        rows["shipments"] += [submission.shipment.model_dump()] if submission.shipment else []
        for name, record_type in LINKED_RECORD_TYPES.items():
            own = {**about, record_type.subject_field: submission.subject_id}
            subject = own if record_type.has_subject_kind or record_type.submission_path else {}
            rows[name] += [record.model_dump() | subject for record in submission.linked(name)]
    return rows


def _by_name(kept: list[ReceivedRecord]) -> dict[str, list[dict[str, Any]]]:
    """Return received records as rows of record files; goods items become rows of their own."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in RECORD_FILES}
    for row in kept:
        record = row.record
        rows[row.kind].append(record.model_dump())
        if isinstance(record, SubmittedShipment):
            of_shipment = {"shipment_id": record.shipment_id}
            rows["goods_items"] += [item.model_dump() | of_shipment for item in record.items]
    return rows


def _add(tables: dict[str, list[pa.Table]], rows: dict[str, list[dict[str, Any]]]) -> None:
    for name, records in rows.items():
        for record in records:
            _leave_out_what_says_nothing(name, record)
        if records:
            tables[name].append(pa.Table.from_pylist(records, arrow_schema(RECORD_FILES[name])))


def _leave_out_what_says_nothing(name: str, record: dict[str, Any]) -> None:
    """Remove amounts without a currency: requests may contain them, record files must not."""
    for amount, currency in CURRENCY_OF[name].items():
        if record[currency] is None:
            record[amount] = None


def _once(name: str, tables: list[pa.Table]) -> pa.Table:
    """Return all rows, the first of each record."""
    schema = arrow_schema(RECORD_FILES[name])
    table = pa.concat_tables([each.cast(schema) for each in tables] or [schema.empty_table()])
    columns = RECORD_FILES[name].unique_fields or tuple(schema.names)
    # The first of several stays: files come before decisions and received records.
    identities: pd.DataFrame = table.select(columns).to_pandas()
    return table.filter(pa.array(~identities.duplicated().to_numpy()))
