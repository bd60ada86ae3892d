"""Received records as stored: encrypted, and found by tokens of their ids."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from serving.crypto.encryption import EncryptionUnit
from serving.history.received_records import ReceivedRecord
from serving.storage.keys.data_keys import DataKeys
from serving.storage.log_times import logged_at

_PART = "record"
_COLUMNS = [each.name for each in fields(ReceivedRecord)]


@dataclass(frozen=True)
class EncryptedRecords:
    """Converts records to rows and back, under the keys of a database."""

    keys: DataKeys

    def encrypted(
        self,
        row: ReceivedRecord,
        within: Connection | None = None,
        *,
        behind: str | None = None,
    ) -> dict[str, Any]:
        """Return the encrypted row; `behind` is the time of the log if the clock is behind it."""
        token = self.keys.token(row.kind, row.record_id)
        subject = self.keys.subject_token(row.subject_kind, row.subject_id)
        # The ids are encrypted with the body, because tokens cannot be turned back.
        plain = "\n".join((row.record_id, row.subject_id, row.body))
        # The day of the log and not of a wrong clock, since the key of an older day may be
        # destroyed.
        unit = EncryptionUnit.of_record(row.kind, token, behind or row.received_at)
        return {
            **vars(row),
            "record_id": token,
            "subject_id": subject,
            "body": self.keys.encrypt_text(unit, _PART, plain, within),
            "outline": _outline(row, subject),
            "logged_at": behind,
        }

    def encrypted_all(
        self, rows: Iterable[ReceivedRecord], newest: str | None
    ) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the encrypted rows by key, given `newest` as the time of the log."""
        return {
            row.key: self.encrypted(row, behind=logged_at(row.received_at, newest)) for row in rows
        }

    def record(self, row: ReceivedRecord) -> ReceivedRecord | None:
        """Return the record of a stored row; None if it was erased."""
        plain = self.keys.decrypt_text(f"{row.kind}/{row.record_id}", _PART, row.body)
        if plain is None:
            return None
        record_id, subject_id, body = plain.split("\n", 2)
        return replace(row, record_id=record_id, subject_id=subject_id, body=body)

    def of_row(self, row: Row[Any]) -> ReceivedRecord | None:
        """Return the record of a row with at least its columns; None if it was erased."""
        return self.record(ReceivedRecord(**{name: getattr(row, name) for name in _COLUMNS}))

    def ids(self, row: ReceivedRecord) -> tuple[tuple[str, str], ...]:
        """Return the keys of a record: under the token key in use, then under former ones."""
        return tuple((row.kind, token) for token in self.keys.tokens(row.kind, row.record_id))

    def subjects(self, kind: str, subject_id: str) -> tuple[tuple[str, str], ...]:
        """Return the keys of a subject: under the token key in use, then under former ones."""
        return tuple((kind, token) for token in self.keys.tokens(kind, subject_id))


def _outline(row: ReceivedRecord, subject: str) -> str | None:
    """Return the lasting part of an outcome, for statistics; None for other records."""
    if row.kind != "outcomes":
        return None
    return orjson.dumps({**orjson.loads(row.body), "subject_id": subject}).decode()
