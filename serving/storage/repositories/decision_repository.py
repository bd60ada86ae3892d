"""Decisions, appended in one order and chained by their hashes, with the answers given for them.

The chain covers the stored outline of each decision, which contains the digest of the encrypted
whole. The chain therefore stays verifiable after the key of a decision is destroyed.
"""

import json
from base64 import b64encode
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Select,
    and_,
    exists,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.exc import IntegrityError

from features.records import SUBJECT_KINDS
from serving.audit.decision import Decision
from serving.audit.decision_export import ChainedRecord
from serving.audit.earlier_decisions import SCORES_AGAIN, EarlierDecisions
from serving.audit.errors import AnsweredMeanwhile
from serving.audit.logged_decision import (
    CaseOfDecision,
    DecisionAccess,
    DecisionFilter,
    LoggedDecision,
    RecordPage,
    StoredAnswer,
)
from serving.audit.ship_journey import ShipJourney
from serving.crypto.encryption import EncryptionUnit
from serving.crypto.errors import LogMoved, Undecipherable
from serving.errors import Erased
from serving.integrity.hash_chain import FIRST_LINK, ChainedDecision, LogHead, next_link
from serving.storage.encrypted_decisions import WHOLE
from serving.storage.engine import database_errors_as_503, move_write_ahead_log
from serving.storage.log_times import binding, instant, known_time, logged_at
from serving.storage.lookups import PairLookup
from serving.storage.noted_journeys import journey_row, note_journeys
from serving.storage.raised_alerts import tie_alerts
from serving.storage.repository import Repository
from serving.storage.tables.review import cases
from serving.storage.tables.scoring import answers, decisions
from serving.storage.waiting_subjects import SubjectToken, queue_rescoring

# Rows read at once when the whole log is walked; each page takes a fresh connection.
PAGE = 500
# Decisions examined for one page of a list. A caller with few decisions gets a short page and a
# cursor, so that no request scans the whole log.
MAX_LOOKED_AT = 50_000

# Groups written before the write-ahead log is moved. It happens while the next group is decided, so
# no request waits for it.
GROUPS_PER_MOVE = 24

_GIVEN = PairLookup(StoredAnswer, answers.c.caller_id, answers.c.idempotency_key)
_LAST = (
    "SELECT seq, chain, coalesce(logged_at, scored_at) AS newest "
    "FROM decisions ORDER BY seq DESC LIMIT 1"
)


