"""Verify positions in the log and checkpoints, which no digest covers, by other tables.

A position moves with every decision. None may lie beyond the log, or the next decisions would be
skipped. Before its position every rescue must have been called, and every subject with records that
require a new score must have been queued. A checkpoint is signed, and its columns must repeat what
is signed.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, bindparam, inspect, text

from features.rescoring_rules import RESCORED_AFTER

FOLLOWERS = ("cases", "rescorings", "rescue_calls", "summaries")

# The first event counts: a later one, by whoever moved the position, must not shorten the search.
_BEGUN = (
    "SELECT details FROM audit_events WHERE object_kind = 'log' AND action = :action "
    "ORDER BY seq LIMIT 1"
)
# Rescues from before calls began are not called, so their absence is no fault.
_UNCALLED = (
    "SELECT d.seq FROM decisions AS d LEFT JOIN rescue_calls AS c ON c.decision_id = d.decision_id "
    "WHERE d.lane = 'rescue' AND d.seq > :after AND d.seq <= :place AND c.decision_id IS NULL "
    "ORDER BY d.seq LIMIT 1000"
)
_MADE_TO_WAIT = text(
    "SELECT min(d.seq) AS seq, d.subject_kind, d.subject_id FROM decisions AS d "
    "WHERE d.seq > :after AND d.seq <= :place AND d.subject_kind = :kind AND d.lane <> 'rescue' "
    "AND EXISTS (SELECT 1 FROM records AS r WHERE r.subject_kind = d.subject_kind "
    "AND r.subject_id = d.subject_id AND r.kind IN :kinds) "
    "GROUP BY d.subject_kind, d.subject_id ORDER BY min(d.seq)"
).bindparams(bindparam("kinds", expanding=True))


# What followers have done proves how far they were: a position before it was moved back.
_DONE_UP_TO = {
    "cases": (
        "case_scores",
        "SELECT max(d.seq) FROM case_scores AS s JOIN decisions AS d "
        "ON d.decision_id = s.decision_id",
    ),
    "rescue_calls": ("rescue_calls", "SELECT max(seq) FROM rescue_calls"),
    "summaries": ("visits", "SELECT max(seq) FROM visits"),
}
_UNSCORED = text(
    "SELECT c.case_id, d.decision_id FROM cases AS c "
    "JOIN decisions AS d ON d.decision_id = coalesce(c.decision_id, c.case_id) "
    "LEFT JOIN case_scores AS s ON s.case_id = c.case_id AND s.decision_id = d.decision_id "
    "WHERE NOT EXISTS (SELECT 1 FROM case_scores AS o WHERE o.decision_id = d.decision_id) "
    "AND s.case_id IS NULL AND d.seq <= (SELECT seq FROM log_positions WHERE name = 'cases') "
    "ORDER BY c.case_id"
)
# The search scans rows by these columns, so they must repeat those of the case.
_SHOWN_ELSEWHERE = text(
    "SELECT DISTINCT t.case_id FROM case_terms AS t LEFT JOIN cases AS c ON c.case_id = t.case_id "
    "WHERE c.case_id IS NULL OR t.minus_seq <> -c.seq "
    "OR t.is_rescue <> CASE WHEN c.lane = 'rescue' THEN 1 ELSE 0 END "
    "OR coalesce(t.office_id, '') <> coalesce(c.office_id, '') ORDER BY t.case_id"
)
_UNKNOWN_EVENTS = text(
    "SELECT r.receiver FROM receivers AS r LEFT JOIN published_events AS e "
    "ON e.event_id = r.reached WHERE r.channel = 'webhook' AND r.reached IS NOT NULL "
    "AND e.event_id IS NULL ORDER BY r.receiver"
)
_REACHED = text(
    "SELECT receiver, reached FROM receivers WHERE channel = 'witness' AND reached IS NOT NULL "
    "ORDER BY receiver"
)
_NEWEST_CHECKPOINT = text("SELECT max(number) FROM chain_checkpoints")


def misplaced(
    connection: Connection, was_told: Callable[..., bool]
) -> Iterator[tuple[str, tuple[Any, ...], str]]:
    """Yield faults of positions and checkpoints: the table, the key concerned and the reason.

    `was_told` returns whether any event lists a row, given its table and its key.
    """
    known = set(inspect(connection).get_table_names())
    yield from _beyond_the_log(connection, known)
    yield from _behind_their_rows(connection, known)
    yield from _unknown_progress(connection, known)
    yield from _of_cases(connection, known)
    if {"log_positions", "rescue_calls", "audit_events"} <= known:
        for seq in _uncalled(connection):
            yield "rescue_calls", (seq,), f"the rescue of record {seq} was passed by, uncalled"
    if {"log_positions", "due_rescorings", "audit_events"} <= known:
        for seq, *subject in _made_to_wait(connection):
            if not was_told("due_rescorings", *subject):
                why = f"the subject of record {seq} was passed by, and waits for no score"
                yield "log_positions", ("rescorings",), why
    if "chain_checkpoints" in known:
        yield from _misnamed(connection)


def _beyond_the_log(
    connection: Connection, known: set[str]
) -> Iterator[tuple[str, tuple[Any, ...], str]]:
    newest = connection.scalar(text("SELECT max(seq) FROM decisions")) or 0
    for name in FOLLOWERS if "log_positions" in known else ():
        position = _position(connection, name)
        if position is not None and position > newest:
            why = f"position {position} is beyond the log, which ends at {newest}"
            yield "log_positions", (name,), why


def _behind_their_rows(
    connection: Connection, known: set[str]
) -> Iterator[tuple[str, tuple[Any, ...], str]]:
    """Yield positions before work already done, which would be done or counted again."""
    for name, query in _DONE_UP_TO.items():
        table, reached = query
        position = _position(connection, name) if {"log_positions", table} <= known else None
        done = connection.scalar(text(reached)) if position is not None else None
        if position is not None and done is not None and position < done:
            why = f"position {position} is before record {done}, which was passed already"
            yield "log_positions", (name,), why
    if {"log_positions", "audit_events"} <= known:
        is_gone = _position(connection, "rescorings") is None
        if is_gone and _begun(connection, "begin_rescorings") is not None:
            yield "log_positions", ("rescorings",), "this position was deleted"


def _unknown_progress(
    connection: Connection, known: set[str]
) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Yield receivers that reached an event or a checkpoint that does not exist."""
    if {"receivers", "published_events"} <= known:
        for (endpoint_id,) in connection.execute(_UNKNOWN_EVENTS).all():
            yield "receivers", ("webhook", endpoint_id), "it reached an event that there is not"
    if {"receivers", "chain_checkpoints"} <= known:
        newest = connection.scalar(_NEWEST_CHECKPOINT) or 0
        for witness, reached in connection.execute(_REACHED).all():
            # Not compared in SQL, since somebody may have written another text than a number.
            if not reached.isdecimal() or int(reached) > newest:
                yield "receivers", ("witness", witness), "it took a checkpoint that there is not"


