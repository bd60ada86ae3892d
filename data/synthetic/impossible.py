"""Counts of records that say what cannot be: a sound world has none.

Mistakes and lies of parties are not meant, which a world has on purpose, but what no party could
do: travel by road over the sea, book after leaving, or be known before it happened.
"""

from pathlib import Path
from typing import get_args

import pandas as pd
import pyarrow.parquet as pq

from features.records import Mode
from synthetic.possible_legs import is_possible

# When each record becomes known, and the instants that it states as past.
KNOWN: dict[str, tuple[str, tuple[str, ...]]] = {
    "journeys": ("declared_at", ("booked_at", "departed_at", "hire_started_at")),
    "legs": ("known_at", ("departed_at", "arrived_at")),
    "documents": ("received_at", ("issued_at",)),
    "transactions": ("known_at", ("paid_at",)),
    "events": ("known_at", ("occurred_at",)),
    "outcomes": ("known_at", ("inspected_at",)),
}


def impossible_records(folder: Path) -> dict[str, int]:
    """Return the number of records of each impossible kind."""
    read = {
        name: pq.read_table(folder / f"{name}.parquet", columns=[known, *past]).to_pandas()
        for name, (known, past) in KNOWN.items()
    }
    counts = _impossible_journeys(folder) | _impossible_legs(folder) | _impossible_versions(folder)
    counts["inspected_before_arrival"] = _early_inspections(folder)
    for name, (known, past) in KNOWN.items():
        early = pd.concat([read[name][at] > read[name][known] for at in past], axis=1)
        counts[f"{name}_known_before_they_happened"] = int(early.any(axis=1).sum())
    return counts


def _impossible_journeys(folder: Path) -> dict[str, int]:
    columns = ["booked_at", "departed_at", "hire_started_at", "due_at"]
    journeys = pq.read_table(folder / "journeys.parquet", columns=columns).to_pandas()
    return {
        "booked_after_departure": int((journeys.booked_at > journeys.departed_at).sum()),
        "hired_after_departure": int((journeys.hire_started_at > journeys.departed_at).sum()),
        "departed_after_arrival": int((journeys.departed_at > journeys.due_at).sum()),
    }


def _early_inspections(folder: Path) -> int:
    named = ["journey_id", "due_at"]
    due_at = pq.read_table(folder / "journeys.parquet", columns=named).to_pandas()
    due_at = due_at.set_index("journey_id").due_at
    named = ["shipment_id", "journey_id"]
    carried = pq.read_table(folder / "shipments.parquet", columns=named).to_pandas()
    named = ["subject_id", "inspected_at"]
    outcomes = pq.read_table(folder / "outcomes.parquet", columns=named).to_pandas()
    journey = carried.set_index("shipment_id").journey_id.reindex(outcomes.subject_id)
    arrives = journey.fillna(outcomes.set_index("subject_id").index.to_series()).map(due_at)
    return int((outcomes.inspected_at.to_numpy() < arrives.to_numpy()).sum())


def _impossible_versions(folder: Path) -> dict[str, int]:
    columns = ["document_id", "version", "kind", "received_at"]
    documents = pq.read_table(folder / "documents.parquet", columns=columns).to_pandas()
    amended = documents[documents.version > 1].assign(version=lambda one: one.version - 1)
    pairs = amended.merge(
        documents, on=["document_id", "version"], how="left", suffixes=("", "_before")
    )
    return {
        "document_versions_without_an_earlier_one": int(pairs.kind_before.isna().sum()),
        "document_versions_received_before_an_earlier_one": int(
            (pairs.received_at <= pairs.received_at_before).sum()
        ),
        "document_ids_of_several_kinds": int(
            (pairs.kind_before.notna() & (pairs.kind != pairs.kind_before)).sum()
        ),
    }


def _impossible_legs(folder: Path) -> dict[str, int]:
    columns = ["mode", "origin", "destination"]
    legs = pq.read_table(folder / "legs.parquet", columns=columns).to_pandas()
    # Each distinct leg once: few corridors are travelled often.
    times = legs.groupby(columns, observed=True).size().reset_index(name="times")
    possible = is_possible(*(times[name].to_numpy(dtype=object) for name in columns))
    impossible = times[~possible].groupby("mode").times.sum()
    return {
        f"legs_by_{mode}_where_none_leads": int(impossible.get(mode, 0)) for mode in get_args(Mode)
    }
