"""Entities in cases: from a token to its value, and to the cases that name it.

The statements are text, as in `shared_links`, with one part for each office of the reader. Each
part is a range of an index on the reader's side and office. Neither the result nor the time it
takes reveals anything about other cases.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from serving.crypto.prefix_codes import MIN_SYMBOLS, prefix_code
from serving.review.cases.case_records import ERASED, CaseAccess
from serving.review.search.entities import (
    ENTITY_KINDS,
    EntityLink,
    EntityReference,
    NamedEntity,
    Naming,
    roles_as,
)
from serving.review.search.search_terms import normalised
from serving.storage.repository import Repository
from serving.storage.search_index import TERM_PART
from serving.storage.shared_links import SAME_THING
from serving.storage.tables.review import case_links, cases

# Cases tried to decrypt the value of a token: the newest may be erased.
MAX_TRIED = 50

_OFFICES_TOGETHER = 100

# The entity kind under which a link of each kind is listed.
_KINDS = {linked: kind for kind in ENTITY_KINDS for linked in SAME_THING[kind]}

_OF_OFFICE = (
    "SELECT * FROM (SELECT case_id, minus_seq, names, encrypted_value FROM case_terms "
    "WHERE is_rescue = 0 {office} AND code = ? ORDER BY minus_seq {order} LIMIT {limit}) AS found"
)


class EntityRepository(Repository):
    """The entities of one database."""

    def value(self, reference: EntityReference) -> str | None:
        """Return the value of a token; None if no readable case names it."""
        with self._reading() as connection:
            for kind in SAME_THING[reference.kind]:  # each in the order of its index
                is_it = and_(case_links.c.kind == kind, case_links.c.value == reference.token)
                query = select(case_links).where(is_it).order_by(case_links.c.seq.desc())
                for link in map(self._cases.of_link, connection.execute(query.limit(MAX_TRIED))):
                    # A link from before encryption has the value itself in place of a token, which
                    # must not be looked up as one.
                    if link and reference.token in self._cases.keys.tokens(kind, link.value):
                        return link.value
        return None

    def namings(
        self, access: CaseAccess, entity: NamedEntity, limit: int, *, is_oldest: bool = False
    ) -> list[Naming]:
        """Return the newest or oldest visible cases that name an entity, rescues excluded.

        Containers and conveyances match whatever their spelling; a party must match exactly.
        """
        symbols = normalised(entity.value)
        if len(symbols) < MIN_SYMBOLS:
            return []
        with self._reading() as connection:
            code = prefix_code(self._cases.keys.token_keys.search_key(connection), symbols)
            terms = _terms(connection, access, code, limit, is_oldest=is_oldest)
            roles = {
                term.case_id: names
                for term in terms
                if (names := self._roles_of(term, entity, symbols))
            }
            is_one = and_(cases.c.case_id.in_(roles), cases.c.status != ERASED)
            query = select(cases).where(is_one, cases.c.lane != "rescue")
            rows = connection.execute(query).all()
        found = {row.case_id: self._cases.of_case(row) for row in rows}
        return [Naming(found[case_id], roles[case_id]) for case_id in roles if case_id in found]

    def links(self, case_ids: Sequence[str]) -> list[EntityLink]:
        """Return the entities that these cases name, except those too short to be searched."""
        with self._reading() as connection:
            return self._links(connection, case_links.c.case_id.in_(case_ids))

    def companions(
        self, entity: NamedEntity, case_ids: Sequence[str], limit: int
    ) -> tuple[list[EntityLink], int]:
        """Return the links most often named with an entity, and the number of things.

        They are counted by token: a party that appears in linking and in other roles, such as payer
        and carrier, counts twice, and so does one named under two keys.
        """
        keys, kinds = self._cases.keys, SAME_THING[entity.reference.kind]
        own = [token for kind in kinds for token in keys.tokens(kind, entity.value)]
        of_cases = and_(
            case_links.c.case_id.in_(case_ids),
            # The concatenation keeps the planner off the index by value, which would read every
            # case that names one.
            (case_links.c.kind + "").in_(_KINDS),
            (case_links.c.value + "").not_in(own),
        )
        most_named = (
            select(case_links.c.value, func.count().over().label("total"))
            .where(of_cases)
            .group_by(case_links.c.kind, case_links.c.value)
            .order_by(func.count().desc(), func.max(case_links.c.seq).desc(), case_links.c.value)
            .limit(limit)
        )
        with self._reading() as connection:
            named = connection.execute(most_named).all()
            tokens = [row.value for row in named]
            links = self._links(connection, and_(of_cases, (case_links.c.value + "").in_(tokens)))
        return links, named[0].total if named else 0

    def _links(self, connection: Connection, wanted: ColumnElement[bool]) -> list[EntityLink]:
        """Return links with their decrypted values; each value is decrypted once."""
        query = select(case_links).where(wanted, (case_links.c.kind + "").in_(_KINDS))
        rows = connection.execute(query.where(case_links.c.encrypted_value.is_not(None))).all()
        values: dict[str, str] = {}
        for row in rows:
            if row.value not in values and (link := self._cases.of_link(row)) is not None:
                values[row.value] = link.value
        return [
            EntityLink(
                row.case_id,
                NamedEntity(EntityReference(_KINDS[row.kind], row.value), values[row.value]),
                tuple(row.roles.split(",")) if row.roles else (),
            )
            for row in rows
            # Shorter values cannot be searched, so a page of their own would be empty.
            if len(normalised(values.get(row.value, ""))) >= MIN_SYMBOLS
        ]

    def _roles_of(self, term: Any, entity: NamedEntity, symbols: str) -> tuple[str, ...]:
        """Return the roles in which a case names the entity; empty for a mere lookalike."""
        value = self._cases.keys.decrypt_text(term.case_id, TERM_PART, term.encrypted_value)
        is_party = entity.reference.kind == "party"
        is_it = value == entity.value if is_party else normalised(value or "") == symbols
        return roles_as(entity.reference.kind, term.names.split(",")) if is_it else ()


def _terms(
    connection: Connection, access: CaseAccess, code: bytes, limit: int, *, is_oldest: bool
) -> list[Any]:
    """Return the newest or oldest terms with a code at the reader's offices."""
    offices: Sequence[str | None] = sorted(access.offices) or [None]
    found: list[Any] = []
    for first in range(0, len(offices), _OFFICES_TOGETHER):
        parts: list[str] = []
        values: list[Any] = []
        for office in offices[first : first + _OFFICES_TOGETHER]:
            of_office = "" if office is None else "AND office_id = ?"
            order = "DESC" if is_oldest else "ASC"
            parts.append(_OF_OFFICE.format(office=of_office, order=order, limit=limit))
            values += [code] if office is None else [office, code]
        asked = " UNION ALL ".join(parts)
        if connection.dialect.paramstyle != "qmark":
            asked = asked.replace("?", "%s")
        found += connection.exec_driver_sql(asked, tuple(values))
    return sorted(found, key=lambda term: term.minus_seq, reverse=is_oldest)[:limit]
