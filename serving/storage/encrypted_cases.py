"""Cases as they are kept: what they and their events say is encrypted with their decision."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from serving.access.actors import Actor
from serving.crypto.encryption import EncryptionUnit
from serving.review.cases.case_records import (
    ERASED,
    NOTHING_LEFT,
    CaseLink,
    CaseRecord,
    StoredEvent,
)
from serving.storage.keys.data_keys import DataKeys
from serving.storage.tables.review import cases

_OF_CASE = ("subject_id", "what", "why", "state")
_OF_EVENT = ("changed", "text")


@dataclass(frozen=True)
class EncryptedCases:
    """Makes rows of cases, links and events, and reads them again, under a database's keys."""

    keys: DataKeys

    def case(self, row: CaseRecord, within: Connection) -> dict[str, Any]:
        """The row of a case as it is kept."""
        unit = EncryptionUnit.of_decision(row.case_id, row.opened_at)
        kept = vars(row)
        return kept | {
            name: self.keys.encrypt_text(unit, f"case {name}", kept[name], within)
            for name in _OF_CASE
        }

    def of_case(self, row: Row[Any]) -> CaseRecord:
        """A case; of an erased one what says nothing of its subject."""
        kept = dict(row._mapping)
        for name in _OF_CASE:
            kept[name] = self._decrypted(row.case_id, f"case {name}", kept[name])
        if kept["state"] is None:
            holder = row.owner and Actor.stored(row.owner, row.owner_name)
            owner = holder and {"identity": holder.identity, "name": holder.name}
            bare = {"case_id": row.case_id, "status": "closed", "owner": owner}
            kept |= dict.fromkeys(_OF_CASE, ERASED) | {"state": orjson.dumps(bare).decode()}
        return CaseRecord(**kept)

    def is_erased(self, case_id: str, opened_at: str, within: Connection) -> bool:
        """Whether nothing can be read of a case any more, nor added to it."""
        return self.keys.unit_key(EncryptionUnit.of_decision(case_id, opened_at), within) is None

    def link(self, row: CaseLink, unit: EncryptionUnit, within: Connection) -> dict[str, Any]:
        """The row of a link: a token that is searched for, and what it stands for."""
        encrypted = self.keys.encrypt_text(unit, "link", row.value, within)
        stored = vars(row) | {"encrypted_value": encrypted}
        return stored | {"value": self.keys.token(row.kind, row.value)}

    def of_link(self, row: Row[Any]) -> CaseLink | None:
        """A link; None where its case was erased."""
        value = row.value
        if row.encrypted_value is not None:
            value = self._decrypted(row.case_id, "link", row.encrypted_value)
        return None if value is None else CaseLink(row.case_id, row.seq, row.kind, value, row.roles)

    def event(self, row: StoredEvent, within: Connection) -> dict[str, Any]:
        """The row of an event as it is kept, but for its place."""
        unit = unit_of(within, row.case_id)
        return vars(row) | {
            name: self.keys.encrypt_text(unit, f"event {name}", getattr(row, name), within)
            for name in _OF_EVENT
        }

    def of_event(self, row: StoredEvent) -> StoredEvent:
        """An event; of an erased one who did what and when."""
        changed, text = (
            self._decrypted(row.case_id, f"event {name}", getattr(row, name)) for name in _OF_EVENT
        )
        if changed is None or text is None:
            changed, text = NOTHING_LEFT
        return replace(row, changed=changed, text=text)

    def _decrypted(self, case_id: str, part: str, text: str) -> str | None:
        return self.keys.decrypt_text(case_id, part, text)


def unit_of(connection: Connection, case_id: str) -> EncryptionUnit:
    """The unit of a case, which is that of its decision."""
    return units_of(connection, [case_id])[case_id]


def units_of(connection: Connection, case_ids: Collection[str]) -> dict[str, EncryptionUnit]:
    """The units of cases, which whatever happens happens to."""
    if not case_ids:
        return {}
    query = select(cases.c.case_id, cases.c.opened_at).where(cases.c.case_id.in_(case_ids))
    found = connection.execute(query)
    return {case_id: EncryptionUnit.of_decision(case_id, at) for case_id, at in found}