class DecisionRepository(Repository):
    """The decision log of one database."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._unmoved = 0
        self._newest: str | None = None  # the time of the log when last read

    def close(self) -> None:
        """Close the database, and release a service's lock on its file."""
        self._engine.dispose()

    def probe(self) -> None:
        """Check that a durable write succeeds and that the keys are readable.

        Raises LogUnavailable if the write fails, Undecipherable or LogMoved for the keys.
        """
        with self._writing() as connection:
            self._keys.probe(connection)
            # Rewrites the value it finds: a commit reaches the disk, and nothing changes.
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")

    def read_time(self, now: datetime) -> None:
        """Read the time of the log, so that a clock behind it is noticed at once."""
        self._newest = known_time(self._engine, now.isoformat(), self._newest)

    def seconds_behind(self, now: datetime) -> float:
        """Return the seconds by which a clock is behind the newest decision known here."""
        if self._newest is None or now.isoformat() >= self._newest:
            return 0.0
        return (instant(self._newest) - now).total_seconds()

    def reach(self) -> None:
        """Read from the database; raise LogUnavailable if that fails."""
        with self._reading() as connection:
            connection.exec_driver_sql("SELECT 1 FROM alembic_version")

    def append(self, entries: Sequence[tuple[LoggedDecision, StoredAnswer]]) -> LogHead:
        """Append decisions with their answers; all of them are durable on return, or none.

        Raises AnsweredMeanwhile if another process has answered one of the requests.
        """
        try:
            head = self._append(entries)
        # One retry suffices: the failed attempt has read the new key or the newer time.
        except LogMoved:
            head = self._append(entries)
        self._unmoved += 1
        return head

    def _append(self, entries: Sequence[tuple[LoggedDecision, StoredAnswer]]) -> LogHead:
        ring = self._keys.token_keys.ring()
        earliest = min(decision.scored_at for decision, _ in entries)
        self._newest = known_time(self._engine, earliest, self._newest)
        stated = _logged_at(entries, self._newest)
        # Encrypted before the write lock is taken, so that other writers wait less.
        encrypted = [
            self._decisions.rows(*entry, at) for entry, at in zip(entries, stated, strict=True)
        ]
        journeys = [
            self._journey_row(decision.ship_journey, row)
            for (row, _), (decision, _) in zip(encrypted, entries, strict=True)
            if decision.ship_journey is not None
        ]
        alerted = {
            decision.decision_id: self._names_of_alerts(decision.alerted_as)
            for decision, _ in entries
            if decision.alerted_as
        }
        try:
            with self._writing(but=IntegrityError) as connection:
                # Checked again under the lock: a key may have been rotated since the tokens were
                # made.
                self._keys.token_keys.require(ring, connection)
                self._require_unanswered(connection, [answer for _, answer in entries])
                seq, link, newest = _head(connection)
                self._newest = binding(connection, earliest, newest)
                if stated != _logged_at(entries, self._newest):
                    raise LogMoved(
                        "the clock is behind what was decided last; ask again", code="clock-behind"
                    )
                for row, _ in encrypted:
                    seq, link = seq + 1, next_link(link, row["record"])
                    row.update(seq=seq, chain=link)
                connection.execute(decisions.insert(), [row for row, _ in encrypted])
                connection.execute(answers.insert(), [answer for _, answer in encrypted])
                note_journeys(connection, journeys)
                for (row, _), (decision, _) in zip(encrypted, entries, strict=True):
                    if names := alerted.get(decision.decision_id):
                        tie_alerts(connection, decision.decision_id, names, row["scored_at"])
                    if decision.danger_begins_at is not None:
                        subject = SubjectToken(row["subject_kind"], row["subject_id"])
                        queue_rescoring(
                            connection, subject, decision.danger_begins_at, is_danger=True
                        )
        except IntegrityError:
            raise AnsweredMeanwhile("a request with this idempotency key was answered") from None
        self._newest = max(self._newest or "", stated[-1] or entries[-1][0].scored_at)
        return LogHead(seq, link.hex())

    def _names_of_alerts(self, journeys: Sequence[str]) -> tuple[str, ...]:
        """Return the tokens under which a ship may have called, its own journey's first."""
        every = (token for name in journeys for token in self._keys.tokens("route", name))
        return self._keys.subject_token("route", journeys[0]), *every

    def _journey_row(self, ship: ShipJourney, row: dict[str, Any]) -> dict[str, Any]:
        """Return the row by which the journey of a decision is found."""
        token, at = row["subject_id"], row["logged_at"] or row["scored_at"]
        if row["subject_kind"] == "route":
            return journey_row(self._keys, ship, token, at)
        journey_token = self._keys.subject_token("route", ship.journey_id)
        return journey_row(self._keys, ship, journey_token, at, shipment_token=token)

    def _require_unanswered(self, connection: Connection, given: Sequence[StoredAnswer]) -> None:
        """Raise AnsweredMeanwhile if a request was answered under a former token key.

        The unique index finds only answers under the key in use.
        """
        claimed = [self._decisions.claims(each.caller_id, each.idempotency_key) for each in given]
        former = [claim for _, *others in claimed for claim in others]
        found = tuple_(answers.c.caller_id, answers.c.idempotency_key).in_(former)
        if former and connection.execute(select(answers.c.decision_id).where(found)).first():
            raise AnsweredMeanwhile("a request with this idempotency key was answered")

    def maintain(self, *, is_idle: bool) -> None:
        """Move the write-ahead log if it has grown or the service is idle; follow rotations."""
        self._keys.token_keys.follow_now_and_then()
        if self._unmoved >= GROUPS_PER_MOVE or (is_idle and self._unmoved):
            with database_errors_as_503():
                move_write_ahead_log(self._engine)
            self._unmoved = 0

    def answers(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], StoredAnswer]:
        """Return the stored answers by (caller, idempotency key); unknown keys are absent."""
        if not keys:
            return {}
        by_token = {named: key for key in keys for named in self._decisions.claims(*key)}
        with database_errors_as_503():
            rows = _GIVEN.rows(self._engine, [*by_token])
        given = {}
        for row in rows:
            key = by_token[row.caller_id, row.idempotency_key]
            if (answer := self._decisions.answer(row, key)) is not None:
                given[key] = answer
        return given

    def record(self, decision_id: str, access: DecisionAccess | None = None) -> str | None:
        """Return the record of a decision, or None if it is unknown or not visible.

        `access` None sees everything. Raises Erased after its retention period.
        """
        query = select(*WHOLE).where(decisions.c.decision_id == decision_id)
        row = self._first(_visible(query, access))
        if row is None:
            return None
        record = self._decisions.record(row)
        if record is None:
            raise Erased(f"this decision of {row.scored_at[:10]} was erased when its time was over")
        return record

    def records_of(self, decision_ids: Collection[str]) -> dict[str, str]:
        """Return the records of several decisions by id, leaving out unreadable ones.

        One erased or altered decision must not hide the others on a page.
        """
        query = select(*WHOLE).where(decisions.c.decision_id.in_(decision_ids))
        rows = self._rows(query)
        found = {}
        for row in rows:
            with suppress(Undecipherable):
                if (record := self._decisions.record(row)) is not None:
                    found[row.decision_id] = record
        return found

    def place(self, decision_id: str) -> LogHead | None:
        """Return the chain's length and link at a decision; None if it is unknown."""
        query = select(decisions.c.seq, decisions.c.chain)
        row = self._first(query.where(decisions.c.decision_id == decision_id))
        return None if row is None else LogHead(row.seq, bytes(row.chain).hex())

    def page(
        self, access: DecisionAccess, wanted: DecisionFilter, before: int | None, limit: int
    ) -> RecordPage:
        """Return a page of visible records before a position in the log.

        At most `MAX_LOOKED_AT` decisions are examined, except for one subject, which has an index
        of its own.
        """
        query = _visible(select(*WHOLE).order_by(decisions.c.seq.desc()).limit(limit), access)
        query = query.where(*_conditions(wanted))
        with self._reading() as connection:
            before = _head(connection).seq + 1 if before is None else before
            first = 1
            if wanted.subject_id is not None:
                kinds = (wanted.subject_kind,) if wanted.subject_kind else SUBJECT_KINDS
                named = [t for kind in kinds for t in self._keys.tokens(kind, wanted.subject_id)]
                query = query.where(decisions.c.subject_id.in_(named))
            else:
                first = max(1, before - MAX_LOOKED_AT)
            query = query.where(decisions.c.seq < before, decisions.c.seq >= first)
            rows = connection.execute(query).all()
        reached = rows[-1].seq if len(rows) == limit else first
        records = [record for row in rows if (record := self._decisions.record(row)) is not None]
        return RecordPage(records, reached if reached > 1 else None)

    def records(self, after: int = 0) -> Iterator[str | None]:
        """Yield every record after the first `after`, in order; None for an erased one."""
        in_order = select(*WHOLE).order_by(decisions.c.seq).limit(PAGE)
        seq = after
        while page := self._rows(in_order.where(decisions.c.seq > seq)):
            yield from map(self._decisions.record, page)
            seq = page[-1].seq

    def link_at(self, size: int) -> str | None:
        """Return the chain's link after `size` decisions (hexadecimal); None if it is shorter."""
        if not size:
            return FIRST_LINK.hex()
        query = select(decisions.c.chain).where(decisions.c.seq == size)
        link = self._scalar(query)
        return None if link is None else bytes(link).hex()

    def chained(self, decision_id: str) -> ChainedRecord | None:
        """Return a decision with its unit key, for export; None if it is unknown.

        Raises Erased.
        """
        query = select(*WHOLE).where(decisions.c.decision_id == decision_id)
        row = self._first(query)
        if row is None:
            return None
        day = row.logged_at or row.scored_at
        key = self._keys.unit_key(EncryptionUnit.of_decision(row.decision_id, day))
        record = self._decisions.record(row)
        if record is None or key is None:
            raise Erased(f"this decision of {row.scored_at[:10]} was erased when its time was over")
        before = self.link_at(row.seq - 1) or ""
        encrypted = bytes(row.encrypted)
        return ChainedRecord(row.seq, before, row.record, encrypted, key, record.encode())

    def outlines(self, after: int, upto: int) -> Iterator[str]:
        """Yield the outlines that the chain is computed from, for numbers in (after, upto]."""
        query = select(decisions.c.record).order_by(decisions.c.seq)
        for begin in range(after, upto, PAGE):
            within = decisions.c.seq.between(begin + 1, min(begin + PAGE, upto))
            with self._reading() as connection:
                yield from connection.scalars(query.where(within)).all()

    def between(self, begins: datetime, ends: datetime) -> Iterator[ChainedDecision]:
        """Yield the records from the first to the last decided in [begins, ends), in log order.

        Records in between are included even if a faulty clock dated them outside the interval,
        because the chain has no gaps.
        """
        query = select(func.min(decisions.c.seq), func.max(decisions.c.seq)).where(
            decisions.c.scored_at >= begins.isoformat(), decisions.c.scored_at < ends.isoformat()
        )
        with self._reading() as connection:
            first, last = connection.execute(query).one()
        if first is not None:
            yield from self._chained(first, last)

    def offices_of(self, subject_kind: str, subject_ids: Sequence[str]) -> dict[str, set[str]]:
        """Return the offices that each subject was decided for; subjects without one are absent."""
        return self._decided(subject_kind, subject_ids, decisions.c.office_id)

    def lanes_of(self, subject_kind: str, subject_ids: Sequence[str]) -> dict[str, set[str]]:
        """Return the lanes of each subject; subjects without a decision are absent."""
        return self._decided(subject_kind, subject_ids, decisions.c.lane)

    def about(self, subject_kind: str, subject_id: str) -> list[str]:
        """Return the records of all decisions about a subject, except erased ones."""
        query = (
            select(*WHOLE)
            .where(
                decisions.c.subject_kind == subject_kind,
                decisions.c.subject_id.in_(self._keys.tokens(subject_kind, subject_id)),
            )
            .order_by(decisions.c.seq)
        )
        rows = self._rows(query)
        return [record for row in rows if (record := self._decisions.record(row)) is not None]

    def _decided(
        self, subject_kind: str, subject_ids: Sequence[str], column: Column[str]
    ) -> dict[str, set[str]]:
        """Return the distinct non-null values of a column for each subject."""
        by_token = {
            named: subject_id
            for subject_id in subject_ids
            for named in self._keys.tokens(subject_kind, subject_id)
        }
        query = (
            select(decisions.c.subject_id, column)
            .where(
                decisions.c.subject_kind == subject_kind,
                decisions.c.subject_id.in_(by_token),
                column.is_not(None),
            )
            .distinct()
        )
        found: dict[str, set[str]] = {}
        with self._reading() as connection:
            for named, value in connection.execute(query):
                found.setdefault(by_token[named], set()).add(value)
        return found

    def earlier(self, subject_kind: str, subject_id: str) -> EarlierDecisions | None:
        """Return earlier decisions about a subject; None if there are none or they were erased."""
        return self._earlier(subject_kind, self._keys.tokens(subject_kind, subject_id))

    def earlier_of_token(self, subject_kind: str, token: str) -> EarlierDecisions | None:
        """Return earlier decisions about the subject with this token."""
        return self._earlier(subject_kind, (token,))

    def _earlier(self, subject_kind: str, named: tuple[str, ...]) -> EarlierDecisions | None:
        newest = (
            select(*WHOLE)
            .where(decisions.c.subject_kind == subject_kind, decisions.c.subject_id.in_(named))
            .order_by(decisions.c.seq.desc())
            .limit(1)
        )
        with self._reading() as connection:
            row = connection.execute(newest).first()
            if row is None:
                return None
            rescores = select(decisions.c.rescores).where(decisions.c.seq == row.seq)
            first_id = connection.scalar(rescores) or row.decision_id
            first = select(decisions.c.scored_at).where(decisions.c.decision_id == first_id)
            first_at = connection.scalar(first) or row.scored_at
            again = select(func.count()).where(decisions.c.rescores == first_id)
            later_scores = connection.scalar(again) or 0
        record = self._decisions.record(row)
        if record is None:
            return None
        newest_decision = Decision.model_validate_json(record)
        return EarlierDecisions(
            first_id, datetime.fromisoformat(first_at), newest_decision, later_scores
        )

    def count_scored_again(self) -> int:
        """Return the number of subjects that were scored again."""
        query = select(func.count(decisions.c.rescores.distinct()))
        return self._scalar(query) or 0

    def size(self) -> int:
        """Return the number of decisions.

        Numbers are contiguous, so the highest is the count.
        """
        return self._scalar(select(func.max(decisions.c.seq))) or 0

    def _chained(self, first: int, last: int) -> Iterator[ChainedDecision]:
        columns = select(*WHOLE, decisions.c.chain)
        # The link before the first record lets a reader verify a part of the log by itself.
        before = self._scalar(select(decisions.c.chain).where(decisions.c.seq == first - 1))
        link = before or FIRST_LINK
        for begin in range(first, last + 1, PAGE):
            page = columns.where(decisions.c.seq.between(begin, min(begin + PAGE - 1, last)))
            rows = self._rows(page.order_by(decisions.c.seq))
            for row in rows:
                yield self._link(row, link)
                link = row.chain

    def _link(self, row: Any, before: bytes) -> ChainedDecision:
        encrypted = b64encode(row.encrypted).decode()
        record = self._decisions.record(row)
        return ChainedDecision(
            row.seq, row.record, encrypted, row.chain.hex(), before.hex(), record
        )


