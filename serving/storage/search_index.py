"""The search index of cases: rows of keyed codes, scanned in their own order.

A reader only scans rows of their own side and offices. Neither the result, nor the number of rows
scanned, nor the time taken reveals anything about other cases.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, delete, select, true, update

from serving.crypto.encryption import EncryptionUnit
from serving.crypto.prefix_codes import CodeSpan, prefix_code, prefix_span
from serving.errors import RequestFault, Unprocessable
from serving.review.cases.case_records import CaseAccess, CaseRow
from serving.review.search.search_terms import CASE_NAME, SearchTerm, distinct_terms, normalised
from serving.storage.encrypted_cases import EncryptedCases
from serving.storage.keys.data_keys import DataKeys
from serving.storage.tables.review import case_terms

# The part under which an identifier of a case is encrypted.
TERM_PART = "search term"

_OFFICES_TOGETHER = 100
_PAGE = 500

# Text for speed, as in `shared_links`. If several terms of a case match, only the first in code
# order counts, so that each case appears once.
_FIRST_PLACES = (
    "SELECT * FROM (SELECT code, minus_seq, case_id FROM case_terms AS found "
    "WHERE is_rescue = ? {office} AND code >= ? AND code <= ? {after} AND NOT EXISTS (SELECT 1 "
    "FROM case_terms AS earlier WHERE earlier.case_id = found.case_id AND earlier.code >= ? "
    "AND earlier.code < found.code) ORDER BY code, minus_seq LIMIT {limit}) AS first_places"
)


class IndexPlace(NamedTuple):
    """The first position of a case in the order of a search."""

    code: bytes
    minus_seq: int
    case_id: str


@dataclass(frozen=True)
class SearchIndex:
    """Writes the search terms of cases and finds cases by them, under a database's keys."""

    cases: EncryptedCases

    def insert(
        self, connection: Connection, opened: Iterable[tuple[CaseRow, Iterable[SearchTerm]]]
    ) -> None:
        """Write the terms of cases that have none yet."""
        rows = [row for case, terms in opened for row in self._rows(case, terms, connection)]
        if rows:
            connection.execute(case_terms.insert(), rows)

    def add(self, connection: Connection, case: CaseRow, terms: Iterable[SearchTerm]) -> None:
        """Add terms that a case lacks, and new roles of terms it has."""
        of_case = case_terms.c.case_id == case.case_id
        query = select(case_terms.c.code, case_terms.c.names).where(of_case)
        has = {row.code: row.names for row in connection.execute(query)}
        for row in self._rows(case, terms, connection):
            former = has.get(row["code"])
            if former is None:
                connection.execute(case_terms.insert(), row)
                continue
            names = ",".join(sorted({*former.split(","), *row["names"].split(",")}))
            if names != former:
                is_it = and_(of_case, case_terms.c.code == row["code"])
                connection.execute(update(case_terms).where(is_it).values(names=names))

    def _rows(
        self, case: CaseRow, terms: Iterable[SearchTerm], within: Connection
    ) -> list[dict[str, Any]]:
        """Return the rows of a case and its own id; parties of a rescue are omitted."""
        unit = EncryptionUnit.of_case(case.case_id, case.opened_at)
        key, keys = self.cases.keys.token_keys.search_key(within), self.cases.keys
        return [
            {
                **_whose(case),
                "case_id": case.case_id,
                "code": prefix_code(key, normalised(term.value)),
                "minus_seq": -case.seq,
                "names": ",".join(term.names),
                "encrypted_value": keys.encrypt_text(unit, TERM_PART, term.value, within),
            }
            for term in distinct_terms((SearchTerm(case.case_id, (CASE_NAME,)), *terms))
            if not (term.is_party and case.lane == "rescue")
        ]

    @staticmethod
    def follow(connection: Connection, before: CaseRow, after: CaseRow) -> None:
        """Move the terms of a case to its new office or side.

        Terms of parties are deleted when a case becomes a rescue.
        """
        whose = _whose(after)
        # Most acts do not move a case, and rewriting all its terms would cost more than this
        # comparison.
        if whose == _whose(before):
            return
        of_case = case_terms.c.case_id == after.case_id
        connection.execute(update(case_terms).where(of_case).values(whose))
        if whose["is_rescue"]:
            names = select(case_terms.c.names).where(of_case).distinct()
            of_parties = [
                text
                for text in connection.scalars(names).all()
                if SearchTerm("", tuple(text.split(","))).is_party
            ]
            connection.execute(
                case_terms.delete().where(of_case, case_terms.c.names.in_(of_parties))
            )

    def scan(
        self,
        connection: Connection,
        access: CaseAccess,
        symbols: str,
        after: str | None,
        limit: int,
    ) -> list[IndexPlace]:
        """Return the first positions of cases with identifiers that begin so, each case once."""
        span = prefix_span(self.cases.keys.token_keys.search_key(connection), symbols)
        begins = None if after is None else _place_of(connection, access, span, after)
        offices: Sequence[str | None] = sorted(access.offices) or [None]
        found: list[IndexPlace] = []
        for first in range(0, len(offices), _OFFICES_TOGETHER):
            some = offices[first : first + _OFFICES_TOGETHER]
            found += _scanned(connection, int(access.is_rescue), some, span, begins, limit)
        return sorted(found)[:limit]

    def matched(
        self, connection: Connection, case_ids: Sequence[str], symbols: str
    ) -> dict[str, tuple[SearchTerm, ...]]:
        """Return the identifiers of cases that begin so; erased cases have none.

        Codes end after some symbols, so the decrypted value decides.
        """
        span = prefix_span(self.cases.keys.token_keys.search_key(connection), symbols)
        is_in = case_terms.c.code.between(*span)
        query = select(case_terms).where(case_terms.c.case_id.in_(case_ids), is_in)
        found: dict[str, list[SearchTerm]] = defaultdict(list)
        for row in connection.execute(query.order_by(case_terms.c.code)).all():
            value = self.cases.keys.decrypt_text(row.case_id, TERM_PART, row.encrypted_value)
            if value is not None and normalised(value).startswith(symbols):
                found[row.case_id].append(SearchTerm(value, tuple(row.names.split(","))))
        return {case_id: tuple(terms) for case_id, terms in found.items()}


