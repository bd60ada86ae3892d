"""Text for rescuers: positions in nautical notation, ages, and one log of calls and acts."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from features.records import Position
from serving.language import reading, say, say_of
from serving.review.cases.case_records import StoredEvent
from serving.review.cases.event_kinds import EVENT_KINDS
from serving.review.rescue.rescue_calls import RescueCallEvent

CALL_WORDS = {
    "called": "took the call",
    "refused": "did not take the call",
    "acknowledged": "said that they act",
}


@dataclass(frozen=True)
class LogEntry:
    """Line of the log; `times` counts repetitions in a row, the last one at `at`."""

    at: datetime
    who: str
    did: str
    text: str = ""
    times: int = 1


def rescue_log(
    calls: Iterable[RescueCallEvent], acts: Iterable[StoredEvent]
) -> tuple[LogEntry, ...]:
    """Return calls and acts, the newest first, without reads."""
    done = (event for event in acts if event.action != "read")
    entries = [*map(_of_call, calls), *map(_of_act, done)]
    return tuple(_together(sorted(entries, key=lambda each: each.at, reverse=True)))


def _of_call(step: RescueCallEvent) -> LogEntry:
    if step.action == "escalated":
        return LogEntry(step.at, "Nobody", "answered in time: the call goes on to the next address")
    return LogEntry(step.at, step.by.shown, CALL_WORDS[step.action])


def _of_act(event: StoredEvent) -> LogEntry:
    did = EVENT_KINDS[event.action].rescue_log or event.action.replace("_", " ")
    return LogEntry(event.at, event.by.shown, did, event.text)


def readers(acts: Iterable[StoredEvent]) -> tuple[LogEntry, ...]:
    """Return who read the case, how often and when last, the most recent reader first."""
    by_name: dict[str, list[datetime]] = defaultdict(list)
    for event in acts:
        if event.action == "read":
            by_name[event.by.shown].append(event.at)
    entries = [LogEntry(max(at), who, "looked", times=len(at)) for who, at in by_name.items()]
    return tuple(sorted(entries, key=lambda each: each.at, reverse=True))


def _together(entries: Iterable[LogEntry]) -> Iterator[LogEntry]:
    """Merge consecutive entries of the same person, act and text into one."""
    for (who, did, text), same in groupby(entries, key=lambda e: (e.who, e.did, e.text)):
        repeated = [*same]
        yield LogEntry(repeated[0].at, who, did, text, len(repeated))


def position_in_words(position: Position) -> str:
    """Return latitude and longitude in degrees and decimal minutes, as on nautical charts.

    >>> _degrees(36.6543, "N", "S"), _degrees(-5.99999, "E", "W")
    ('36°39.3′ N', '6°00.0′ W')"""
    north = _degrees(position.latitude, "N", "S")
    return f"{north}, {_degrees(position.longitude, 'E', 'W')}"


COMPASS = (
    *("north", "north-east", "east", "south-east"),
    *("south", "south-west", "west", "north-west"),
)


def compass_point(bearing_degrees: float) -> str:
    """Return the nearest of eight compass points as text."""
    return say(COMPASS[round(bearing_degrees / 45) % len(COMPASS)])


def position_in_title(position: Position) -> str:
    """Return latitude and longitude to the minute, isolated from the writing direction."""
    north = _whole_minutes(position.latitude, "N", "S")
    text = f"{north} {_whole_minutes(position.longitude, 'E', 'W')}"
    return f"\u2066{text}\u2069" if reading().language.direction == "rtl" else text


def _whole_minutes(degrees: float, positive: str, negative: str) -> str:
    """Return degrees and whole minutes.

    >>> _whole_minutes(35.9, "N", "S"), _whole_minutes(-0.999, "E", "W")
    ('35°54′N', '1°00′W')"""
    # Round before splitting, so that 59.99 minutes become the next degree, never 60 minutes.
    whole, minutes = divmod(round(abs(degrees) * 60), 60)
    return f"{whole}°{minutes:02}′{positive if degrees >= 0 else negative}"


def _degrees(degrees: float, positive: str, negative: str) -> str:
    tenths = round(abs(degrees) * 600)
    whole, minutes = divmod(tenths, 600)
    return f"{whole}°{minutes / 10:04.1f}′ {positive if degrees >= 0 else negative}"


def age_in_words(age: timedelta) -> str:
    """Return an age with the precision that a search needs.

    >>> [age_in_words(timedelta(minutes=m)) for m in (0.4, 12, 200, 7_000)]
    ['under 1 min', '12 min', '3 h 20 min', '4 days 20 h']"""
    minutes = int(age / timedelta(minutes=1))
    if minutes < 1:
        return say("under 1 min")
    if minutes < 60:
        return say("{minutes} min", minutes=minutes)
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        if rest:
            return say("{hours} h {minutes} min", hours=hours, minutes=rest)
        return say("{hours} h", hours=hours)
    days, rest = divmod(hours, 24)
    if rest:
        return say_of(days, "{count} day {hours} h", "{count} days {hours} h", hours=rest)
    return say_of(days, "{count} day", "{count} days")
