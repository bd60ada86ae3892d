"""Erase expired units by destroying their keys, and keep the units that must stay.

Destroying the key of a day erases every unit of that day. A unit that must stay (an open case, a
hold, a frozen stretch of the log) first gets a key of its own, which lasts until a later run finds
no reason to keep it. All surviving keys are then wrapped under a new wrapping key and the old one
is destroyed, so a backup of the database alone cannot bring a destroyed key back.
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
    Text,
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
    type_coerce,
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
from serving.storage.engine import database_errors_as_503
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
from serving.storage.write_lock import turn_without_transaction, write_transaction

# Rows deleted in one transaction. Each batch takes the write lock anew, so that requests are not
# blocked for the length of a large erasure.
BATCH_SIZE = 5_000

# Tables that lose rows or hold encrypted content; `compact` rewrites each to drop its dead rows.
_REWRITTEN = (
    *("data_keys", "answers", "case_links", "contents", "distress_alerts", "rescue_calls"),
    "state",
)
_OF_MESSAGES = ("kept_messages", "message_subjects")
_OF_SEARCHES = ("case_tags", "case_terms", "saved_views", "ship_journeys")


# "a" sorts after every digit, so each stored date is before this limit.
EVERYTHING = ErasureLimits(decisions="a", records="a")  # after any day


@dataclass(frozen=True)
class KeysOfDays:
    """The ids of the day and unit keys that a database has and has destroyed."""

    alive: frozenset[str]
    destroyed: frozenset[str]

    @classmethod
    def from_database(cls, engine: Engine) -> Self:
        """Read the key ids of a database."""
        with database_errors_as_503(), engine.connect() as connection:
            alive = _key_ids(connection, data_keys.c.wrapped.is_not(None))
            return cls(alive, _key_ids(connection, data_keys.c.wrapped.is_(None)))


class DatabaseErasure:
    """The erasure of units of one database.

    Every method raises LogUnavailable if the database fails.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._keys = DataKeys(engine)

    def subject_token(self, kind: str, subject_id: str) -> str:
        """Return the token by which retained units name a subject."""
        return self._keys.subject_token(kind, subject_id)

    def count_due(self, limits: ErasureLimits, retained: RetainedUnits) -> DueForErasure:
        """Count the units that an erasure would find, without changing anything."""
        of_decisions = _alive_decisions(limits)
        with database_errors_as_503(), self._engine.connect() as connection:
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
        """Return the stretches that were dated wrongly if `at` is the true time.

        `at` is None if nobody has vouched for the time.
        """
        with database_errors_as_503(), self._engine.connect() as connection:
            return out_of_order(connection, at)

    def erased_of(self, decision_ids: Collection[str]) -> frozenset[str]:
        """Return those of the given decisions that were erased."""
        return self._those_of(decision_ids, _was_erased())

    def ending_of(
        self, decision_ids: Collection[str], limits: ErasureLimits, retained: RetainedUnits
    ) -> frozenset[str]:
        """Return those of the given decisions that were erased or that an erasure would erase."""
        would_be = and_(_alive_decisions(limits), ~_must_stay(retained, limits))
        return self._those_of(decision_ids, or_(_was_erased(), would_be))

    def erase(
        self, limits: ErasureLimits, retained_after: RetainedAfter, act: RetentionAct
    ) -> ErasedUnits:
        """Destroy the keys of everything due, and append the audit event in the same transaction.

        Units that must stay get keys of their own first.
        """
        with database_errors_as_503(), write_transaction(self._engine) as connection:
            # The acts are read under the write lock, so a hold placed at the same moment is seen.
            retained = retained_after(stored_acts(connection))
            before = _counts(connection, limits)
            kept = self._keep(connection, _staying(connection, limits, retained))
            over = set(connection.scalars(select(data_keys.c.key_id).where(_is_over(limits))))
            destroyed = self._carried_out(connection, over - kept, len(kept), limits, act, before)
        # Only after the commit: a rolled-back erasure must not lose the remembered keys.
        self._keys.forget()
        return destroyed

    def erase_again(self, former: "KeysOfDays", act: RetentionAct) -> ErasedUnits:
        """Destroy the keys that the newer database has destroyed since this copy was made.

        Units that kept a key of their own there keep one here. The rest is deleted, and the files
        are compacted.
        """
        with database_errors_as_503(), write_transaction(self._engine) as connection:
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
        """Wrap every data key under a new wrapping key, then destroy the former ones.

        If the process is killed in between, an unused wrapping key remains; the next sweep destroys
        it.
        """
        with database_errors_as_503(), write_transaction(self._engine) as connection:
            self._rewrap(connection)
            append_audit_events(connection, [event])
        self._keys.forget()
        self._drop_wrapping_keys()

    def sweep(self, limits: ErasureLimits) -> int:
        """Delete the remains of erased units and unused wrapping keys; return the rows touched.

        This completes what a killed run began.
        """
        self._drop_wrapping_keys()
        return sum(self._tidy(leftover) for leftover in _leftovers(limits))

    def remove_masked_terms(self, before: str, retained: RetainedUnits) -> int:
        """Delete search terms of masked cases and views without matches; return the row count."""
        is_masked = and_(_text(cases.c.opened_at) < before, ~_is_on_hold(decisions, retained))
        tidied = 0
        for table in (case_tags, case_terms):
            masked = (
                select(table.c.case_id)
                .join(cases, cases.c.case_id == table.c.case_id)
                .join(decisions, decisions.c.decision_id == table.c.case_id)
                .where(is_masked, ~_is_out_of_order(retained, before))
                .distinct()
                .order_by(table.c.case_id)
                .limit(BATCH_SIZE)
            )
            tidied += self._tidy(delete(table).where(table.c.case_id.in_(masked)))
        tidied += self._tidy(_masked_journeys(before, retained))
        return tidied + self._tidy(_views_of_nothing())

    def index_again(self) -> None:
        """Make the service examine all cases again, to index those that may be searched again.

        It moves the position of the search index to the end of the log.
        """
        newest = select(func.coalesce(func.max(cases.c.seq), 0))
        with database_errors_as_503(), write_transaction(self._engine) as connection:
            CASE_TERMS.move(connection, (connection.scalar(newest) or 0) + 1)

    def compact(self) -> None:
        """Reclaim the space of deleted rows, so that no page still holds them.

        No service may use a SQLite file meanwhile. PostgreSQL locks each table while it rewrites
        it.
        """
        if self._engine.dialect.name == "sqlite":
            self._compact_file()
            return
        # VACUUM cannot run inside a transaction.
        alone = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with database_errors_as_503(), alone.connect() as connection:
            # Rewriting a large table takes longer than the limit that protects requests.
            connection.exec_driver_sql("SET statement_timeout = 0")
            for table in (*_REWRITTEN, *_OF_MESSAGES, *_OF_SEARCHES):
                connection.exec_driver_sql(f"VACUUM (FULL) {table}")
            connection.exec_driver_sql("CHECKPOINT")

    def _compact_file(self) -> None:
        with database_errors_as_503(), turn_without_transaction(self._engine):
            connection = self._engine.raw_connection()  # others begin a transaction
            try:
                # The write-ahead log holds pages of deleted rows too, so it is emptied after the
                # file.
                for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                    connection.cursor().execute(statement)
            finally:
                connection.close()

    def _those_of(
        self, decision_ids: Collection[str], where: ColumnElement[bool]
    ) -> frozenset[str]:
        among = decisions.c.decision_id.in_(sorted(decision_ids))
        with database_errors_as_503(), self._engine.connect() as connection:
            return frozenset(
                connection.scalars(select(decisions.c.decision_id).where(among, where))
            )

    def _keep(self, connection: Connection, units: Iterable[EncryptionUnit]) -> set[str]:
        """Give each unit a key of its own if it has none, and return the ids of these keys.

        The key is derived from that of the day, which must not be destroyed yet.
        """
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
        """Destroy keys, rewrap the others, and store the act with its counts."""
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
        """Rewrap every key under a new wrapping key.

        The wrapping key must be new: the old one still opens destroyed keys in copies of the
        database.
        """
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
        """Destroy the wrapping keys that no row names.

        The write lock keeps out a process that has created a wrapping key but not yet stored a row
        that names it.
        """
        in_use = select(data_keys.c.wrapping_id).where(data_keys.c.wrapped.is_not(None)).distinct()
        with database_errors_as_503(), write_transaction(self._engine) as connection:
            named = set(connection.scalars(in_use))
            for key_id in set(self._keys.wrapping.ids()) - named:
                self._keys.wrapping.destroy(key_id)

    def _tidy(self, statement: Delete | Update) -> int:
        tidied = 0
        while True:
            with database_errors_as_503(), write_transaction(self._engine) as connection:
                count = connection.execute(statement).rowcount
            tidied += count
            if not count:
                return tidied


