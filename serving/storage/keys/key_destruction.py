"""Erasure: which units are due, which must stay for now, and the destruction of the keys of others.

A key of a day is destroyed with all units of that day, but for those that must stay: their own keys
are kept in its place, until a later run finds no reason any more. What lies elsewhere of destroyed
keys is wrapped under a key that is destroyed with them.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Engine,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from serving.audit.erasure import (
    DueForErasure,
    ErasedUnits,
    ErasureLimits,
    OutOfOrder,
    RetainedAfter,
    RetainedUnits,
)
from serving.audit.retention_log import RetentionAct
from serving.crypto.encryption import EncryptionUnit
from serving.integrity.audit_log import AuditEvent
from serving.review.cases.case_records import ENDED, ERASED
from serving.storage.engine import failing_as_unavailable
from serving.storage.keys.data_keys import DataKeys
from serving.storage.log_positions import CASE_TERMS
from serving.storage.log_times import out_of_order
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repositories.retention_repository import append_act, stored_acts
from serving.storage.tables.keys import data_keys
from serving.storage.tables.outgoing import distress_alerts, rescue_call_events, rescue_calls
from serving.storage.tables.review import (
    case_files,
    case_links,
    case_tags,
    case_terms,
    cases,
    contents,
    notices,
    saved_views,
)
from serving.storage.tables.scoring import (
    answers,
    decisions,
    kept_messages,
    message_subjects,
    records,
    ship_journeys,
)
from serving.storage.write_lock import turn_without_transaction, writing

# Rows that are deleted in one transaction.
TOGETHER = 5_000

_REWRITTEN = (
    *("data_keys", "answers", "case_links", "contents", "distress_alerts", "rescue_calls"),
    "state",
)
_OF_MESSAGES = ("kept_messages", "message_subjects")
_OF_SEARCHES = ("case_tags", "case_terms", "saved_views", "ship_journeys")


EVERYTHING = ErasureLimits(decisions="a", records="a")  # after any day


@dataclass(frozen=True)
class KeysOfDays:
    """Which keys of days and units a database has, and which it has destroyed."""

    alive: frozenset[str]
    destroyed: frozenset[str]

    @classmethod
    def from_database(cls, engine: Engine) -> Self:
        """Those of a database."""
        with failing_as_unavailable(), engine.connect() as connection:
            alive = _key_ids(connection, data_keys.c.wrapped.is_not(None))
            return cls(alive, _key_ids(connection, data_keys.c.wrapped.is_(None)))


class DatabaseErasure:
    """Erases units of one database. Every method raises LogUnavailable where the database fails."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._keys = DataKeys(engine)

    def subject_token(self, kind: str, subject_id: str) -> str:
        """The token by which retained units name a subject."""
        return self._keys.subject_token(kind, subject_id)

    def count_due(self, limits: ErasureLimits, retained: RetainedUnits) -> DueForErasure:
        """Count what an erasure would find; nothing is changed."""
        of_decisions = _alive_decisions(limits)
        with failing_as_unavailable(), self._engine.connect() as connection:
            return DueForErasure(
                decisions=_count(connection, decisions, of_decisions),
                records=_count(connection, records, _alive_records(limits)),
                open_cases=_count(connection, decisions, and_(of_decisions, _open_case())),
                frozen=_count(connection, decisions, and_(of_decisions, _frozen(retained))),
                held=_count(
                    connection, decisions, and_(of_decisions, _is_on_hold(decisions, retained))
                ),
                out_of_order=_count(
                    connection,
                    decisions,
                    and_(of_decisions, _is_out_of_order(retained, limits.decisions)),
                ),
            )

    def out_of_order(self, at: datetime | None) -> tuple[OutOfOrder, ...]:
        """Find what the clock dated wrongly, if `at` is the time; None where nobody says it is."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            return out_of_order(connection, at)

    def erased_of(self, decision_ids: Collection[str]) -> frozenset[str]:
        """Those of some decisions that were erased."""
        return self._those_of(decision_ids, _was_erased())

    def ending_of(
        self, decision_ids: Collection[str], limits: ErasureLimits, retained: RetainedUnits
    ) -> frozenset[str]:
        """Those of some decisions that were erased, or that an erasure would erase."""
        would_be = and_(_alive_decisions(limits), ~_must_stay(retained, limits))
        return self._those_of(decision_ids, or_(_was_erased(), would_be))

    def erase(
        self, limits: ErasureLimits, retained_after: RetainedAfter, act: RetentionAct
    ) -> ErasedUnits:
        """Destroy the keys of all that is due and need not stay, and say so in the same breath."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            retained = retained_after(stored_acts(connection))
            before = _counts(connection, limits)
            kept = self._keep(connection, _staying(connection, limits, retained))
            over = set(connection.scalars(select(data_keys.c.key_id).where(_is_over(limits))))
            destroyed = self._carried_out(connection, over - kept, len(kept), limits, act, before)
        self._keys.forget()
        return destroyed

    def erase_again(self, former: "KeysOfDays", act: RetentionAct) -> ErasedUnits:
        """Destroy the keys that the database which this is an older copy of has destroyed since.

        Units that were kept there are kept here; what is left of the others is deleted.
        """
        with failing_as_unavailable(), writing(self._engine) as connection:
            alive = _key_ids(connection, data_keys.c.wrapped.is_not(None))
            over = alive & former.destroyed
            before = _counts(connection, EVERYTHING)
            units = map(EncryptionUnit.of_key_id, sorted(former.alive - alive))
            kept = self._keep(connection, [unit for unit in units if unit and unit.day in over])
            destroyed = self._carried_out(connection, over, len(kept), EVERYTHING, act, before)
        self._keys.forget()
        self.sweep(EVERYTHING)
        self.compact()
        return destroyed

    def rewrap(self, event: AuditEvent) -> None:
        """Wrap every data key under a fresh wrapping key, then destroy the former ones.

        Whoever is killed between leaves a key that wraps nothing: the next sweep destroys it.
        """
        with failing_as_unavailable(), writing(self._engine) as connection:
            self._rewrap(connection)
            append_audit_events(connection, [event])
        self._keys.forget()
        self._drop_wrapping_keys()

    def sweep(self, limits: ErasureLimits) -> int:
        """Delete what is left of erased units, and the wrapping keys that wrap nothing any more.

        Finishes what a killed run began; how many rows were touched.
        """
        self._drop_wrapping_keys()
        return sum(self._tidy(leftover) for leftover in _leftovers(limits))

    def remove_masked_terms(self, before: str, retained: RetainedUnits) -> int:
        """Delete by what masked cases are found, and views that find nothing; how many rows."""
        is_masked = and_(cases.c.opened_at < before, ~_is_on_hold(decisions, retained))
        tidied = 0
        for table in (case_tags, case_terms):
            masked = (
                select(table.c.case_id)
                .join(cases, cases.c.case_id == table.c.case_id)
                .join(decisions, decisions.c.decision_id == table.c.case_id)
                .where(is_masked, ~_is_out_of_order(retained, before))
                .distinct()
                .order_by(table.c.case_id)
                .limit(TOGETHER)
            )
            tidied += self._tidy(delete(table).where(table.c.case_id.in_(masked)))
        tidied += self._tidy(_masked_journeys(before, retained))
        return tidied + self._tidy(_views_of_nothing())

    def index_again(self) -> None:
        """Let the service look through all cases for those that are to be found again."""
        newest = select(func.coalesce(func.max(cases.c.seq), 0))
        with failing_as_unavailable(), writing(self._engine) as connection:
            CASE_TERMS.move(connection, (connection.scalar(newest) or 0) + 1)

    def compact(self) -> None:
        """Let the database give back what deleted rows took, so that no page still holds them.

        Of a file no service may be running; PostgreSQL locks each table while it is rewritten.
        """
        if self._engine.dialect.name == "sqlite":
            self._compact_file()
            return
        alone = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with failing_as_unavailable(), alone.connect() as connection:
            connection.exec_driver_sql("SET statement_timeout = 0")
            for table in (*_REWRITTEN, *_OF_MESSAGES, *_OF_SEARCHES):
                connection.exec_driver_sql(f"VACUUM (FULL) {table}")
            connection.exec_driver_sql("CHECKPOINT")

    def _compact_file(self) -> None:
        with failing_as_unavailable(), turn_without_transaction(self._engine):
            connection = self._engine.raw_connection()  # others begin a transaction
            try:
                for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                    connection.cursor().execute(statement)
            finally:
                connection.close()

    def _those_of(
        self, decision_ids: Collection[str], where: ColumnElement[bool]
    ) -> frozenset[str]:
        among = decisions.c.decision_id.in_(sorted(decision_ids))
        with failing_as_unavailable(), self._engine.connect() as connection:
            return frozenset(
                connection.scalars(select(decisions.c.decision_id).where(among, where))
            )

    def _keep(self, connection: Connection, units: Iterable[EncryptionUnit]) -> set[str]:
        """The ids of the own keys of units, made of their days' where they had none."""
        kept, fresh = set(), []
        for unit in dict.fromkeys(units):  # a decision and its case are mostly one
            kept.add(unit.key_id)
            if (day_key := self._keys.read(connection, unit.day)) is not None:
                wrapping_id = self._keys.newest_wrapping(connection)
                fresh.append(self._keys.wrapped(unit.key_id, unit.key(day_key), wrapping_id))
        if fresh:
            connection.execute(data_keys.insert(), fresh)
        return kept

    def _carried_out(
        self,
        connection: Connection,
        over: Collection[str],
        kept: int,
        limits: ErasureLimits,
        act: RetentionAct,
        before: tuple[int, int],
    ) -> ErasedUnits:
        """Destroy keys, wrap the others anew, and store the act with what came of it."""
        _destroy(connection, over, act.at)
        after = _counts(connection, limits)
        destroyed = ErasedUnits(
            decisions=before[0] - after[0],
            records=before[1] - after[1],
            keys=len(over),
            kept=kept,
        )
        self._rewrap(connection)
        append_act(connection, act_with(act, destroyed))
        return destroyed

    def _rewrap(self, connection: Connection) -> None:
        """Wrap every key anew, under a wrapping key that nothing else was wrapped under."""
        wrapping_id = self._keys.wrapping.made()
        rows = connection.execute(select(data_keys).where(data_keys.c.wrapped.is_not(None))).all()
        wrapped = []
        for row in rows:
            key = self._keys.unwrapped(row.key_id, row.wrapping_id, row.wrapped)
            anew = self._keys.wrapped(row.key_id, key, wrapping_id)
            wrapped.append({f"new_{name}": value for name, value in anew.items()})
        if wrapped:
            connection.execute(
                update(data_keys)
                .where(data_keys.c.key_id == bindparam("new_key_id"))
                .values(wrapping_id=bindparam("new_wrapping_id"), wrapped=bindparam("new_wrapped")),
                wrapped,
            )

    def _drop_wrapping_keys(self) -> None:
        """In a turn: whoever makes a wrapping key has one until a row names it."""
        in_use = select(data_keys.c.wrapping_id).where(data_keys.c.wrapped.is_not(None)).distinct()
        with failing_as_unavailable(), writing(self._engine) as connection:
            named = set(connection.scalars(in_use))
            for key_id in set(self._keys.wrapping.ids()) - named:
                self._keys.wrapping.destroy(key_id)

    def _tidy(self, statement: Delete | Update) -> int:
        tidied = 0
        while True:
            with failing_as_unavailable(), writing(self._engine) as connection:
                count = connection.execute(statement).rowcount
            tidied += count
            if not count:
                return tidied


