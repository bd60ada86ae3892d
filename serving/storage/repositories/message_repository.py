"""Trade messages as evidence, encrypted with the decisions or records made from them."""

import struct
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Engine,
    LargeBinary,
    Row,
    Select,
    and_,
    exists,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.exc import IntegrityError

from features.messages.stored_text import NO_TEXT, MessageText
from serving.access.acting import current_actor
from serving.crypto.encryption import EncryptionUnit
from serving.crypto.errors import LogMoved
from serving.errors import Conflict, Erased
from serving.history.kept_messages import CONTENT, KeptMessage
from serving.history.received_records import ReceivedRecord
from serving.integrity.audit_log import AuditEvent
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.message_list import MessageFilter, MessagePage
from serving.storage.encrypted_records import EncryptedRecords
from serving.storage.log_times import known_time, logged_at, newest_time, require_logged
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repositories.record_repository import RecordWriter
from serving.storage.repositories.visible_cases import is_visible
from serving.storage.repository import Repository
from serving.storage.tables.outgoing import distress_alerts
from serving.storage.tables.review import cases
from serving.storage.tables.scoring import decisions, kept_messages, message_subjects

_PART = "message"
# Messages may be large; reading them in parts bounds the memory of the driver.
_BYTES_AT_ONCE = 4 * 1024 * 1024
_COLUMNS = (
    *(each for each in kept_messages.c if each.name != "encrypted"),
    func.length(kept_messages.c.encrypted).label("size"),
)
# The length of the JSON content, stored before it; the text of the message follows.
_LENGTH = struct.Struct(">Q")
_IS_ABOUT = and_(
    message_subjects.c.subject_kind == decisions.c.subject_kind,
    message_subjects.c.subject_id == decisions.c.subject_id,
)


