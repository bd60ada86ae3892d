"""Cases as stored: their content and that of their events is encrypted with their decision."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from serving.access.actors import Actor
from serving.crypto.encryption import EncryptionUnit
from serving.review.cases.case_records import (
    ERASED,
    NOTHING_LEFT,
    CaseLink,
    CaseRow,
    StoredEvent,
)
from serving.storage.keys.data_keys import DataKeys
from serving.storage.tables.review import cases

_OF_CASE = ("subject_id", "what", "why", "state")
_OF_EVENT = ("changed", "text")


@dataclass(frozen=True)
class EncryptedCases:
    """Converts cases, links and events to rows and back, under a database's keys."""

    keys: DataKeys

    def case(self, row: CaseRow, within: Connection) -> dict[str, Any]:
        """Return the row of a case, encrypted."""
        unit = EncryptionUnit.of_case(row.case_id, row.opened_at)
        kept = vars(row)
        return kept | {
            name: self.keys.encrypt_text(unit, f"case {name}", kept[name], within)
            for name in _OF_CASE
        }

    def of_case(self, row: Row[Any]) -> CaseRow:
        """Return a case; if it was erased, a bare one that reveals nothing about its subject."""
        kept = dict(row._mapping)
        for name in _OF_CASE:
            kept[name] = self.keys.decrypt_text(row.case_id, f"case {name}", kept[name])
        if kept["state"] is None:
            holder = row.owner and Actor(row.owner, row.owner_name)
            owner = holder and {"identity": holder.identity, "name": holder.name}
            # A minimal valid state lets every reader handle an erased case without a special path.
            bare = {"case_id": row.case_id, "status": "closed", "owner": owner}
            kept |= dict.fromkeys(_OF_CASE, ERASED) | {"state": orjson.dumps(bare).decode()}
        return CaseRow(**kept)

    def is_erased(self, case_id: str, opened_at: datetime, within: Connection) -> bool:
        """Return whether the key of a case is gone, so that nothing can be read or added."""
        return self.keys.unit_key(EncryptionUnit.of_case(case_id, opened_at), within) is None

    def link(self, row: CaseLink, unit: EncryptionUnit, within: Connection) -> dict[str, Any]:
        """Return the row of a link: a token to search by, and the encrypted value."""
        encrypted = self.keys.encrypt_text(unit, "link", row.value, within)
        stored = vars(row) | {"encrypted_value": encrypted}
        return stored | {"value": self.keys.token(row.kind, row.value)}

    def of_link(self, row: Row[Any]) -> CaseLink | None:
        """Return a link, or None if its case was erased."""
        value = row.value
        if row.encrypted_value is not None:
            value = self.keys.decrypt_text(row.case_id, "link", row.encrypted_value)
        return None if value is None else CaseLink(row.case_id, row.seq, row.kind, value, row.roles)

    def event(self, row: StoredEvent, within: Connection) -> dict[str, Any]:
        """Return the row of an event, encrypted and without its number."""
        unit = unit_of(within, row.case_id)
        return vars(row) | {
            name: self.keys.encrypt_text(unit, f"event {name}", getattr(row, name), within)
            for name in _OF_EVENT
        }

    def of_event(self, row: StoredEvent) -> StoredEvent:
        """Return an event; an erased one keeps only who did what and when."""
        changed, text = (
            self.keys.decrypt_text(row.case_id, f"event {name}", getattr(row, name))
            for name in _OF_EVENT
        )
        if changed is None or text is None:
            changed, text = NOTHING_LEFT
        return replace(row, changed=changed, text=text)


def unit_of(connection: Connection, case_id: str) -> EncryptionUnit:
    """Return the unit of a case, which is that of its decision."""
    return units_of(connection, [case_id])[case_id]


def units_of(connection: Connection, case_ids: Collection[str]) -> dict[str, EncryptionUnit]:
    """Return the units of cases, for encrypting their events."""
    if not case_ids:
        return {}
    # The unit depends on the day of opening, which may differ from that of the decision.
    query = select(cases.c.case_id, cases.c.opened_at).where(cases.c.case_id.in_(case_ids))
    found = connection.execute(query)
    return {case_id: EncryptionUnit.of_case(case_id, at) for case_id, at in found}
