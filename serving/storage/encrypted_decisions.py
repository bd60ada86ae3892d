"""A decision and its answer as they are kept: an outline in the clear, and the rest encrypted."""

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

# The columns that a whole record is made of.
WHOLE = tuple(
    decisions.c[name]
    for name in ("seq", "decision_id", "scored_at", "logged_at", "record", "encrypted")
)

_RECORD, _ANSWER = "record", "answer"


@dataclass(frozen=True)
class EncryptedDecisions:
    """Makes rows of decisions and answers, and reads them again, under the keys of a database."""

    keys: DataKeys

    def rows(
        self, row: LoggedDecision, answer: StoredAnswer, logged_at: str | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The row of a decision, but for its place in the chain, and that of its answer.

        `logged_at` is the time of the log, where the clock was behind it.
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
        answered_at = logged_at or answer.answered_at  # of the key that its body is encrypted with
        kept = {"idempotency_key": key, "request_digest": "", "answered_at": answered_at}
        return stored, {**vars(answer), **kept, "body": body}

    def claims(self, caller_id: str, key: str) -> tuple[tuple[str, str], ...]:
        """Return the names of an answer: by the token key in use, then by former ones."""
        return tuple((caller_id, token) for token in self.keys.tokens(caller_id, key))

    def record(self, row: Row[Any]) -> str | None:
        """The whole record of a row with the columns `WHOLE`; None where it was erased."""
        unit = EncryptionUnit.of_decision(row.decision_id, row.logged_at or row.scored_at)
        record = self.keys.decrypt(unit, _RECORD, row.encrypted)
        return None if record is None else decompressed(record).decode()

    def answer(self, row: StoredAnswer, key: tuple[str, str]) -> StoredAnswer | None:
        """The answer of a row, under the key that was asked for; None where it was erased."""
        unit = EncryptionUnit.of_decision(row.decision_id, row.answered_at)
        plain_answer = self.keys.decrypt(unit, _ANSWER, row.body)
        if plain_answer is None:
            return None
        digest, _, body = decompressed(plain_answer).partition(b"\n")
        return StoredAnswer(*key, digest.decode(), row.decision_id, row.answered_at, body)


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
