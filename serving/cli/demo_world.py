"""An invented world that ends today, split at an instant into what is known and what comes."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_schema import INSTANT
from features.atomic_dir import written_whole
from features.ingest.record_files import read_records, write_records
from features.linked_records import LINKED_RECORD_TYPES
from features.records import RECORD_FILES, Record
from features.submission import Submission


def bring_up_to(world: Path, end: datetime) -> None:
    """Move every instant of a world by the same whole days, so that it ends within a day of `end`.

    What lies between two instants, and the hour of each, stay as they are.
    """
    last: datetime = pc.max(read_records(world, "shipments")["declared_at"]).as_py()
    by = pa.scalar(timedelta(days=(end - last).days), pa.duration("us"))
    for name in RECORD_FILES:
        table = read_records(world, name)
        for at, field in enumerate(table.schema):
            if field.type == INSTANT:
                table = table.set_column(at, field, pc.add(table[field.name], by))
        write_records(world, name, table)


def write_known_by(world: Path, instant: datetime, out: Path) -> None:
    """Write those records of a world that were known before the instant, whole or not at all."""
    with written_whole(out) as folder:
        for name, record in RECORD_FILES.items():
            table = read_records(world, name)
            is_known = pc.less(table[record.known_from], pa.scalar(instant, INSTANT))
            write_records(folder, name, table.filter(is_known))


def later_records(
    world: Path, submissions: Iterable[Submission], until: datetime
) -> dict[str, list[dict[str, Any]]]:
    """What became known of submitted subjects after their declarations, up to an instant.

    By record type, each in the order of knowledge, as `POST /v1/records` takes it.
    """
    declared_at = {(one.subject_kind, one.subject_id): one.declared_at for one in submissions}
    later: dict[str, list[dict[str, Any]]] = {}
    for name, record_type in LINKED_RECORD_TYPES.items():
        known_from = record_type.known_from
        found = [
            row
            for row in read_records(world, name).to_pylist()
            if (declared := declared_at.get(record_type.subject_of(row)))
            and row[known_from] is not None
            and declared <= row[known_from] < until
        ]
        found.sort(key=itemgetter(known_from))
        later[name] = [_as_json(record_type.record(**row)) for row in found]
    return later


def _as_json(record: Record) -> dict[str, Any]:
    return record.model_dump(mode="json", exclude_none=True)


def last_days_begin(world: Path, days: int) -> datetime:
    """The instant at which the last days of a world's declarations begin."""
    last: datetime = pc.max(read_records(world, "shipments")["declared_at"]).as_py()
    return last - timedelta(days=days)
