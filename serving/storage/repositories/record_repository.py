"""Records that were received by themselves, each stored once under its id."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, select, tuple_

from features.records import Position
from features.rescoring_rules import RESCORED_AFTER
from serving.access.acting import current_actor
from serving.crypto.errors import LogMoved
from serving.history.received_records import SUBJECT_KIND_OF, ReceivedRecord, StoredRecord
from serving.integrity.audit_log import AuditEvent
from serving.storage.encrypted_records import EncryptedRecords
from serving.storage.engine import database_errors_as_503
from serving.storage.log_times import known_time, newest_record_time, require_logged
from serving.storage.lookups import PairLookup
from serving.storage.noted_journeys import journey_row, note_journeys, ship_journey_of
from serving.storage.raised_alerts import HeardCall, raise_alerts
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.tables.review import pending_news
from serving.storage.tables.scoring import records
from serving.storage.waiting_subjects import SubjectToken, queue_rescoring_of_decided

PAGE = 500

# The kind and the id of a record.
Key = tuple[str, str]

_ABOUT = PairLookup(ReceivedRecord, records.c.subject_kind, records.c.subject_id)
_ROWS = select(*(records.c[field.name] for field in fields(ReceivedRecord)))


class RecordRepository(Repository):
    """The records of one database."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._records = EncryptedRecords(self._keys)
        self._writer = RecordWriter(self._records)
        self._newest: str | None = None  # the time of the log when last read

    def add_new(
        self, rows: Sequence[ReceivedRecord], *, raises_alerts: bool = True
    ) -> dict[Key, StoredRecord]:
        """Store new records durably; return what is stored under the keys that existed, by key.

        No two records may have the same key. With `raises_alerts` false, no alerts are raised for
        the calls for help among them, since the rescuers know of these.
        """
        try:
            return self._added(rows, raises_alerts)
        # One retry suffices: the failed attempt has read the new key or the newer time.
        except LogMoved:
            return self._added(rows, raises_alerts)

    def _added(
        self, rows: Sequence[ReceivedRecord], raises_alerts: bool
    ) -> dict[Key, StoredRecord]:
        keys = self._records.keys.token_keys
        ring = keys.ring()
        earliest = min((row.received_at for row in rows), default="")
        self._newest = known_time(self._engine, earliest, self._newest, newest_record_time)
        # Encrypted before the write lock is taken, so that other writers wait less.
        encrypted = self._records.encrypted_all(rows, self._newest)
        with self._writing() as connection:
            keys.require(ring, connection)
            self._newest = newest_record_time(connection, earliest)
            require_logged(encrypted.values(), self._newest)
            return self._writer.add(connection, rows, encrypted, raises_alerts=raises_alerts)

    def stored_under_ids(self, rows: Sequence[ReceivedRecord]) -> dict[Key, StoredRecord]:
        """Return what is stored under the keys of these records, by key; store nothing."""
        with self._reading() as connection:
            return self._writer.stored_under_ids(connection, rows)

    def about(
        self, subjects: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], list[ReceivedRecord]]:
        """Return the records about each subject (kind, id), ordered by kind and id."""
        about: dict[tuple[str, str], list[ReceivedRecord]] = {subject: [] for subject in subjects}
        by_token = {named: each for each in about for named in self._records.subjects(*each)}
        if about:
            with database_errors_as_503():
                found = _ABOUT.rows(self._engine, [*by_token])
            for row in found:
                if (record := self._records.record(row)) is not None:
                    about[by_token[row.subject_kind, row.subject_id]].append(record)
        for stored in about.values():
            stored.sort(key=lambda row: row.key)
        return about

    def all(self, since: str = "", kinds: Iterable[str] = ()) -> Iterator[ReceivedRecord]:
        """Yield the records received since then and not erased, by arrival, page by page.

        `kinds` limits them to these kinds.
        """
        order = (records.c.received_at, records.c.kind, records.c.record_id)
        rows = _ROWS.where(records.c.kind.in_([*kinds])) if kinds else _ROWS
        last = (since, "", "")
        while True:
            # Positioned by key and not by offset, so that records arriving meanwhile shift no page.
            query = rows.where(tuple_(*order) > last).order_by(*order).limit(PAGE)
            page = [ReceivedRecord(*row) for row in self._rows(query)]
            yield from (found for row in page if (found := self._records.record(row)) is not None)
            if len(page) < PAGE:
                return
            last = (page[-1].received_at, page[-1].kind, page[-1].record_id)


