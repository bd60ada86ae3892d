"""Rows of files declared ahead of this machine's clock, which a service would refuse."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.cli.output import messages
from serving.future_declarations import MAX_AHEAD, utc_text

if TYPE_CHECKING:
    import pyarrow as pa

    from features.records import SubjectKind

MAX_ROWS_SHOWN = 5


def count_ahead(file: Path, declared_at: "pa.ChunkedArray", now: datetime) -> dict[str, Any]:
    """Count the rows of a file declared ahead of the clock, and print the first ones.

    Returns the count and the first row numbers, from 1, for a command's JSON.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    latest = pa.scalar(now + MAX_AHEAD, declared_at.type)
    rows = [row + 1 for row in pc.indices_nonzero(pc.greater(declared_at, latest)).to_pylist()]
    if rows:
        shown = ", ".join(f"{row:,}" for row in rows[:MAX_ROWS_SHOWN])
        more = f" and {len(rows) - MAX_ROWS_SHOWN:,} more" if len(rows) > MAX_ROWS_SHOWN else ""
        messages.print(
            f"{file}: {len(rows):,} declared more than 2 hours after this machine's clock, which "
            f"says {utc_text(now)}: row {shown}{more}. A service would refuse them",
            markup=False,
            soft_wrap=True,
        )
    return {"count": len(rows), "first_rows": rows[:MAX_ROWS_SHOWN]}


def count_in_matrix(training_set: Path, now: datetime) -> dict[str, Any]:
    """Count the rows declared ahead in a training set."""
    import pyarrow.parquet as pq

    file = training_set / "features.parquet"
    declared_at = pq.read_table(file, columns=["declared_at"])["declared_at"]
    return count_ahead(file, declared_at, now)


def count_in_records(folder: Path, now: datetime) -> dict[str, Any]:
    """Count the declarations ahead in written record files, by record type."""
    from features.ingest.record_files import read_records, record_file_of
    from features.subject_types import SUBJECT_TYPES

    counted = {}
    for name in (each.record_file for each in SUBJECT_TYPES.values()):
        if file := record_file_of(folder, name):
            counted[name] = count_ahead(file, read_records(folder, name)["declared_at"], now)
    return counted


def count_in_subjects(file: Path, kind: "SubjectKind", now: datetime) -> dict[str, Any]:
    """Count the declarations ahead in a file to score: a record file, or NDJSON submissions."""
    import pyarrow as pa

    from features.arrow_schema import INSTANT
    from features.ingest.record_files import read_record_file
    from features.subject_types import SUBJECT_TYPES
    from serving.scoring.files import holds_submissions, submissions_in

    if not holds_submissions(file):
        given = read_record_file(file, SUBJECT_TYPES[kind].record_file)
        return count_ahead(file, given["declared_at"], now)
    # A blank line has a number but no submission, so number the lines, not the submissions.
    declared_at: list[datetime | None] = []
    with file.open("rb") as lines:
        for line in lines:
            found = [each.declared_at for each in submissions_in(file, kind, [line])]
            declared_at.append(found[0] if found else None)
    return count_ahead(file, pa.chunked_array([pa.array(declared_at, INSTANT)]), now)
