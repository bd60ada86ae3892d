"""Whether rows that are derived of decisions say what the decisions say.

No digest covers them, since they can be made again. People and figures read them in the place of
decisions: so each is held to the columns of its decision, which the chain proves.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text

_SCORES = text(
    "SELECT s.case_id, s.decision_id FROM case_scores AS s "
    "LEFT JOIN decisions AS d ON d.decision_id = s.decision_id "
    "WHERE d.decision_id IS NULL OR d.lane <> s.lane OR d.scored_at <> s.scored_at "
    "OR s.case_id NOT IN (d.decision_id, coalesce(d.rescores, '')) "
    "ORDER BY s.case_id, s.decision_id"
)
_VISITS = text(
    "SELECT v.seq FROM visits AS v LEFT JOIN decisions AS d ON d.seq = v.seq "
    "WHERE d.seq IS NULL OR d.decision_id <> v.decision_id OR d.lane <> v.lane "
    "OR d.subject_kind <> v.subject_kind OR d.scored_at <> replace(v.scored_at, 'Z', '+00:00') "
    "OR d.probability IS NULL OR d.probability <> v.probability "
    "OR (d.office_id IS NOT NULL AND d.office_id <> v.office) ORDER BY v.seq"
)
_WRONG = {
    "case_scores": (_SCORES, "it is no score of that case, or its decision says otherwise"),
    "visits": (_VISITS, "its decision says otherwise"),
}


def misstated(connection: Connection) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    """Derived rows that differ from their decisions: the table, the key of the row, and why."""
    known = set(inspect(connection).get_table_names())
    for table, (query, why) in _WRONG.items():
        if table in known:
            for key in connection.execute(query):
                yield table, tuple(key), why
