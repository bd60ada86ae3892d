"""Opens the cases of decisions as these are logged.

Decisions are decrypted before the write lock is taken, since the log waits for its holder.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from itertools import chain
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select, type_coerce

from serving.access.acting import current_actor
from serving.crypto.encryption import EncryptionUnit
from serving.integrity.audit_log import AuditEvent
from serving.review.cases.case_records import (
    ENDED,
    CaseLink,
    CaseRow,
    CaseScore,
    OpenCase,
    OpenedCase,
    scored_again_event,
)
from serving.review.cases.queue_risk import UNKNOWN_RISK
from serving.review.published_events import FeedItem, further_score, opening_of
from serving.storage.encrypted_cases import EncryptedCases
from serving.storage.encrypted_decisions import WHOLE, EncryptedDecisions
from serving.storage.log_positions import LogPage
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repositories.case_events import insert_event
from serving.storage.repositories.published_event_repository import publish
from serving.storage.row_audit.digests import links_digest
from serving.storage.row_audit.reader import AuditedRows
from serving.storage.row_audit.writer import now
from serving.storage.search_index import SearchIndex
from serving.storage.tables.column_types import INSTANT
from serving.storage.tables.review import (
    case_links,
    case_scores,
    cases,
    pending_news,
)
from serving.storage.tables.scoring import decisions
from serving.triage.lane_declarations import WITHOUT_CASE

PAGE = 500
# The most cases opened under one write lock: nothing can be decided meanwhile.
OPENED_TOGETHER = 64

# A control case gets the risk of one of the newest inspections, see `_among_inspections`.
RISKS_TO_DRAW_FROM = 50


@dataclass(frozen=True)
class NewCases:
    """Opens cases and publishes them: to the search, the audit log and other systems."""

    kept: EncryptedCases
    logged: EncryptedDecisions
    index: SearchIndex
    audited: AuditedRows

    def next_page(self, connection: Connection, open_case: OpenCase, after: int) -> LogPage | None:
        """Return the cases that the next decisions open; None if there are no decisions."""
        following = (
            select(decisions.c.seq, decisions.c.lane)
            .where(decisions.c.seq > after)
            .order_by(decisions.c.seq)
            .limit(PAGE)
        )
        read = connection.execute(following).all()
        if not read:
            return None
        # The page ends at the last case it can take, so that no later decision is skipped.
        waiting = [row.seq for row in read if row.lane not in WITHOUT_CASE][:OPENED_TOGETHER]
        upto = waiting[-1] if len(waiting) == OPENED_TOGETHER else read[-1].seq
        whole = select(*WHOLE).where(decisions.c.seq.in_(waiting)).order_by(decisions.c.seq)
        rows = connection.execute(whole).all() if waiting else []
        records_read = [(row, self.logged.record(row)) for row in rows]
        opened = [
            _counted_from(case, row.logged_at)
            for row, record in records_read
            if record and (case := open_case(row.seq, record))
        ]
        return upto, partial(self._open, after, upto, opened)

    def _open(
        self, after: int, upto: int, opened: list[OpenedCase], connection: Connection
    ) -> None:
        """Open the cases of the decisions in (after, upto]; a rescored subject keeps its one."""
        self._insert([each for each in opened if each.case.decision_id is None], connection)
        again = [each for each in opened if each.case.decision_id is not None]
        opened_by = {each.case.decision_id for each in again if self._score_again(each, connection)}
        scores = self._append_scores(connection, after, upto)
        further = [score for score in scores if score.decision_id not in opened_by]
        publish(connection, self.kept.keys, further)

    def _insert(self, opened: list[OpenedCase], connection: Connection) -> None:
        # Inspections first: a control case takes the risk of one that exists.
        for is_control in (False, True):
            some = [each.case for each in opened if (each.case.lane == "control") == is_control]
            if some:
                ordered = [_among_inspections(row, connection) for row in some]
                rows = [self.kept.case(row, connection) for row in ordered]
                connection.execute(cases.insert(), rows)
        links = {
            each.case.case_id: self._links(each.case, each.links, connection) for each in opened
        }
        if of_all := [*chain.from_iterable(links.values())]:
            connection.execute(case_links.insert(), of_all)
        append_audit_events(
            connection,
            [_opened(connection, "open", case_id, own) for case_id, own in links.items()],
        )
        self.index.insert(connection, ((each.case, each.terms) for each in opened))
        publish(connection, self.kept.keys, [opening_of(each.case) for each in opened])

    def _score_again(self, opened: OpenedCase, connection: Connection) -> bool:
        """Update the case of a rescored subject, or open it; return whether it opened."""
        again, links, terms = opened
        is_it = cases.c.case_id == again.case_id
        found = connection.execute(select(cases).where(is_it)).first()
        if found is None:
            self._insert([opened], connection)
            return True
        before = self.kept.of_case(found)
        is_audited = self.audited.read(connection, select(cases).where(is_it)) is not None
        is_erased = self.kept.is_erased(before.case_id, before.opened_at, connection)
        has_ended = before.status in ENDED or not is_audited or is_erased
        if is_erased or (has_ended and again.lane == "rescue"):
            # A rescuer must see nothing of the case that ended.
            apart = again.apart()
            own_links = [replace(link, case_id=apart.case_id) for link in links]
            self._insert([OpenedCase(apart, own_links, terms)], connection)
            return True
        if is_audited and not has_ended and (after := before.scored_again(again)):
            connection.execute(
                cases.update().where(is_it).values(self.kept.case(after, connection))
            )
            insert_event(connection, self.kept, scored_again_event(before, again))
            self.index.follow(connection, before, after)
            before = after
        if not has_ended:
            self._insert_new_links(before, links, connection)
            self.index.add(connection, before, terms)
        return False

    def _insert_new_links(
        self, case: CaseRow, links: list[CaseLink], connection: Connection
    ) -> None:
        """Add links of a later decision that the case lacks, such as a payer added meanwhile."""
        own = select(case_links).where(case_links.c.case_id == case.case_id)
        before = [dict(link) for link in connection.execute(own).mappings()]
        has = {(link["kind"], link["value"]) for link in before}
        stored = self._links(case, links, connection)
        if new := [link for link in stored if (link["kind"], link["value"]) not in has]:
            connection.execute(case_links.insert(), new)
            told = _opened(connection, "link", case.case_id, [*before, *new])
            append_audit_events(connection, [told])

    def _append_scores(self, connection: Connection, after: int, upto: int) -> list[FeedItem]:
        """Add the decisions in (after, upto] to their cases; return what to publish.

        The first score of a case is published with its opening, and erased cases publish nothing.
        """
        first = func.coalesce(decisions.c.rescores, decisions.c.decision_id)
        of_subject = or_(cases.c.case_id == first, cases.c.case_id == decisions.c.decision_id)
        is_same_side = (decisions.c.lane == "rescue") == (cases.c.lane == "rescue")
        scored = (
            select(
                cases.c.case_id,
                decisions.c.decision_id,
                type_coerce(decisions.c.scored_at, INSTANT).label("scored_at"),
                decisions.c.lane,
            )
            .join(cases, and_(of_subject, is_same_side))
            .where(decisions.c.seq > after, decisions.c.seq <= upto)
        )
        if rows := connection.execute(scored).mappings().all():
            connection.execute(case_scores.insert(), [dict(row) for row in rows])
        further = scored.add_columns(cases.c.office_id, cases.c.opened_at).where(
            decisions.c.decision_id != cases.c.case_id
        )
        found = connection.execute(further.order_by(decisions.c.seq)).all()
        _tell_cases(connection, [decision_id for _, decision_id, *_ in found])
        return [
            further_score(CaseScore(*score), case_id, office)
            for case_id, *score, office, opened_at in found
            if not self.kept.is_erased(case_id, opened_at, connection)
        ]

    def _links(
        self, case: CaseRow, links: list[CaseLink], connection: Connection
    ) -> list[dict[str, Any]]:
        unit = EncryptionUnit.of_case(case.case_id, case.opened_at)
        return [self.kept.link(link, unit, connection) for link in links]


def _counted_from(opened: OpenedCase, logged_at: str | None) -> OpenedCase:
    """Return a case dated by the log if the clock was behind it."""
    if logged_at is None:
        return opened
    return opened._replace(case=replace(opened.case, opened_at=datetime.fromisoformat(logged_at)))


def _tell_cases(connection: Connection, decision_ids: Sequence[str]) -> None:
    """Queue further decisions until their cases have received them."""
    columns = decisions.c
    told = select(
        columns.decision_id.label("record_id"),
        columns.subject_kind,
        columns.subject_id,
        columns.scored_at.label("received_at"),
    ).where(columns.decision_id.in_(decision_ids), columns.lane != "rescue")
    if decision_ids and (rows := connection.execute(told).mappings().all()):
        connection.execute(pending_news.insert(), [dict(row) for row in rows])


def _opened(
    connection: Connection, action: str, case_id: str, links: list[dict[str, Any]]
) -> AuditEvent:
    """Return the audit event of an opened or linked case, with a digest of all its links."""
    digest = {"links": links_digest(links)}
    return AuditEvent(now(connection), current_actor(), action, "case", case_id, digest)


def _among_inspections(case: CaseRow, connection: Connection) -> CaseRow:
    """Return a control case with the risk of a recent inspection.

    Its rank in the queue then does not reveal that it is a control.
    """
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
    # Derived from the id, so that a repeated attempt ranks the case alike.
    drawn = int.from_bytes(sha256(case.case_id.encode()).digest()[:8])
    return replace(case, risk=risks[drawn % len(risks)])
