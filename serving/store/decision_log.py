"""Decisions, appended in one order and chained by their hashes, with the answers given for them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, Select, bindparam, func, or_, select, tuple_
from sqlalchemy.exc import IntegrityError

from serving.errors import AnsweredMeanwhile
from serving.store.engine import failing_as_unavailable
from serving.store.tables import answers, decisions
from serving.store.turns import writing

FIRST_LINK = bytes(32)
PAGE = 500


# What every request asks; made once, since putting a statement together costs more than asking it.
_GIVEN = select(answers).where(
    tuple_(answers.c.caller_id, answers.c.idempotency_key).in_(bindparam("keys", expanding=True))
)
_LAST = select(decisions.c.seq, decisions.c.chain).order_by(decisions.c.seq.desc()).limit(1)
_NEW_DECISION, _NEW_ANSWER = decisions.insert(), answers.insert()


@dataclass(frozen=True)
class DecisionRow:
    """One decision; `record` holds it whole, the rest is there to find it by."""

    decision_id: str
    scored_at: str
    subject_kind: str
    subject_id: str
    office_id: str | None
    caller_id: str
    lane: str
    probability: float
    record: str


@dataclass(frozen=True)
class AnswerRow:
    """The bytes a caller was answered with, under the idempotency key it gave."""

    caller_id: str
    idempotency_key: str
    request_digest: str
    decision_id: str
    answered_at: str
    body: bytes


@dataclass(frozen=True)
class Linked:
    """A record with its place in the chain: its number, its link and the one before (hex)."""

    seq: int
    record: str
    chain: str
    before: str


@dataclass(frozen=True)
class View:
    """What a reader may see: its offices' decisions and its own; everything without offices."""

    caller_id: str
    offices: frozenset[str]


@dataclass(frozen=True)
class Mark:
    """How many decisions the log had, and its last chain value at that size (hexadecimal)."""

    size: int
    head: str


class DecisionLog:
    """The log of one database. Every method raises LogUnavailable where the database fails."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def close(self) -> None:
        """Let go of the database; a service's hold on its file ends with it."""
        self._engine.dispose()

    def probe(self) -> None:
        """Write what is there once more, durably: raises LogUnavailable where that fails."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")

    def append(self, entries: Sequence[tuple[DecisionRow, AnswerRow]]) -> Mark:
        """Append decisions with their answers: all durable when this returns, or none.

        Raises AnsweredMeanwhile where one of them has its decision already, by another process.
        """
        try:
            with failing_as_unavailable(but=IntegrityError), writing(self._engine) as connection:
                seq, link = _head(connection)
                rows = []
                for row, _ in entries:
                    seq, link = seq + 1, next_link(link, row.record)
                    rows.append({**vars(row), "seq": seq, "chain": link})
                connection.execute(_NEW_DECISION, rows)
                connection.execute(_NEW_ANSWER, [vars(answer) for _, answer in entries])
        except IntegrityError:
            raise AnsweredMeanwhile("a request with this idempotency key was answered") from None
        return Mark(seq, link.hex())

    def answers(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], AnswerRow]:
        """What callers were answered under their keys, by (caller, key); those new are left out."""
        if not keys:
            return {}
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(_GIVEN, {"keys": keys}).all()
        return {(row.caller_id, row.idempotency_key): AnswerRow(**row._mapping) for row in rows}

    def record(self, decision_id: str, view: View | None = None) -> str | None:
        """A decision's record, if it exists and may be seen (None as view sees all)."""
        wanted = select(decisions.c.record).where(decisions.c.decision_id == decision_id)
        with failing_as_unavailable(), self._engine.connect() as connection:
            return connection.scalar(_seen(wanted, view))

    def newest(self, view: View, most: int) -> list[str]:
        """The records that may be seen, newest first."""
        wanted = select(decisions.c.record).order_by(decisions.c.seq.desc()).limit(most)
        with failing_as_unavailable(), self._engine.connect() as connection:
            return list(connection.scalars(_seen(wanted, view)))

    def records(self, after: int = 0) -> Iterator[str]:
        """All records but the first `after`, in order, read page by page."""
        seq = after
        while page := self._page(seq):
            yield from (record for _, record in page)
            seq = page[-1][0]

    def between(self, begins: datetime, ends: datetime) -> Iterator[Linked]:
        """The records from the first to the last that was decided in [begins, ends), in order.

        What a clock that jumped dated otherwise, but lies among them, is there too.
        """
        wanted = select(func.min(decisions.c.seq), func.max(decisions.c.seq)).where(
            decisions.c.scored_at >= begins.isoformat(), decisions.c.scored_at < ends.isoformat()
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            first, last = connection.execute(wanted).one()
        if first is not None:
            yield from self._linked(first, last)

    def offices_of(self, subject_kind: str, subject_ids: Sequence[str]) -> dict[str, set[str]]:
        """The offices that each of these subjects was decided for, of those that belong to some."""
        wanted = (
            select(decisions.c.subject_id, decisions.c.office_id)
            .where(
                decisions.c.subject_kind == subject_kind,
                decisions.c.subject_id.in_(subject_ids),
                decisions.c.office_id.is_not(None),
            )
            .distinct()
        )
        offices: dict[str, set[str]] = {}
        with failing_as_unavailable(), self._engine.connect() as connection:
            for subject_id, office_id in connection.execute(wanted):
                offices.setdefault(subject_id, set()).add(office_id)
        return offices

    def size(self) -> int:
        """How many decisions there are."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            return connection.scalar(select(func.max(decisions.c.seq))) or 0

    def _linked(self, first: int, last: int) -> Iterator[Linked]:
        columns = select(decisions.c.seq, decisions.c.record, decisions.c.chain)
        with failing_as_unavailable(), self._engine.connect() as connection:
            before = connection.scalar(
                select(decisions.c.chain).where(decisions.c.seq == first - 1)
            )
        link = before or FIRST_LINK
        for begin in range(first, last + 1, PAGE):
            page = columns.where(decisions.c.seq.between(begin, min(begin + PAGE - 1, last)))
            with failing_as_unavailable(), self._engine.connect() as connection:
                rows = connection.execute(page.order_by(decisions.c.seq)).all()
            for row in rows:
                yield Linked(row.seq, row.record, row.chain.hex(), link.hex())
                link = row.chain

    def _page(self, after: int) -> list[tuple[int, str]]:
        wanted = (
            select(decisions.c.seq, decisions.c.record)
            .where(decisions.c.seq > after)
            .order_by(decisions.c.seq)
            .limit(PAGE)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            return [(seq, record) for seq, record in connection.execute(wanted)]


def next_link(link: bytes, record: str) -> bytes:
    """The chain value of a record that follows `link`."""
    return hashlib.sha256(link + record.encode()).digest()


def _head(connection: Connection) -> tuple[int, bytes]:
    row = connection.execute(_LAST).first()
    return (row.seq, row.chain) if row else (0, FIRST_LINK)


def _seen(wanted: Select[str], view: View | None) -> Select[str]:
    if view is None or not view.offices:
        return wanted
    return wanted.where(
        or_(decisions.c.office_id.in_(view.offices), decisions.c.caller_id == view.caller_id)
    )