def act_with(act: RetentionAct, destroyed: ErasedUnits) -> RetentionAct:
    """Return the act with the counts of what it destroyed."""
    return RetentionAct(
        act.at, act.action, act.by, act.because, {**act.details, "destroyed": vars(destroyed)}
    )


def _key_ids(connection: Connection, where: ColumnElement[bool]) -> frozenset[str]:
    # `sorted` gives the statement a fixed order of rows, on which the audit event depends.
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
    """Match the live keys of days and units before the limits.

    The id of a day is a prefix of the ids of its units, so one range of strings finds both.
    """
    key_id = data_keys.c.key_id
    spans = (("decisions/", limits.decisions), ("records/", limits.records))
    over = or_(*(and_(key_id >= kind, key_id < f"{kind}{end}") for kind, end in spans))
    return and_(data_keys.c.wrapped.is_not(None), over)


def _text(instant: ColumnElement[datetime]) -> ColumnElement[str]:
    """Return an instant as stored, to compare it with a day."""
    return type_coerce(instant, Text)


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
    """Match rows from before a day; `logged_at` is never before `at`."""
    # Both are compared because a wrong clock may have dated a row early: the later date counts.
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
    """Match the decisions of a case: the one that opened it and later scores of its subject."""
    return or_(case_id == decisions.c.rescores, case_id == decisions.c.decision_id)