def _of_cases(
    connection: Connection, known: set[str]
) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Yield cases without their first score, and cases that the wrong readers can find."""
    if {"case_scores", "cases", "log_positions"} <= known:
        for case_id, decision_id in connection.execute(_UNSCORED).all():
            yield "case_scores", (case_id, decision_id), "the first score of this case was deleted"
    if {"case_terms", "cases"} <= known:
        for (case_id,) in connection.execute(_SHOWN_ELSEWHERE).all():
            yield "case_terms", (case_id,), "it lets others find this case than may see it"


def _misnamed(connection: Connection) -> Iterator[tuple[str, tuple[Any, ...], str]]:
    for row in connection.execute(text("SELECT number, epoch, line FROM chain_checkpoints")):
        if not _repeats(row.line, row.number, row.epoch):
            yield "chain_checkpoints", (row.number,), "its columns do not repeat its line"


def _repeats(line: str, number: int, epoch: int) -> bool:
    try:
        stated = json.loads(line)
        return bool((stated["number"], stated["epoch"]) == (number, epoch))
    except (ValueError, KeyError, TypeError):
        return False


def _uncalled(connection: Connection) -> Iterator[int]:
    """Yield rescues before the position that nobody was called for, since calls began."""
    place = _position(connection, "rescue_calls")
    begun = _begun(connection, "begin_rescue_calls")
    if begun is None:
        return
    values = {"after": begun, "place": place or 0}
    yield from connection.scalars(text(_UNCALLED), values).all()


def _made_to_wait(connection: Connection) -> Iterator[tuple[int, str, str]]:
    """Yield decisions before the position whose subjects should wait: number, kind, token."""
    place, begun = _position(connection, "rescorings"), _begun(connection, "begin_rescorings")
    if place is None or begun is None:
        return
    for subject_kind, kinds in RESCORED_AFTER.items():
        values = {"after": begun, "place": place, "kind": subject_kind, "kinds": sorted(kinds)}
        for row in connection.execute(_MADE_TO_WAIT, values).all():
            yield row.seq, row.subject_kind, row.subject_id


def _begun(connection: Connection, action: str) -> int | None:
    """Return the number after which a follower began; None if no event states it."""
    details = connection.scalar(text(_BEGUN), {"action": action})
    return None if details is None else int(json.loads(details)["after"])


def _position(connection: Connection, name: str) -> int | None:
    query = text("SELECT seq FROM log_positions WHERE name = :name")
    position: int | None = connection.scalar(query, {"name": name})
    return position
