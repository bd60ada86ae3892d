"""The versions of one record: which of them counted when.

A version counts from when it became known until a later one, of a higher number, became known. It
counts at instants after the one, and until the other. What withdraws a record counts at none.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from features.records import Record

NEVER_ENDED = datetime.max.replace(tzinfo=UTC)


class Life(NamedTuple):
    """A version of a record, from when it counts, and until when."""

    row: dict[str, Any]
    since: datetime
    until: datetime


def lives_of(versions: Sequence[dict[str, Any]], record: type[Record]) -> list[Life]:
    """The versions of one record that counted at some instant, in the order of becoming known.

    One without `known_at` became known when the record type says (`Record.known_from`).
    """
    until, lives = NEVER_ENDED, []
    for row in sorted(versions, key=lambda row: row["version"], reverse=True):
        since = row.get("known_at") or row[record.known_from]
        if not row["withdrawn"] and since < until:
            lives.append(Life(row, since, until))
        if record.versions_replace or row["withdrawn"]:
            until = min(until, since)
    return sorted(lives, key=lambda life: life.since)


def version_at(lives: Sequence[Life], at: datetime | None) -> dict[str, Any] | None:
    """The version that counts at an instant; None where none does."""
    if at is None:
        return None
    return next((life.row for life in lives if life.since < at <= life.until), None)
