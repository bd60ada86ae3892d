"""The time of the log, which never goes back; keys and retention periods depend on it.

A row is dated by the clock of its machine, which may be wrong. If that is behind the newest
decision, the row also has `logged_at`, the time of that decision, so a clock that falls back makes
no row look old. Entries that two persons overruled, because the clock was ahead, no longer count.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from serving.audit.erasure import OutOfOrder
from serving.crypto.errors import LogMoved
from serving.storage.engine import database_errors_as_503
from serving.storage.repositories.retention_repository import stored_acts

# Several workers commit in another order than they read the clock.
TOLERANCE = timedelta(minutes=1)

MAX_STRETCHES = 1_000

# Reads the time of the log for a row written at an instant.
ReadTime = Callable[[Connection, str], str | None]

# The query compares minutes, since stored instants may lack fractions of seconds; each row found is
# then checked exactly. Rows dated in the future say nothing about others.
_OUT_OF_ORDER = """
SELECT seq, own, counted, before FROM (
    SELECT seq, {own} AS own, {counted} AS counted,
        max(CASE WHEN {counted} <= :at THEN {counted} END)
        OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM {log} {only}
) AS dated
WHERE substr(counted, 1, 16) > substr(:at, 1, 16) OR substr(own, 1, 16) < substr(before, 1, 16)
ORDER BY seq
"""
_LOGS = {
    "decisions": _OUT_OF_ORDER.format(
        log="decisions", own="scored_at", counted="coalesce(logged_at, scored_at)", only=""
    ),
    # Commands run on any person's machine, by that machine's clock.
    "audit_events": _OUT_OF_ORDER.format(
        log="audit_events", own="at", counted="at", only="WHERE actor NOT LIKE 'cli:%'"
    ),
}
_NO_PRESENT = "9999-12-31T23:59:59+00:00"

_NEWEST_DECISION = text(
    "SELECT coalesce(logged_at, scored_at) FROM decisions ORDER BY seq DESC LIMIT 1"
)
_NEWEST_RECORD = text("SELECT max(received_at) FROM records")


def logged_at(at: str, newest: str | None) -> str | None:
    """Return the time of the log for a row dated `at`; None if it equals `at`.

    Rows of one day may be out of order by TOLERANCE. No row may be of an earlier day than
    `newest`: it would need the key of a day that may be destroyed.

    >>> logged_at("2026-12-01T10:00:00+00:00", "2026-12-01T10:00:30+00:00")
    >>> logged_at("2016-12-03T10:00:00+00:00", "2026-12-01T10:00:30+00:00")
    '2026-12-01T10:00:30+00:00'
    >>> logged_at("2026-11-30T23:59:59+00:00", "2026-12-01T00:00:01+00:00")
    '2026-12-01T00:00:01+00:00'
    """
    if newest is None or at >= newest:
        return None
    is_of_earlier_day = at[:10] < newest[:10]
    return newest if is_of_earlier_day or is_out_of_order(at, newest) else None


def is_out_of_order(at: str, newest: str) -> bool:
    """Return whether an instant (ISO) precedes another by more than TOLERANCE."""
    return at < newest and instant(newest) - instant(at) > TOLERANCE


def instant(text: str) -> datetime:
    """Return the instant of an ISO text; UTC if it has no zone."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def newest_time(connection: Connection, at: str) -> str | None:
    """Return the time of the log for a row written `at`; None if nothing binds it.

    It is the time of the newest decision, or of the newest record before the first decision.
    """
    newest = connection.scalar(_NEWEST_DECISION) or connection.scalar(_NEWEST_RECORD)
    return binding(connection, at, newest)


def newest_record_time(connection: Connection, at: str) -> str | None:
    """Return the time of the log for a record: the newest record's, up to the newest decision's.

    Records have no order except their times, so one dated ahead must not bind others for long.
    """
    newest = connection.scalar(_NEWEST_RECORD)
    decided = connection.scalar(_NEWEST_DECISION)
    return binding(connection, at, min(newest, decided or newest) if newest else None)


