"""Verifies the decision log, with code independent of the code that writes it.

The chain shows any record that was changed, removed, inserted or swapped. It also covers the
encrypted content and the answers kept for retries, since the records contain their digests. No key
is needed, so erased decisions are verified as well. It cannot show that the end was cut off or that
an older copy took its place: `serving.integrity.log_check` does so with checkpoints.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, text

from serving.storage.engine import database_errors_as_503

_COLUMNS = ("decision_id", "scored_at", "subject_kind", "subject_id", "office_id", "caller_id")

_DECISIONS = """
SELECT d.*, a.body AS answer, a.caller_id AS answered_to, a.request_digest AS answered_digest,
    a.idempotency_key AS answered_under, a.answered_at AS answered_at, c.case_id AS opened_case,
    (SELECT seq FROM log_positions WHERE name = 'cases') AS cases_opened_to
FROM decisions AS d
LEFT JOIN answers AS a ON a.decision_id = d.decision_id
LEFT JOIN cases AS c ON c.case_id = d.decision_id
ORDER BY d.seq
"""


@dataclass(frozen=True)
class ProvenHead:
    """The number of records of a log and its head at that size (hexadecimal)."""

    size: int
    head: str


@dataclass(frozen=True)
class LogProof:
    """The result of a verification: the log's head, and the first wrong record with the reason.

    `first_bad` is None if the records are consistent and a checkpoint is not. `checkpoints` is the
    number checked.
    """

    mark: ProvenHead
    first_bad: int | None = None
    why: str | None = None
    checkpoints: int = 0

    @property
    def is_whole(self) -> bool:
        """Return whether nothing is wrong."""
        return self.why is None


class _Broken(Exception):
    pass


Compare = Callable[[dict[str, Any]], str | None]


def verify_decision_log(
    engine: Engine,
    earlier: Iterable[ProvenHead] = (),
    compare: Compare = lambda _: None,
) -> LogProof:
    """Check every record of the log, and that it was once as each of `earlier` states.

    `compare` returns the contradiction between an outline and its encrypted content, or None.
    """
    marks = _by_size(earlier)
    head, size, verified = "00" * 32, 0, 0
    try:
        for size, row in enumerate(_rows(engine), start=1):
            head = _checked(row, size, head)
            if why := compare(row):
                raise _Broken(why)
            # A checkpoint bounds the damage: records up to the last matching one are proven
            # unchanged.
            if size in marks:
                if marks[size] != {head}:
                    raise _Broken(
                        f"the log was another: something after record {verified} was changed"
                    )
                verified = size
    except _Broken as broken:
        return LogProof(ProvenHead(size - 1, head), size, str(broken), len(marks))
    longest = max(marks, default=0)
    if longest > size:
        why = f"the log ends here; it had {longest} records"
        return LogProof(ProvenHead(size, head), size + 1, why, len(marks))
    return LogProof(ProvenHead(size, head), checkpoints=len(marks))


def _by_size(marks: Iterable[ProvenHead]) -> dict[int, set[str]]:
    heads: dict[int, set[str]] = {}
    for mark in marks:
        heads.setdefault(mark.size, set()).add(mark.head)
    return heads


def _checked(row: dict[str, Any], expected_seq: int, before: str) -> str:
    """Return the head after this row; raise _Broken with the fault."""
    _check_place(row["seq"], expected_seq)
    # SQLite can hold text that is no UTF-8; the digest must cover the very bytes that are stored.
    content = row["record"].encode("utf-8", "surrogateescape")
    head = hashlib.new("sha256", bytes.fromhex(before) + content).hexdigest()
    if bytes(row["chain"]).hex() != head:
        raise _Broken("the chain breaks: this record, or its place, was changed")
    decision = json.loads(content)
    # Columns exist for queries. A changed one would mislead readers though the record is intact.
    for name in _COLUMNS:
        if _plain(decision[name]) != _plain(row[name]):
            raise _Broken(f"the column {name} does not repeat the record")
    if (decision["lane"], decision["probability"]) != (row["lane"], row["probability"]):
        raise _Broken("the columns lane and probability do not repeat the record")
    for name in ("rescores", "lane_before", "logged_at"):
        if decision.get(name) != row.get(name):
            raise _Broken(f"the column {name} does not repeat the record")
    _check_encrypted(row, decision)
    return head


def _check_encrypted(row: dict[str, Any], decision: dict[str, Any]) -> None:
    """Compare the encrypted content and the answer with their digests; the answer may be erased."""
    if _digest(row["encrypted"] or b"") != decision.get("encrypted"):
        raise _Broken("the encrypted content of this record does not match its digest")
    if row["answer"] is None:
        return
    if row["answered_to"] != decision["caller_id"]:
        raise _Broken("the answer kept for this record is not to its caller")
    if _plain(row["answered_at"]) != _plain(row.get("logged_at") or row["scored_at"]):
        raise _Broken("the answer kept for this record is of another instant")
    if row["answered_under"] != decision.get("answered_under", row["answered_under"]):
        raise _Broken("the answer kept for this record is under another idempotency key")
    if row["answered_digest"] or _digest(row["answer"]) != decision["answer"]:
        raise _Broken("the answer kept for this record is not the one that was given")


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(bytes(content)).hexdigest()}"


def _check_place(seq: int, expected_seq: int) -> None:
    # The join with answers yields a record twice if two answers refer to it.
    if seq == expected_seq - 1:
        raise _Broken(f"two answers are kept for record {seq}")
    if seq != expected_seq:
        raise _Broken(f"record {expected_seq} is missing; record {seq} follows")


def _plain(value: str | None) -> str | None:
    """Return a text for comparison, with one spelling of UTC."""
    return value.replace("+00:00", "Z") if isinstance(value, str) else value


def _rows(engine: Engine) -> Iterator[dict[str, Any]]:
    with database_errors_as_503(), engine.connect() as connection:
        for row in connection.execution_options(yield_per=500).execute(text(_DECISIONS)):
            yield dict(row._mapping)
