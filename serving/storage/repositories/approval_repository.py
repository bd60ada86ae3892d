"""Approvals: keys, proposed acts, answers and used approvals; rows are only appended.

Each act of a person is stored with its audit event in one transaction. A key counts only if the
audit log also has its registration. A revocation or a use in the audit log counts even if no table
has it: a person who edits tables cannot undo either.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.exc import IntegrityError

from features.person_names import may_be_one_person
from serving.access.actors import Actor
from serving.access.approvals import (
    ActKind,
    GivenApproval,
    Part,
    ProposedAct,
    RegisteredKey,
    public_key_id,
    signer_of,
)
from serving.access.errors import ApprovalRefused
from serving.integrity.audit_log import AuditEvent
from serving.storage.engine import database_errors_as_503
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.row_audit.audit_chain import events_about
from serving.storage.tables.access import (
    accounts,
    approval_keys,
    approvals,
    proposed_acts,
    revoked_approval_keys,
    used_approvals,
)
from serving.storage.tables.audit import audit_events
from serving.storage.write_lock import write_transaction

BEGIN_LIVE_USE = "begin_live_use"
SEAT_ACTIONS = ("promote", "roll_back", "shadow")


@dataclass(frozen=True)
class PendingAct:
    """An act that waits for two persons, with its evidence and the answers so far."""

    act: ProposedAct
    evidence: Mapping[str, Any]
    proposed_at: datetime
    proposed_by: str
    answers: tuple["GivenAnswer", ...] = ()


@dataclass(frozen=True)
class GivenAnswer:
    """An answer of one person to a proposed act."""

    account: str
    part: str
    is_agreed: bool
    given_at: datetime


class ApprovalRepository(Repository):
    """The approvals of one database."""

    # Keys

    def register_key(self, account: str, public_key: bytes, by: Actor, at: datetime) -> str:
        """Register the public half of a person's key to an account; return the key's id.

        Raises ApprovalRefused for an unknown account, a second live key or an already registered
        key.
        """
        key_id = public_key_id(public_key)
        row = {
            "key_id": key_id,
            "account": account,
            "public_key": public_key.hex(),
            "registered_at": at,
            "registered_by": by.identity,
        }
        details = {"account": account, "public_key": public_key.hex()}
        event = AuditEvent(at, by, "register_approval_key", "approval_key", key_id, details)
        with self._writing(but=ApprovalRefused) as connection:
            _require_account(connection, account)
            _require_no_other(connection, account, key_id)
            connection.execute(approval_keys.insert(), row)
            append_audit_events(connection, [event])
        return key_id

    def revoke_key(self, account: str, by: Actor, at: datetime) -> str:
        """End the live key of an account; return the key's id.

        Raises ApprovalRefused if there is none.
        """
        with self._writing(but=ApprovalRefused) as connection:
            live = [key for key in _keys(connection, account=account) if key.revoked_at is None]
            if not live:
                raise ApprovalRefused(f"{account} has no key that counts")
            (key,) = live
            row = {"key_id": key.key_id, "revoked_at": at, "revoked_by": by.identity}
            connection.execute(revoked_approval_keys.insert(), row)
            event = AuditEvent(
                at, by, "revoke_approval_key", "approval_key", key.key_id, {"account": account}
            )
            append_audit_events(connection, [event])
        return key.key_id

    def key(self, key_id: str) -> RegisteredKey | None:
        """Return a registered key, revoked or not; None if the audit log lacks its registration."""
        with self._reading() as connection:
            found = _keys(connection, key_id=key_id)
            if not found or not _is_audited(connection, found[0]):
                return None
            return _as_revoked(connection, found[0])

    def keys(self) -> list[RegisteredKey]:
        """Return every key that was ever registered, oldest first."""
        with self._reading() as connection:
            return _keys(connection)

    # Acts that wait

    def propose(
        self, act: ProposedAct, evidence: Mapping[str, Any], by: Actor, at: datetime
    ) -> None:
        """Propose an act to two persons; an act already proposed stays unchanged."""
        row = {
            "act_id": act.act_id,
            "act": act.model_dump_json(),
            "evidence": dict(sorted(evidence.items())),
            "proposed_at": at,
            "proposed_by": by.identity,
        }
        event = AuditEvent(at, by, "propose_act", "act", act.act_id, _said(act))
        known = select(proposed_acts.c.act_id).where(proposed_acts.c.act_id == act.act_id)
        with self._writing() as connection:
            if connection.execute(known).first() is None:
                connection.execute(proposed_acts.insert(), row)
                append_audit_events(connection, [event])

    def pending(self, act_id: str) -> PendingAct | None:
        """Return a proposed act with its answers, or None."""
        query = select(proposed_acts).where(proposed_acts.c.act_id == act_id)
        with self._reading() as connection:
            row = connection.execute(query).first()
            return _pending(connection, row) if row else None

    def newest_pending(self, limit: int) -> list[PendingAct]:
        """Return the newest proposed acts that were not done yet, newest first."""
        done = (
            select(approvals.c.act_id)
            .join(used_approvals, used_approvals.c.approval_id == approvals.c.approval_id)
            .where(approvals.c.act_id == proposed_acts.c.act_id)
            .exists()
        )
        query = (
            select(proposed_acts).where(~done).order_by(proposed_acts.c.proposed_at.desc())
        ).limit(limit)
        with self._reading() as connection:
            return [_pending(connection, row) for row in connection.execute(query).all()]

    # Approvals

    def answer(
        self, act_id: str, account: str, by: Actor, at: datetime, *, is_agreed: bool
    ) -> Part | None:
        """Store an answer from the console; return the part, or None for a refusal.

        The first person to agree is the proposer, the next the approver. Raises ApprovalRefused for
        an act that was not proposed or a person who has answered.
        """
        with self._writing(but=ApprovalRefused) as connection:
            row = connection.execute(
                select(proposed_acts).where(proposed_acts.c.act_id == act_id)
            ).first()
            if row is None:
                raise ApprovalRefused("no such act waits for approval")
            pending = _pending(connection, row, now=at)
            part = _next_part(pending, account, is_agreed=is_agreed)
            given = GivenApproval.of(pending.act, part, at, account=account)
            _keep(connection, given, account, is_agreed=is_agreed)
            action = "give_approval" if is_agreed else "withhold_approval"
            append_audit_events(connection, [_event(at, by, action, given, account)])
        return part if is_agreed else None

    def given_in_console(self, act: ProposedAct, now: datetime) -> tuple[GivenApproval, ...]:
        """Return the unused, unexpired approvals of an act given in the console."""
        query = select(approvals).where(approvals.c.act_id == act.act_id)
        with self._reading() as connection:
            rows = connection.execute(query).all()
            used = _used_among(connection, [row.approval_id for row in rows])
        # A signed approval is a file that its holder presents; the console vouches for the others
        # only.
        unused = (row for row in rows if row.is_agreed and row.approval_id not in used)
        found = [GivenApproval.parse(row.document) for row in unused]
        return tuple(each for each in found if not each.is_signed and now < each.expires_at)

    def is_given(self, approval: GivenApproval) -> bool:
        """Return whether the table and the audit log both have this approval from the console."""
        query = select(approvals.c.document).where(
            approvals.c.approval_id == approval.approval_id,
            approvals.c.account == approval.account,
            approvals.c.is_agreed == 1,
        )
        audited = events_about("approval", approval.approval_id, "give_approval").where(
            audit_events.c.actor == f"account:{approval.account}"
        )
        # Both must agree: a row inserted into the table alone grants nothing.
        with self._reading() as connection:
            is_kept = connection.execute(query).first() is not None
            return is_kept and connection.execute(audited).first() is not None

    def is_used(self, approval_id: str) -> bool:
        """Return whether an approval was used, by the table or the audit log."""
        with self._reading() as connection:
            return bool(_used_among(connection, [approval_id]))

    def used_for(self, act: ProposedAct) -> tuple[GivenApproval, ...]:
        """Return the approvals last used for an act, one for each part; empty if none were."""
        query = (
            select(approvals.c.approval_id, approvals.c.document)
            .outerjoin(used_approvals, used_approvals.c.approval_id == approvals.c.approval_id)
            .where(approvals.c.act_id == act.act_id)
            .order_by(used_approvals.c.used_at)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
            used = _used_among(connection, [row.approval_id for row in rows])
        found = (GivenApproval.parse(row.document) for row in rows if row.approval_id in used)
        return tuple({each.part: each for each in found}.values())

    def used_of(self, kind: ActKind, object_id: str) -> list[GivenAnswer]:
        """Return the answers of approvals that were used for acts of a kind on an object."""
        # Quotation marks within values are escaped, so this can match nothing but the act.
        said = json.dumps({"kind": kind, "object_id": object_id}, separators=(",", ":"))[:-1]
        query = (
            select(approvals)
            .join(used_approvals, used_approvals.c.approval_id == approvals.c.approval_id)
            .where(approvals.c.document.contains(f'"act":{said},', autoescape=True))
            .order_by(approvals.c.given_at)
        )
        return [
            GivenAnswer(row.account, row.part, row.is_agreed, row.given_at)
            for row in self._rows(query)
        ]

    @contextmanager
    def using(
        self, documents: Sequence[GivenApproval], by: Actor, at: datetime, *events: AuditEvent
    ) -> Iterator[None]:
        """Use approvals up while the block performs their act: both are written, or neither.

        Raises ApprovalRefused if one of them was used meanwhile.
        """
        with database_errors_as_503(but=(ApprovalRefused, OSError)):
            try:
                with write_transaction(self._engine) as connection:
                    for given in documents:
                        self._use(connection, given, by, at)
                    append_audit_events(connection, events)
                    yield
            except IntegrityError:
                raise ApprovalRefused("an approval was used already; sign anew") from None

    def _use(self, connection: Connection, given: GivenApproval, by: Actor, at: datetime) -> None:
        account = signer_of(given, self)
        used = {
            "approval_id": given.approval_id,
            "used_at": at,
            "used_by": by.identity,
        }
        if given.is_signed:
            _keep(connection, given, account, is_agreed=True)
        connection.execute(used_approvals.insert(), used)
        append_audit_events(connection, [_event(at, by, "use_approval", given, account)])

    # Seats and live use

    def seated(self, name: str, role: str) -> str | None:
        """Return the pointer digest that the newest act on a slot wrote; None without any."""
        acts = events_about("seat", f"{name}@{role}", *SEAT_ACTIONS)
        newest = acts.order_by(audit_events.c.seq.desc()).limit(1)
        found = self._first(newest)
        return None if found is None else str(found.details.get("pointer"))

    def begin_live_use(self, by: Actor, at: datetime) -> None:
        """Record, once, that decisions count from now on."""
        event = AuditEvent(at, by, BEGIN_LIVE_USE, "installation", "live")
        with self._writing() as connection:
            if not _is_live(connection):
                append_audit_events(connection, [event])

    def is_live_use(self) -> bool:
        """Return whether decisions of this database have ever counted."""
        with self._reading() as connection:
            return _is_live(connection)


def _is_live(connection: Connection) -> bool:
    query = events_about("installation", "live", BEGIN_LIVE_USE)
    return connection.execute(query).first() is not None


def _keys(connection: Connection, **wanted: str) -> list[RegisteredKey]:
    joined = approval_keys.outerjoin(
        revoked_approval_keys, revoked_approval_keys.c.key_id == approval_keys.c.key_id
    )
    query = select(approval_keys, revoked_approval_keys.c.revoked_at).select_from(joined)
    for name, value in wanted.items():
        query = query.where(approval_keys.c[name] == value)
    rows = connection.execute(query.order_by(approval_keys.c.registered_at)).all()
    return [RegisteredKey(**row._mapping) for row in rows]


def _is_audited(connection: Connection, key: RegisteredKey) -> bool:
    wanted = {"account": key.account, "public_key": key.public_key}
    registered = events_about("approval_key", key.key_id, "register_approval_key")
    return any(wanted.items() <= row.details.items() for row in connection.execute(registered))


def _as_revoked(connection: Connection, key: RegisteredKey) -> RegisteredKey:
    """Return the key, marked as revoked if the audit log says so and the table does not."""
    revoked = events_about("approval_key", key.key_id, "revoke_approval_key")
    first = connection.execute(revoked.order_by(audit_events.c.seq)).first()
    return key if first is None or key.revoked_at else replace(key, revoked_at=first.at)


def _used_among(connection: Connection, approval_ids: Sequence[str]) -> set[str]:
    """Return the used approvals, by the table or the log: deleting from one does not undo a use."""
    in_table = select(used_approvals.c.approval_id).where(
        used_approvals.c.approval_id.in_(approval_ids)
    )
    in_log = select(audit_events.c.object_id).where(
        audit_events.c.object_kind == "approval",
        audit_events.c.object_id.in_(approval_ids),
        audit_events.c.action == "use_approval",
    )
    return {*connection.scalars(in_table), *connection.scalars(in_log)}


def _require_account(connection: Connection, name: str) -> None:
    query = select(accounts.c.disabled_at).where(accounts.c.name == name)
    row = connection.execute(query).first()
    if row is None or row.disabled_at is not None:
        raise ApprovalRefused(f"{name} has no account in use; `tidegate accounts create` makes one")


def _require_no_other(connection: Connection, account: str, key_id: str) -> None:
    if _keys(connection, key_id=key_id):
        raise ApprovalRefused(
            "this key was registered before; each person makes a key of their own"
        )
    if any(key.revoked_at is None for key in _keys(connection, account=account)):
        raise ApprovalRefused(
            f"{account} has a key; `tidegate accounts change {account} --end-approval-key` "
            "ends it first"
        )


def _next_part(pending: PendingAct, account: str, *, is_agreed: bool) -> Part:
    # Similar names may be one person with two accounts, and an act takes two persons.
    if any(may_be_one_person(each.account, account) for each in pending.answers):
        raise ApprovalRefused(f"{account} has answered; another person must")
    agreed = {each.part for each in pending.answers if each.is_agreed}
    if is_agreed and {"proposer", "approver"} <= agreed:
        raise ApprovalRefused("two persons agreed to it already")
    return "approver" if "proposer" in agreed else "proposer"


def _keep(connection: Connection, given: GivenApproval, account: str, *, is_agreed: bool) -> None:
    row = {
        "approval_id": given.approval_id,
        "act_id": given.act.act_id,
        "account": account,
        "part": given.part,
        "is_agreed": is_agreed,
        "given_at": given.given_at,
        "document": given.model_dump_json(),
    }
    connection.execute(approvals.insert(), row)


def _event(at: datetime, by: Actor, action: str, given: GivenApproval, account: str) -> AuditEvent:
    document = hashlib.sha256(given.model_dump_json().encode()).hexdigest()
    details = {
        **_said(given.act),
        "act": given.act.act_id,
        "account": account,
        "part": given.part,
        "key": given.key_id,
        "document": document,
    }
    return AuditEvent(at, by, action, "approval", given.approval_id, details)


def _said(act: ProposedAct) -> dict[str, Any]:
    """Return the audit details of an act: its object, and no text written by a person."""
    return {
        "kind": act.kind,
        "object": act.object_id,
        "version": act.version,
        "digest": act.digest,
        "gates": list(act.gates),
    }


def _pending(connection: Connection, row: Row[Any], now: datetime | None = None) -> PendingAct:
    # Used approvals are left out: an act done once needs new approvals to be done again.
    unused = approvals.c.approval_id.not_in(select(used_approvals.c.approval_id))
    query = select(approvals).where(approvals.c.act_id == row.act_id, unused)
    given = connection.execute(query.order_by(approvals.c.given_at)).all()
    return PendingAct(
        act=ProposedAct.model_validate_json(row.act),
        evidence=row.evidence,
        proposed_at=row.proposed_at,
        proposed_by=row.proposed_by,
        answers=tuple(
            GivenAnswer(each.account, each.part, each.is_agreed, each.given_at)
            for each in given
            if now is None or now < GivenApproval.parse(each.document).expires_at
        ),
    )
