"""Erasure in files of a home: rows of record files, and training sets made from them."""

import shutil
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.arrow_schema import INSTANT
from features.atomic_dir import written_whole
from features.ingest.known_since import known_since
from features.ingest.record_files import read_records, write_records
from features.records import RECORD_FILES
from serving.audit.retention_periods import RetentionCutoffs


def erase_files(home: Path, cutoffs: RetentionCutoffs) -> dict[str, int]:
    """Remove expired rows from the files of a home; return how many, by file.

    A training set with any expired row is deleted whole.
    """
    gone = _prune_records(home / "records", cutoffs.files)
    # Training sets are made from all three sources.
    newest = max(cutoffs.files, cutoffs.decisions, cutoffs.records)
    return gone | _drop_training_sets(home / "training_sets", newest)


def _prune_records(folder: Path, before: str) -> dict[str, int]:
    """Remove rows of record files that were known before a day; return how many, by file."""
    if not folder.exists():
        return {}
    cut = pa.scalar(datetime.fromisoformat(f"{before}T00:00:00Z"), INSTANT)
    journeys = read_records(folder, "journeys")
    staying = journeys.filter(pc.greater_equal(journeys["declared_at"], cut))["journey_id"]
    gone = {}
    with written_whole(folder) as partial:
        for name in RECORD_FILES:
            table = read_records(folder, name)
            since = known_since(name, table, lambda: read_records(folder, "shipments"))
            is_kept = pc.greater_equal(since, cut)
            if is_kept.null_count and "journey_id" in table.column_names:
                # A planned leg lasts as long as its journey.
                is_kept = pc.coalesce(is_kept, pc.is_in(table["journey_id"], staying))
            kept = table.filter(is_kept)
            gone[f"records/{name}"] = table.num_rows - kept.num_rows
            write_records(partial, name, kept)
    return gone


def _drop_training_sets(folder: Path, before: str) -> dict[str, int]:
    """Delete sets with subjects declared before a day; `tidegate build` recreates them."""
    gone = {}
    for file in sorted(folder.rglob("subjects.parquet")):
        declared = pq.read_table(file, columns=["declared_at"])["declared_at"]
        oldest = pc.min(declared).as_py()
        if oldest is not None and oldest.date().isoformat() < before:
            gone[f"training_sets/{file.parent.relative_to(folder)}"] = len(declared)
            shutil.rmtree(file.parent)
    return gone
