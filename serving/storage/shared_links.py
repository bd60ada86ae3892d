"""Cases that name the same things as a given case.

All countable things are looked up by one statement. As in `lookups` it is text: building dozens of
parts with SQLAlchemy takes longer than the database needs to answer.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, select

from serving.review.cases.case_records import CaseAccess, LinkedCase
from serving.review.cases.shared_things import MAX_LOOKED_AT, SharedThing, Sharing
from serving.storage.encrypted_cases import EncryptedCases
from serving.storage.repositories.visible_cases import is_visible
from serving.storage.tables.review import case_links, cases

# The kinds of link under which a thing may appear: the payee of one case is a consignor of another.
SAME_THING = {
    "container": ("container",),
    "conveyance": ("conveyance",),
    "party": ("party", "agent"),
    "agent": ("party", "agent"),
}

# The limit on each part keeps a thing that everybody shares as cheap as any other; the index has
# this order.
_NEWEST = (
    "SELECT * FROM (SELECT {place} AS place, case_id, seq, roles FROM case_links "
    "WHERE kind = ? AND value = ? ORDER BY seq DESC LIMIT {limit}) AS newest"
)
_VISIBLE = (
    "SELECT links.place, links.case_id, links.seq, links.roles, cases.status FROM ({links}) AS "
    "links JOIN cases ON cases.case_id = links.case_id WHERE links.case_id <> ? AND {visible}"
)


@dataclass(frozen=True)
class SharedLinks:
    """Finds what cases share, under a database's keys."""

    cases: EncryptedCases

    def things(
        self, connection: Connection, case_id: str, access: CaseAccess
    ) -> tuple[SharedThing, ...]:
        """Return what other visible cases share with a case, by kind and value."""
        own = select(case_links).where(
            case_links.c.case_id == case_id, case_links.c.kind.in_(SAME_THING)
        )
        roles: dict[tuple[str, str], set[str]] = defaultdict(set)
        for link in filter(None, map(self.cases.of_link, connection.execute(own).all())):
            roles[SAME_THING[link.kind][0], link.value] |= set(_listed(link.roles))
        named = sorted(roles)
        others = self._others(connection, case_id, named, access)
        return tuple(
            SharedThing(*thing, tuple(sorted(roles[thing])), others[place])
            for place, thing in enumerate(named)
            if others[place]
        )

    def naming(self, connection: Connection, value: str, access: CaseAccess) -> list[str]:
        """Return the newest visible cases that name a thing, whatever its kind."""
        return [
            case_id
            for kind in SAME_THING
            for token in self.cases.keys.tokens(kind, value)
            for case_id in connection.scalars(_sharing(kind, token, access, MAX_LOOKED_AT))
        ]

    def newest(
        self,
        connection: Connection,
        case_id: str,
        kinds: Iterable[str],
        access: CaseAccess,
        limit: int,
    ) -> list[LinkedCase]:
        """Return the newest other visible cases that share links of these kinds with a case."""
        own = select(case_links).where(
            case_links.c.case_id == case_id, case_links.c.kind.in_(kinds)
        )
        shared: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for link in filter(None, map(self.cases.of_link, connection.execute(own).all())):
            for value in self.cases.keys.tokens(link.kind, link.value):
                for other in connection.scalars(_sharing(link.kind, value, access, limit + 1)):
                    shared[other].append((link.kind, link.value))
        shared.pop(case_id, None)
        newest = (
            select(cases)
            .where(cases.c.case_id.in_(shared))
            .order_by(cases.c.seq.desc())
            .limit(limit)
        )
        found = [self.cases.of_case(row) for row in connection.execute(newest).all()]
        return [LinkedCase(row, tuple(sorted(shared[row.case_id]))) for row in found]

    def _others(
        self,
        connection: Connection,
        case_id: str,
        named: Sequence[tuple[str, str]],
        access: CaseAccess,
    ) -> list[tuple[Sharing, ...]]:
        """Return the other cases that name each thing, newest first."""
        stored = [
            (place, each, text)
            for place, (kind, value) in enumerate(named)
            for each in SAME_THING[kind]
            for text in self.cases.keys.tokens(each, value)
        ]
        found: list[dict[str, Sharing]] = [{} for _ in named]
        for row in _rows(connection, case_id, stored, access) if stored else ():
            before = found[row.place].get(row.case_id)
            new = Sharing(row.case_id, row.seq, tuple(_listed(row.roles)), row.status == "closed")
            if before is not None:
                new = replace(new, roles=tuple(sorted({*before.roles, *new.roles})))
            found[row.place][row.case_id] = new
        newest = (sorted(each.values(), key=lambda other: -other.seq) for each in found)
        return [tuple(each[:MAX_LOOKED_AT]) for each in newest]


def _rows(
    connection: Connection,
    case_id: str,
    stored: Iterable[tuple[int, str, str]],
    access: CaseAccess,
) -> Iterable[Any]:
    parts, values = [], []
    for place, kind, text in stored:
        parts.append(_NEWEST.format(place=place, limit=MAX_LOOKED_AT + 1))
        values += [kind, text]
    visible = "cases.lane = 'rescue'" if access.is_rescue else "cases.lane <> 'rescue'"
    if access.offices:
        visible += f" AND cases.office_id IN ({', '.join('?' * len(access.offices))})"
    asked = _VISIBLE.format(links=" UNION ALL ".join(parts), visible=visible)
    if connection.dialect.paramstyle != "qmark":
        asked = asked.replace("?", "%s")
    return connection.exec_driver_sql(asked, (*values, case_id, *sorted(access.offices)))


def _sharing(kind: str, value: str, access: CaseAccess, limit: int) -> Select[str]:
    """Select the newest visible cases with one link value, a token.

    One value at a time, so that the index yields this order and no more rows than wanted.
    """
    return (
        select(case_links.c.case_id)
        .join(cases, cases.c.case_id == case_links.c.case_id)
        .where(case_links.c.kind == kind, case_links.c.value == value, is_visible(access))
        .order_by(case_links.c.seq.desc())
        .limit(limit)
    )


def _listed(roles: str | None) -> list[str]:
    return roles.split(",") if roles else []
