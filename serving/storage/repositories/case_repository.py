"""Cases and their events. Cases are opened from the decision log; events are only appended.

Acts depend on the content of a case, such as what a first person proposed. A case is therefore
acted on only if it matches its newest audit event.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    and_,
    func,
    literal,
    select,
    true,
    tuple_,
)

from serving.errors import Conflict
from serving.history.received_records import SUBJECT_KIND_OF, ReceivedRecord
from serving.review.cases.case_records import (
    ERASED,
    MAX_COUNTED,
    CaseAccess,
    CaseFilter,
    CaseNews,
    CaseRow,
    CaseScore,
    CaseSearch,
    ChangeRow,
    LinkedCase,
    MatchedCase,
    OpenCase,
    QueueFilter,
    QueueOrder,
    QueuePosition,
    RequireOfEvents,
    SearchPage,
    StoredEvent,
)
from serving.review.cases.event_kinds import REVISION_KEEPING_EVENTS
from serving.review.cases.shared_things import SharedThing
from serving.review.published_events import happenings_of_act
from serving.storage.case_tags import CaseTags
from serving.storage.encrypted_decisions import WHOLE
from serving.storage.encrypted_records import EncryptedRecords
from serving.storage.log_positions import CASES, LogPage, newest_decision
from serving.storage.log_times import logged_at, newest_record_time
from serving.storage.repositories.case_events import insert_event
from serving.storage.repositories.case_inserts import NewCases
from serving.storage.repositories.notice_repository import notify
from serving.storage.repositories.published_event_repository import publish
from serving.storage.repositories.rescue_call_repository import settle_calls
from serving.storage.repositories.visible_cases import is_visible
from serving.storage.repositories.wanted_cases import (
    in_order,
    is_after,
    is_in_queue,
    is_in_time,
    is_over,
    is_waiting,
    is_wanted,
    risk_in_queue,
)
from serving.storage.repository import Repository
from serving.storage.row_audit.reader import AuditedRows
from serving.storage.search_index import SearchIndex
from serving.storage.shared_links import SharedLinks
from serving.storage.tables.review import (
    case_events,
    case_scores,
    case_terms,
    cases,
    pending_news,
)
from serving.storage.tables.scoring import decisions, records
from serving.storage.unindexed_cases import UnindexedCases
from serving.storage.waiting_subjects import SubjectToken, queue_rescoring
from serving.triage.lane_declarations import ALWAYS_IN_TIME

# The kinds of records that are reported to cases.
_TELLING = ("outcomes", *SUBJECT_KIND_OF)

# Cases examined for one page of a search, so that a selective filter does not scan every case.
MAX_SCANNED = 1_000

# A subject can have many cases; only the newest receive news, which bounds one update.
MAX_OF_A_SUBJECT = 50


class CaseRepository(Repository):
    """The cases of one database."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._records = EncryptedRecords(self._keys)
        self._index = SearchIndex(self._cases)
        self._tags = CaseTags(self._cases)
        self._unindexed = UnindexedCases(self._decisions, self._index, self._tags)
        self._links = SharedLinks(self._cases)
        self._audited = AuditedRows("cases", "case")
        self._audited_events = AuditedRows("case_events", "case")
        self._new = NewCases(self._cases, self._decisions, self._index, self._audited)

    def open_new(self, open_case: OpenCase) -> None:
        """Open cases for all decisions logged since the last run."""
        CASES.catch_up(self._engine, partial(self._next_page, open_case))

    def page(
        self, access: CaseAccess, queue: QueueFilter, after: QueuePosition | None, limit: int
    ) -> list[CaseRow]:
        """Return cases waiting for a person: those in time before overdue ones, the riskiest first.

        `after` is the position of the last case of the previous page.
        """
        found: list[CaseRow] = []
        # Two queries, one for each group, so that both can use an index in the order of the queue.
        for is_late in (0, 1):
            if len(found) == limit or (after is not None and after[0] > is_late):
                continue
            place = after if after is not None and after[0] == is_late else None
            query = (
                select(cases)
                .where(is_visible(access), is_in_queue(queue), is_after(place))
                .where(self._tags.are_had(queue.tag))
                .where(is_over(queue.now) if is_late else is_in_time(queue.now))
                .order_by(risk_in_queue(queue).desc(), cases.c.due_at, cases.c.case_id)
                .limit(limit - len(found))
            )
            found += self._found(query)
        return found

    def page_in_order(
        self,
        access: CaseAccess,
        queue: QueueFilter,
        order: QueueOrder,
        after: str | None,
        limit: int,
    ) -> list[CaseRow]:
        """Return cases waiting for a person in the order of a column.

        `after` is the id of the last case of the previous page.
        """
        wanted = and_(is_visible(access), is_in_queue(queue), self._tags.are_had(queue.tag))
        return self._found(in_order(order, after).where(wanted).limit(limit))

    def count_queue(self, access: CaseAccess, queue: QueueFilter) -> int:
        """Count the cases in a filtered queue, up to MAX_COUNTED."""
        has_tag = self._tags.are_had(queue.tag)
        return self._count_those(and_(is_visible(access), is_in_queue(queue), has_tag))

    def count_cases(self, access: CaseAccess, wanted: CaseFilter) -> int:
        """Count the cases that a filter lets through, closed ones included, up to MAX_COUNTED."""
        has_tag = self._tags.are_had(wanted.tag)
        return self._count_those(and_(is_visible(access), is_wanted(wanted), has_tag))

    def _count_those(self, are_wanted: ColumnElement[bool]) -> int:
        # The limit is inside the subquery, so that counting stops early on a large table.
        counted = select(literal(1)).where(are_wanted).select_from(cases).limit(MAX_COUNTED)
        return self._scalar(select(func.count()).select_from(counted.subquery())) or 0

    def case(self, case_id: str, access: CaseAccess) -> CaseRow | None:
        """Return a case if it exists and is visible, else None."""
        rows = self._found(select(cases).where(cases.c.case_id == case_id, is_visible(access)))
        return rows[0] if rows else None

    def list_cases(self, access: CaseAccess, wanted: CaseFilter, limit: int) -> list[CaseRow]:
        """Return the cases that a filter lets through, newest first."""
        has_tag = self._tags.are_had(wanted.tag)
        query = select(cases).where(is_visible(access), is_wanted(wanted), has_tag)
        if wanted.subject_id is not None:
            query = query.where(cases.c.case_id.in_(self._of_subject(wanted)))
        return self._found(query.order_by(cases.c.seq.desc(), cases.c.case_id).limit(limit))

    def search(
        self, access: CaseAccess, asked: CaseSearch, after: str | None, limit: int
    ) -> SearchPage:
        """Return cases with an identifier that begins with the search text, each case once.

        Raises Unprocessable if `after` is not the last case of a page of this search.
        """
        is_filtered = asked.wanted != CaseFilter()
        # One more than needed is scanned, which shows if there is another page.
        most = MAX_SCANNED if is_filtered else limit
        with self._reading() as connection:
            places = self._index.scan(connection, access, asked.symbols, after, most + 1)
            scanned = [place.case_id for place in places[:most]]
            is_one = and_(cases.c.case_id.in_(scanned), cases.c.status != ERASED)
            has_tag = self._tags.are_had(asked.wanted.tag)
            query = select(cases).where(is_one, is_visible(access), is_wanted(asked.wanted))
            query = query.where(has_tag)
            found = {row.case_id: row for row in connection.execute(query)}
            shown = [case_id for case_id in scanned if case_id in found]
            matched = self._index.matched(connection, shown[:limit], asked.symbols)
        if len(shown) > limit:
            last: str | None = shown[limit - 1]
        else:
            # A page may end at a case that was filtered out: the next one continues after it.
            last = scanned[-1] if len(places) > most else None
        return SearchPage(
            tuple(
                MatchedCase(self._cases.of_case(found[case_id]), matched[case_id])
                for case_id in shown[:limit]
                if case_id in matched
            ),
            last,
        )

    def lacks_terms(self) -> bool:
        """Return whether older cases are not yet searchable."""
        with self._reading() as connection:
            return bool(self._unindexed.rows(connection, 1))

    def index_older(self, open_case: OpenCase, limit: int) -> int:
        """Make some older cases searchable; return how many were examined.

        They are read before the write lock is taken, so that no writer waits for it.
        """
        with self._reading() as connection:
            older = self._unindexed.rows(connection, limit)
            terms = self._unindexed.terms(connection, older, open_case)
        with self._writing() as connection:
            self._unindexed.index_them(connection, older, terms, limit)
        return len(older)

    def scores(self, case_id: str) -> list[CaseScore]:
        """Return every score of a case's subject, in order of time."""
        query = (
            select(case_scores.c.decision_id, case_scores.c.scored_at, case_scores.c.lane)
            .where(case_scores.c.case_id == case_id)
            .order_by(case_scores.c.scored_at, case_scores.c.decision_id)
        )
        return [CaseScore(*row) for row in self._rows(query)]

    def pending_news(self, limit: int) -> list[CaseNews]:
        """Return news that cases have not received yet, oldest first.

        News on a subject without a case lists no case ids; erased news has no body.
        """
        order = (pending_news.c.received_at, pending_news.c.record_id)
        query = select(pending_news).order_by(*order).limit(limit)
        with self._reading() as connection:
            rows = connection.execute(query).all()
            return [self._news(row, connection) for row in rows]

    def _news(self, row: Row[Any], connection: Connection) -> CaseNews:
        is_it = decisions.c.decision_id == row.record_id
        query = select(*WHOLE, decisions.c.rescores).where(is_it)
        found: Any = connection.execute(query).first()
        if found is None:
            return self._news_of_record(row, connection)
        case_ids = (found.rescores or row.record_id,)
        return CaseNews(row.record_id, "decisions", case_ids, self._decisions.record(found))

    def _news_of_record(self, row: Row[Any], connection: Connection) -> CaseNews:
        is_it = and_(records.c.kind.in_(_TELLING), records.c.record_id == row.record_id)
        found = connection.execute(select(records).where(is_it)).first()
        record = self._records.of_row(found) if found else None
        of_subject = (
            select(cases.c.case_id)
            .join(decisions, decisions.c.decision_id == cases.c.case_id)
            .where(decisions.c.subject_kind == row.subject_kind)
            .where(decisions.c.subject_id == row.subject_id, cases.c.lane != "rescue")
            .order_by(cases.c.seq.desc())
            .limit(MAX_OF_A_SUBJECT)
        )
        case_ids = tuple(connection.scalars(of_subject))
        kind: Any = found.kind if found else "outcomes"
        is_superseded = record is not None and self._has_later_version(connection, record)
        return CaseNews(
            row.record_id, kind, case_ids, record.body if record else None, is_superseded
        )

    def _has_later_version(self, connection: Connection, record: ReceivedRecord) -> bool:
        """Return whether a later version of a journey is stored, whenever it was received."""
        if record.kind != "journeys":
            return False
        named = tuple_(records.c.subject_kind, records.c.subject_id)
        subjects = self._records.subjects(record.subject_kind, record.subject_id)
        of_one = select(records).where(records.c.kind == record.kind, named.in_(subjects))
        own: Any = record.record
        # Versions are encrypted, so the comparison cannot be made in SQL.
        for row in connection.execute(of_one):
            version: Any = self._records.of_row(row)
            if version is not None and version.record.version > own.version:
                return True
        return False

    def remove_news(self, record_id: str) -> None:
        """Remove news from the waiting list, once the cases have it or it concerns none."""
        with self._writing() as connection:
            is_it = pending_news.c.record_id == record_id
            connection.execute(pending_news.delete().where(is_it))

    def _of_subject(self, wanted: CaseFilter) -> Select[str]:
        """Select the cases of a subject; of both kinds if none is given."""
        kinds = [wanted.subject_kind] if wanted.subject_kind else ["route", "shipment"]
        subject_id = wanted.subject_id or ""
        named = tuple_(decisions.c.subject_kind, decisions.c.subject_id)
        pairs = [(kind, text) for kind in kinds for text in self._keys.tokens(kind, subject_id)]
        return select(decisions.c.decision_id).where(named.in_(pairs))

    def offices(self) -> list[str]:
        """Return every office of a decision or a case, sorted.

        Each office costs one index lookup, however many decisions and cases there are.
        """
        found: set[str] = set()
        with self._reading() as connection:
            found.update(_values_in_index(connection, decisions.c.office_id))
            for is_rescue in (0, 1):
                of_side = case_terms.c.is_rescue == is_rescue
                found.update(_values_in_index(connection, case_terms.c.office_id, of_side))
        return sorted(found)

    def decision_of(self, case_id: str) -> str:
        """Return the id of the decision that counts for a case."""
        query = select(cases.c.decision_id).where(cases.c.case_id == case_id)
        return self._scalar(query) or case_id

    def linked(
        self, case_id: str, kinds: tuple[str, ...], access: CaseAccess, limit: int
    ) -> list[LinkedCase]:
        """Return the newest other visible cases that share links of these kinds."""
        with self._reading() as connection:
            return self._links.newest(connection, case_id, kinds, access, limit)

    def shared_things(self, case_id: str, access: CaseAccess) -> tuple[SharedThing, ...]:
        """Return parties, containers and conveyances that other visible cases share."""
        with self._reading() as connection:
            return self._links.things(connection, case_id, access)

    def naming(self, value: str, access: CaseAccess) -> list[str]:
        """Return the newest visible cases that name a party, container or conveyance."""
        with self._reading() as connection:
            return self._links.naming(connection, value, access)

    def tags_in_use(self, access: CaseAccess, limit: int) -> list[str]:
        """Return the tags of the newest visible cases, sorted."""
        with self._reading() as connection:
            return self._tags.in_use(connection, access, limit)

    def cases_of(self, case_ids: Iterable[str], access: CaseAccess) -> list[CaseRow]:
        """Return the visible cases with these ids, in any order."""
        is_one = cases.c.case_id.in_(list(case_ids))
        return self._found(select(cases).where(is_one, is_visible(access)))

    def change(
        self,
        case_id: str,
        change: ChangeRow,
        revision: int | None = None,
        require: RequireOfEvents | None = None,
    ) -> CaseRow:
        """Change a case under the write lock, so that a simultaneous change sees the first.

        Any error of `require` or `change` rolls everything back. Closing a rescue ends its calls;
        reopening a case queues its subject for scoring. Raises Conflict if the case does not match
        the audit log or has another `revision`.
        """
        query = select(cases).where(cases.c.case_id == case_id)
        with self._writing() as connection:
            found = _as_audited(self._audited.read(connection, query))
            before = self._cases.of_case(found)
            if require is not None:
                require(self._events(connection, case_id))
            # Before the check of the revision, because its error is more precise.
            after, event, labels = change(before)
            if revision is not None and revision != _revision(connection, case_id):
                raise Conflict(
                    "the case has changed since you read it, and nothing was done",
                    code="case-changed",
                )
            kept = self._cases.case(after, connection)
            connection.execute(cases.update().where(cases.c.case_id == case_id).values(kept))
            self._index.follow(connection, before, after)
            self._tags.follow(connection, before, after)
            insert_event(connection, self._cases, event)
            publish(connection, self._keys, happenings_of_act(before, after, event))
            notify(connection, before, after, event)
            if found.status == "closed" != after.status:
                _let_wait(connection, case_id, event.at)
            if after.lane == "rescue" and after.status == "closed" != found.status:
                settle_calls(connection, case_id, event.by, event.at)
            for label in labels:
                newest = newest_record_time(connection, label.received_at)
                behind = logged_at(label.received_at, newest)
                row = self._records.encrypted(label, connection, behind=behind)
                connection.execute(records.insert(), row)
        return after

    def revision(self, case_id: str) -> int:
        """Return the number of events that changed a case or added news to it."""
        with self._reading() as connection:
            return _revision(connection, case_id)

    def append_event(self, event: StoredEvent) -> None:
        """Store an event that does not change a case, such as a reading of it."""
        with self._writing() as connection:
            insert_event(connection, self._cases, event)

    def events(self, case_id: str) -> list[StoredEvent]:
        """Return the events of a case, in order."""
        with self._reading() as connection:
            return self._events(connection, case_id)

    def _events(self, connection: Connection, case_id: str) -> list[StoredEvent]:
        query = (
            select(*(case_events.c[name] for name in StoredEvent.__annotations__))
            .where(case_events.c.case_id == case_id)
            .order_by(case_events.c.seq)
        )
        rows = connection.execute(query).all()
        return [self._cases.of_event(StoredEvent(**row._mapping)) for row in rows]

    def newest_event(self, case_id: str, but: frozenset[str]) -> StoredEvent | None:
        """Return the newest event of a case whose action is not in `but`.

        Raises Conflict if the event does not match the audit log.
        """
        is_one = and_(case_events.c.case_id == case_id, case_events.c.action.not_in(but))
        query = select(case_events).where(is_one).order_by(case_events.c.seq.desc()).limit(1)
        with self._reading() as connection:
            if connection.execute(query).first() is None:
                return None
            row = _as_audited(self._audited_events.read(connection, query, case_id))
        told = {name: row._mapping[name] for name in StoredEvent.__annotations__}
        return self._cases.of_event(StoredEvent(**told))

    def running_out(
        self, span: tuple[datetime, datetime], after: tuple[datetime, str] | None, limit: int
    ) -> list[CaseRow]:
        """Return unescalated waiting cases that are due within a span, the earliest first.

        `after` is the due time and the id of the last case of the previous page.
        """
        place = tuple_(cases.c.due_at, cases.c.case_id)
        query = (
            select(cases)
            .where(cases.c.status != "closed", is_waiting(span[0]))
            .where(cases.c.due_at > span[0], cases.c.due_at <= span[1])
            .where(cases.c.lane.not_in(ALWAYS_IN_TIME), cases.c.escalated_at.is_(None))
            .where(place > after if after else true())
            .order_by(cases.c.due_at, cases.c.case_id)
            .limit(limit)
        )
        return self._found(query)

    def opened_to(self) -> int:
        """Return the position in the log up to which cases were opened."""
        with self._reading() as connection:
            return CASES.read(connection)

    def count_unopened(self) -> int:
        """Return the number of decisions not yet examined for a case, releases included."""
        with self._reading() as connection:
            return newest_decision(connection) - CASES.read(connection)

    def _found(self, query: Select[Any]) -> list[CaseRow]:
        return [self._cases.of_case(row) for row in self._rows(query)]

    def _next_page(self, open_case: OpenCase, after: int) -> LogPage | None:
        with self._reading() as connection:
            return self._new.next_page(connection, open_case, after)