class _LogEnd(NamedTuple):
    """The end of the log: its size, its last link and its time."""

    seq: int
    link: bytes
    newest: str | None


def _head(connection: Connection) -> _LogEnd:
    last = connection.exec_driver_sql(_LAST).first()
    return _LogEnd(last.seq, last.chain, last.newest) if last else _LogEnd(0, FIRST_LINK, None)


def _logged_at(
    entries: Sequence[tuple[LoggedDecision, StoredAnswer]], newest: str | None
) -> list[str | None]:
    """Return the log time of each decision that the clock would date too early; None for others."""
    found = []
    for decision, _ in entries:
        behind = logged_at(decision.scored_at, newest)
        newest = behind or max(decision.scored_at, newest or "")
        found.append(behind)
    return found


# Later scores belong to the service itself, but the caller of the first score may read them.
def _of_caller(caller_id: str) -> ColumnElement[bool]:
    first = decisions.alias()
    is_own = and_(first.c.decision_id == decisions.c.rescores, first.c.caller_id == caller_id)
    scores_own_again = and_(decisions.c.caller_id == SCORES_AGAIN, exists().where(is_own))
    return or_(decisions.c.caller_id == caller_id, scores_own_again)


def _conditions(wanted: DecisionFilter) -> Iterator[ColumnElement[bool]]:
    columns = decisions.c
    for name in ("subject_kind", "office_id"):
        if (value := getattr(wanted, name)) is not None:
            yield columns[name] == value
    if wanted.caller_id is not None:
        yield _of_caller(wanted.caller_id)
    if wanted.lanes:
        yield columns.lane.in_(wanted.lanes)
    # Instants are stored as ISO text, which a date precedes on its day.
    yield columns.scored_at >= (wanted.begins or "")
    if wanted.ends is not None:
        yield columns.scored_at < wanted.ends
    if wanted.model is not None:
        # The version stands in the outline, which is not encrypted and has no column for it.
        version = f'","version":{json.dumps(wanted.model)},"digest":"'
        yield columns.record.contains(version, autoescape=True)
    if wanted.case is not None:
        yield _has_case(wanted.case)


def _has_case(case: CaseOfDecision) -> ColumnElement[bool]:
    """Return whether a decision has no case, one that is not closed, or a closed one."""
    first = func.coalesce(decisions.c.rescores, decisions.c.decision_id)
    its_case = exists().where(cases.c.case_id == first)
    is_closed = its_case.where(cases.c.status == "closed")
    return {"none": ~its_case, "open": its_case & ~is_closed, "closed": is_closed}[case]


def _visible(query: Select[Any], access: DecisionAccess | None) -> Select[Any]:
    if access is None or not access.offices:
        return query
    return query.where(
        or_(decisions.c.office_id.in_(access.offices), decisions.c.caller_id == access.caller_id)
    )
