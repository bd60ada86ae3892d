"""How late the events of an invented world come, and how many of their key lie behind them then.

A subject comes at its declaration with the payments that were known before, as it is submitted;
any other payment comes when it is known. A payment that comes late must go before all of its key
that were known after it and came before it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numba import njit

from features.engine.columns import DAY_US

Array = np.ndarray[Any, Any]

KEYS = {"payee": ("payee_id",), "payer": ("payer_id",), "payer and payee": ("payer_id", "payee_id")}


def late_events(records: Path) -> dict[str, Any]:
    """Shares of late payments, and the events that each has behind it."""
    table = pq.read_table(
        records / "transactions.parquet",
        columns=["subject_id", "payer_id", "payee_id", "known_at"],
    )
    known_at = table["known_at"].cast("int64").to_numpy()
    declared_at = _declared_at(records, table["subject_id"])
    arrives_at = np.where(known_at < declared_at, declared_at, known_at)
    late_us = arrives_at - known_at
    found: dict[str, Any] = {
        "payments": len(known_at),
        "of which late": round(float((late_us > 0).mean()), 3),
        "days late": _quantiles(late_us[late_us > 0] / DAY_US),
    }
    for name, columns in KEYS.items():
        codes = [table[name].combine_chunks().dictionary_encode().indices for name in columns]
        has_key = np.all([coded.is_valid().to_numpy(False) for coded in codes], axis=0)
        key = np.zeros(len(known_at), np.int64)
        for coded in codes:
            key = key * (1 << 31) + coded.fill_null(0).to_numpy(False)
        _, number, sizes = np.unique(key[has_key], return_inverse=True, return_counts=True)
        behind = _behind(number, known_at[has_key], arrives_at[has_key])
        found[name] = {
            "keys": len(sizes),
            "events of a key, by event": _quantiles(sizes[number]),
            "late among rows": round(float((behind > 0).mean()), 3),
            "more than 128 behind": round(float((behind > 128).mean()), 3),
            "rows behind, mean": round(float(behind.mean()), 1),
            "rows behind": _quantiles(behind),
        }
    return found


def _behind(number: Array, known_at: Array, arrives_at: Array) -> Array:
    """How many of its key were known after each event and came before it."""
    by_key = np.lexsort((known_at, number))
    rank = np.empty(len(number), np.int64)
    starts = np.flatnonzero(np.r_[True, np.diff(number[by_key]) != 0])
    rank[by_key] = np.arange(len(number)) - np.repeat(starts, np.diff(np.r_[starts, len(number)]))
    by_arrival = np.lexsort((known_at, arrives_at, number))
    sizes = np.diff(np.r_[starts, len(number)])
    found = np.empty(len(number), np.int64)
    found[by_arrival] = _inversions(rank[by_arrival], starts, sizes)
    return found


@njit
def _inversions(rank: Array, starts: Array, sizes: Array) -> Array:
    """For each of a group, how many before it in the group have a higher rank."""
    found = np.zeros(len(rank), np.int64)
    tree = np.zeros(sizes.max() + 1, np.int64)
    for group in range(len(starts)):
        size = sizes[group]
        tree[: size + 1] = 0
        for at in range(size):
            place, below = rank[starts[group] + at] + 1, 0
            i = place
            while i > 0:
                below += tree[i]
                i -= i & -i
            found[starts[group] + at] = at - below
            i = place
            while i <= size:
                tree[i] += 1
                i += i & -i
    return found


def _declared_at(records: Path, ids: Any) -> Array:
    declared: dict[str, int] = {}
    for name, identity in (("journeys", "journey_id"), ("shipments", "shipment_id")):
        table = pq.read_table(records / f"{name}.parquet", columns=[identity, "declared_at"])
        instants = table["declared_at"].cast("int64").to_pylist()
        declared |= zip(table[identity].to_pylist(), instants, strict=True)
    return np.array([declared.get(id_, 0) for id_ in ids.to_pylist()], np.int64)


def _quantiles(values: Any) -> dict[str, float]:
    asked = {"p50": 50, "p90": 90, "p99": 99, "max": 100}
    return {name: round(float(np.percentile(values, at)), 2) for name, at in asked.items()}
