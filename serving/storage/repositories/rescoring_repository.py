"""Subjects waiting to be scored again, queued with the records that require it.

A record about a subject with a decision queues it in the transaction that stores the record. If the
records came first, the decision is found in the log later. The write lock ensures that one of the
two sees the other. A route that time alone would endanger is queued with its decision, due at that
instant.
"""

from collections.abc import Iterable, Sequence, Set
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, and_, case, or_, select

from features.rescoring_rules import RESCORED_AFTER
from features.subject_types import SUBJECT_TYPES
from serving.audit.decision import Decision
from serving.audit.earlier_decisions import EarlierDecisions
from serving.review.cases.case_records import ENDED
from serving.scoring.rescoring import WaitingSubject
from serving.storage.log_positions import RESCORINGS, LogPage, newest_decision, next_end
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.ship_journey_repository import ShipJourneyRepository
from serving.storage.repository import Repository
from serving.storage.tables.review import cases
from serving.storage.tables.scoring import decisions, due_rescorings, records
from serving.storage.waiting_subjects import SubjectToken, queue_rescoring

log = structlog.get_logger(__name__)

PAGE = 500
# How far to go back if the stored position cannot be trusted.
LOOKED_AT_AGAIN = 10_000


class RescoringRepository(Repository):
    """The queue of rescorings in one database."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._log = DecisionRepository(engine)
        self._ships = ShipJourneyRepository(engine)

    def begin(self) -> None:
        """Begin to follow the log; for earlier decisions only new records count.

        The start is recorded in the audit log. A position beyond the log was written by someone
        else, so the newest decisions are examined again.
        """
        with self._writing() as connection:
            RESCORINGS.begin(connection)
            newest, reached = newest_decision(connection), RESCORINGS.read(connection)
            if reached > newest:
                log.error("rescorings_were_passed_by", place=reached)
                RESCORINGS.move(connection, max(0, newest - LOOKED_AT_AGAIN))

    def find(self, now: datetime) -> None:
        """Queue subjects that were decided since the last run and had records before."""
        RESCORINGS.catch_up(self._engine, partial(self._next_page, now))
        try:
            self._ships.note_older()
        # Nobody in danger depends on it, so it must not stop the rescoring.
        except Exception as failure:
            log.error("older_journeys_not_noted", exception=type(failure).__name__)

    def due(self, now: datetime, limit: int) -> list[WaitingSubject]:
        """Return the subjects that are due: in danger first, then routes, longest waiting first."""
        columns = due_rescorings.c
        in_danger_first = case((columns.danger_at <= now, 0), else_=1)
        query = (
            select(due_rescorings)
            .where(columns.due_at <= now)
            .order_by(in_danger_first, columns.subject_kind, columns.due_at)
            .limit(limit)
        )
        rows = self._rows(query)
        return [
            WaitingSubject(
                row.subject_kind, row.subject_id, row.arrivals, row.due_at, row.danger_at
            )
            for row in rows
        ]

    def earlier(self, waiting: WaitingSubject) -> EarlierDecisions | None:
        """Return earlier decisions about a waiting subject; None if nothing is left of them."""
        return self._log.earlier_of_token(waiting.subject_kind, waiting.token)

    def decision(self, decision_id: str) -> Decision | None:
        """Return a decision; None if it was erased."""
        record = self._log.record(decision_id)
        return None if record is None else Decision.model_validate_json(record)

    def has_ended(self, case_id: str) -> bool:
        """Return whether the case of a first decision was closed."""
        query = select(cases.c.status).where(cases.c.case_id == case_id)
        return self._scalar(query) in ENDED

    def has_rescue_ended(self, case_ids: Set[str]) -> bool:
        """Return whether these cases include rescues and all of them were closed."""
        rescues = (cases.c.case_id.in_(sorted(case_ids)), cases.c.lane == "rescue")
        found = self._scalars(select(cases.c.status).where(*rescues))
        return bool(found) and {*found} <= {*ENDED}

    def put_off(self, waits: Iterable[WaitingSubject]) -> None:
        """Postpone each subject to its due instant, unless news arrived since it was read."""
        with self._writing() as connection:
            for waiting in waits:
                later = {"due_at": waiting.due_at, "danger_at": waiting.danger_at}
                connection.execute(due_rescorings.update().where(_is(waiting)).values(later))

    def remove(self, done: Sequence[WaitingSubject]) -> None:
        """Remove subjects from the queue, unless news arrived since they were read."""
        with self._writing() as connection:
            for waiting in done:
                connection.execute(due_rescorings.delete().where(_is(waiting)))

    def _next_page(self, now: datetime, after: int) -> LogPage | None:
        with self._reading() as connection:
            upto = next_end(connection, after, PAGE)
        return None if upto is None else (upto, partial(_queue_subjects, now, after, upto))


def _queue_subjects(now: datetime, after: int, upto: int, connection: Connection) -> None:
    """Queue the subjects of the decisions in (after, upto] that have records."""
    is_of_subject = and_(
        records.c.subject_kind == decisions.c.subject_kind,
        records.c.subject_id == decisions.c.subject_id,
    )
    # A declaration counts as well, since it may have been amended.
    declared = {kind: each.record_file for kind, each in SUBJECT_TYPES.items()}
    makes_wait = or_(
        *(
            and_(records.c.subject_kind == kind, records.c.kind.in_((*names, declared[kind])))
            for kind, names in RESCORED_AFTER.items()
        )
    )
    found = (
        select(decisions.c.subject_kind, decisions.c.subject_id)
        .join(records, is_of_subject)
        .where(decisions.c.seq > after, decisions.c.seq <= upto, makes_wait)
        .where(decisions.c.lane != "rescue")
        .distinct()
    )
    for subject_kind, token in connection.execute(found).all():
        queue_rescoring(connection, SubjectToken(subject_kind, token), now)


# The number of arrivals detects news: then nothing matches, and the subject stays queued.
def _is(waiting: WaitingSubject) -> ColumnElement[bool]:
    return and_(
        due_rescorings.c.subject_kind == waiting.subject_kind,
        due_rescorings.c.subject_id == waiting.token,
        due_rescorings.c.arrivals == waiting.arrivals,
    )
