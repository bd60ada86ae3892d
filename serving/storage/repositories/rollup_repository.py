"""Summaries of days and visits, stored next to the log, which is only read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection, and_, func, select

from serving.monitor.stored_rollups import DayKey, ScorePair, Visit
from serving.storage.encrypted_decisions import WHOLE
from serving.storage.log_positions import SUMMARIES, LogPage
from serving.storage.repository import Repository
from serving.storage.tables.monitor import day_summaries, monitor_reports, visits
from serving.storage.tables.scoring import decisions, records, shadow_scores
from serving.storage.write_lock import try_advisory_lock

if TYPE_CHECKING:
    from serving.monitor.rollups import CountedDecisions

PAGE = 500
VISITS_PAGE = 20_000


class RollupRepository(Repository):
    """The summaries of one database."""

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """Open a transaction for long reads, without the time limit that protects requests."""
        with super()._reading() as connection:
            if self._engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            yield connection

    def reached(self) -> int:
        """Return the position in the log up to which the summaries reach."""
        with self._reading() as connection:
            return SUMMARIES.read(connection)

    def decisions_after(self, seq: int, before: str) -> list[tuple[int, str | None]]:
        """Return the next page of (number, record) of decisions scored before an instant.

        The record is None if it was erased before it was read.
        """
        query = (
            select(*WHOLE)
            .where(decisions.c.seq > seq, decisions.c.scored_at < before)
            .order_by(decisions.c.seq)
            .limit(PAGE)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return [(row.seq, self._decisions.record(row)) for row in rows]

    def size(self) -> int:
        """Return the number of decisions in the log."""
        with self._reading() as connection:
            return connection.scalar(select(func.max(decisions.c.seq))) or 0

    def count(
        self, gather: Callable[[int], "CountedDecisions | None"], done: Callable[[int], object]
    ) -> None:
        """Add what `gather` counts after a position to summaries and visits, until it is None.

        `done` is called with each log position once everything up to it is counted.
        """

        def follow(after: int) -> LogPage | None:
            counted = gather(after)
            return None if counted is None else (counted.end, partial(self._store, counted))

        SUMMARIES.catch_up(self._engine, follow, done)

    def _store(self, counted: "CountedDecisions", connection: Connection) -> None:
        # Visits are joined with outcomes by token, so both must be made with the same keys.
        self._keys.token_keys.follow(connection)
        for key, grow in counted.grown().items():
            _grow(connection, key, grow)
        if counted.visits:
            tokens = (
                self._keys.subject_token(each.subject_kind, each.subject_id)
                for each in counted.visits
            )
            rows = [
                vars(visit) | {"subject_id": token}
                for visit, token in zip(counted.visits, tokens, strict=True)
            ]
            connection.execute(visits.insert(), rows)

    def days(self, kind: str, first: str, end: str) -> Iterator[tuple[str, str]]:
        """Yield each day from `first` up to `end`, exclusive, with the body of its summary."""
        query = (
            select(day_summaries.c.day, day_summaries.c.body)
            .where(
                day_summaries.c.subject_kind == kind,
                day_summaries.c.day >= first,
                day_summaries.c.day < end,
            )
            .order_by(day_summaries.c.day)
        )
        with self._reading() as connection:
            for row in connection.execute(query.execution_options(yield_per=20)):
                yield row.day, row.body

    def span(self, kind: str) -> tuple[str, str] | None:
        """Return the first and the last day that have a summary, or None."""
        day = day_summaries.c.day
        query = select(func.min(day), func.max(day)).where(day_summaries.c.subject_kind == kind)
        with self._reading() as connection:
            first, last = connection.execute(query).one()
        return (first, last) if first else None

    def visits(self, kind: str, first: str, end: str) -> Iterator[list[Visit]]:
        """Yield pages of visits of decisions scored from `first` up to `end`, exclusive."""
        seq = 0
        columns = [visits.c[field.name] for field in fields(Visit)]
        while True:
            query = (
                select(*columns)
                .where(
                    visits.c.subject_kind == kind,
                    and_(visits.c.scored_at >= first, visits.c.scored_at < end),
                    visits.c.seq > seq,
                )
                .order_by(visits.c.seq)
                .limit(VISITS_PAGE)
            )
            with self._reading() as connection:
                page = [Visit(*row) for row in connection.execute(query)]
            if page:
                yield page
                seq = page[-1].seq
            if len(page) < VISITS_PAGE:
                return

    def outcomes(self, kind: str, received_by: str) -> Iterator[str]:
        """Yield the body of every outcome of these subjects received by an instant.

        Bodies have the token of the subject, as visits do, so erased outcomes are included.
        """
        last = ""
        while True:
            query = (
                select(records.c.record_id, records.c.body, records.c.outline)
                .where(
                    records.c.kind == "outcomes",
                    records.c.record_id > last,
                    records.c.subject_kind == kind,
                    records.c.received_at <= received_by,
                )
                .order_by(records.c.record_id)
                .limit(VISITS_PAGE)
            )
            with self._reading() as connection:
                page = connection.execute(query).all()
            # The outline is not encrypted, so an erased outcome still counts in statistics.
            yield from (row.outline for row in page)
            if len(page) < VISITS_PAGE:
                return
            last = page[-1].record_id

    def score_pairs(
        self, kind: str, role: str, span: tuple[str, str], limit: int
    ) -> list[ScorePair]:
        """Return the newest decisions of a span also scored by a model in this role; no rescues."""
        query = (
            select(
                decisions.c.decision_id,
                shadow_scores.c.version,
                decisions.c.lane,
                decisions.c.probability.label("champion"),
                shadow_scores.c.probability.label("challenger"),
            )
            .join(shadow_scores, shadow_scores.c.decision_id == decisions.c.decision_id)
            .where(
                decisions.c.subject_kind == kind,
                # Enforcement reads these counts and must not learn of rescues.
                decisions.c.lane != "rescue",
                decisions.c.scored_at >= span[0],
                decisions.c.scored_at < span[1],
                shadow_scores.c.role == role,
            )
            .order_by(decisions.c.seq.desc())
            .limit(limit)
        )
        with self._reading() as connection:
            return [ScorePair(*row) for row in connection.execute(query)]

    def keep_report(self, kind: str, made_at: datetime, body: str) -> None:
        """Append a report."""
        last = select(func.coalesce(func.max(monitor_reports.c.seq), 0))
        with self._writing() as connection:
            seq = (connection.scalar(last) or 0) + 1
            row = {"seq": seq, "subject_kind": kind, "made_at": made_at, "body": body}
            connection.execute(monitor_reports.insert(), row)

    def newest_report(self, kind: str) -> str | None:
        """Return the body of the newest report on these subjects."""
        query = (
            select(monitor_reports.c.body)
            .where(monitor_reports.c.subject_kind == kind)
            .order_by(monitor_reports.c.seq.desc())
            .limit(1)
        )
        with self._reading() as connection:
            return connection.scalar(query)

    def newest_report_at(self, kind: str) -> datetime | None:
        """Return when the newest report on these subjects was made, by the clock at that time."""
        newest = select(monitor_reports.c.made_at).order_by(monitor_reports.c.seq.desc()).limit(1)
        with self._reading() as connection:
            return connection.scalar(newest.where(monitor_reports.c.subject_kind == kind))

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Yield whether this process alone makes reports of the database."""
        with try_advisory_lock(self._engine, "monitoring") as is_alone:
            yield is_alone


def _grow(connection: Connection, key: DayKey, grow: Callable[[str | None], str]) -> None:
    is_it = and_(day_summaries.c.subject_kind == key[0], day_summaries.c.day == key[1])
    before = connection.scalar(select(day_summaries.c.body).where(is_it))
    body = grow(before)
    if before is None:
        row = {"subject_kind": key[0], "day": key[1], "body": body}
        connection.execute(day_summaries.insert(), row)
    else:
        connection.execute(day_summaries.update().where(is_it).values(body=body))
