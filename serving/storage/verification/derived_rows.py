"""Compares rows that are derived from decisions with these decisions.

No digest covers such rows, since they can be rebuilt. But people and statistics read them in place
of decisions, so a manipulated row would mislead. Each is compared with the columns of its decision,
which the chain proves. A visit is also compared with the encrypted decision if its key is
available, or else with the outline.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, inspect, text

from serving.crypto.errors import Undecipherable
from serving.monitor.decision_facts import INSPECTED_BY, UNKNOWN, DecisionFacts, parts_of
from serving.storage.encrypted_decisions import EncryptedDecisions
from serving.storage.keys.data_keys import DataKeys

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
    "OR coalesce(d.office_id, :unknown) <> v.office ORDER BY v.seq"
).bindparams(unknown=UNKNOWN)
_COUNTED = text(
    "SELECT v.stratum, v.model, v.mode, v.region, v.operator, v.undrawn_lane, "
    "v.subject_id AS subject, d.seq, d.decision_id, d.scored_at, d.logged_at, d.lane, d.record, "
    "d.encrypted "
    "FROM visits AS v JOIN decisions AS d ON d.seq = v.seq ORDER BY v.seq"
)
_WRONG = {
    "case_scores": (_SCORES, "it is no score of that case, or its decision says otherwise"),
    "visits": (_VISITS, "its decision says otherwise"),
}


def misstated(
    connection: Connection, keys: DataKeys | None = None
) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    """Yield derived rows that contradict their decisions: the table, the key and the reason."""
    known = set(inspect(connection).get_table_names())
    for table, (query, why) in _WRONG.items():
        if table in known:
            found = {tuple(key) for key in connection.execute(query)}
            if table == "visits":
                found |= {(seq,) for seq in _counted_otherwise(connection, keys)}
            for key in sorted(found):
                yield table, key, why


def _counted_otherwise(connection: Connection, keys: DataKeys | None) -> Iterator[int]:
    """Yield the numbers of visits that are grouped differently from their decisions."""
    for row in connection.execute(_COUNTED):
        said = _said(row, keys)
        # A column that the decision says nothing about passes: its own value is its default.
        if any(value not in said.get(name, (value,)) for name, value in row._mapping.items()):
            yield row.seq


def _said(row: Row[Any], keys: DataKeys | None) -> Mapping[str, tuple[Any, ...]]:
    """Return the permitted values of a visit's columns that its decision states."""
    whole = _whole(row, keys)
    if whole is None:
        return _said_by_outline(json.loads(row.record))
    visit = DecisionFacts.from_record(parts_of(whole)).visit(row.seq)
    if visit is None:
        return {"seq": ()}
    names = ("stratum", "model", "mode", "region", "operator", "undrawn_lane")
    said = {name: (getattr(visit, name),) for name in names}
    if keys is None:
        return said
    # A visit may have the token of a former key, so each token of the subject is permitted.
    return said | {"subject": keys.tokens(visit.subject_kind, visit.subject_id)}


def _whole(row: Row[Any], keys: DataKeys | None) -> str | None:
    """Return the whole decision; None if it was erased or its key is unavailable."""
    if row.encrypted is not None and keys is None:
        return None
    try:
        return EncryptedDecisions(keys).record(row) if keys else str(row.record)
    # `verify-log` reports this for the decision itself.
    except Undecipherable:
        return None


def _said_by_outline(outline: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    # An outline names no mode, region or operator: only what it determines is compared.
    said = {}
    if outline.get("model"):
        said["model"] = (outline["model"]["version"],)
    if outline["lane"] == "inspect" and "lane_reason" in outline:
        said["undrawn_lane"] = ("inspect",)
        way = outline["lane_reason"].replace("_", " ")
        said["stratum"] = (INSPECTED_BY.format(way=way),)
    return said
