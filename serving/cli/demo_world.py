"""Invented world that ends today, split at an instant into known and future records."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.arrow_schema import INSTANT
from features.atomic_dir import written_whole
from features.ingest.known_since import known_since
from features.ingest.record_files import read_records, write_records
from features.linked_records import LINKED_RECORD_TYPES
from features.records import RECORD_FILES, Record, SubjectKind
from features.replay_submissions import submissions_of
from features.submission import Submission

# Offices played in a month, the risk above which all subjects are played, and one in how many
# others. Few enough to be quick, with enough findings to be instructive.
OFFICES_OF_MONTH, RISKY, ONE_IN = 7, 0.02, 7

OfficesById = Mapping[SubjectKind, Mapping[str, str]]


@dataclass(frozen=True)
class Month:
    """Declarations of a month in order, with offices and truth by subject id.

    Subjects without an entry in `ways` smuggle nothing.
    """

    submissions: Sequence[Submission]
    offices: Mapping[str, str]
    ways: Mapping[str, str]


def bring_up_to(world: Path, end: datetime) -> None:
    """Shift all instants of a world by the same whole days, so that it ends at `end`.

    Intervals and times of day stay the same. Records that become known from `end` on are dropped.
    """
    declared = (read_records(world, name)["declared_at"] for name in ("journeys", "shipments"))
    # After the last journey only few shipments are declared, those of journeys before it.
    last: datetime = min(pc.max(instants).as_py() for instants in declared)
    # Rounded up, so that the last day is cut short instead of missing.
    days = -((last - end) // timedelta(days=1))
    by = pa.scalar(timedelta(days=days), pa.duration("us"))
    for name in RECORD_FILES:
        table = read_records(world, name)
        for at, field in enumerate(table.schema):
            if field.type == INSTANT:
                table = table.set_column(at, field, pc.add(table[field.name], by))
        write_records(world, name, table)
    for name in RECORD_FILES:
        table = read_records(world, name)
        write_records(world, name, table.filter(_known_before(world, name, table, end)))


def write_known_by(
    world: Path, instant: datetime, out: Path, without_outcomes_of: Iterable[str] = ()
) -> None:
    """Write the records of a world known before an instant, atomically.

    `without_outcomes_of` are ids of subjects whose outcomes are left out.
    """
    with written_whole(out) as folder:
        for name in RECORD_FILES:
            table = read_records(world, name)
            is_known = _known_before(world, name, table, instant)
            if name == "outcomes":
                left_out = pa.array(without_outcomes_of, pa.string())
                is_known = pc.and_not(is_known, pc.is_in(table["subject_id"], left_out))
            write_records(folder, name, table.filter(is_known))


def _known_before(world: Path, name: str, table: pa.Table, instant: datetime) -> pa.ChunkedArray:
    since = known_since(name, table, partial(read_records, world, "shipments"))
    return pc.less(since, pa.scalar(instant, INSTANT))


def offices_of_month(world: Path, since: datetime, until: datetime) -> OfficesById:
    """Return the office of each subject to play in a period, by kind and id.

    These are all risky subjects of the busiest offices, and a sample of the others.
    """
    shipments = _declared_between(read_records(world, "shipments"), since, until)
    journeys = _declared_between(read_records(world, "journeys"), since, until)
    declared_at = shipments["office_id"].to_pylist()
    busiest = [office for office, _ in Counter(declared_at).most_common(OFFICES_OF_MONTH)]
    # A journey names no office, so take the busiest one of the country of arrival.
    of_country = {office.split("-")[1]: office for office in reversed(busiest)}
    arrive_at = [of_country.get(place[:2]) for place in journeys["destination"].to_pylist()]
    at_busiest = [office if office in busiest else None for office in declared_at]
    risky = _risky(world)
    return {
        "route": _thinned(journeys["journey_id"].to_pylist(), arrive_at, risky),
        "shipment": _thinned(shipments["shipment_id"].to_pylist(), at_busiest, risky),
    }


def _risky(world: Path) -> frozenset[str]:
    oracle = pq.read_table(world / "oracle.parquet")
    is_risky = pc.greater(oracle["true_probability"], RISKY)
    return frozenset(oracle.filter(is_risky)["subject_id"].to_pylist())


def _thinned(ids: Sequence[str], offices: Sequence[str | None], risky: Set[str]) -> dict[str, str]:
    at_one = [(id_, office) for id_, office in zip(ids, offices, strict=True) if office]
    return {
        id_: office
        for number, (id_, office) in enumerate(at_one)
        if id_ in risky or number % ONE_IN == 0
    }


def month_of(world: Path, offices: OfficesById) -> Month:
    """Return the declarations of the subjects to play, with their truth."""
    played = [
        submission
        for kind, office in offices.items()
        for submission in submissions_of(world, kind, among=pa.array(office, pa.string()))
    ]
    played.sort(key=attrgetter("declared_at"))
    oracle = pq.read_table(world / "oracle.parquet")
    smuggled = oracle.filter(pc.is_valid(oracle["typology"]))
    ways = zip(smuggled["subject_id"].to_pylist(), smuggled["typology"].to_pylist(), strict=True)
    return Month(
        played, {id_: at for each in offices.values() for id_, at in each.items()}, dict(ways)
    )


def _declared_between(subjects: pa.Table, since: datetime, until: datetime) -> pa.Table:
    declared = subjects["declared_at"]
    is_in_time = pc.and_(
        pc.greater_equal(declared, pa.scalar(since, INSTANT)),
        pc.less(declared, pa.scalar(until, INSTANT)),
    )
    return subjects.filter(is_in_time)


def later_records(
    world: Path, submissions: Iterable[Submission]
) -> dict[str, list[dict[str, Any]]]:
    """Return the records about submitted subjects known after their declarations.

    They are grouped by record type, in order of knowledge, in the form of `POST /v1/records`; types
    without records are left out.
    """
    declared_at = {(one.subject_kind, one.subject_id): one.declared_at for one in submissions}
    ids = pa.array({subject_id for _, subject_id in declared_at}, pa.string())
    later: dict[str, list[dict[str, Any]]] = {}
    for name, record_type in LINKED_RECORD_TYPES.items():
        known_from = record_type.known_from
        records = read_records(world, name)
        of_submitted = records.filter(pc.is_in(records[record_type.subject_field], ids))
        found = [
            row
            for row in of_submitted.to_pylist()
            if (declared := declared_at.get(record_type.subject_of(row)))
            and row[known_from] is not None
            and declared <= row[known_from]
        ]
        found.sort(key=itemgetter(known_from))
        if found:
            later[name] = [_as_json(record_type.record(**row)) for row in found]
    return later


def _as_json(record: Record) -> dict[str, Any]:
    return record.model_dump(mode="json", exclude_none=True)


def last_days_begin(world: Path, days: int) -> datetime:
    """Return the instant at which the last days of declarations begin."""
    last: datetime = pc.max(read_records(world, "shipments")["declared_at"]).as_py()
    return last - timedelta(days=days)
