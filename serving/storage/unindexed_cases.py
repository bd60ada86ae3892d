"""Recreates the search terms of cases after a rotation of the token key, newest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from serving.review.cases.case_records import OpenCase
from serving.review.search.search_terms import SearchTerm, distinct_terms
from serving.storage.case_tags import CaseTags
from serving.storage.encrypted_decisions import WHOLE, EncryptedDecisions
from serving.storage.log_positions import CASE_TERMS
from serving.storage.search_index import SearchIndex
from serving.storage.tables.review import case_scores, cases
from serving.storage.tables.scoring import decisions

# Search terms by case id; None for a case that cannot be searched.
CaseTerms = Mapping[str, tuple[SearchTerm, ...] | None]


@dataclass(frozen=True)
class UnindexedCases:
    """Finds cases without search terms, and writes the terms in their decisions."""

    logged: EncryptedDecisions
    index: SearchIndex
    tags: CaseTags

    @staticmethod
    def rows(connection: Connection, limit: int) -> Sequence[Row[Any]]:
        """Return cases without terms, the newest first; erased ones are included."""
        without = (
            select(cases).where(cases.c.seq < CASE_TERMS.stored()).order_by(cases.c.seq.desc())
        )
        return connection.execute(without.limit(limit)).all()

    def terms(
        self, connection: Connection, older: Sequence[Row[Any]], open_case: OpenCase
    ) -> CaseTerms:
        """Return the search terms of cases according to their decisions."""
        return {row.case_id: self._terms_of(connection, row.case_id, open_case) for row in older}

    def _terms_of(
        self, connection: Connection, case_id: str, open_case: OpenCase
    ) -> tuple[SearchTerm, ...] | None:
        of_case = (
            select(*WHOLE)
            .join(case_scores, case_scores.c.decision_id == decisions.c.decision_id)
            .where(case_scores.c.case_id == case_id)
            .order_by(decisions.c.seq)
        )
        rows = connection.execute(of_case).all()
        records_read = [(row.seq, self.logged.record(row)) for row in rows]
        opened = [each for seq, text in records_read if text and (each := open_case(seq, text))]
        return distinct_terms(term for each in opened for term in each.terms) if opened else None

    def index_them(
        self, connection: Connection, older: Sequence[Row[Any]], found: CaseTerms, limit: int
    ) -> None:
        """Write the terms of cases that were read before, if they still lack them."""
        present = {row.case_id: row for row in self.rows(connection, limit)}
        for case_id in present.keys() & found.keys():
            if (terms := found[case_id]) is not None:
                case = self.index.cases.of_case(present[case_id])
                self.index.add(connection, case, terms)
                self.tags.keep(connection, case)
        # Another worker may have moved the position; it must not move back.
        if older and [*present] == [*found]:
            CASE_TERMS.move(connection, older[-1].seq)
