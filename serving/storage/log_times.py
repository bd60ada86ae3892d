"""The time of the log, which never goes back: it names keys, and periods of retention begin by it.

A row is dated by the clock of the machine, which may be wrong. Where it is behind the newest
decision, the row also has `logged_at`, the time of that decision: so a clock that falls back makes
no row old. An entry that two persons overruled, because the clock was ahead, binds nobody.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, Row, text

from serving.audit.erasure import OutOfOrder
from serving.storage.engine import failing_as_unavailable
from serving.storage.errors import ClockBehind
from serving.storage.repositories.retention_repository import stored_acts

# Several workers commit in another order than they read the clock.
TOLERANCE = timedelta(minutes=1)

MAX_STRETCHES = 1_000

# Reads the time of the log for what is written at an instant.
ReadTime = Callable[[Connection, str], str | None]

# Minutes are compared here, since instants as text may have fractions of seconds or not; each row
# that is found is then looked at exactly. What is dated after the present says nothing of others.
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
    # Commands run wherever a person is, by the clock of that machine.
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
    """Return the time of the log of a row that the clock dates `at`; None where that is the same.

    Rows of one day may be out of order by TOLERANCE; no row is of an earlier day than `newest`.

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
    """Return whether an instant (ISO) is before another by more than TOLERANCE."""
    return at < newest and instant(newest) - instant(at) > TOLERANCE


def instant(text: str) -> datetime:
    """Return the instant of a text (ISO), UTC where it names no zone."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def newest_time(connection: Connection, at: str) -> str | None:
    """Return the time of the log for what is written `at`; None where nothing binds it.

    It is that of the newest decision, or of the newest record where nothing was decided yet.
    """
    newest = connection.scalar(_NEWEST_DECISION) or connection.scalar(_NEWEST_RECORD)
    return binding(connection, at, newest)


def newest_record_time(connection: Connection, at: str) -> str | None:
    """Return the same for a record: the newest record's, as far as decisions bear it out.

    Nothing orders records but their times: one that was dated ahead binds no other for long.
    """
    newest = connection.scalar(_NEWEST_RECORD)
    decided = connection.scalar(_NEWEST_DECISION)
    return binding(connection, at, min(newest, decided or newest) if newest else None)


def known_time(
    engine: Engine, at: str, known: str | None, read: ReadTime = newest_time
) -> str | None:
    """Return the time of the log as a process knows it, read where it knows none yet.

    So no key is made for an earlier day before the transaction that would find out.
    """
    if known is not None:
        return known
    with failing_as_unavailable(), engine.connect() as connection:
        return read(connection, at)


def binding(connection: Connection, at: str, newest: str | None) -> str | None:
    """Return `newest`, or None where two persons overruled it."""
    if newest is None or logged_at(at, newest) is None:
        return newest  # nobody needs to look at the acts, as long as the clock is right
    overruled = {
        dated
        for act in stored_acts(connection, "overrule")
        for dated in act.details["overruled"].values()
    }
    return None if instant(newest).isoformat() in overruled else newest


def require_logged(rows: Iterable[Mapping[str, Any]], newest: str | None) -> None:
    """Raise ClockBehind unless every row of a record states the time of the log."""
    for row in rows:
        if row["logged_at"] != logged_at(row["received_at"], newest):
            raise ClockBehind("the clock is behind what was written last; ask again")


def out_of_order(connection: Connection, at: datetime | None) -> tuple[OutOfOrder, ...]:
    """Find the entries of both logs that the clock dated wrongly, if `at` is the time by now.

    They are ahead of it, or more than TOLERANCE before an entry that precedes them. Where nobody
    says what time it is, every entry counts for those after it. At most MAX_STRETCHES of a log.
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
    """Entries that are out of order, those that follow each other as one."""
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
        one = next((_settled(one, each) for each in settled if _is_within(one, each)), one)
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


def _settled(one: OutOfOrder, agreed: OutOfOrder) -> OutOfOrder:
    return replace(one, counts_from=agreed.counts_from, is_settled=True)


def _follows(one: OutOfOrder, before: OutOfOrder) -> bool:
    same = ("log", "is_ahead", "is_settled")
    alike = all(getattr(one, name) == getattr(before, name) for name in same)
    return alike and one.first == before.last + 1
