"""Entities as cases name them: from a token to what it stands for, and to the cases that name it.

The statements are text, as in `shared_links`: there is a part of them for each office of a reader.
Each part is a range of an index of the reader's own side and office, so that neither what is found
nor how long it takes tells anything of others' cases.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, select

from serving.crypto.prefix_codes import LEAST_SYMBOLS, prefix_code
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
from serving.storage.encrypted_cases import EncryptedCases
from serving.storage.engine import failing_as_unavailable
from serving.storage.keys.data_keys import DataKeys
from serving.storage.search_index import TERM_PART
from serving.storage.shared_links import SAME_THING
from serving.storage.tables.review import case_links, cases

# Cases that are tried to read what a token stands for: of the newest some may be erased.
MOST_TRIED = 50

_OFFICES_TOGETHER = 100

# As what entity a link of each kind is asked for.
_KINDS = {linked: kind for kind in ENTITY_KINDS for linked in SAME_THING[kind]}

_OF_OFFICE = (
    "SELECT * FROM (SELECT case_id, minus_seq, names, encrypted_value FROM case_terms "
    "WHERE is_rescue = 0 {office} AND code = ? ORDER BY minus_seq {order} LIMIT {limit}) AS found"
)


class EntityRepository:
    """The entities of one database. Every method raises LogUnavailable where that fails."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._cases = EncryptedCases(DataKeys(engine))

    def value(self, reference: EntityReference) -> str | None:
        """What a token stands for; None where no case that can still be read names it."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            for kind in SAME_THING[reference.kind]:  # each in the order of its index
                is_it = and_(case_links.c.kind == kind, case_links.c.value == reference.token)
                query = select(case_links).where(is_it).order_by(case_links.c.seq.desc())
                for link in map(self._cases.of_link, connection.execute(query.limit(MOST_TRIED))):
                    # A link from before values were encrypted stands for itself, by no token.
                    if link and reference.token in self._cases.keys.tokens(kind, link.value):
                        return link.value
        return None

    def namings(
        self, access: CaseAccess, entity: NamedEntity, limit: int, *, is_oldest: bool = False
    ) -> list[Naming]:
        """The newest cases that name an entity and may be seen, or the oldest; no rescue.

        A container and a conveyance are the same however they are written; a party is not.
        """
        symbols = normalised(entity.value)
        if len(symbols) < LEAST_SYMBOLS:
            return []
        with failing_as_unavailable(), self._engine.connect() as connection:
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
        """Every entity that these cases name; none too short to be searched for."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            return self._links(connection, case_links.c.case_id.in_(case_ids))

    def companions(
        self, entity: NamedEntity, case_ids: Sequence[str], limit: int
    ) -> tuple[list[EntityLink], int]:
        """The links of what most of these cases name besides, and how many things they name.

        They are counted by their tokens: a party that cases name by roles that link and by others,
        as payer and as carrier, counts as two; so does what was named under two keys.
        """
        keys, kinds = self._cases.keys, SAME_THING[entity.reference.kind]
        own = [token for kind in kinds for token in keys.tokens(kind, entity.value)]
        of_cases = and_(
            case_links.c.case_id.in_(case_ids),
            # Not by the index of values, which has all cases that name one.
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
        with failing_as_unavailable(), self._engine.connect() as connection:
            named = connection.execute(most_named).all()
            tokens = [row.value for row in named]
            links = self._links(connection, and_(of_cases, (case_links.c.value + "").in_(tokens)))
        return links, named[0].total if named else 0

    def _links(self, connection: Connection, wanted: ColumnElement[bool]) -> list[EntityLink]:
        """Links with what their tokens stand for, each of which is decrypted once."""
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
            if len(normalised(values.get(row.value, ""))) >= LEAST_SYMBOLS
        ]

    def _roles_of(self, term: Any, entity: NamedEntity, symbols: str) -> tuple[str, ...]:
        """As what a case names the entity; none where it names something that is written alike."""
        value = self._cases.keys.decrypt_text(term.case_id, TERM_PART, term.encrypted_value)
        is_party = entity.reference.kind == "party"
        is_it = value == entity.value if is_party else normalised(value or "") == symbols
        return roles_as(entity.reference.kind, term.names.split(",")) if is_it else ()


def _terms(
    connection: Connection, access: CaseAccess, code: bytes, limit: int, *, is_oldest: bool
) -> list[Any]:
    """The newest or oldest terms of a code at the offices of a reader."""
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