def act_with(act: RetentionAct, destroyed: ErasedUnits) -> RetentionAct:
    """The act, with what came of it."""
    return RetentionAct(
        act.at, act.action, act.by, act.because, {**act.details, "destroyed": vars(destroyed)}
    )


def _key_ids(connection: Connection, where: ColumnElement[bool]) -> frozenset[str]:
    return frozenset(connection.scalars(select(data_keys.c.key_id).where(where)))


def _destroy(connection: Connection, key_ids: Collection[str], at: str) -> None:
    if key_ids:
        connection.execute(
            update(data_keys)
            .where(data_keys.c.key_id == bindparam("over"))
            .values(wrapped=None, destroyed_at=at),
            [{"over": key_id} for key_id in sorted(key_ids)],
        )


def _is_over(limits: ErasureLimits) -> ColumnElement[bool]:
    """Keys of days, and of units, before the limits: a day's id comes before those of its units."""
    key_id = data_keys.c.key_id
    spans = (("decisions/", limits.decisions), ("records/", limits.records))
    over = or_(*(and_(key_id >= kind, key_id < f"{kind}{end}") for kind, end in spans))
    return and_(data_keys.c.wrapped.is_not(None), over)


def _day(kind: str, instant: ColumnElement[str]) -> ColumnElement[str]:
    return literal(f"{kind}/") + func.substr(instant, 1, 10)


