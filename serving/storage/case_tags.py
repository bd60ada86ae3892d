"""The tags of cases: rows by which they are found, made of what the cases themselves state."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, select, true

from serving.crypto.encryption import EncryptionUnit
from serving.review.cases.case_records import CaseAccess, CaseRecord
from serving.storage.encrypted_cases import EncryptedCases
from serving.storage.repositories.visible_cases import is_visible
from serving.storage.tables.review import case_tags, cases

_PART = "tag"
# Tags of the newest cases that are looked at for those in use.
_LOOKED_AT = 500


@dataclass(frozen=True)
class CaseTags:
    """Keeps the tags of cases and finds cases by them, under a database's keys."""

    cases: EncryptedCases

    def follow(self, connection: Connection, before: CaseRecord, after: CaseRecord) -> None:
        """Let a case be found by the tags that it has now."""
        if _stated(after) != _stated(before):
            self.keep(connection, after)

    def keep(self, connection: Connection, case: CaseRecord) -> None:
        """Write the tags that a case states, in place of any before."""
        connection.execute(delete(case_tags).where(case_tags.c.case_id == case.case_id))
        if rows := [self._row(connection, case, tag) for tag in _stated(case)]:
            connection.execute(case_tags.insert(), rows)

    def are_had(self, tag: str | None) -> ColumnElement[bool]:
        """Whether a case has a tag; None lets every case through."""
        if tag is None:
            return true()
        is_it = case_tags.c.token.in_(self.cases.keys.tokens(_PART, tag))
        return cases.c.case_id.in_(select(case_tags.c.case_id).where(is_it))

    def in_use(self, connection: Connection, access: CaseAccess, limit: int) -> list[str]:
        """The tags of the newest cases that may be seen, each once, in order."""
        newest = (
            select(case_tags)
            .join(cases, cases.c.case_id == case_tags.c.case_id)
            .where(is_visible(access))
            .order_by(case_tags.c.seq.desc())
            .limit(_LOOKED_AT)
        )
        by_token: dict[str, Row[Any]] = {}
        for row in connection.execute(newest).all():
            by_token.setdefault(row.token, row)
        found = (
            self.cases.keys.decrypt_text(row.case_id, _PART, row.encrypted_tag)
            for row in by_token.values()
        )
        return sorted([*dict.fromkeys(tag for tag in found if tag is not None)][:limit])

    def _row(self, connection: Connection, case: CaseRecord, tag: str) -> dict[str, Any]:
        unit = EncryptionUnit.of_decision(case.case_id, case.opened_at)
        return {
            "case_id": case.case_id,
            "token": self.cases.keys.token(_PART, tag),
            "seq": case.seq,
            "encrypted_tag": self.cases.keys.encrypt_text(unit, _PART, tag, connection),
        }


def _stated(case: CaseRecord) -> list[str]:
    tags: list[str] = json.loads(case.state).get("tags", [])
    return tags