def _values_in_index(
    connection: Connection, column: ColumnElement[Any], *where: ColumnElement[bool]
) -> Iterator[str]:
    """Yield the distinct values of an indexed column, one index lookup each.

    SELECT DISTINCT would read every row; `where` must fix the index columns before this one.
    """
    query = select(func.min(column)).where(*where)
    value = connection.scalar(query)
    while value is not None:
        yield value
        value = connection.scalar(query.where(column > value))


def _let_wait(connection: Connection, case_id: str, at: datetime) -> None:
    """Queue the subject of a reopened case to be scored with what arrived while it was closed."""
    of_case = decisions.c.decision_id == case_id
    subject = select(decisions.c.subject_kind, decisions.c.subject_id).where(of_case)
    if found := connection.execute(subject).first():
        queue_rescoring(connection, SubjectToken(*found), at)


def _revision(connection: Connection, case_id: str) -> int:
    counts = and_(
        case_events.c.case_id == case_id, case_events.c.action.not_in(REVISION_KEEPING_EVENTS)
    )
    return connection.scalar(select(func.count()).select_from(case_events).where(counts)) or 0


def _as_audited(row: Row[Any] | None) -> Row[Any]:
    if row is None:
        raise Conflict(
            "this case is not as the audit log tells, and nothing is done with it: "
            "`tidegate verify-log` says what was changed behind the service's back",
            code="not-as-audited",
        )
    return row