def _has_key(day: ColumnElement[str], name: ColumnElement[str]) -> ColumnElement[bool]:
    key_id = data_keys.c.key_id
    return exists().where(
        or_(key_id == day, key_id == day + literal("/") + name), data_keys.c.wrapped.is_not(None)
    )


_DAY_OF_DECISION = _day("decisions", func.coalesce(decisions.c.logged_at, decisions.c.scored_at))
_DAY_OF_RECORD = _day("records", func.coalesce(records.c.logged_at, records.c.received_at))
_NAME_OF_RECORD = records.c.kind + literal("/") + records.c.record_id


def _is_before(
    at: ColumnElement[str], logged_at: ColumnElement[str | None], limit: str
) -> ColumnElement[bool]:
    """Whether a row counts from before a day; `logged_at` is never before `at`."""
    return and_(at < limit, or_(logged_at.is_(None), logged_at < limit))


def _is_old(limits: ErasureLimits) -> ColumnElement[bool]:
    return _is_before(decisions.c.scored_at, decisions.c.logged_at, limits.decisions)


def _is_old_record(limits: ErasureLimits) -> ColumnElement[bool]:
    return _is_before(records.c.received_at, records.c.logged_at, limits.records)


def _alive_decisions(limits: ErasureLimits) -> ColumnElement[bool]:
    return and_(
        _is_old(limits),
        decisions.c.encrypted.is_not(None),
        _has_key(_DAY_OF_DECISION, decisions.c.decision_id),
    )


