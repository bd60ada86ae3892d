"""Verifies the audit chain and every covered table, with code independent of the writers.

A bug shared with the writers would hide itself, so nothing is imported from them. Events are read
in order, and the newest digest of each row goes to a temporary file, which bounds memory. Each
table is then read from the same snapshot and compared. Events cut off at the end of the chain are
missed here: earlier heads, from checkpoints and witnesses, show that.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Engine, Select, inspect, literal_column, select, table, text

from features.signed_documents import canonical_json
from serving.storage.engine import database_errors_as_503
from serving.storage.keys.data_keys import DataKeys
from serving.storage.row_audit.tables import COVERED
from serving.storage.verification.derived_rows import misstated
from serving.storage.verification.log_verification import ProvenHead
from serving.storage.verification.sequence_verification import misplaced

# Bounds memory: a manipulated table can differ in every row.
MAX_FINDINGS = 1_000
_BATCH_SIZE = 500

_EVENTS, _LINKS = "audit_events", "case_links"
_NO_LINKS = hashlib.sha256(b"").hexdigest()

# A table on disk, since a fold of millions of rows does not fit into memory.
_FOLD = """
CREATE TABLE rows (
    name TEXT, key TEXT, sha256 TEXT, columns TEXT, seq INTEGER, is_found INTEGER DEFAULT 0,
    PRIMARY KEY (name, key)
) WITHOUT ROWID
"""
_FOLD_ROW = "INSERT OR REPLACE INTO rows (name, key, sha256, columns, seq) VALUES (?, ?, ?, ?, ?)"
_TOLD_BEFORE = "SELECT sha256, seq FROM rows WHERE name = ? AND key = ?"
_FIND = "UPDATE rows SET is_found = 1 WHERE name = ? AND key = ? RETURNING sha256, columns, seq"
_MISSING = (
    "SELECT key, seq, sha256 FROM rows "
    "WHERE name = ? AND NOT is_found AND sha256 IS NOT NULL ORDER BY seq"
)
_ALL_LINKS = text(
    "SELECT l.* FROM case_links AS l LEFT JOIN cases AS c ON c.case_id = l.case_id "
    "WHERE c.status IS NULL OR c.status <> 'erased' ORDER BY l.case_id"
)
_CASE = text("SELECT 1 FROM cases WHERE case_id = :case_id")
_IS_ERASED = text("SELECT 1 FROM cases WHERE case_id = :case_id AND status = 'erased'")


@dataclass(frozen=True)
class Tampering:
    """One entry that contradicts the audit chain.

    `seq` is the number of the event that states otherwise; `column` is None if it is unknown.
    """

    table: str
    why: str
    key: tuple[Any, ...] = ()
    column: str | None = None
    seq: int | None = None

    def __str__(self) -> str:
        place = " ".join([self.table, *(str(part) for part in self.key)])
        column = f", column {self.column}" if self.column else ""
        told = f" (event {self.seq})" if self.seq and self.table != _EVENTS else ""
        return f"{place}{column}: {self.why}{told}"


@dataclass(frozen=True)
class AuditProof:
    """The result: the head of the audit chain and at most MAX_FINDINGS findings."""

    mark: ProvenHead
    rows: int = 0
    findings: tuple[Tampering, ...] = field(default=())

    @property
    def is_whole(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.findings


def verify_audit_log(
    engine: Engine, earlier: Iterable[ProvenHead] = (), keys: DataKeys | None = None
) -> AuditProof:
    """Check every audit event, the chain, and every row of each covered table.

    The chain must once have ended as each of `earlier` states. With `keys`, derived rows are also
    compared with the encrypted content of their decisions.
    """
    with database_errors_as_503(), _snapshot(engine) as connection, _fold() as told:
        reading = _Reading(connection, told)
        reading.read_events(earlier)
        rows = sum(reading.compare(name) for name in COVERED)
        reading.compare_links()
        reading.check_places()
        reading.check_derived_rows(keys)
    return AuditProof(ProvenHead(reading.size, reading.head), rows, tuple(reading.findings))


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction that sees the database at one instant while others write."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        yield connection.execution_options(yield_per=_BATCH_SIZE)


@contextmanager
def _fold() -> Iterator[sqlite3.Connection]:
    """Yield a temporary database for the newest state of each row, deleted when closed.

    It has no name, and needs no durability.
    """
    with closing(sqlite3.connect("", isolation_level=None)) as told:
        for statement in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", _FOLD, "BEGIN"):
            told.execute(statement)
        yield told


class _Reading:
    """One pass over all events, then over all tables."""

    def __init__(self, connection: Connection, told: sqlite3.Connection):
        self._connection = connection
        self._told = told
        self.findings: list[Tampering] = []
        self.size = 0
        self.head = "00" * 32

    def read_events(self, earlier: Iterable[ProvenHead]) -> None:
        """Check each event against the chain, and store the rows that it lists."""
        marks: dict[int, set[str]] = {}
        for mark in earlier:
            marks.setdefault(mark.size, set()).add(mark.head)
        events = text(f"SELECT * FROM {_EVENTS} ORDER BY seq")  # noqa: S608  # a name of our own
        for row in self._connection.execute(events).mappings():
            self._read_event(dict(row))
            if self.size in marks and marks[self.size] != {self.head}:
                why = "the chain was another: this event, or one before it, was changed"
                self._found(_EVENTS, why, (self.size,), seq=self.size)
        longest = max(marks, default=0)
        if longest > self.size:
            why = f"the chain ends here; it had {longest} events"
            self._found(_EVENTS, why, (self.size + 1,), seq=self.size + 1)

    def _read_event(self, row: dict[str, Any]) -> None:
        # The link covers every other column, as `next_audit_link` computes it.
        seq, chain = row["seq"], bytes(row.pop("chain")).hex()
        if seq != self.size + 1:
            why = f"it is missing; event {seq} follows"
            self._found(_EVENTS, why, (self.size + 1,), seq=self.size + 1)
        link = hashlib.sha256(bytes.fromhex(self.head) + canonical_json(row)).hexdigest()
        if link != chain and seq == self.size + 1:
            why = "the chain breaks: this event, or its place, was changed"
            self._found(_EVENTS, why, (seq,), seq=seq)
        # Continue from the stored link, so that one broken event is reported once and not for all
        # after it.
        self.size, self.head = seq, chain
        try:
            details = json.loads(row["details"])
            if row["object_kind"] == "case" and "links" in details:
                of_case = _json([row["object_id"]])
                self._told.execute(_FOLD_ROW, (_LINKS, of_case, details["links"], None, seq))
            for name, told in details.get("written", {}).items():
                for digest_of_row in told:
                    self._read_told(name, digest_of_row, seq)
        except (ValueError, AttributeError, KeyError, TypeError, sqlite3.Error):
            self._found(_EVENTS, "what it tells of rows cannot be read", (seq,), seq=seq)

    def _read_told(self, name: str, told: Mapping[str, Any], seq: int) -> None:
        """Store the listed state of a row, which must follow from its state in earlier events."""
        key = _json(told["key"])
        # With the former digest, a later lawful write does not hide an unlawful change before it.
        if "before" in told:
            before = self._told.execute(_TOLD_BEFORE, (name, key)).fetchone()
            sha256, before_seq = before or (None, None)
            if sha256 != told["before"]:
                why = f"this row was changed before event {seq} told of it again"
                self._found(name, why, tuple(told["key"]), seq=before_seq or seq)
        columns = _json(told["columns"]) if "columns" in told else None
        self._told.execute(_FOLD_ROW, (name, key, told["sha256"], columns, seq))

    def compare(self, name: str) -> int:
        """Compare every row of a table with its newest event; return the number of rows."""
        keys = inspect(self._connection).get_pk_constraint(name)["constrained_columns"]
        whole: Select[Any] = select(literal_column("*")).select_from(table(name))
        count = 0
        for row in self._connection.execute(whole).mappings():
            count += 1
            said = {column: _plain(value) for column, value in row.items() if value is not None}
            key = [said.get(column) for column in keys]
            found = self._told.execute(_FIND, (name, _json(key))).fetchone()
            if wrong := _compared(said, found):
                column, why, seq = wrong
                self._found(name, why, tuple(key), column, seq)
        for key_text, seq, _ in self._told.execute(_MISSING, (name,)).fetchmany(MAX_FINDINGS):
            self._found(name, "this row was deleted", tuple(json.loads(key_text)), seq=seq)
        return count

    def compare_links(self) -> None:
        """Compare the links of each case with the digest in its event.

        An erased case has no links; cases opened by an older release have no digest.
        """
        links = self._connection.execute(_ALL_LINKS).mappings()
        for case_id, rows in groupby(map(dict, links), key=itemgetter("case_id")):
            digest = _links_digest(rows)
            found = self._told.execute(_FIND, (_LINKS, _json([case_id]))).fetchone()
            if found and found[0] != digest:
                self._found(_LINKS, "a link of this case was changed", (case_id,), seq=found[2])
            elif not found and not self._connection.execute(_CASE, {"case_id": case_id}).first():
                self._found(_LINKS, "there is no such case", (case_id,))
        for key, seq, sha256 in self._told.execute(_MISSING, (_LINKS,)):
            (case_id,) = json.loads(key)
            is_erased = self._connection.execute(_IS_ERASED, {"case_id": case_id}).first()
            if sha256 != _NO_LINKS and not is_erased:
                self._found(_LINKS, "all links of this case were deleted", (case_id,), seq=seq)

    def check_places(self) -> None:
        """Look for skipped entries of the log, and for checkpoints whose columns are wrong."""
        for name, key, why in misplaced(self._connection, self._was_told):
            self._found(name, why, key)

    def check_derived_rows(self, keys: DataKeys | None) -> None:
        """Look for derived rows that contradict their decisions."""
        for name, key, why in misstated(self._connection, keys):
            self._found(name, why, key)

    def _was_told(self, name: str, *key: str) -> bool:
        """Return whether any event lists a row, even if the row is gone."""
        return self._told.execute(_TOLD_BEFORE, (name, _json(key))).fetchone() is not None

    def _found(
        self,
        name: str,
        why: str,
        key: tuple[Any, ...],
        column: str | None = None,
        seq: int | None = None,
    ) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Tampering(name, why, key, column, seq))


def _compared(said: Mapping[str, Any], told: Any) -> tuple[str | None, str, int | None] | None:
    """Return the changed columns, the reason and the event's number; None if the row matches."""
    if told is None:
        return None, "no event tells of this row: it was inserted", None
    sha256, columns, seq = told
    if sha256 is None:
        return None, "this row was deleted, and is there again", seq
    if _digest(said) == sha256:
        return None
    changed = _changed_columns(said, json.loads(columns)) if columns else ()
    return ", ".join(changed) or None, "this row was changed", seq


def _links_digest(rows: Iterable[Mapping[str, Any]]) -> str:
    ordered = sorted(rows, key=itemgetter("kind", "value"))
    said = ({n: _plain(v) for n, v in row.items() if v is not None} for row in ordered)
    return hashlib.sha256("".join(map(_digest, said)).encode()).hexdigest()


def _changed_columns(said: Mapping[str, Any], told: Mapping[str, str]) -> list[str]:
    names = sorted(said.keys() | told.keys())
    return [
        name
        for name in names
        if name not in told or name not in said or not _digest(said[name]).startswith(told[name])
    ]


def _digest(value: Any) -> str:
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _json(value: Any) -> str:
    return canonical_json(value).decode()


def _plain(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value