class MessageRepository(Repository):
    """The messages of one database."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._records = EncryptedRecords(self._keys)
        self._writer = RecordWriter(self._records)
        self._newest: str | None = None  # the time of the log when last read

    def keep(self, message: KeptMessage, records: Sequence[ReceivedRecord]) -> None:
        """Store a message with its new records: everything durably, or nothing.

        Raises Conflict if its idempotency key or the id of a record was used since they were looked
        up.
        """
        try:
            self._keep(message, records)
        # One retry suffices: the failed attempt has read the new key or the newer time.
        except LogMoved:
            self._keep(message, records)

    def _keep(self, message: KeptMessage, records: Sequence[ReceivedRecord]) -> None:
        ring = self._keys.token_keys.ring()
        kind = "decisions" if message.content.scored else "records"
        self._newest = known_time(self._engine, message.received_at, self._newest)
        behind = logged_at(message.received_at, self._newest)
        day = (behind or message.received_at)[:10]
        unit = EncryptionUnit.of_message(message.message_id, f"{kind}/{day}")
        content, text = CONTENT.dump_json(message.content), message.content.text.packed
        encrypted = self._keys.encrypt_joined(
            unit, _PART, [_LENGTH.pack(len(content)), content, text]
        )
        # Frees one copy of the content before the transaction begins.
        del content
        row = {
            "message_id": message.message_id,
            "caller_id": message.caller_id,
            "idempotency_key": self._keys.token(message.caller_id, message.idempotency_key),
            "received_at": message.received_at,
            "format": message.format,
            "key_day": unit.day,
            "encrypted": encrypted,
        }
        subjects = [
            {
                "message_id": message.message_id,
                "subject_kind": kind,
                "subject_id": self._keys.subject_token(kind, subject_id),
            }
            for kind, subject_id in message.content.subjects
        ]
        rows = self._records.encrypted_all(records, self._newest)
        try:
            with self._writing(but=IntegrityError) as connection:
                self._keys.token_keys.require(ring, connection)
                self._newest = newest_time(connection, message.received_at)
                require_logged([{**row, "logged_at": behind}, *rows.values()], self._newest)
                kept = self._writer.add(connection, records, rows)
                # The same record in two messages is no conflict; different content under one id is.
                if any(kept[each.key].body != each.body for each in records if each.key in kept):
                    raise Conflict(
                        "another record was stored under an id of this message meanwhile"
                    )
                connection.execute(kept_messages.insert(), [row])
                if subjects:
                    connection.execute(message_subjects.insert(), subjects)
                append_audit_events(connection, [_received(message)])
        except IntegrityError:
            raise Conflict("a message with this idempotency key was kept meanwhile") from None

    def under_key(self, caller_id: str, idempotency_key: str) -> KeptMessage | None:
        """Return what a caller sent under a key, without its text; None if unknown or erased."""
        tokens = self._keys.tokens(caller_id, idempotency_key)
        query = select(*_COLUMNS).where(
            kept_messages.c.caller_id == caller_id, kept_messages.c.idempotency_key.in_(tokens)
        )
        found = self._first(query)
        return None if found is None else _without_text(self._message(found, idempotency_key))

    def message(self, message_id: str) -> KeptMessage | None:
        """Return a message, or None if unknown. Raises Erased after its retention period."""
        found = self._first(_by_id(message_id))
        if found is None:
            return None
        message = self._message(found)
        if message is None:
            raise Erased(
                f"this message of {found.received_at[:10]} was erased when its time was over"
            )
        return message

    def about(self, subjects: Sequence[tuple[str, str]], limit: int) -> list[KeptMessage]:
        """Return the newest messages about subjects (kind, id) without their text, newest first."""
        query = (
            select(kept_messages.c.message_id)
            .where(kept_messages.c.message_id.in_(self._naming(*subjects)))
            .order_by(kept_messages.c.received_at.desc(), kept_messages.c.message_id)
            .limit(limit)
        )
        return self._without_texts(self._scalars(query))

    def page(self, wanted: MessageFilter, access: CaseAccess, limit: int) -> MessagePage:
        """Return a page of messages with a visible case; readers of all offices also see others."""
        columns = kept_messages.c.received_at, kept_messages.c.message_id
        query = select(*columns).where(_may_be_seen(access)).limit(limit + 1)
        if wanted.format is not None:
            query = query.where(kept_messages.c.format == wanted.format)
        if wanted.subject_id is not None:
            subjects = (("route", wanted.subject_id), ("shipment", wanted.subject_id))
            query = query.where(kept_messages.c.message_id.in_(self._naming(*subjects)))
        place = tuple_(*columns)
        if wanted.before is not None:
            query = query.where(place < wanted.before)
        newest = query.order_by(*(each.desc() for each in place.clauses))
        rows = self._rows(newest)
        kept = self._without_texts([row.message_id for row in rows[:limit]])
        last = rows[limit - 1] if len(rows) > limit else None
        return MessagePage(kept, None if last is None else (last.received_at, last.message_id))

    def _without_texts(self, message_ids: Sequence[str]) -> list[KeptMessage]:
        """Return the messages that were not erased, read one at a time since each may be large."""
        messages = []
        for message_id in message_ids:
            found = self._first(_by_id(message_id))
            message = None if found is None else _without_text(self._message(found))
            if message is not None:
                messages.append(message)
        return messages

    def _naming(self, *subjects: tuple[str, str]) -> Select[tuple[str]]:
        """Select the messages about any of these subjects (kind, id)."""
        named = [(kind, token) for kind, id_ in subjects for token in self._keys.tokens(kind, id_)]
        subject = tuple_(message_subjects.c.subject_kind, message_subjects.c.subject_id)
        return select(message_subjects.c.message_id).where(subject.in_(named))

    def alerted(self, subjects: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those subjects (kind, id) whose calls for help only rescuers see, as alerts."""
        routes = [each for each in subjects if each[0] == "route"]
        named = {token: each for each in routes for token in self._keys.tokens(*each)}
        query = select(distress_alerts.c.subject_id).distinct()
        with self._reading() as connection:
            found = connection.scalars(query.where(distress_alerts.c.subject_id.in_([*named])))
            return {named[token] for token in found}

    def decided_with(self, message_id: str) -> set[str]:
        """Return the decision ids of a message's subjects, which are the ids of possible cases."""
        query = (
            select(decisions.c.decision_id)
            .join(message_subjects, _IS_ABOUT)
            .where(message_subjects.c.message_id == message_id)
        )
        return set(self._scalars(query))

    def _encrypted(self, row: Row[tuple[object, ...]]) -> bytearray | None:
        """Return the encrypted content of a message; None if its row was deleted meanwhile.

        It is read in parts, since drivers hold several copies of what they read.
        """
        encrypted = bytearray()
        with self._reading() as connection:
            for start in range(1, row.size + 1, _BYTES_AT_ONCE):
                whole = kept_messages.c.encrypted
                part = func.substr(whole, start, _BYTES_AT_ONCE, type_=LargeBinary)
                is_it = kept_messages.c.message_id == row.message_id
                found = connection.scalar(select(part).where(is_it))
                if found is None:
                    return None
                encrypted += found
        return encrypted

    def _message(self, row: Row[tuple[object, ...]], key: str = "") -> KeptMessage | None:
        """Return the message of a row; None if it was erased."""
        unit = EncryptionUnit.of_message(row.message_id, row.key_day)
        encrypted = self._encrypted(row)
        decrypted = encrypted and self._keys.decrypt(unit, _PART, encrypted)
        if not decrypted:
            return None
        del encrypted
        whole = memoryview(decrypted)
        end = _LENGTH.size + _LENGTH.unpack_from(whole)[0]
        content = CONTENT.validate_json(decrypted[_LENGTH.size : end])
        return KeptMessage(
            message_id=row.message_id,
            caller_id=row.caller_id,
            idempotency_key=key,
            received_at=row.received_at,
            format=row.format,
            content=replace(content, text=MessageText(whole[end:])),
        )


def _without_text(message: KeptMessage | None) -> KeptMessage | None:
    if message is None:
        return None
    return replace(message, content=replace(message.content, text=NO_TEXT))


def _by_id(message_id: str) -> Select[tuple[object, ...]]:
    return select(*_COLUMNS).where(kept_messages.c.message_id == message_id)


def _may_be_seen(access: CaseAccess) -> ColumnElement[bool]:
    """Match messages with a case the reader may see; for all offices, those without a rescue.

    Messages that only contain calls for help, which rescuers see as alerts, are hidden too.
    """
    of_message = (
        select(cases.c.case_id)
        .join(decisions, decisions.c.decision_id == cases.c.case_id)
        .join(message_subjects, _IS_ABOUT)
        .where(message_subjects.c.message_id == kept_messages.c.message_id)
    )
    has_case = of_message.where(is_visible(access)).exists()
    if access.offices or access.is_rescue:
        return has_case
    has_rescue = of_message.where(cases.c.lane == "rescue").exists()
    of_call = exists().where(distress_alerts.c.subject_id == message_subjects.c.subject_id)
    subjects = exists().where(message_subjects.c.message_id == kept_messages.c.message_id)
    # Rescuers alone learn of calls by undeclared ships, so such a message shows nothing else.
    calls_alone = subjects.where(of_call) & ~subjects.where(~of_call)
    return or_(has_case, ~has_rescue & ~calls_alone)


def _received(message: KeptMessage) -> AuditEvent:
    details = {"format": message.format, "records": message.content.report["records"]}
    at = datetime.fromisoformat(message.received_at)
    return AuditEvent(at, current_actor(), "send_message", "message", message.message_id, details)
