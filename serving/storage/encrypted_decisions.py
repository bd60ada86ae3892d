"""Decisions and answers as stored: an outline in the clear, everything else encrypted."""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row

from serving.audit.logged_decision import LoggedDecision, StoredAnswer
from serving.crypto.compression import compressed, decompressed
from serving.crypto.encryption import EncryptionUnit
from serving.storage.keys.data_keys import DataKeys
from serving.storage.tables.scoring import decisions

# The columns needed to read a whole record.
WHOLE = tuple(
    decisions.c[name]
    for name in ("seq", "decision_id", "scored_at", "logged_at", "record", "encrypted")
)

_RECORD, _ANSWER = "record", "answer"


@dataclass(frozen=True)
class EncryptedDecisions:
    """Converts decisions and answers to rows and back, under a database's keys."""

    keys: DataKeys

    def rows(
        self, row: LoggedDecision, answer: StoredAnswer, logged_at: str | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the row of a decision, without its chain columns, and the row of its answer.

        `logged_at` is the time of the log if the clock was behind it.
        """
        unit = EncryptionUnit.of_decision(row.decision_id, logged_at or row.scored_at)
        encrypted = self.keys.encrypt(unit, _RECORD, compressed(row.record.encode()))
        plain_answer = answer.request_digest.encode() + b"\n" + answer.body
        body = self.keys.encrypt(unit, _ANSWER, compressed(plain_answer))
        subject = self.keys.subject_token(row.subject_kind, row.subject_id)
        found_by = {**vars(row), "subject_id": subject}
        for name in ("record", "lasting", "danger_begins_at", "ship_journey", "alerted_as"):
            del found_by[name]
        _, key = self.claims(answer.caller_id, answer.idempotency_key)[0]
        digests = {"encrypted": _sha256(encrypted), "answer": _sha256(body), "answered_under": key}
        behind = {"logged_at": logged_at} if logged_at else {}
        outline = orjson.dumps({**found_by, **behind, **row.lasting, **digests}).decode()
        stored = {**found_by, "logged_at": logged_at, "record": outline, "encrypted": encrypted}
        # The day must be that of the key the body is encrypted with.
        answered_at = logged_at or answer.answered_at
        kept = {"idempotency_key": key, "request_digest": "", "answered_at": answered_at}
        return stored, {**vars(answer), **kept, "body": body}

    def claims(self, caller_id: str, key: str) -> tuple[tuple[str, str], ...]:
        """Return the names of an answer: under the token key in use, then under former ones."""
        return tuple((caller_id, token) for token in self.keys.tokens(caller_id, key))

    def record(self, row: Row[Any]) -> str | None:
        """Return the record of a row with the columns `WHOLE`; None if it was erased."""
        unit = EncryptionUnit.of_decision(row.decision_id, row.logged_at or row.scored_at)
        record = self.keys.decrypt(unit, _RECORD, row.encrypted)
        return None if record is None else decompressed(record).decode()

    def answer(self, row: StoredAnswer, key: tuple[str, str]) -> StoredAnswer | None:
        """Return the answer of a row under the given plain key; None if it was erased."""
        unit = EncryptionUnit.of_decision(row.decision_id, row.answered_at)
        plain_answer = self.keys.decrypt(unit, _ANSWER, row.body)
        if plain_answer is None:
            return None
        digest, _, body = decompressed(plain_answer).partition(b"\n")
        return StoredAnswer(*key, digest.decode(), row.decision_id, row.answered_at, body)


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
