"""Decide which version of a record counts at an instant.

A version counts after the instant at which it became known, until a version with a higher number
becomes known, inclusive. A withdrawal itself never counts.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from features.engine.windows.lifetimes import rows_still_counting
from features.records import Record

NEVER_ENDED = datetime.max.replace(tzinfo=UTC)


def amends(record: Record) -> bool:
    """Return whether a record is a later version of another, or withdraws it."""
    fields = record.__dict__
    return fields.get("version", 1) > 1 or bool(fields.get("withdrawn"))


def is_known_late(record: Record) -> bool:
    """Return whether a declaration became known later than it was made."""
    fields = record.__dict__
    declared_at, known_at = fields.get("declared_at"), fields.get("known_at")
    return declared_at is not None and known_at is not None and known_at > declared_at


class CountingVersion(NamedTuple):
    """A version of a record with the interval in which it counts."""

    row: dict[str, Any]
    since: datetime
    until: datetime


def counting_versions(
    versions: Sequence[dict[str, Any]], record: type[Record]
) -> list[CountingVersion]:
    """Return every version that counted at some instant, in the order of becoming known.

    All have the declaration instant of the version that was known first.
    """
    until, lives = NEVER_ENDED, []
    known = [_known_at(row, record) for row in versions]
    if "declared_at" in record.model_fields and versions:
        declared = [row["declared_at"] for row in versions]
        _, first = min(zip(known, declared, strict=True))
        versions = [row | {"declared_at": first} for row in versions]
    told = zip(known, versions, strict=True)
    # From the newest version back, so that each ends when a newer one became known.
    for since, row in sorted(told, key=lambda each: each[1]["version"], reverse=True):
        if not row["withdrawn"] and since < until:
            lives.append(CountingVersion(row, since, until))
        if record.versions_replace or row["withdrawn"]:
            until = min(until, since)
    return sorted(lives, key=lambda life: life.since)


def standing(records: Sequence[Any], record: type[Record], at: datetime) -> tuple[Any, ...]:
    """Return records without withdrawals and those that ended before an instant."""
    if "version" not in record.model_fields or not any(map(amends, records)):
        return (*records,)
    fields = {id(each.__dict__): each for each in records}
    known = [row for each in records if _is_known(row := each.__dict__, record, at)]
    rows = [each.__dict__ for each in records]
    left = rows_still_counting(rows, known, record.versions_of, is_replaced=record.versions_replace)
    return tuple(fields[id(row)] for row in left)


def _is_known(row: Mapping[str, Any], record: type[Record], at: datetime) -> bool:
    known_at = _known_at(row, record)
    return known_at is not None and known_at < at


def _known_at(row: Mapping[str, Any], record: type[Record]) -> Any:
    """Return when a version became known: by its type's field or `known_at`, whichever is later."""
    said = filter(None, (row[record.known_from], row.get("known_at")))
    return max(said, default=None)


def version_at(lives: Sequence[CountingVersion], at: datetime | None) -> dict[str, Any] | None:
    """Return the version that counts at an instant; None if there is none."""
    if at is None:
        return None
    return next((life.row for life in lives if life.since < at <= life.until), None)