def _frozen(retained: RetainedUnits) -> ColumnElement[bool]:
    return or_(
        literal(False), *(decisions.c.seq.between(*stretch) for stretch in retained.stretches)
    )


def _is_on_hold(table: Any, retained: RetainedUnits) -> ColumnElement[bool]:
    subject = tuple_(table.c.subject_kind, table.c.subject_id)
    return subject.in_(retained.subjects) if retained.subjects else literal(False)


def _is_out_of_order(retained: RetainedUnits, limit: str) -> ColumnElement[bool]:
    """Match decisions dated out of order that must outlast an erasure up to `limit`."""
    stretches = [
        decisions.c.seq.between(each.first, each.last)
        for each in retained.out_of_order
        if each.log == "decisions" and each.keeps_from(limit)
    ]
    return or_(literal(False), *stretches)


def _came_out_of_order(
    received_at: ColumnElement[str], retained: RetainedUnits, limit: str
) -> ColumnElement[bool]:
    """Match what arrived while entries of any log were dated wrongly."""
    spans = [
        received_at.between(each.earliest, each.latest)
        for each in retained.out_of_order
        if each.keeps_from(limit)
    ]
    return or_(literal(False), *spans)


def _must_stay(retained: RetainedUnits, limits: ErasureLimits) -> ColumnElement[bool]:
    return or_(
        _open_case(),
        _frozen(retained),
        _is_on_hold(decisions, retained),
        _is_out_of_order(retained, limits.decisions),
    )