def _was_erased() -> ColumnElement[bool]:
    return and_(
        decisions.c.encrypted.is_not(None),
        ~_has_key(_DAY_OF_DECISION, decisions.c.decision_id),
    )


def _alive_records(limits: ErasureLimits) -> ColumnElement[bool]:
    return and_(_is_old_record(limits), _has_key(_DAY_OF_RECORD, _NAME_OF_RECORD))


def _due_messages(limits: ErasureLimits) -> ColumnElement[bool]:
    day = kept_messages.c.key_day
    return or_(
        and_(day >= "decisions/", day < f"decisions/{limits.decisions}"),
        and_(day >= "records/", day < f"records/{limits.records}"),
    )


def _has_key_of_message() -> ColumnElement[bool]:
    return _has_key(kept_messages.c.key_day, literal("message/") + kept_messages.c.message_id)


def _open_case() -> ColumnElement[bool]:
    case = cases.alias()
    return exists().where(_is_about(case.c.case_id), case.c.status.not_in(ENDED))


def _is_about(case_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a decision is one of a case: of its subject, or the one that it was opened for."""
    return or_(case_id == decisions.c.rescores, case_id == decisions.c.decision_id)


def _frozen(retained: RetainedUnits) -> ColumnElement[bool]:
    return or_(
        literal(False), *(decisions.c.seq.between(*stretch) for stretch in retained.stretches)
    )


def _is_on_hold(table: Any, retained: RetainedUnits) -> ColumnElement[bool]:
    subject = tuple_(table.c.subject_kind, table.c.subject_id)
    return subject.in_(retained.subjects) if retained.subjects else literal(False)


def _is_out_of_order(retained: RetainedUnits, limit: str) -> ColumnElement[bool]:
    """Whether a decision is out of order, and must stay when what is before a day ends."""
    stretches = [
        decisions.c.seq.between(each.first, each.last)
        for each in retained.out_of_order
        if each.log == "decisions" and each.keeps_from(limit)
    ]
    return or_(literal(False), *stretches)


def _came_out_of_order(
    received_at: ColumnElement[str], retained: RetainedUnits, limit: str
) -> ColumnElement[bool]:
    """Whether something was received while entries of any log were dated wrongly."""
    spans = [
        received_at.between(each.earliest, each.latest)
        for each in retained.out_of_order
        if each.keeps_from(limit)
    ]
    return or_(literal(False), *spans)


def _is_retained(retained: RetainedUnits) -> ColumnElement[bool]:
    return or_(_open_case(), _frozen(retained), _is_on_hold(decisions, retained))


def _must_stay(retained: RetainedUnits, limits: ErasureLimits) -> ColumnElement[bool]:
    return or_(_is_retained(retained), _is_out_of_order(retained, limits.decisions))


def _staying(
    connection: Connection, limits: ErasureLimits, retained: RetainedUnits
) -> Iterator[EncryptionUnit]:
    """The units that are due and must stay.

    A record or a message stays as long as a decision on its subject, or on any of them.
    """
    must_stay = _must_stay(retained, limits)
    of_decisions = select(
        decisions.c.decision_id, func.coalesce(decisions.c.logged_at, decisions.c.scored_at)
    ).where(_alive_decisions(limits), must_stay)
    for decision_id, at in connection.execute(of_decisions).all():
        yield EncryptionUnit.of_decision(decision_id, at)
    of_cases = (  # which a later decision may have opened, on another day
        select(cases.c.case_id, cases.c.opened_at)
        .join(decisions, _is_about(cases.c.case_id))
        .where(cases.c.opened_at < limits.decisions, must_stay)
        .where(_has_key(_day("decisions", cases.c.opened_at), cases.c.case_id))
        .distinct()
    )
    for case_id, opened_at in connection.execute(of_cases).all():
        yield EncryptionUnit.of_decision(case_id, opened_at)
    decided = exists().where(
        decisions.c.subject_kind == records.c.subject_kind,
        decisions.c.subject_id == records.c.subject_id,
        must_stay,
    )
    came_at = func.coalesce(records.c.logged_at, records.c.received_at)
    came_wrong = _came_out_of_order(records.c.received_at, retained, limits.records)
    is_held = or_(decided, _is_on_hold(records, retained))
    of_records = select(records.c.kind, records.c.record_id, came_at).where(
        _alive_records(limits), or_(is_held, came_wrong)
    )
    for kind, token, at in connection.execute(of_records).all():
        yield EncryptionUnit.of_record(kind, token, at)
    of_subjects = (
        select(message_subjects.c.message_id)
        .outerjoin(
            decisions,
            and_(
                decisions.c.subject_kind == message_subjects.c.subject_kind,
                decisions.c.subject_id == message_subjects.c.subject_id,
            ),
        )
        .where(or_(must_stay, _is_on_hold(message_subjects, retained)))
    )
    of_messages = select(kept_messages.c.message_id, kept_messages.c.key_day).where(
        _due_messages(limits),
        _has_key_of_message(),
        or_(
            kept_messages.c.message_id.in_(of_subjects),
            _came_out_of_order(kept_messages.c.received_at, retained, limits.records),
        ),
    )
    for message_id, key_day in connection.execute(of_messages).all():
        yield EncryptionUnit.of_message(message_id, key_day)


def _counts(connection: Connection, limits: ErasureLimits) -> tuple[int, int]:
    return (
        _count(connection, decisions, _alive_decisions(limits)),
        _count(connection, records, _alive_records(limits)),
    )


def _count(connection: Connection, table: Any, where: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(where)) or 0


def _views_of_nothing() -> Delete:
    """Views that search for what no case names any more, as one whose case was erased."""
    finds = exists().where(
        case_terms.c.code.between(saved_views.c.first_code, saved_views.c.last_code)
    )
    return delete(saved_views).where(saved_views.c.first_code.is_not(None), ~finds)


def _masked_journeys(before: str, retained: RetainedUnits) -> Delete:
    """What is noted of masked journeys that were due by then: no ship is on them any more."""
    noted = ship_journeys.c
    held = [token for kind, token in retained.subjects if kind == "route"]
    is_over = and_(noted.noted_at < before, noted.due_at < before)
    return delete(ship_journeys).where(is_over, noted.journey_id.not_in(held))


def _unread_journeys(limits: ErasureLimits) -> Delete:
    """What is noted of journeys of which no decision and no record can be read any more."""
    decided = exists().where(
        decisions.c.subject_kind == "route",
        decisions.c.subject_id == ship_journeys.c.journey_id,
        _has_key(_DAY_OF_DECISION, decisions.c.decision_id),
    )
    received = exists().where(
        records.c.subject_kind == "route",
        records.c.subject_id == ship_journeys.c.journey_id,
        records.c.kind == "journeys",
        _has_key(_DAY_OF_RECORD, _NAME_OF_RECORD),
    )
    shipped = exists().where(
        decisions.c.subject_kind == "shipment",
        decisions.c.subject_id == ship_journeys.c.shipment_id,
        _has_key(_DAY_OF_DECISION, decisions.c.decision_id),
    )
    noted = ship_journeys.c
    is_due = noted.noted_at < max(limits.decisions, limits.records)
    unread = select(noted.journey_id).where(is_due, ~decided, ~received, ~shipped).distinct()
    some = unread.order_by(noted.journey_id).limit(TOGETHER)
    return delete(ship_journeys).where(noted.journey_id.in_(some))


def _erased_alerts(limits: ErasureLimits) -> Delete:
    """Alerts whose newest call was erased."""
    call = and_(records.c.kind == "positions", records.c.record_id == distress_alerts.c.record_id)
    alert_id = distress_alerts.c.alert_id
    erased = (
        select(alert_id)
        .join(records, call)
        .where(_is_old_record(limits), ~_has_key(_DAY_OF_RECORD, _NAME_OF_RECORD))
    )
    return delete(distress_alerts).where(alert_id.in_(erased.order_by(alert_id).limit(TOGETHER)))


def _leftovers(limits: ErasureLimits) -> Sequence[Delete | Update]:
    """What is done with some rows of each table that were erased, until none is left.

    What they say nobody can read. A case ends with the day of the decision that opened it, which
    may be a later one than that which it has its id of.
    """
    erased = and_(_is_old(limits), _was_erased())

    erased_case = _is_erased_case(limits)

    # In order, so that whoever asks twice in a transaction, as `written_rows`, has the same.
    def of_decisions(column: Any) -> Select[Any]:
        query = select(column).join(decisions, decisions.c.decision_id == column).where(erased)
        return query.distinct().order_by(column).limit(TOGETHER)

    def of_cases(column: Any) -> Select[Any]:
        query = select(column).join(cases, cases.c.case_id == column).where(erased_case)
        return query.distinct().order_by(column).limit(TOGETHER)

    places = (
        select(case_files.c.case_id + literal("/") + case_files.c.sha256)
        .join(cases, cases.c.case_id == case_files.c.case_id)
        .join(contents, contents.c.sha256 == case_files.c.case_id + "/" + case_files.c.sha256)
        .where(erased_case)
        .order_by(case_files.c.case_id, case_files.c.sha256)
        .limit(TOGETHER)
    )
    erased_messages = (
        select(kept_messages.c.message_id)
        .where(_due_messages(limits), ~_has_key_of_message())
        .order_by(kept_messages.c.message_id)
        .limit(TOGETHER)
    )
    return (
        delete(message_subjects).where(
            message_subjects.c.message_id.in_(
                erased_messages.where(
                    exists().where(message_subjects.c.message_id == kept_messages.c.message_id)
                )
            )
        ),
        delete(kept_messages).where(kept_messages.c.message_id.in_(erased_messages)),
        delete(answers).where(answers.c.decision_id.in_(of_decisions(answers.c.decision_id))),
        *(
            delete(table).where(table.c.case_id.in_(of_cases(table.c.case_id)))
            for table in (case_links, case_tags, case_terms, notices)
        ),
        _unread_journeys(limits),
        _views_of_nothing(),
        delete(saved_views).where(saved_views.c.saved_at < limits.decisions),
        delete(contents).where(contents.c.sha256.in_(places)),
        *(
            delete(table).where(table.c.decision_id.in_(of_decisions(table.c.decision_id)))
            for table in (rescue_calls, rescue_call_events)
        ),
        _erased_alerts(limits),
        # So that nobody is asked to read it again.
        update(cases).where(cases.c.case_id.in_(_newly_erased(limits))).values(status=ERASED),
    )


def _is_erased_case(limits: ErasureLimits, case: Any = cases) -> ColumnElement[bool]:
    """Return whether the key of a case is gone."""
    return and_(
        case.c.opened_at < limits.decisions,
        ~_has_key(_day("decisions", case.c.opened_at), case.c.case_id),
    )


def _newly_erased(limits: ErasureLimits) -> Select[str]:
    case = cases.alias()
    is_new = and_(_is_erased_case(limits, case), case.c.status != ERASED)
    return select(case.c.case_id).where(is_new).order_by(case.c.case_id).limit(TOGETHER)