def recode(connection: Connection, keys: DataKeys, search_key: bytes) -> int:
    """Recompute every code under another search key; return how many.

    Terms of erased cases are deleted.
    """
    count, last = 0, ""
    page = select(case_terms.c.case_id).distinct().order_by(case_terms.c.case_id)
    while cases := connection.scalars(page.where(case_terms.c.case_id > last).limit(_PAGE)).all():
        last = cases[-1]
        rows = connection.execute(select(case_terms).where(case_terms.c.case_id.in_(cases))).all()
        connection.execute(delete(case_terms).where(case_terms.c.case_id.in_(cases)))
        anew = []
        for row in rows:
            value = keys.decrypt_text(row.case_id, TERM_PART, row.encrypted_value)
            if value is not None:
                code = prefix_code(search_key, normalised(value))
                anew.append({**row._mapping, "code": code})
        if anew:
            connection.execute(case_terms.insert(), anew)
        count += len(anew)
    return count


def _whose(case: CaseRow) -> dict[str, Any]:
    """Return the columns that decide who may see a case."""
    return {"is_rescue": int(case.lane == "rescue"), "office_id": case.office_id}


def _scanned(
    connection: Connection,
    is_rescue: int,
    offices: Sequence[str | None],
    span: CodeSpan,
    begins: IndexPlace | None,
    limit: int,
) -> list[IndexPlace]:
    """Return the first positions in each office, in one statement."""
    parts: list[str] = []
    values: list[Any] = []
    for office in offices:
        of_office = "" if office is None else "AND office_id = ?"
        after = "" if begins is None else "AND (code, minus_seq) > (?, ?)"
        parts.append(_FIRST_PLACES.format(office=of_office, after=after, limit=limit))
        first = span.first if begins is None else begins.code
        values += [is_rescue, *([] if office is None else [office]), first, span.last]
        values += [] if begins is None else [begins.code, begins.minus_seq]
        values.append(span.first)
    asked = " UNION ALL ".join(parts)
    if connection.dialect.paramstyle != "qmark":
        asked = asked.replace("?", "%s")
    return [IndexPlace(*row) for row in connection.exec_driver_sql(asked, tuple(values))]


def _place_of(
    connection: Connection, access: CaseAccess, span: CodeSpan, case_id: str
) -> IndexPlace:
    """Return where a page ended; raise Unprocessable if the search does not find that case."""
    is_own_office = case_terms.c.office_id.in_(access.offices) if access.offices else true()
    query = (
        select(case_terms.c.code, case_terms.c.minus_seq, case_terms.c.case_id)
        .where(case_terms.c.case_id == case_id, case_terms.c.is_rescue == int(access.is_rescue))
        .where(is_own_office, case_terms.c.code.between(*span))
        .order_by(case_terms.c.code)
        .limit(1)
    )
    row = connection.execute(query).first()
    if row is None:
        fault = RequestFault("/cursor", "cursor", "the case it stands for is found no more")
        raise Unprocessable("this cursor did not come from a page of this search", (fault,))
    return IndexPlace(*row)
