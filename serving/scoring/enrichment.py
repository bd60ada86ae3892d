"""Enrich submissions with the received records of their subjects."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from features.linked_records import LINKED_RECORD_TYPES
from features.records import Position, Record
from features.submission import Submission, submitted_type
from serving.history.received_records import ReceivedRecord

if TYPE_CHECKING:
    from serving.audit.decision import Decision
    from serving.storage.repositories.record_repository import RecordRepository


def enrich(
    submission: Submission, records: Iterable[ReceivedRecord]
) -> tuple[Submission, tuple[str, ...]]:
    """Add received records to a submission; return it and the names of the added records.

    Where both have a record, the submission's counts. The exception is a leg that is planned in one
    and departed or arrived in a later version: the version known last before the scoring instant
    counts. If there are more positions than a submission may hold, the latest ones count, and every
    distress call.
    """
    linked = {name: list(submission.linked(name)) for name in LINKED_RECORD_TYPES}
    places = {
        name: {_key(name, record): place for place, record in enumerate(present)}
        for name, present in linked.items()
    }
    attached: dict[tuple[str, int], str] = {}
    for row in records:
        name = row.kind
        if name not in linked:
            continue
        record = row.record
        place = places[name].setdefault(_key(name, record), len(linked[name]))
        if place == len(linked[name]):
            # Positions may exceed the limit here; `_positions_that_stay` selects from all of them
            # below.
            if name != "positions" and _is_full(name, linked[name]):
                del places[name][_key(name, record)]
                continue
            linked[name].append(_as_submitted(name, record))
        elif _is_later_version(name, record, linked[name][place], submission.scoring_instant):
            linked[name][place] = _as_submitted(name, record)
        else:
            continue
        attached[name, place] = f"{name}/{row.record_id}"
    if not attached:
        return submission, ()
    stay = _positions_that_stay(linked["positions"])
    linked["positions"] = [linked["positions"][place] for place in stay]
    named = [each for at, each in attached.items() if at[0] != "positions" or at[1] in stay]
    update = {name: tuple(present) for name, present in linked.items()}
    return submission.with_linked(update), tuple(named)


def as_scored(decision: "Decision", records: "RecordRepository") -> Submission:
    """Return the submission of a decision with the stored records that counted in addition to it.

    Of a masked decision they are not known any more, and its submission is returned as it is.
    """
    named, subject = {*decision.linked_records}, (decision.subject_kind, decision.subject_id)
    rows = records.about([subject])[subject] if named else []
    counted = [row for row in rows if f"{row.kind}/{row.record_id}" in named]
    return enrich(decision.submission, counted)[0]


def with_newest_legs(
    submission: Submission, records: Iterable[ReceivedRecord], now: datetime
) -> Submission:
    """Replace the legs by their newest known versions, which show if the journey has arrived."""
    legs = [row for row in records if row.kind == "legs"]
    as_of_now = submission.model_copy(update={"as_of": now})
    newest, _ = enrich(as_of_now, legs)
    return submission.model_copy(update={"legs": newest.legs})


def with_newest_positions(
    submission: Submission, records: "RecordRepository", clock: Callable[[], datetime]
) -> Submission:
    """Add the positions heard by now; raises LogUnavailable.

    A position dated later than now comes from a wrong clock. It is left out if there is any other.
    """
    if submission.journey is None:
        return submission
    subject = ("route", submission.journey.journey_id)
    rows = records.about([subject])[subject]
    heard, _ = enrich(submission, [row for row in rows if row.kind == "positions"])
    now = clock()
    in_time = tuple(each for each in heard.positions if each.observed_at <= now)
    return heard.model_copy(update={"positions": in_time}) if in_time else heard


def _positions_that_stay(heard: list[Position]) -> dict[int, None]:
    """Return the indices of positions to keep, in order; distress calls outrank later positions."""
    most = LINKED_RECORD_TYPES["positions"].most_in_submission
    if len(heard) <= most:
        return dict.fromkeys(range(len(heard)))

    def worth(place: int) -> tuple[bool, datetime]:
        return bool(heard[place].is_distress), heard[place].observed_at

    return dict.fromkeys(sorted(sorted(range(len(heard)), key=worth)[-most:]))


def _is_full(name: str, records: list[Any]) -> bool:
    return len(records) >= LINKED_RECORD_TYPES[name].most_in_submission


def _is_later_version(name: str, record: Record, present: Record, as_of: datetime) -> bool:
    """Return True if a record is a newer version, known before `as_of`, of the present one."""
    record_type = LINKED_RECORD_TYPES[name]
    known_from = record_type.known_from
    # Only types whose id, but not key, contains the known instant can have several versions of one
    # thing.
    if known_from not in record_type.id_fields or known_from in record_type.key_fields:
        return False
    known_at, before = getattr(record, known_from), getattr(present, known_from)
    return known_at is not None and known_at < as_of and (before is None or before < known_at)


def _key(name: str, record: Record) -> tuple[Any, ...]:
    """Return the fields that distinguish records of one type and subject."""
    return LINKED_RECORD_TYPES[name].key_of(record)


def _as_submitted(name: str, record: Record) -> Record:
    submitted = submitted_type(name)
    return record if type(record) is submitted else submitted.model_construct(**dict(record))
