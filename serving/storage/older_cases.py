"""Makes search terms of cases anew once the key of tokens was rotated, the newest first."""

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

# By what cases are found, by id; None of one that is not to be found.
CaseTerms = Mapping[str, tuple[SearchTerm, ...] | None]


@dataclass(frozen=True)
class OlderCases:
    """Finds cases without terms, and writes those that their decisions have."""

    logged: EncryptedDecisions
    index: SearchIndex
    tags: CaseTags

    @staticmethod
    def rows(connection: Connection, limit: int) -> Sequence[Row[Any]]:
        """Cases without terms; their outlines alone where they were erased."""
        without = (
            select(cases).where(cases.c.seq < CASE_TERMS.stored()).order_by(cases.c.seq.desc())
        )
        return connection.execute(without.limit(limit)).all()

    def terms(
        self, connection: Connection, older: Sequence[Row[Any]], open_case: OpenCase
    ) -> CaseTerms:
        """By what the decisions about cases say they are found."""
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
        """Write the terms of cases that were read before, as far as they are still without."""
        present = {row.case_id: row for row in self.rows(connection, limit)}
        for case_id in present.keys() & found.keys():
            if (terms := found[case_id]) is not None:
                case = self.index.cases.of_case(present[case_id])
                self.index.add(connection, case, terms)
                self.tags.keep(connection, case)
        if older and [*present] == [*found]:  # no other worker was faster
            CASE_TERMS.move(connection, older[-1].seq)
