"""Whether tables that no digest covers say what others do: places in the log, and checkpoints.

A place is one number that moves with every decision. None may lie beyond the log, or what is
decided next would be passed by; and every rescue before its place was called. A checkpoint is
signed, and its columns repeat what is signed.
"""

import json
from collections.abc import Iterator

from sqlalchemy import Connection, inspect, text

PLACES = ("cases_opened_to", "rescorings_found_to", "rescue_calls_found_to", "summarised_to")

_BEGUN = (
    "SELECT details FROM audit_events WHERE object_kind = 'log' AND object_id = 'rescue_calls' "
    "AND action = 'begin_rescue_calls' ORDER BY seq LIMIT 1"
)
_UNCALLED = (
    "SELECT d.seq FROM decisions AS d LEFT JOIN rescue_calls AS c ON c.decision_id = d.decision_id "
    "WHERE d.lane = 'rescue' AND d.seq > :after AND d.seq <= :place AND c.decision_id IS NULL "
    "ORDER BY d.seq LIMIT 1000"
)


def misplaced(connection: Connection) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """What is wrong with the places: the table, the number concerned, and why."""
    newest = connection.scalar(text("SELECT max(seq) FROM decisions")) or 0
    known = set(inspect(connection).get_table_names())
    for name in PLACES:
        place = _place(connection, name) if name in known else None
        if place is not None and place > newest:
            yield name, (place,), f"this place is beyond the log, which ends at {newest}"
    if {"rescue_calls_found_to", "rescue_calls", "audit_events"} <= known:
        for seq in _uncalled(connection):
            yield "rescue_calls", (seq,), f"the rescue of record {seq} was passed by, uncalled"
    if "chain_checkpoints" in known:
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
    """Rescues before the place that nobody was called for since calls began."""
    place = _place(connection, "rescue_calls_found_to")
    begun = connection.scalar(text(_BEGUN))
    first = connection.scalar(text("SELECT min(seq) FROM rescue_calls"))
    if begun is not None:
        after = int(json.loads(begun)["after"])
    elif first is not None:  # an older release told nothing of when calls began
        after = int(first) - 1
    else:
        return
    values = {"after": after, "place": place or 0}
    yield from connection.scalars(text(_UNCALLED), values).all()


def _place(connection: Connection, name: str) -> int | None:
    place: int | None = connection.scalar(text(f"SELECT max(seq) FROM {name}"))  # noqa: S608  # a name of our own
    return place