def _staying(
    connection: Connection, limits: ErasureLimits, retained: RetainedUnits
) -> Iterator[EncryptionUnit]:
    """Yield the units that are due but must stay.

    A record or a message stays as long as a decision on its subject, or on any of its subjects.
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
        .where(_text(cases.c.opened_at) < limits.decisions, must_stay)
        .where(_has_key(_day("decisions", cases.c.opened_at), cases.c.case_id))
        .distinct()
    )
    for case_id, opened_at in connection.execute(of_cases).all():
        yield EncryptionUnit.of_case(case_id, opened_at)
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
    """Delete views whose search matches no case, because those were erased or masked."""
    finds = exists().where(
        case_terms.c.code.between(saved_views.c.first_code, saved_views.c.last_code)
    )
    return delete(saved_views).where(saved_views.c.first_code.is_not(None), ~finds)


def _masked_journeys(before: str, retained: RetainedUnits) -> Delete:
    """Delete notes of masked journeys that were due before the day; holds keep theirs."""
    noted = ship_journeys.c
    held = [token for kind, token in retained.subjects if kind == "route"]
    is_over = and_(noted.noted_at < before, _text(noted.due_at) < before)
    return delete(ship_journeys).where(is_over, noted.journey_id.not_in(held))


def _unread_journeys(limits: ErasureLimits) -> Delete:
    """Delete notes of journeys whose decisions and records are all unreadable."""
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
    some = unread.order_by(noted.journey_id).limit(BATCH_SIZE)
    return delete(ship_journeys).where(noted.journey_id.in_(some))


def _erased_alerts(limits: ErasureLimits) -> Delete:
    """Delete alerts whose newest distress call was erased."""
    call = and_(records.c.kind == "positions", records.c.record_id == distress_alerts.c.record_id)
    alert_id = distress_alerts.c.alert_id
    erased = (
        select(alert_id)
        .join(records, call)
        .where(_is_old_record(limits), ~_has_key(_DAY_OF_RECORD, _NAME_OF_RECORD))
    )
    return delete(distress_alerts).where(alert_id.in_(erased.order_by(alert_id).limit(BATCH_SIZE)))


def _leftovers(limits: ErasureLimits) -> Sequence[Delete | Update]:
    """Return the statements that clear erased units, to be repeated until none finds a row.

    Their content is unreadable already. A case ends with the day of the decision that opened it,
    which may be later than that of the decision whose id it has.
    """
    erased = and_(_is_old(limits), _was_erased())

    erased_case = _is_erased_case(limits)

    # Ordered, because the row audit runs each selection before the statement does: with a limit and
    # no order, the two could pick different rows.
    def of_decisions(column: Any) -> Select[Any]:
        query = select(column).join(decisions, decisions.c.decision_id == column).where(erased)
        return query.distinct().order_by(column).limit(BATCH_SIZE)

    def of_cases(column: Any) -> Select[Any]:
        query = select(column).join(cases, cases.c.case_id == column).where(erased_case)
        return query.distinct().order_by(column).limit(BATCH_SIZE)

    places = (
        select(case_files.c.case_id + literal("/") + case_files.c.sha256)
        .join(cases, cases.c.case_id == case_files.c.case_id)
        .join(contents, contents.c.sha256 == case_files.c.case_id + "/" + case_files.c.sha256)
        .where(erased_case)
        .order_by(case_files.c.case_id, case_files.c.sha256)
        .limit(BATCH_SIZE)
    )
    erased_messages = (
        select(kept_messages.c.message_id)
        .where(_due_messages(limits), ~_has_key_of_message())
        .order_by(kept_messages.c.message_id)
        .limit(BATCH_SIZE)
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
        # A status of its own keeps the case out of the queue, so that nobody opens an unreadable
        # case.
        update(cases).where(cases.c.case_id.in_(_newly_erased(limits))).values(status=ERASED),
    )


def _is_erased_case(limits: ErasureLimits, case: Any = cases) -> ColumnElement[bool]:
    """Match cases whose key is destroyed."""
    return and_(
        _text(case.c.opened_at) < limits.decisions,
        ~_has_key(_day("decisions", case.c.opened_at), case.c.case_id),
    )


def _newly_erased(limits: ErasureLimits) -> Select[str]:
    case = cases.alias()
    is_new = and_(_is_erased_case(limits, case), case.c.status != ERASED)
    return select(case.c.case_id).where(is_new).order_by(case.c.case_id).limit(BATCH_SIZE)