def known_time(
    engine: Engine, at: str, known: str | None, read: ReadTime = newest_time
) -> str | None:
    """Return the time of the log known to this process, reading it if `at` begins a new day.

    A day's first row creates its key before the transaction notices the clock. Another worker may
    have written later days since, and no key must be created for an earlier one.
    """
    if known is not None and at[:10] <= known[:10]:
        return known
    with database_errors_as_503(), engine.connect() as connection:
        return read(connection, at)


def binding(connection: Connection, at: str, newest: str | None) -> str | None:
    """Return `newest`, or None if two persons overruled it."""
    if newest is None or logged_at(at, newest) is None:
        # With a correct clock the acts need not be read.
        return newest
    overruled = {
        dated
        for act in stored_acts(connection, "overrule")
        for dated in act.details["overruled"].values()
    }
    return None if instant(newest).isoformat() in overruled else newest


def require_logged(rows: Iterable[Mapping[str, Any]], newest: str | None) -> None:
    """Raise LogMoved unless every row of a record states the time of the log."""
    for row in rows:
        if row["logged_at"] != logged_at(row["received_at"], newest):
            raise LogMoved(
                "the clock is behind what was written last; ask again", code="clock-behind"
            )


def out_of_order(connection: Connection, at: datetime | None) -> tuple[OutOfOrder, ...]:
    """Return the entries of both logs that the clock dated wrongly, if `at` is the true time.

    Such entries are ahead of `at`, or more than TOLERANCE before an earlier entry. With `at` None
    every entry counts for those after it. At most MAX_STRETCHES for each log.
    """
    acts = stored_acts(connection, "overrule")
    settled = [OutOfOrder(**each) for act in acts for each in act.details.get("out_of_order", ())]
    overruled: dict[str, str] = {}
    for act in acts:
        for what, dated in act.details["overruled"].items():
            overruled[what] = max(dated, overruled.get(what, ""))
    present = at.astimezone(UTC).isoformat() if at else _NO_PRESENT
    found: list[OutOfOrder] = []
    for log, query in _LOGS.items():
        rows = connection.execute(text(query), {"at": present})
        found += islice(_stretches(log, rows, present, settled, overruled), MAX_STRETCHES)
    return tuple(found)


def _stretches(
    log: str,
    rows: Iterable[Row[Any]],
    present: str,
    settled: Sequence[OutOfOrder],
    overruled: Mapping[str, str],
) -> Iterator[OutOfOrder]:
    """Yield entries that are out of order, merging neighbours of the same kind."""
    last: OutOfOrder | None = None
    for row in rows:
        is_ahead = is_out_of_order(present, row.counted)
        if not (is_ahead or (row.before and is_out_of_order(row.own, row.before))):
            continue
        one = OutOfOrder(
            log=log,
            first=row.seq,
            last=row.seq,
            earliest=row.own,
            latest=row.own,
            counts_from=row.before or row.own,
            is_ahead=is_ahead,
        )
        one = next(
            (
                replace(one, counts_from=each.counts_from, is_settled=True)
                for each in settled
                if _is_within(one, each)
            ),
            one,
        )
        if is_ahead and row.counted <= overruled.get(one.kind, ""):
            one = replace(one, is_settled=True)
        if last is not None and _follows(one, last):
            last = replace(
                last,
                last=one.last,
                earliest=min(last.earliest, one.earliest),
                latest=max(last.latest, one.latest),
            )
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def _is_within(one: OutOfOrder, agreed: OutOfOrder) -> bool:
    return one.log == agreed.log and agreed.first <= one.first and one.last <= agreed.last


def _follows(one: OutOfOrder, before: OutOfOrder) -> bool:
    same = ("log", "is_ahead", "is_settled")
    alike = all(getattr(one, name) == getattr(before, name) for name in same)
    return alike and one.first == before.last + 1
