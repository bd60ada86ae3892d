"""Cases and what happened to them. A case is opened from the decision log; its events only grow.

Acts rest on what stands in a case, such as what a first person proposed. So a case is acted on only
as the newest audit event tells it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    and_,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)

from serving.access.acting import whoever_acts
from serving.access.actors import Actor
from serving.audit.audit_log import AuditEvent
from serving.db.audited_rows import AuditedRows
from serving.db.data_keys import DataKeys
from serving.db.encrypted_cases import ERASED, EncryptedCases
from serving.db.encrypted_decisions import WHOLE, EncryptedDecisions
from serving.db.encrypted_records import EncryptedRecords
from serving.db.encryption import EncryptionUnit
from serving.db.engine import failing_as_unavailable
from serving.db.repositories.audit_repository import append_audit_events
from serving.db.repositories.notice_repository import tell
from serving.db.repositories.published_event_repository import publish
from serving.db.repositories.rescue_call_repository import settle_calls
from serving.db.repositories.visible_cases import is_visible
from serving.db.row_digests import links_digest
from serving.db.search_index import SearchIndex
from serving.db.shared_links import SharedLinks
from serving.db.tables import (
    case_events,
    case_links,
    case_scores,
    case_terms,
    case_terms_from,
    cases,
    cases_opened_to,
    decisions,
    records,
    waiting_outcomes,
)
from serving.db.write_lock import writing
from serving.db.written_rows import now
from serving.errors import NotAsAudited
from serving.history.received_records import ReceivedRecord
from serving.review.case_records import (
    MOST_COUNTED,
    ActOnCase,
    CaseAccess,
    CaseFilter,
    CaseLink,
    CaseRecord,
    CaseScore,
    CaseSearch,
    CaseTimes,
    ChangeCase,
    InboxFilter,
    LinkedCase,
    MatchedCase,
    OpenCase,
    OpenedCase,
    QueueFilter,
    QueuePosition,
    QueueTab,
    SearchPage,
    StoredEvent,
    WaitingOutcome,
    scored_again_event,
)
from serving.review.published_events import (
    CaseHappening,
    further_score,
    happenings_of_act,
    opening_of,
)
from serving.review.queue_rank import ALWAYS_IN_TIME, UNKNOWN_RISK
from serving.review.search_terms import SearchTerm, distinct_terms
from serving.review.shared_things import SharedThing

PAGE = 500
MOST_SCANNED = 1_000
"""Cases that a page of a search looks at, so that a filter that lets few through costs no more."""

RISKS_TO_DRAW_FROM = 50

TO_BE_JUDGED = ("open", "assigned", "action_proposed", "result_in")
"""Statuses that a person is to do something about; what was ordered waits for its result."""

TABS_OF_FEW = ("mine", "inbox", "escalated", "waiting", "second_person", "others")
"""Tabs of what somebody has begun with: they are looked up by that, and then put in order."""


class CaseRepository:
    """The cases of one database. Every method raises LogUnavailable where the database fails."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._keys = DataKeys(engine)
        self._cases = EncryptedCases(self._keys)
        self._decisions = EncryptedDecisions(self._keys)
        self._records = EncryptedRecords(self._keys)
        self._index = SearchIndex(self._cases)
        self._audited = AuditedRows("cases", "case")
        self._audited_events = AuditedRows("case_events", "case")

    def open_new(self, open_case: OpenCase) -> None:
        """Open cases for all decisions that were logged since the last time."""
        while self._is_behind():
            with failing_as_unavailable(), writing(self._engine) as connection:
                self._open_page(connection, open_case)

    def page(
        self, access: CaseAccess, queue: QueueFilter, after: QueuePosition | None, limit: int
    ) -> list[CaseRecord]:
        """Cases that wait for a person: in time before what is over, the riskiest first."""
        found: list[CaseRecord] = []
        for is_over in (0, 1):
            if len(found) == limit or (after is not None and after[0] > is_over):
                continue
            place = after if after is not None and after[0] == is_over else None
            query = (
                select(cases)
                .where(is_visible(access), _in_queue(queue), _is_after(place))
                .where(_is_over(queue.now) if is_over else _is_in_time(queue.now))
                .order_by(_risk_of(queue).desc(), cases.c.due_at, cases.c.case_id)
                .limit(limit - len(found))
            )
            found += self._rows(query)
        return found

    def count_queue(self, access: CaseAccess, queue: QueueFilter) -> int:
        """How many cases a filter of the queue lets through; MOST_COUNTED is that many or more."""
        return self._count_those(and_(is_visible(access), _in_queue(queue)))

    def count_cases(self, access: CaseAccess, wanted: CaseFilter) -> int:
        """The same of all cases, closed ones too."""
        return self._count_those(and_(is_visible(access), _is_wanted(wanted)))

    def _count_those(self, are_wanted: ColumnElement[bool]) -> int:
        counted = select(literal(1)).where(are_wanted).select_from(cases).limit(MOST_COUNTED)
        with failing_as_unavailable(), self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(counted.subquery())) or 0

    def case(self, case_id: str, access: CaseAccess) -> CaseRecord | None:
        """A case, if it exists and may be seen."""
        rows = self._rows(select(cases).where(cases.c.case_id == case_id, is_visible(access)))
        return rows[0] if rows else None

    def list_cases(self, access: CaseAccess, wanted: CaseFilter, limit: int) -> list[CaseRecord]:
        """The cases that a filter lets through, the newest first."""
        query = select(cases).where(is_visible(access), _is_wanted(wanted))
        if wanted.subject_id is not None:
            query = query.where(cases.c.case_id.in_(self._of_subject(wanted)))
        return self._rows(query.order_by(cases.c.seq.desc(), cases.c.case_id).limit(limit))

    def search(
        self, access: CaseAccess, asked: CaseSearch, after: str | None, limit: int
    ) -> SearchPage:
        """Cases with an identifier that begins with what was asked for, each case once.

        Raises Unprocessable where no page of this search ended with the case `after`.
        """
        is_filtered = asked.wanted != CaseFilter()
        most = MOST_SCANNED if is_filtered else limit
        with failing_as_unavailable(), self._engine.connect() as connection:
            places = self._index.scan(connection, access, asked.symbols, after, most + 1)
            scanned = [place.case_id for place in places[:most]]
            is_one = and_(cases.c.case_id.in_(scanned), cases.c.status != ERASED)
            query = select(cases).where(is_one, is_visible(access), _is_wanted(asked.wanted))
            found = {row.case_id: row for row in connection.execute(query)}
            shown = [case_id for case_id in scanned if case_id in found]
            matched = self._index.matched(connection, shown[:limit], asked.symbols)
        if len(shown) > limit:
            last: str | None = shown[limit - 1]
        else:
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
        """Whether there are older cases that no search finds yet."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            return connection.execute(_older_cases(1)).first() is not None

    def index_older(self, open_case: OpenCase, limit: int) -> int:
        """Make some older cases searchable; how many were looked at.

        They are read before the turn to write, so that nobody waits for that.
        """
        with failing_as_unavailable(), self._engine.connect() as connection:
            older = connection.execute(_older_cases(limit)).all()
            found = {row.case_id: self._terms_of(connection, row, open_case) for row in older}
        with failing_as_unavailable(), writing(self._engine) as connection:
            present = {row.case_id: row for row in connection.execute(_older_cases(limit))}
            for case_id in present.keys() & found.keys():
                if (terms := found[case_id]) is not None:
                    self._index.add(connection, self._cases.of_case(present[case_id]), terms)
            if older and [*present] == [*found]:  # no other worker was faster
                connection.execute(case_terms_from.update().values(seq=older[-1].seq))
        return len(older)

    def _terms_of(
        self, connection: Connection, case: Row[Any], open_case: OpenCase
    ) -> tuple[SearchTerm, ...] | None:
        """By what the decisions about a case say it is found; None where it is not to be."""
        of_case = (
            select(*WHOLE)
            .join(case_scores, case_scores.c.decision_id == decisions.c.decision_id)
            .where(case_scores.c.case_id == case.case_id)
            .order_by(decisions.c.seq)
        )
        rows = connection.execute(of_case).all()
        records_read = [(row.seq, self._decisions.record(row)) for row in rows]
        opened = [each for seq, text in records_read if text and (each := open_case(seq, text))]
        return distinct_terms(term for each in opened for term in each.terms) if opened else None

    def scores(self, case_id: str) -> list[CaseScore]:
        """Every score of the subject of a case, in order."""
        query = (
            select(case_scores.c.decision_id, case_scores.c.scored_at, case_scores.c.lane)
            .where(case_scores.c.case_id == case_id)
            .order_by(case_scores.c.scored_at, case_scores.c.decision_id)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            return [CaseScore(*row) for row in connection.execute(query)]

    def waiting_outcomes(self, limit: int) -> list[WaitingOutcome]:
        """Outcomes that came by themselves, each with the case of its subject, the oldest first.

        A subject without a case has none. Of an outcome that was erased there is no body.
        """
        query = select(waiting_outcomes).order_by(waiting_outcomes.c.received_at).limit(limit)
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(query).all()
            return [self._waiting(row, connection) for row in rows]

    def _waiting(self, row: Row[Any], connection: Connection) -> WaitingOutcome:
        columns = (records.c[each.name] for each in fields(ReceivedRecord))
        is_it = and_(records.c.kind == "outcomes", records.c.record_id == row.record_id)
        found = connection.execute(select(*columns).where(is_it)).first()
        record = self._records.record(ReceivedRecord(*found)) if found else None
        of_subject = (
            select(cases.c.case_id)
            .join(decisions, decisions.c.decision_id == cases.c.case_id)
            .where(decisions.c.subject_kind == row.subject_kind)
            .where(decisions.c.subject_id == row.subject_id, cases.c.lane != "rescue")
            .order_by(cases.c.seq)
            .limit(1)
        )
        case_id = connection.scalar(of_subject)
        return WaitingOutcome(row.record_id, case_id, record.body if record else None)

    def remove_outcome(self, record_id: str) -> None:
        """Let an outcome wait no more: its case has it, or it changes none."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            is_it = waiting_outcomes.c.record_id == record_id
            connection.execute(waiting_outcomes.delete().where(is_it))

    def _of_subject(self, wanted: CaseFilter) -> Select[str]:
        """The cases of a subject, of either kind where none is said."""
        kinds = [wanted.subject_kind] if wanted.subject_kind else ["route", "shipment"]
        subject_id = wanted.subject_id or ""
        named = tuple_(decisions.c.subject_kind, decisions.c.subject_id)
        pairs = [
            (kind, text)
            for kind in kinds
            for text in (*self._cases.keys.tokens(kind, subject_id), subject_id)
        ]
        return select(decisions.c.decision_id).where(named.in_(pairs))

    def offices(self) -> list[str]:
        """Every office that a decision was made for or that has a case, in order.

        Each takes one look into an index, however many decisions and cases there are.
        """
        found: set[str] = set()
        with failing_as_unavailable(), self._engine.connect() as connection:
            found.update(_values_in_index(connection, decisions.c.office_id))
            for is_rescue in (0, 1):
                of_side = case_terms.c.is_rescue == is_rescue
                found.update(_values_in_index(connection, case_terms.c.office_id, of_side))
        return sorted(found)

    def decision_of(self, case_id: str) -> str:
        """The id of the decision that counts for a case."""
        query = select(cases.c.decision_id).where(cases.c.case_id == case_id)
        with failing_as_unavailable(), self._engine.connect() as connection:
            return connection.scalar(query) or case_id

    def linked(
        self, case_id: str, kinds: tuple[str, ...], access: CaseAccess, limit: int
    ) -> list[LinkedCase]:
        """The newest other cases that share something of these kinds with this one."""
        own = select(case_links).where(
            case_links.c.case_id == case_id, case_links.c.kind.in_(kinds)
        )
        shared: dict[str, list[tuple[str, str]]] = defaultdict(list)
        with failing_as_unavailable(), self._engine.connect() as connection:
            links = map(self._cases.of_link, connection.execute(own).all())
            for link in filter(None, links):
                values = (*self._cases.keys.tokens(link.kind, link.value), link.value)
                for value in values:
                    sharing = _sharing(link.kind, value, access, limit + 1)
                    for other in connection.scalars(sharing):
                        shared[other].append((link.kind, link.value))
            shared.pop(case_id, None)
            newest = (
                select(cases)
                .where(cases.c.case_id.in_(shared))
                .order_by(cases.c.seq.desc())
                .limit(limit)
            )
            found = [self._cases.of_case(row) for row in connection.execute(newest).all()]
        return [LinkedCase(row, tuple(sorted(shared[row.case_id]))) for row in found]

    def shared_things(self, case_id: str, access: CaseAccess) -> tuple[SharedThing, ...]:
        """What other cases share with this one: parties, containers, the conveyance."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            return SharedLinks(self._cases).things(connection, case_id, access)

    def cases_of(self, case_ids: Iterable[str], access: CaseAccess) -> list[CaseRecord]:
        """The cases with these ids that may be seen, in any order."""
        is_one = cases.c.case_id.in_(list(case_ids))
        return self._rows(select(cases).where(is_one, is_visible(access)))

    def change(self, case_id: str, change: ChangeCase) -> CaseRecord:
        """Change a case in a turn of its own: of two who try at once, the second sees the first.

        Whatever `change` raises leaves everything as it was. The end of a rescue ends its calls.
        Raises NotAsAudited for a case that was changed behind the service's back.
        """
        query = select(cases).where(cases.c.case_id == case_id)
        with failing_as_unavailable(), writing(self._engine) as connection:
            found = _as_audited(self._audited.read(connection, query))
            before = self._cases.of_case(found)
            after, event, labels = change(before)
            kept = self._cases.case(after, connection)
            connection.execute(cases.update().where(cases.c.case_id == case_id).values(kept))
            self._index.follow(connection, before, after)
            insert_event(connection, self._cases, event)
            publish(connection, self._keys, happenings_of_act(before, after, event))
            tell(connection, before, after, event)
            if after.lane == "rescue" and after.status == "closed" != found.status:
                settle_calls(connection, case_id, event.by, event.at)
            for label in labels:
                connection.execute(records.insert(), self._records.encrypted(label, connection))
        return after

    def append_event(self, event: StoredEvent) -> None:
        """Store an event that changes no case: who read it, for instance."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            insert_event(connection, self._cases, event)

    def events(self, case_id: str) -> list[StoredEvent]:
        """The events of a case, in order."""
        query = (
            select(*(case_events.c[name] for name in StoredEvent.__annotations__))
            .where(case_events.c.case_id == case_id)
            .order_by(case_events.c.seq)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [self._cases.of_event(StoredEvent(**row._mapping)) for row in rows]

    def newest_event(self, case_id: str, but: frozenset[str]) -> StoredEvent | None:
        """The newest event of a case that is none of these actions.

        Raises NotAsAudited for one that the audit log does not tell so.
        """
        is_one = and_(case_events.c.case_id == case_id, case_events.c.action.not_in(but))
        query = select(case_events).where(is_one).order_by(case_events.c.seq.desc()).limit(1)
        with failing_as_unavailable(), self._engine.connect() as connection:
            if connection.execute(query).first() is None:
                return None
            row = _as_audited(self._audited_events.read(connection, query, case_id))
        told = {name: row._mapping[name] for name in StoredEvent.__annotations__}
        return self._cases.of_event(StoredEvent(**told))

    def acts_between(
        self, actions: tuple[str, ...], span: tuple[str, str], access: CaseAccess
    ) -> list[ActOnCase]:
        """Every event of these kinds from an instant up to, not including, another, in order."""
        names = StoredEvent.__annotations__
        of_case = (cases.c.lane, cases.c.office_id, cases.c.status)
        query = (
            select(*(case_events.c[name] for name in names), *of_case)
            .join(cases, cases.c.case_id == case_events.c.case_id)
            .where(case_events.c.action.in_(actions), is_visible(access))
            .where(case_events.c.at >= span[0], case_events.c.at < span[1])
            .order_by(case_events.c.seq)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            found = connection.execute(query).all()
        return [
            ActOnCase(
                self._cases.of_event(StoredEvent(**{name: getattr(row, name) for name in names})),
                row.lane,
                row.office_id,
                row.status == "closed",
            )
            for row in found
        ]

    def case_times(
        self, access: CaseAccess, opened: tuple[str, str], deciding: tuple[str, ...], now: str
    ) -> list[CaseTimes]:
        """The times of cases that were opened in a span, or wait now; `deciding` are actions."""
        is_of_case = case_events.c.case_id == cases.c.case_id
        decided_at = select(func.min(case_events.c.at)).where(
            is_of_case, case_events.c.action.in_(deciding)
        )
        columns = (
            cases.c[name] for name in ("case_id", "office_id", "lane", "opened_at", "due_at")
        )
        waits = _is_waiting(now)
        is_of_span = and_(cases.c.opened_at >= opened[0], cases.c.opened_at < opened[1])
        query = (
            select(*columns, waits.label("is_waiting"), decided_at.scalar_subquery())
            .where(is_visible(access), or_(is_of_span, waits))
            .order_by(cases.c.seq)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [CaseTimes(*row[:5], bool(row[5]), row[6]) for row in rows]

    def running_out(
        self, span: tuple[str, str], after: tuple[str, str] | None, limit: int
    ) -> list[CaseRecord]:
        """Cases that wait for a person, are not escalated and end in a span, the next ones first.

        `after` is the end and the id of the last case of the page before.
        """
        place = tuple_(cases.c.due_at, cases.c.case_id)
        query = (
            select(cases)
            .where(cases.c.status != "closed", _is_waiting(span[0]))
            .where(cases.c.due_at > span[0], cases.c.due_at <= span[1])
            .where(cases.c.lane.not_in(ALWAYS_IN_TIME), cases.c.escalated_at.is_(None))
            .where(place > after if after else true())
            .order_by(cases.c.due_at, cases.c.case_id)
            .limit(limit)
        )
        return self._rows(query)

    def closed_case(self, access: CaseAccess, not_by: Actor, draw: int) -> CaseRecord | None:
        """One closed case that somebody else ended, drawn at random; None where there is none."""
        is_other = cases.c.owner.not_in((not_by.identity, not_by.name))
        others = and_(cases.c.status == "closed", is_other, is_visible(access))
        count = select(func.count()).select_from(cases).where(others)
        with failing_as_unavailable(), self._engine.connect() as connection:
            among = connection.scalar(count) or 0
        if not among:
            return None
        one = select(cases).where(others).order_by(cases.c.seq).offset(draw % among).limit(1)
        return self._rows(one)[0]

    def oldest_waiting(self, access: CaseAccess, now: str) -> dict[str, str]:
        """When the oldest case that waits in each lane was opened."""
        query = (
            select(cases.c.lane, func.min(cases.c.opened_at).label("oldest"))
            .where(is_visible(access), _is_waiting(now))
            .group_by(cases.c.lane)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            return {row.lane: row.oldest for row in connection.execute(query)}

    def count_waiting(self, lanes: Iterable[str], access: CaseAccess, now: str) -> dict[str, int]:
        """How many cases wait in each lane; MOST_COUNTED stands for that many or more."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            return {
                lane: connection.scalar(_count(lane, access, now)) or 0
                for lane in lanes
                if (lane == "rescue") == access.is_rescue
            }

    def count_overdue(self, lane: str, now: str) -> int:
        """How many cases that wait in a lane are due by now, of all offices."""
        overdue = (
            select(cases.c.case_id)
            .where(cases.c.lane == lane, _is_waiting(now), cases.c.due_at <= now)
            .limit(MOST_COUNTED)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(overdue.subquery())) or 0

    def opened_to(self) -> int:
        """The place in the log up to which cases were opened."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            return connection.scalar(select(cases_opened_to.c.seq)) or 0

    def count_unopened(self) -> int:
        """How many decisions no case was looked for yet; releases are among them."""
        newest = select(func.coalesce(func.max(decisions.c.seq), 0)).scalar_subquery()
        with failing_as_unavailable(), self._engine.connect() as connection:
            reached = connection.scalar(select(cases_opened_to.c.seq)) or 0
            return int(connection.scalar(select(newest - reached)) or 0)

    def _rows(self, query: Select[Any]) -> list[CaseRecord]:
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [self._cases.of_case(row) for row in rows]

    def _is_behind(self) -> bool:
        newest = select(func.coalesce(func.max(decisions.c.seq), 0)).scalar_subquery()
        with failing_as_unavailable(), self._engine.connect() as connection:
            reached = connection.scalar(select(cases_opened_to.c.seq)) or 0
            return bool(connection.scalar(select(newest > reached)))

    def _open_page(self, connection: Connection, open_case: OpenCase) -> None:
        reached = connection.scalar(select(cases_opened_to.c.seq))
        page = (
            select(*WHOLE)
            .where(decisions.c.seq > (reached or 0))
            .order_by(decisions.c.seq)
            .limit(PAGE)
        )
        read = connection.execute(page).all()
        records_read = [(row.seq, self._decisions.record(row)) for row in read]
        opened = [
            case for seq, record in records_read if record and (case := open_case(seq, record))
        ]
        self._insert([each for each in opened if each.case.decision_id is None], connection)
        again = [each for each in opened if each.case.decision_id is not None]
        opened_by = {each.case.decision_id for each in again if self._score_again(each, connection)}
        if reached is None:
            connection.execute(cases_opened_to.insert().values(seq=0))
        if read:
            scores = _append_scores(connection, reached or 0, read[-1].seq)
            further = [score for score in scores if score.decision_id not in opened_by]
            publish(connection, self._keys, further)
            connection.execute(cases_opened_to.update().values(seq=read[-1].seq))

    def _insert(self, opened: list[OpenedCase], connection: Connection) -> None:
        for is_control in (False, True):  # which get the risk of an inspection that is there
            some = [each.case for each in opened if (each.case.lane == "control") == is_control]
            if some:
                ordered = [_among_inspections(row, connection) for row in some]
                rows = [self._cases.case(row, connection) for row in ordered]
                connection.execute(cases.insert(), rows)
        for each in opened:
            links = self._links(each.case, each.links, connection)
            if links:
                connection.execute(case_links.insert(), links)
            event = _opened(connection, "open", each.case.case_id, links)
            append_audit_events(connection, [event])
        self._index.insert(connection, ((each.case, each.terms) for each in opened))
        publish(connection, self._keys, [opening_of(each.case) for each in opened])

    def _score_again(self, opened: OpenedCase, connection: Connection) -> bool:
        """Change the case of a subject that was scored again, or open it where it had none.

        Whether a case was opened.
        """
        again, links, terms = opened
        is_it = cases.c.case_id == again.case_id
        found = connection.execute(select(cases).where(is_it)).first()
        if found is None:
            self._insert([opened], connection)
            return True
        before = self._cases.of_case(found)
        is_audited = self._audited.read(connection, select(cases).where(is_it)) is not None
        has_ended = before.status == "closed" or not is_audited
        if has_ended and again.lane == "rescue" != before.lane:
            rescue = again.apart()  # whoever helps sees nothing of what ended
            own_links = [replace(link, case_id=rescue.case_id) for link in links]
            self._insert([OpenedCase(rescue, own_links, terms)], connection)
        elif is_audited and (after := before.scored_again(again)):
            connection.execute(
                cases.update().where(is_it).values(self._cases.case(after, connection))
            )
            insert_event(connection, self._cases, scored_again_event(before, again))
            self._index.follow(connection, before, after)
            before = after
        if not has_ended:
            self._insert_new_links(before, links, connection)
            self._index.add(connection, before, terms)
        return False

    def _insert_new_links(
        self, case: CaseRecord, links: list[CaseLink], connection: Connection
    ) -> None:
        """Add what a later decision names and the case did not, as who paid in the meantime."""
        own = select(case_links).where(case_links.c.case_id == case.case_id)
        before = [dict(link) for link in connection.execute(own).mappings()]
        has = {(link["kind"], link["value"]) for link in before}
        stored = self._links(case, links, connection)
        if new := [link for link in stored if (link["kind"], link["value"]) not in has]:
            connection.execute(case_links.insert(), new)
            told = _opened(connection, "link", case.case_id, [*before, *new])
            append_audit_events(connection, [told])

    def _links(
        self, case: CaseRecord, links: list[CaseLink], connection: Connection
    ) -> list[dict[str, Any]]:
        unit = EncryptionUnit.of_decision(case.case_id, case.opened_at)
        return [self._cases.link(link, unit, connection) for link in links]


def _values_in_index(
    connection: Connection, column: ColumnElement[Any], *where: ColumnElement[bool]
) -> Iterator[str]:
    """The distinct values of a column that an index begins with, after what `where` fixes."""
    query = select(func.min(column)).where(*where)
    value = connection.scalar(query)
    while value is not None:
        yield value
        value = connection.scalar(query.where(column > value))


def _opened(
    connection: Connection, action: str, case_id: str, links: list[dict[str, Any]]
) -> AuditEvent:
    """The event of a case that was opened or linked, with a digest of all that it shares."""
    digest = {"links": links_digest(links)}
    return AuditEvent(now(connection), whoever_acts(), action, "case", case_id, digest)


def _older_cases(limit: int) -> Select[Any]:
    """Cases without terms, the newest first; their outlines alone where they were erased."""
    begins = select(case_terms_from.c.seq).scalar_subquery()
    return select(cases).where(cases.c.seq < begins).order_by(cases.c.seq.desc()).limit(limit)


def _append_scores(connection: Connection, after: int, upto: int) -> list[CaseHappening]:
    """Add the decisions between two places in the log to the cases of their subjects.

    What of it others are told: the first score of a case comes with its opening.
    """
    first = func.coalesce(decisions.c.rescores, decisions.c.decision_id)
    of_subject = or_(cases.c.case_id == first, cases.c.case_id == decisions.c.decision_id)
    is_same_side = (decisions.c.lane == "rescue") == (cases.c.lane == "rescue")
    names = ["case_id", "decision_id", "scored_at", "lane"]
    scored = (
        select(cases.c.case_id, decisions.c.decision_id, decisions.c.scored_at, decisions.c.lane)
        .join(cases, and_(of_subject, is_same_side))
        .where(decisions.c.seq > after, decisions.c.seq <= upto)
    )
    connection.execute(case_scores.insert().from_select(names, scored))
    further = scored.add_columns(cases.c.office_id).where(
        decisions.c.decision_id != cases.c.case_id
    )
    found = connection.execute(further.order_by(decisions.c.seq))
    return [further_score(CaseScore(*score), case_id, office) for case_id, *score, office in found]


def _among_inspections(case: CaseRecord, connection: Connection) -> CaseRecord:
    """A control case at the risk of an inspection before it, so that its place tells nothing."""
    if case.lane != "control":
        return case
    newest = (
        select(cases.c.risk)
        .where(cases.c.lane == "inspect")
        .order_by(cases.c.seq.desc())
        .limit(RISKS_TO_DRAW_FROM)
    )
    risks = connection.scalars(newest).all()
    if not risks:
        return replace(case, risk=UNKNOWN_RISK)
    drawn = int.from_bytes(sha256(case.case_id.encode()).digest()[:8])
    return replace(case, risk=risks[drawn % len(risks)])


def _sharing(kind: str, value: str, access: CaseAccess, limit: int) -> Select[str]:
    """The newest cases that share one thing: by its tokens, or in the clear from before.

    Of one value, so that the index gives them in this order and no more are read than wanted.
    """
    return (
        select(case_links.c.case_id)
        .join(cases, cases.c.case_id == case_links.c.case_id)
        .where(case_links.c.kind == kind, case_links.c.value == value, is_visible(access))
        .order_by(case_links.c.seq.desc())
        .limit(limit)
    )


def _count(lane: str, access: CaseAccess, now: str) -> Select[int]:
    counted = (
        select(cases.c.case_id)
        .where(cases.c.lane == lane, is_visible(access), _is_waiting(now))
        .limit(MOST_COUNTED)
    )
    return select(func.count()).select_from(counted.subquery())


def insert_event(connection: Connection, encrypted: EncryptedCases, event: StoredEvent) -> None:
    """Store an event in a transaction that is already writing."""
    last = connection.scalar(select(func.coalesce(func.max(case_events.c.seq), 0))) or 0
    kept = encrypted.event(event, connection)
    connection.execute(case_events.insert().values(seq=last + 1, **kept))
    act = AuditEvent(
        datetime.fromisoformat(event.at), whoever_acts(), event.action, "case", event.case_id
    )
    append_audit_events(connection, [act])


def _as_audited(row: Row[Any] | None) -> Row[Any]:
    if row is None:
        raise NotAsAudited(
            "this case is not as the audit log tells, and nothing is done with it: "
            "`tidegate verify-log` says what was changed behind the service's back"
        )
    return row


def _is_waiting(now: str) -> ColumnElement[bool]:
    is_back = and_(cases.c.status == "waiting", cases.c.waiting_until <= now)
    return or_(cases.c.status.in_(TO_BE_JUDGED), is_back)


def _is_wanted(wanted: CaseFilter) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = []
    if wanted.statuses:
        parts.append(cases.c.status.in_(wanted.statuses))
        parts += [cases.c.status != "open"] if "open" not in wanted.statuses else []
    names = ("subject_kind", "office_id", "mode")
    filters = ((name, getattr(wanted, name)) for name in names)
    parts += [cases.c[name] == value for name, value in filters if value is not None]
    if wanted.owner is not None:
        parts.append(or_(cases.c.owner == wanted.owner, cases.c.owner_name == wanted.owner))
    if wanted.before is not None:
        parts.append(tuple_(-cases.c.seq, cases.c.case_id) > wanted.before)
    return and_(true(), *parts)


def _in_queue(queue: QueueFilter) -> ColumnElement[bool]:
    parts = [_is_waiting(queue.now) if queue.tab is None else _in_tab(queue)]
    if queue.lanes:
        parts.append(cases.c.lane.in_(queue.lanes))
    filters = ((name, getattr(queue, name)) for name in ("office_id", "mode"))
    parts += [cases.c[name] == value for name, value in filters if value is not None]
    if queue.owner is not None:
        parts.append(or_(cases.c.owner == queue.owner, cases.c.owner_name == queue.owner))
    if queue.is_unowned:
        parts.append(cases.c.owner.is_(None))
    if queue.inbox is not None:
        parts.append(_in_inbox(queue.inbox))
    if queue.is_in_time is not None:
        parts.append(_is_in_time(queue.now) if queue.is_in_time else _is_over(queue.now))
    if queue.opened_before:
        parts.append(cases.c.opened_at < queue.opened_before)
    if queue.after_seq is not None:
        parts.append(cases.c.seq > queue.after_seq)
    return and_(*parts)


def _risk_of(queue: QueueFilter) -> ColumnElement[float]:
    """What the queue is ordered by; of a tab with few cases not by its index, which has all."""
    return cases.c.risk + 0 if queue.tab in TABS_OF_FEW else cases.c.risk


def _in_tab(queue: QueueFilter) -> ColumnElement[bool]:
    """Whether a case is in the filter's tab."""
    is_judged_by_two = cases.c.status.in_(("action_proposed", "result_in"))
    is_laid_aside = and_(cases.c.status == "waiting", cases.c.waiting_until > queue.now)
    is_awaited = or_(is_laid_aside, cases.c.status == "action_ordered")
    is_to_do = and_(_is_waiting(queue.now), ~is_judged_by_two)
    is_own = cases.c.owner == queue.reader
    is_free = and_(cases.c.owner.is_(None), _is_in_time(queue.now))
    # Words of their own name the part that an index has: no planner infers it from what follows.
    has_begun, is_not_closed = cases.c.status != "open", cases.c.status != "closed"
    in_tab: dict[QueueTab, ColumnElement[bool]] = {
        "mine": and_(is_own, is_not_closed, ~is_laid_aside),
        "inbox": and_(is_not_closed, is_to_do, is_free, _in_inbox(queue.own_inbox)),
        "escalated": and_(is_not_closed, cases.c.escalated_at.is_not(None)),
        "unassigned": and_(is_not_closed, is_to_do, is_free),
        "waiting": and_(has_begun, is_awaited),
        "second_person": and_(has_begun, is_judged_by_two),
        "others": and_(is_to_do, cases.c.owner != queue.reader, _is_in_time(queue.now)),
        "expired": and_(is_not_closed, is_to_do, _is_over(queue.now)),
    }
    return in_tab[queue.tab or "unassigned"]


def _in_inbox(inbox: InboxFilter) -> ColumnElement[bool]:
    """Whether a case is in one of these inboxes; an office has what no team of today has."""
    if not inbox.teams and not inbox.offices:
        return false()  # of nobody's inbox, so that none is looked through
    is_of_none = or_(cases.c.team.is_(None), cases.c.team.not_in(inbox.known_teams))
    return or_(
        cases.c.team.in_(inbox.teams), and_(cases.c.office_id.in_(inbox.offices), is_of_none)
    )


def _is_after(place: QueuePosition | None) -> ColumnElement[bool]:
    if place is None:
        return true()
    _, risk, due_at, case_id = place
    later = or_(cases.c.due_at > due_at, and_(cases.c.due_at == due_at, cases.c.case_id > case_id))
    return or_(cases.c.risk < risk, and_(cases.c.risk == risk, later))


def _is_in_time(now: str) -> ColumnElement[bool]:
    """Whether what a case is about can still be stopped."""
    return or_(cases.c.due_at > now, cases.c.lane.in_(ALWAYS_IN_TIME))


def _is_over(now: str) -> ColumnElement[bool]:
    """The opposite, in words that an index by `due_at` is looked up with."""
    return and_(cases.c.due_at <= now, cases.c.lane.not_in(ALWAYS_IN_TIME))
