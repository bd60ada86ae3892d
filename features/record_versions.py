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

    One without `known_at` became known when the record type says (`Record.known_from`). All stand
    at the declaration of the first that was known.
    """
    until, lives = NEVER_ENDED, []
    known = [row.get("known_at") or row[record.known_from] for row in versions]
    if "declared_at" in record.model_fields and versions:
        declared = [row["declared_at"] for row in versions]
        _, first = min(zip(known, declared, strict=True))
        versions = [row | {"declared_at": first} for row in versions]
    told = zip(known, versions, strict=True)
    for since, row in sorted(told, key=lambda each: each[1]["version"], reverse=True):
        if not row["withdrawn"] and since < until:
            lives.append(Life(row, since, until))
        if record.versions_replace or row["withdrawn"]:
            until = min(until, since)
    return sorted(lives, key=lambda life: life.since)


def standing(records: Sequence[Any], record: type[Record], at: datetime) -> tuple[Any, ...]:
    """Records of one type without those that withdraw or were ended before an instant."""
    ends: dict[tuple[Any, ...], int] = {}
    for each in records if record.versions_of and "version" in record.model_fields else ():
        known_at = getattr(each, record.known_from)
        if getattr(each, "known_at", None) is not None:
            known_at = each.known_at
        is_known = known_at is not None and known_at < at
        if is_known and (record.versions_replace or each.withdrawn):
            of = tuple(getattr(each, name) for name in record.versions_of)
            ends[of] = max(each.version, ends.get(of, 0))
    if not ends:
        return (*records,)
    return tuple(each for each in records if not _is_ended(each, record, ends))


def _is_ended(each: Any, record: type[Record], ends: dict[tuple[Any, ...], int]) -> bool:
    last = ends.get(tuple(getattr(each, name) for name in record.versions_of), 0)
    return bool(each.withdrawn) or each.version + record.versions_replace <= last


def version_at(lives: Sequence[Life], at: datetime | None) -> dict[str, Any] | None:
    """The version that counts at an instant; None where none does."""
    if at is None:
        return None
    return next((life.row for life in lives if life.since < at <= life.until), None)
