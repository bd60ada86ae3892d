"""The tags of cases: searchable rows derived from the encrypted state of the cases."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, select, true

from serving.crypto.encryption import EncryptionUnit
from serving.review.cases.case_records import CaseAccess, CaseRow
from serving.storage.encrypted_cases import EncryptedCases
from serving.storage.repositories.visible_cases import is_visible
from serving.storage.tables.review import case_tags, cases

_PART = "tag"
# Tags of the newest cases examined to list the tags in use.
_LOOKED_AT = 500


@dataclass(frozen=True)
class CaseTags:
    """Stores the tags of cases and finds cases by them, under a database's keys."""

    cases: EncryptedCases

    def follow(self, connection: Connection, before: CaseRow, after: CaseRow) -> None:
        """Update the tags of a case after a change."""
        # Most acts leave the tags alone, and rewriting them needs encryption.
        if _stated(after) != _stated(before):
            self.keep(connection, after)

    def keep(self, connection: Connection, case: CaseRow) -> None:
        """Replace the stored tags of a case by those in its state."""
        connection.execute(delete(case_tags).where(case_tags.c.case_id == case.case_id))
        if rows := [self._row(connection, case, tag) for tag in _stated(case)]:
            connection.execute(case_tags.insert(), rows)

    def are_had(self, tag: str | None) -> ColumnElement[bool]:
        """Match cases with a tag; None matches every case."""
        if tag is None:
            return true()
        is_it = case_tags.c.token.in_(self.cases.keys.tokens(_PART, tag))
        return cases.c.case_id.in_(select(case_tags.c.case_id).where(is_it))

    def in_use(self, connection: Connection, access: CaseAccess, limit: int) -> list[str]:
        """Return the distinct tags of the newest visible cases, sorted."""
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

    def _row(self, connection: Connection, case: CaseRow, tag: str) -> dict[str, Any]:
        unit = EncryptionUnit.of_case(case.case_id, case.opened_at)
        return {
            "case_id": case.case_id,
            "token": self.cases.keys.token(_PART, tag),
            "seq": case.seq,
            "encrypted_tag": self.cases.keys.encrypt_text(unit, _PART, tag, connection),
        }


def _stated(case: CaseRow) -> list[str]:
    tags: list[str] = json.loads(case.state).get("tags", [])
    return tags