@dataclass(frozen=True)
class RecordWriter:
    """A writer of records in a transaction that is already writing."""

    _records: EncryptedRecords

    def add(
        self,
        connection: Connection,
        rows: Sequence[ReceivedRecord],
        encrypted: Mapping[Key, dict[str, Any]],
        *,
        raises_alerts: bool = True,
    ) -> dict[Key, StoredRecord]:
        """Store the new records, already encrypted; return what is stored under existing keys."""
        # Read again under the write lock: another worker may have stored one meanwhile.
        before = self.stored_under_ids(connection, rows)
        new = [row for key, row in encrypted.items() if key not in before]
        if new:
            connection.execute(records.insert(), new)
            note_journeys(connection, self._journeys(rows, encrypted, before))
            append_audit_events(connection, [_received(new)])
            amending = _amending(rows, encrypted, before)
            calls = _calls(rows, encrypted, before)
            _let_wait(connection, [*_rescored_after(new), *amending], calls)
            if raises_alerts:
                raise_alerts(connection, calls)
            # Outcomes and amended declarations are news for open cases; other records only for
            # scores.
            outcomes = [row for row in new if row["kind"] == "outcomes"]
            _tell_cases(connection, [*outcomes, *amending])
        return before

    def _journeys(
        self,
        rows: Sequence[ReceivedRecord],
        encrypted: Mapping[Key, dict[str, Any]],
        before: Mapping[Key, StoredRecord],
    ) -> list[dict[str, Any]]:
        """Return the rows by which the new journeys of ships are found."""
        return [
            journey_row(
                self._records.keys,
                ship,
                encrypted[row.key]["subject_id"],
                encrypted[row.key]["logged_at"] or row.received_at,
            )
            for row in rows
            if row.key not in before and (ship := ship_journey_of(row)) is not None
        ]

    def stored_under_ids(
        self, connection: Connection, rows: Sequence[ReceivedRecord]
    ) -> dict[Key, StoredRecord]:
        """Return what is stored under the ids of these records; the body is empty if erased."""
        by_token = {named: row.key for row in rows for named in self._records.ids(row)}
        found: dict[Key, StoredRecord] = {}
        for kind in {row.kind for row in rows}:
            of_kind = [named for _, named in (key for key in by_token if key[0] == kind)]
            query = _ROWS.where(records.c.kind == kind, records.c.record_id.in_(of_kind))
            for row in connection.execute(query).all():
                kept = self._records.of_row(row)
                body = kept.body if kept else ""
                found[by_token[kind, row.record_id]] = StoredRecord(body, row.caller_id)
        return found


def _rescored_after(new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the new records of kinds after which their subjects are scored again."""
    return [row for row in new if row["kind"] in RESCORED_AFTER.get(row["subject_kind"], ())]


def _amending(
    rows: Sequence[ReceivedRecord],
    encrypted: Mapping[Key, dict[str, Any]],
    before: Mapping[Key, StoredRecord],
) -> list[dict[str, Any]]:
    """Return the new records that amend or withdraw the declaration of their subject."""
    new = [row for row in rows if row.kind in SUBJECT_KIND_OF and row.key not in before]
    declared = ((row.key, orjson.loads(row.body)) for row in new)
    return [
        encrypted[key]
        for key, body in declared
        if body.get("version", 1) > 1 or body.get("withdrawn")
    ]


def _calls(
    rows: Sequence[ReceivedRecord],
    encrypted: Mapping[Key, dict[str, Any]],
    before: Mapping[Key, StoredRecord],
) -> list[HeardCall]:
    """Return the new records that are calls for help."""
    positions = [row for row in rows if row.kind == "positions" and row.key not in before]
    return [
        HeardCall(
            subject_id=encrypted[row.key]["subject_id"],
            record_id=encrypted[row.key]["record_id"],
            heard_at=Position.model_validate_json(row.body).observed_at,
            received_at=datetime.fromisoformat(row.received_at),
        )
        for row in positions
        if orjson.loads(row.body).get("is_distress")
    ]


def _let_wait(
    connection: Connection, new: Sequence[dict[str, Any]], calls: Sequence[HeardCall]
) -> None:
    """Queue the subjects of new records for scoring, those that called for help first."""
    if new:
        in_danger = {SubjectToken("route", call.subject_id) for call in calls}
        last = datetime.fromisoformat(max(row["received_at"] for row in new))
        subjects = {SubjectToken(row["subject_kind"], row["subject_id"]) for row in new}
        queue_rescoring_of_decided(connection, subjects, last, in_danger)


def _tell_cases(connection: Connection, news: Sequence[dict[str, Any]]) -> None:
    """Queue records until the cases of their subjects have received them."""
    names = ("record_id", "subject_kind", "subject_id", "received_at")
    if news:
        connection.execute(
            pending_news.insert(), [{name: row[name] for name in names} for row in news]
        )


def _received(new: Sequence[dict[str, Any]]) -> AuditEvent:
    counts = Counter(row["kind"] for row in new)
    at = datetime.fromisoformat(max(row["received_at"] for row in new))
    return AuditEvent(at, current_actor(), "send_records", "records", "", {"counts": counts})
